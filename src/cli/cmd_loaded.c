/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_loaded.c - croft kext load, unload, list --holders: extensions in the kernel, and who holds them.
 */
#include "cli.h"
#include "output.h"

#include <string.h>

static const struct cli_column holders[] = {{"NAME", "name", COLUMN_TEXT, true},
        {"PARTITION", "partition", COLUMN_TEXT, true}, {"GENERATION", "generation", COLUMN_NUMBER, true},
        {"GENERATION-STATE", "generation_state", COLUMN_TEXT, true}, {"STATE", "state", COLUMN_TEXT, true},
        {"TOTAL", "total", COLUMN_NUMBER, true}, {"COUNT", "count", COLUMN_NUMBER, true},
        {"LOCAL", "local", COLUMN_TEXT, false}, {"VIA", "via", COLUMN_TEXT, true}, {"KIND", "kind", COLUMN_TEXT, false},
        {"MAJORS", "majors", COLUMN_TEXT, false}, {"BASELINE", "baseline", COLUMN_TEXT, false},
        {"SINCE", "since", COLUMN_AGE, true}, {"SHA256", "sha256", COLUMN_DIGEST, false}, {NULL}};

/* "KEY=VALUE", the value escaped. */
char *cli_query(const char *key, const char *value)
{
        size_t need = croft_path_escape(NULL, 0, value) + 1;
        _cleanup_free_ char *escaped = malloc(need);
        char *query = NULL;

        if (!escaped)
                return NULL;
        croft_path_escape(escaped, need, value);
        return asprintf(&query, "%s=%s", key, escaped) < 0 ? NULL : query;
}

int cli_kext_holders(struct cli *cli, const struct cli_args *args)
{
        const bool one = args->n_words > 0;
        _cleanup_free_ char *path =
                one ? cli_path(NULL, "partitions", args->words[0], "loaded", NULL) : cli_path(NULL, "loaded", NULL);
        _cleanup_json_ json_t *answer = NULL;
        int r = cli_request(cli, "GET", path, NULL, "list who holds extensions", &answer);

        return r ? r : output_list(cli, stdout, answer, holders);
}

/* The words from the third on, as the kernel takes them. */
char *cli_kext_parameters(const struct cli_args *args)
{
        char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        for (size_t i = 2; i < args->n_words; i++)
                (void)fprintf(f, "%s%s", i > 2 ? " " : "", args->words[i]);
        if (fclose(f) == 0)
                return text;
        free(text);
        return NULL;
}

int cli_cmd_kext_load(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *words = cli_kext_parameters(args), *extension = cli_query("extension", args->words[1]);
        _cleanup_free_ char *parameters = words ? cli_query("parameters", words) : NULL;
        _cleanup_free_ char *query = NULL, *path = NULL;
        char what[160];

        if (extension && parameters && asprintf(&query, "%s&%s", extension, parameters) < 0)
                query = NULL;
        path = query ? cli_path(query, "partitions", args->words[0], "loaded", NULL) : NULL;
        (void)snprintf(what, sizeof(what), "load an extension for '%.63s'", args->words[0]);
        return cli_request(cli, "POST", path, NULL, what, NULL);
}

static int unload_one(struct cli *cli, const struct cli_args *args, const char *extension)
{
        bool global = strcmp(args->words[0], "global") == 0;
        _cleanup_free_ char *query = cli_query("extension", extension), *all = NULL, *path = NULL;
        char what[160];

        if (query && global && cli_has(args, "force") && asprintf(&all, "%s&force=true", query) < 0)
                return cli_usage(args->command, "a word is no valid text");
        if (query)
                path = global ? cli_path(all ? all : query, "loaded", NULL)
                              : cli_path(query, "partitions", args->words[0], "loaded", NULL);
        (void)snprintf(what, sizeof(what),
                global ? "take an extension out of the kernel" : "unload an extension for '%.63s'", args->words[0]);
        return cli_request(cli, "DELETE", path, NULL, what, NULL);
}

int cli_cmd_kext_unload(struct cli *cli, const struct cli_args *args)
{
        int status = 0;

        if (cli_has(args, "force") && strcmp(args->words[0], "global") != 0)
                return cli_usage(args->command, "--force is for 'global': no partition loses what others hold");
        for (size_t i = 1; i < args->n_words; i++) {
                int r = unload_one(cli, args, args->words[i]);

                status = status ? status : r;
        }
        return status;
}
