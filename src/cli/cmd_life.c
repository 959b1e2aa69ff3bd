/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_life.c - the commands that bring partitions from state to state.
 */
#include "cli.h"

#include <string.h>

/* "start 'web'"; "" when there is no memory, which the request will notice. */
static const char *what_of(char *buf, size_t size, const char *verb, const char *name)
{
        (void)snprintf(buf, size, "%s '%s'", verb, name);
        return buf;
}

static int post(struct cli *cli, const char *name, const char *verb, json_t *body)
{
        _cleanup_free_ char *path = cli_path(NULL, "partitions", name, verb, NULL);
        char what[160];

        return cli_request(cli, "POST", path, body, what_of(what, sizeof(what), verb, name), NULL);
}

static int simple(struct cli *cli, const struct cli_args *args, const char *name)
{
        return post(cli, name, args->command->name, NULL);
}

int cli_cmd_start(struct cli *cli, const struct cli_args *args)
{
        return cli_each(cli, args, simple);
}

int cli_cmd_load(struct cli *cli, const struct cli_args *args)
{
        return cli_each(cli, args, simple);
}

int cli_cmd_freeze(struct cli *cli, const struct cli_args *args)
{
        return cli_each(cli, args, simple);
}

int cli_cmd_thaw(struct cli *cli, const struct cli_args *args)
{
        return cli_each(cli, args, simple);
}

static int stop(struct cli *cli, const struct cli_args *args, const char *name)
{
        _cleanup_json_ json_t *body = json_object();
        const char *timeout = cli_value(args, "timeout");
        unsigned int ms = 0;

        if (timeout && cli_parse_seconds(timeout, &ms))
                (void)json_object_set_new(body, "timeout_ms", json_integer(ms));
        if (cli_has(args, "force"))
                (void)json_object_set_new(body, "force", json_true());
        return post(cli, name, args->command->name, body);
}

static int stop_all(struct cli *cli, const struct cli_args *args)
{
        const char *timeout = cli_value(args, "timeout");
        unsigned int ms;

        if (timeout && !cli_parse_seconds(timeout, &ms))
                return cli_usage(args->command, "'%s' is no number of seconds above 0", timeout);
        return cli_each(cli, args, stop);
}

int cli_cmd_stop(struct cli *cli, const struct cli_args *args)
{
        return stop_all(cli, args);
}

int cli_cmd_restart(struct cli *cli, const struct cli_args *args)
{
        return stop_all(cli, args);
}

static int kill_one(struct cli *cli, const struct cli_args *args, const char *name)
{
        _cleanup_json_ json_t *body = json_object();
        const char *signal = cli_value(args, "signal");

        if (signal)
                (void)json_object_set_new(body, "signal", json_string(signal));
        return post(cli, name, "kill", body);
}

int cli_cmd_kill(struct cli *cli, const struct cli_args *args)
{
        return cli_each(cli, args, kill_one);
}

static int remove_one(struct cli *cli, const struct cli_args *args, const char *name)
{
        _cleanup_free_ char *path = cli_path(cli_has(args, "force") ? "force=1" : NULL, "partitions", name, NULL);
        char what[160];

        return cli_request(cli, "DELETE", path, NULL, what_of(what, sizeof(what), "remove", name), NULL);
}

int cli_cmd_remove(struct cli *cli, const struct cli_args *args)
{
        return cli_each(cli, args, remove_one);
}

int cli_cmd_rename(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *path = cli_path(NULL, "partitions", args->words[0], NULL);
        _cleanup_json_ json_t *body = json_pack("{s:s}", "name", args->words[1]);
        char what[160];

        if (!body)
                return cli_usage(args->command, "'%s' is no valid text", args->words[1]);
        return cli_request(cli, "PATCH", path, body, what_of(what, sizeof(what), "rename", args->words[0]), NULL);
}
