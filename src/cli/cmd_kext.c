/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_kext.c - croft kext: kernel extensions that global has registered.  show is with the others in cmd_list.c.
 */
#include "cli.h"
#include "output.h"

#include <errno.h>
#include <string.h>

static const struct cli_column columns[] = {{"NAME", "name", COLUMN_TEXT, true}, {"KIND", "kind", COLUMN_TEXT, true},
        {"KERNEL", "kernel", COLUMN_TEXT, true}, {"GENERATION", "generation", COLUMN_NUMBER, true},
        {"STATE", "state", COLUMN_TEXT, true}, {"SIZE", "size_bytes", COLUMN_BYTES, true},
        {"SHA256", "sha256", COLUMN_DIGEST, true}, {"MAJOR", "takes_major", COLUMN_TEXT, false},
        {"SIGNER", "signer", COLUMN_TEXT, false}, {"PLAIN-SHA256", "plain_sha256", COLUMN_DIGEST, false},
        {"ORIGIN", "origin", COLUMN_TEXT, false}, {NULL}};

/* croftd has a working directory of its own. */
static int absolute(struct cli *cli, const char *file, char **ret)
{
        struct croft_error err = CROFT_ERROR_INIT;

        *ret = realpath(file, NULL);
        if (*ret)
                return 0;
        (void)croft_error_set(&err, errno, "open '%s'", file);
        return cli_fail(cli, &err, NULL);
}

/* A module's name has neither. */
static bool is_file(const char *word)
{
        return strchr(word, '/') || strchr(word, '.');
}

/* What was registered is added to all. */
static int register_body(struct cli *cli, const json_t *body, const char *verb, const char *subject, json_t *all)
{
        _cleanup_free_ char *path = cli_path(NULL, "extensions", NULL);
        _cleanup_json_ json_t *answer = NULL;
        char doing[400];
        int r;

        (void)snprintf(doing, sizeof(doing), "%s '%.300s'", verb, subject);
        r = cli_request(cli, "POST", path, body, doing, &answer);
        if (r == 0)
                (void)json_array_extend(all, answer);
        return r;
}

static int register_one(struct cli *cli, const struct cli_args *args, const char *word, json_t *all)
{
        _cleanup_free_ char *file = NULL;
        _cleanup_json_ json_t *body = NULL;
        int r = is_file(word) ? absolute(cli, word, &file) : 0;

        if (r != 0)
                return r;
        body = json_pack("{s:s}", file ? "path" : "module", file ? file : word);
        if (!body)
                return cli_usage(args->command, "a word is no valid text");
        return register_body(cli, body, "register", word, all);
}

int cli_cmd_kext_register(struct cli *cli, const struct cli_args *args)
{
        _cleanup_json_ json_t *all = json_array();
        const char *package;
        size_t at = 0;
        int status = 0, r;

        if (args->n_words == 0 && !cli_has(args, "package"))
                return cli_usage(args->command, "a file, a module or --package is needed");
        while ((package = cli_next(args, "package", &at))) {
                _cleanup_json_ json_t *body = json_pack("{s:s}", "package", package);

                r = body ? register_body(cli, body, "register the modules of package", package, all)
                         : cli_usage(args->command, "a word is no valid text");
                status = status ? status : r;
        }
        for (size_t i = 0; i < args->n_words; i++) {
                r = register_one(cli, args, args->words[i], all);
                status = status ? status : r;
        }
        if (status != 0 && json_array_size(all) == 0)
                return status;
        r = output_list(cli, stdout, all, columns);
        return status ? status : r;
}

static int identify(struct cli *cli, const char *file, json_t **ret)
{
        _cleanup_free_ char *path = NULL, *query = NULL, *target = NULL;
        char what[400];
        int r = absolute(cli, file, &path);

        if (r != 0)
                return r;
        query = cli_query("path", path);
        target = query ? cli_path(query, "identity", NULL) : NULL;
        (void)snprintf(what, sizeof(what), "identify '%.300s'", file);
        return cli_request(cli, "GET", target, NULL, what, ret);
}

int cli_cmd_kext_id(struct cli *cli, const struct cli_args *args)
{
        _cleanup_json_ json_t *all = json_array();
        int status = 0;

        for (size_t i = 0; i < args->n_words; i++) {
                json_t *one = NULL;
                int r = identify(cli, args->words[i], &one);

                status = status ? status : r;
                if (r != 0)
                        continue;
                if (!cli->format_given)
                        (void)printf("%s  %s\n", json_string_value(json_object_get(one, "sha256")), args->words[i]);
                (void)json_array_append_new(all, one);
        }
        if (json_array_size(all) > 0) {
                int r = cli->format_given ? output_objects(cli, stdout, all, args->n_words == 1) : output_end(stdout);

                status = status ? status : r;
        }
        return status;
}

int cli_cmd_kext_list(struct cli *cli, const struct cli_args *args)
{
        static const struct cli_column grants[] = {{"NAME", "name", COLUMN_TEXT, true},
                {"LOCAL", "local", COLUMN_TEXT, true}, {"MAJOR", "major", COLUMN_TEXT, true},
                {"PREVIOUS", "previous", COLUMN_TEXT, true}, {"PARAMETERS", "parameters", COLUMN_TEXT, true},
                {"STATE", "state", COLUMN_TEXT, true}, {"STANZA", "stanza", COLUMN_TEXT, true},
                {"GRANTED", "granted", COLUMN_AGE, true}, {"SCAN", "scan", COLUMN_NUMBER, false}, {NULL}};
        const bool one = args->n_words > 0;
        _cleanup_free_ char *path = one ? cli_path(NULL, "partitions", args->words[0], "extensions", NULL)
                                        : cli_path(NULL, "extensions", NULL);
        _cleanup_json_ json_t *answer = NULL;
        char what[160];
        int r;

        if (cli_has(args, "holders"))
                return cli_kext_holders(cli, args);
        (void)snprintf(
                what, sizeof(what), one ? "list the extensions of '%s'" : "list extensions", one ? args->words[0] : "");
        r = cli_request(cli, "GET", path, NULL, what, &answer);
        return r ? r : output_list(cli, stdout, answer, one ? grants : columns);
}

int cli_cmd_kext_grant(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *path = cli_path(NULL, "partitions", args->words[0], "extensions", NULL);
        _cleanup_json_ json_t *body = NULL;
        char what[160];

        (void)snprintf(what, sizeof(what), "grant an extension to '%s'", args->words[0]);
        body = json_pack("{s:s, s:b, s:b, s:b, s:s*}", "extension", args->words[1], "local", cli_has(args, "local"),
                "major", cli_has(args, "major"), "previous", cli_has(args, "previous"), "parameters",
                cli_value(args, "params"));
        if (!body)
                return cli_usage(args->command, "a word is no valid text");
        return cli_request(cli, "POST", path, body, what, NULL);
}

int cli_cmd_kext_ungrant(struct cli *cli, const struct cli_args *args)
{
        int status = 0;

        for (size_t i = 1; i < args->n_words; i++) {
                _cleanup_free_ char *query = cli_query("extension", args->words[i]);
                _cleanup_free_ char *path =
                        query ? cli_path(query, "partitions", args->words[0], "extensions", NULL) : NULL;
                char what[160];
                int r;

                (void)snprintf(what, sizeof(what), "take a grant back from '%s'", args->words[0]);
                r = cli_request(cli, "DELETE", path, NULL, what, NULL);
                status = status ? status : r;
        }
        return status;
}

int cli_cmd_kext_check(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *file = NULL, *words = cli_kext_parameters(args), *path = NULL, *query = NULL;
        _cleanup_free_ char *parameters = words ? cli_query("parameters", words) : NULL;
        _cleanup_free_ char *path_query = NULL;
        _cleanup_json_ json_t *answer = NULL, *list = json_array();
        char what[400];
        int r = absolute(cli, args->words[1], &file);

        if (r != 0)
                return r;
        path_query = cli_query("path", file);
        if (path_query && parameters && asprintf(&query, "%s&%s", path_query, parameters) < 0)
                query = NULL;
        path = query ? cli_path(query, "partitions", args->words[0], "extensions", "check", NULL) : NULL;
        (void)snprintf(what, sizeof(what), "give '%.300s' to '%.63s'", args->words[1], args->words[0]);
        r = cli_request(cli, "GET", path, NULL, what, &answer);
        if (r != 0)
                return r;
        (void)json_array_append(list, answer);
        return output_list(cli, stdout, list, columns);
}

static int act_on(struct cli *cli, const char *name, const char *verb)
{
        _cleanup_free_ char *path = cli_path(NULL, "extensions", name, verb, NULL);
        char what[160];

        (void)snprintf(what, sizeof(what), "%s '%s'", verb, name);
        return cli_request(cli, "POST", path, NULL, what, NULL);
}

static int revoke_one(struct cli *cli, const struct cli_args *args, const char *name)
{
        (void)args;
        return act_on(cli, name, "revoke");
}

static int supersede_one(struct cli *cli, const struct cli_args *args, const char *name)
{
        (void)args;
        return act_on(cli, name, "supersede");
}

int cli_cmd_kext_revoke(struct cli *cli, const struct cli_args *args)
{
        return cli_each(cli, args, revoke_one);
}

int cli_cmd_kext_supersede(struct cli *cli, const struct cli_args *args)
{
        return cli_each(cli, args, supersede_one);
}

static int scan(struct cli *cli, const char *partition, const char *method, const char *what, const char *query)
{
        static const struct cli_column found[] = {{"APPLICATION", "application", COLUMN_TEXT, true},
                {"FILE", "file", COLUMN_TEXT, true}, {"PATH", "path", COLUMN_TEXT, true},
                {"EXTENSION", "extension", COLUMN_TEXT, true}, {"GENERATION", "generation", COLUMN_NUMBER, false},
                {"STATE", "state", COLUMN_TEXT, true}, {"SHA256", "sha256", COLUMN_DIGEST, false},
                {"CONFIGURED", "configured", COLUMN_TEXT, false}, {"ODDITY", "oddity", COLUMN_TEXT, false},
                {"SCAN", "scan", COLUMN_NUMBER, false}, {"REASON", "reason", COLUMN_TEXT, false},
                {"SCANNED", "scanned", COLUMN_AGE, false}, {NULL}};
        _cleanup_free_ char *path = cli_path(query, "partitions", partition, what, NULL);
        _cleanup_json_ json_t *answer = NULL;
        char doing[160];
        int r;

        (void)snprintf(doing, sizeof(doing), "%s '%.63s'", what, partition);
        r = cli_request(cli, method, path, NULL, doing, &answer);
        return r ? r : output_list(cli, stdout, answer, found);
}

/* When and why the last one of each partition was. */
static int list_scans(struct cli *cli)
{
        static const struct cli_column scans[] = {{"PARTITION", "partition", COLUMN_TEXT, true},
                {"SCAN", "scan", COLUMN_NUMBER, true}, {"REASON", "reason", COLUMN_TEXT, true},
                {"FOUND", "found", COLUMN_NUMBER, true}, {"SCANNED", "scanned", COLUMN_AGE, true}, {NULL}};
        _cleanup_free_ char *path = cli_path(NULL, "scans", NULL);
        _cleanup_json_ json_t *answer = NULL;
        int r = cli_request(cli, "GET", path, NULL, "list scans", &answer);

        return r ? r : output_list(cli, stdout, answer, scans);
}

int cli_cmd_kext_scan(struct cli *cli, const struct cli_args *args)
{
        if (args->n_words == 0 && cli_has(args, "last"))
                return list_scans(cli);
        if (args->n_words == 0)
                return cli_usage(args->command, "PARTITION or --last is needed");
        return scan(cli, args->words[0], cli_has(args, "last") ? "GET" : "POST", "scan", NULL);
}

int cli_cmd_kext_sync(struct cli *cli, const struct cli_args *args)
{
        return scan(cli, args->words[0], "POST", "sync", NULL);
}

int cli_cmd_kext_provide(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *extension = cli_query("extension", args->words[1]), *both = NULL;
        _cleanup_free_ char *place = args->n_words > 2 ? cli_query("path", args->words[2]) : NULL;

        if (extension && place && asprintf(&both, "%s&%s", extension, place) < 0)
                both = NULL;
        return scan(cli, args->words[0], "POST", "provide", both ? both : extension);
}
