/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_device.c - croft device: devices of the host in running partitions.
 */
#include "cli.h"
#include "output.h"

#include <string.h>

/* A number that an option gives; *ret stays if it isn't there. */
static int parse_id(const struct cli_args *args, const char *option, json_t *body)
{
        const char *text = cli_value(args, option);
        char *end = NULL;
        long n;

        if (!text)
                return 0;
        n = strtol(text, &end, 10);
        if (*text < '0' || *text > '9' || *end || n > 65535)
                return cli_usage(args->command, "--%s wants a number up to 65535, not '%s'", option, text);
        (void)json_object_set_new(body, option, json_integer(n));
        return 0;
}

int cli_cmd_device_add(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *path = cli_path(NULL, "partitions", args->words[0], "devices", NULL);
        _cleanup_json_ json_t *body = NULL;
        char what[160];
        int r;

        (void)snprintf(what, sizeof(what), "export a device to '%s'", args->words[0]);
        body = json_pack("{s:s, s:s*, s:s*, s:s*}", "device", args->words[1], "as", cli_value(args, "as"), "access",
                cli_value(args, "access"), "mode", cli_value(args, "mode"));
        if (!body)
                return cli_usage(args->command, "a word is no valid text");
        r = parse_id(args, "uid", body);
        if (r == 0)
                r = parse_id(args, "gid", body);
        return r ? r : cli_request(cli, "POST", path, body, what, NULL);
}

/* "device=net%2Ftun" */
static char *device_query(const char *device)
{
        size_t need = croft_path_escape(NULL, 0, device) + 1;
        _cleanup_free_ char *escaped = malloc(need);
        char *query = NULL;

        if (!escaped)
                return NULL;
        croft_path_escape(escaped, need, device);
        return asprintf(&query, "device=%s", escaped) < 0 ? NULL : query;
}

int cli_cmd_device_remove(struct cli *cli, const struct cli_args *args)
{
        int status = 0;

        for (size_t i = 1; i < args->n_words; i++) {
                _cleanup_free_ char *query = device_query(args->words[i]);
                _cleanup_free_ char *path =
                        query ? cli_path(query, "partitions", args->words[0], "devices", NULL) : NULL;
                char what[160];
                int r;

                (void)snprintf(what, sizeof(what), "take a device back from '%s'", args->words[0]);
                r = cli_request(cli, "DELETE", path, NULL, what, NULL);
                status = status ? status : r;
        }
        return status;
}

int cli_cmd_device_list(struct cli *cli, const struct cli_args *args)
{
        static const struct cli_column columns[] = {{"PARTITION", "partition", COLUMN_TEXT, true},
                {"NAME", "name", COLUMN_TEXT, true}, {"DEVICE", "device", COLUMN_TEXT, true},
                {"TYPE", "type", COLUMN_TEXT, true}, {"MAJ:MIN", "number", COLUMN_TEXT, true},
                {"ACCESS", "access", COLUMN_TEXT, true}, {"CDI", "cdi", COLUMN_TEXT, false}, {NULL}};
        const bool one = args->n_words > 0;
        _cleanup_free_ char *path =
                one ? cli_path(NULL, "partitions", args->words[0], "devices", NULL) : cli_path(NULL, "devices", NULL);
        _cleanup_json_ json_t *answer = NULL;
        char what[160];
        int r;

        (void)snprintf(
                what, sizeof(what), one ? "list the devices of '%s'" : "list devices", one ? args->words[0] : "");
        r = cli_request(cli, "GET", path, NULL, what, &answer);
        return r ? r : output_list(cli, stdout, answer, one ? columns + 1 : columns);
}
