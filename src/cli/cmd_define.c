/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_define.c - create and set: what a partition is to be.
 */
#include "cli.h"

#include <string.h>

int cli_cmd_create(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *path = cli_path(NULL, "partitions", NULL);
        _cleanup_json_ json_t *properties = json_object(), *body = NULL;
        const char *image = cli_value(args, "image");
        char what[160];
        int r = cli_pairs(args, "set", properties);

        if (r != 0)
                return r;
        (void)snprintf(what, sizeof(what), "create '%s'", args->words[0]);
        body = json_pack("{s:s, s:s*, s:O}", "name", args->words[0], "image", image, "properties", properties);
        if (!body)
                return cli_usage(args->command, "'%s' is no valid text", args->words[0]);
        r = cli_request(cli, "POST", path, body, what, NULL);
        if (r == CROFT_EXIT_USAGE)
                cli_hint_keys(cli, properties);
        return r;
}

/* "croft set NAME KEY=VALUE..." and "croft set NAME -s KEY=VALUE" are the same. */
static int take_words(const struct cli_args *args, json_t *properties)
{
        for (size_t i = 1; i < args->n_words; i++) {
                const char *equal = strchr(args->words[i], '=');
                _cleanup_free_ char *key = NULL;

                if (!equal || equal == args->words[i])
                        return cli_usage(args->command, "'%s' is not KEY=VALUE", args->words[i]);
                key = strndup(args->words[i], (size_t)(equal - args->words[i]));
                if (!key || json_object_set_new(properties, key, json_string(equal + 1)) < 0)
                        return cli_usage(args->command, "'%s' is no valid text", args->words[i]);
        }
        return 0;
}

static int take_unset(const struct cli_args *args, json_t *properties)
{
        const char *key;
        size_t at = 0;

        while ((key = cli_next(args, "unset", &at))) {
                if (json_object_set_new(properties, key, json_null()) < 0)
                        return cli_usage(args->command, "'%s' is no valid text", key);
        }
        return 0;
}

int cli_cmd_set(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *path = cli_path(NULL, "partitions", args->words[0], NULL);
        _cleanup_json_ json_t *properties = json_object(), *body = NULL;
        char what[160];
        int r = cli_pairs(args, "set", properties);

        if (r == 0)
                r = take_words(args, properties);
        if (r == 0)
                r = take_unset(args, properties);
        if (r == 0 && json_object_size(properties) == 0)
                r = cli_usage(args->command, "nothing to set: give KEY=VALUE");
        if (r != 0)
                return r;
        (void)snprintf(what, sizeof(what), "set '%s'", args->words[0]);
        body = json_pack("{s:O}", "properties", properties);
        r = cli_request(cli, "PATCH", path, body, what, NULL);
        if (r == CROFT_EXIT_USAGE)
                cli_hint_keys(cli, properties);
        return r;
}
