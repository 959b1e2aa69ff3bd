/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_pool.c - pools of CPUs: create, set, bind and remove.  list and show are with the others in cmd_list.c.
 */
#include "cli.h"

int cli_cmd_pool_create(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *path = cli_path(NULL, "pools", NULL);
        _cleanup_json_ json_t *body = NULL;
        char what[160];

        (void)snprintf(what, sizeof(what), "create pool '%s'", args->words[0]);
        body = json_pack("{s:s, s:s*}", "name", args->words[0], "cpus", cli_value(args, "cpus"));
        if (!body)
                return cli_usage(args->command, "a word is no valid text");
        return cli_request(cli, "POST", path, body, what, NULL);
}

int cli_cmd_pool_set(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *path = cli_path(NULL, "pools", args->words[0], NULL);
        const char *cpus = cli_value(args, "cpus");
        _cleanup_json_ json_t *body = NULL;
        char what[160];

        if (!cpus)
                return cli_usage(args->command, "--cpus is needed, as in --cpus 0-3");
        (void)snprintf(what, sizeof(what), "set pool '%s'", args->words[0]);
        body = json_pack("{s:s}", "cpus", cpus);
        if (!body)
                return cli_usage(args->command, "a word is no valid text");
        return cli_request(cli, "PATCH", path, body, what, NULL);
}

int cli_cmd_pool_bind(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *path = cli_path(NULL, "partitions", args->words[0], "bind", NULL);
        _cleanup_json_ json_t *body = NULL;
        char what[160];

        (void)snprintf(what, sizeof(what), "bind '%s'", args->words[0]);
        body = json_pack("{s:s}", "pool", args->words[1]);
        if (!body)
                return cli_usage(args->command, "a word is no valid text");
        return cli_request(cli, "POST", path, body, what, NULL);
}

static int remove_one(struct cli *cli, const struct cli_args *args, const char *name)
{
        _cleanup_free_ char *path = cli_path(NULL, "pools", name, NULL);
        char what[160];

        (void)args;
        (void)snprintf(what, sizeof(what), "remove pool '%s'", name);
        return cli_request(cli, "DELETE", path, NULL, what, NULL);
}

int cli_cmd_pool_remove(struct cli *cli, const struct cli_args *args)
{
        return cli_each(cli, args, remove_one);
}
