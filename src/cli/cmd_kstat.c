/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_kstat.c - "croft kstat" and the program kstat: the same code, which asks croftd only for the id of a partition
 * that was named (-z).
 */
#include "cli.h"

#include "kstatcmd/kstatcmd.h"

#include <errno.h>
#include <string.h>

/* The id in the answer to "show this partition". */
static int id_of(const char *answer, const char *name, uint64_t *ret, struct croft_error *err)
{
        _cleanup_json_ json_t *object = json_loads(answer, 0, NULL);
        const json_t *id = json_object_get(object, "id");

        if (!json_is_integer(id) || json_integer_value(id) <= 0)
                return croft_error_set(err, EPROTO, "the answer of croftd about '%s' makes no sense.", name);
        *ret = (uint64_t)json_integer_value(id);
        return 0;
}

static int resolve(void *context, const char *name, uint64_t *ret, struct croft_error *err)
{
        struct cli *cli = context;
        _cleanup_free_ char *path = cli_path(NULL, "partitions", name, NULL), *answer = NULL;
        int r = cli_path_check(path, err);

        if (r == 0 && !cli->client)
                r = croft_client_open(cli->socket, &cli->client, err);
        if (r == 0)
                r = croft_client_request(cli->client, "GET", path, NULL, &answer, err);
        return r < 0 ? r : id_of(answer, name, ret, err);
}

int cli_kstat(struct cli *cli, const char *name, bool verbs, int argc, char **argv)
{
        struct kstatcmd cmd = {
                .name = name, .verbs = verbs, .out = stdout, .error = stderr, .resolve = resolve, .context = cli};

        /* The programs are beside the socket. */
        if (cli->socket && setenv("CROFT_SOCKET", cli->socket, 1) < 0) {
                cli_say(cli, "%s: no memory", name);
                return KSTATCMD_FATAL;
        }
        return kstatcmd_run(&cmd, argc, argv);
}

/* argv begins behind the word kstat, which is there: kstatcmd_run() passes it over. */
int cli_cmd_kstat(struct cli *cli, int argc, char **argv)
{
        return cli_kstat(cli, "croft kstat", true, argc + 1, argv - 1);
}
