/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_exec.c - exec and console: a connection that becomes a stream.
 */
#include "cli.h"
#include "stream.h"
#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define EXIT_OWN_FAILURE 125 /* as env(1), chroot(1), docker and podman have it */

static bool both_terminals(void)
{
        return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int take_environment(const struct cli_args *args, bool tty, json_t *environment)
{
        const char *terminal = getenv("TERM");

        if (tty && terminal && *terminal)
                (void)json_object_set_new(environment, "TERM", json_string(terminal));
        return cli_pairs(args, "env", environment);
}

/* The command and all that goes with it. */
static int exec_body(const struct cli_args *args, bool tty, json_t *body)
{
        json_t *argv = json_array(), *environment = json_object();
        uint16_t rows = 24, columns = 80;
        int r;

        (void)json_object_set_new(body, "argv", argv);
        (void)json_object_set_new(body, "environment", environment);
        for (size_t i = 0; i < args->n_rest; i++) {
                if (json_array_append_new(argv, json_string(args->rest[i])) < 0)
                        return cli_usage(args->command, "word %zu of the command is no valid UTF-8", i + 1);
        }
        r = take_environment(args, tty, environment);
        if (r != 0)
                return r;
        if (cli_value(args, "user"))
                (void)json_object_set_new(body, "user", json_string(cli_value(args, "user")));
        if (cli_value(args, "directory"))
                (void)json_object_set_new(body, "directory", json_string(cli_value(args, "directory")));
        (void)json_object_set_new(body, "terminal", json_boolean(tty));
        if (tty) {
                (void)terminal_size(&rows, &columns);
                (void)json_object_set_new(body, "rows", json_integer(rows));
                (void)json_object_set_new(body, "columns", json_integer(columns));
        }
        return 0;
}

static int upgrade(
        struct cli *cli, const char *name, const char *verb, const json_t *body, const char *what, int *ret_fd)
{
        _cleanup_free_ char *path = cli_path(NULL, "partitions", name, verb, NULL), *text = json_dumps(body, 0);
        struct croft_error err = CROFT_ERROR_INIT;
        int r = cli_connect(cli);

        if (r != 0)
                return r;
        if (!text)
                (void)croft_error_set(&err, ENOMEM, "make a request");
        else if (cli_path_check(path, &err) == 0 && croft_client_upgrade(cli->client, path, text, ret_fd, &err) == 0)
                return 0;
        return cli_fail(cli, &err, what);
}

static int exec_end(const struct cli *cli, const char *what, enum stream_end end, int status, const char *text)
{
        if (*text)
                cli_say(NULL, "croft: %s: %s", what, text);
        (void)cli;
        switch (end) {
        case STREAM_EXITED:
                return status;
        case STREAM_PIPE:
                return 128 + SIGPIPE;
        default:
                if (!*text)
                        cli_say(NULL, "croft: %s: the session ended without an exit status", what);
                return EXIT_OWN_FAILURE;
        }
}

int cli_cmd_exec(struct cli *cli, const struct cli_args *args)
{
        bool tty = cli_has(args, "tty") || (!cli_has(args, "no-tty") && both_terminals());
        struct stream_spec spec = {
                .terminal = tty, .forward = !tty, .escape = STREAM_NO_ESCAPE, .input = 0, .out = 1, .err = 2};
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_json_ json_t *body = json_object();
        char what[160], text[CROFT_ERROR_TEXT_MAX];
        enum stream_end end;
        _cleanup_close_ int fd = -1;
        int r, status = 0;

        if (args->n_rest == 0)
                return cli_usage(args->command, "a command is needed: croft exec %s -- CMD...", args->words[0]);
        if (cli_has(args, "tty") && cli_has(args, "no-tty"))
                return cli_usage(args->command, "--tty and --no-tty exclude each other");
        r = exec_body(args, tty, body);
        if (r != 0)
                return r;
        (void)snprintf(what, sizeof(what), "exec '%s'", args->words[0]);
        if (upgrade(cli, args->words[0], "exec", body, what, &fd) != 0)
                return EXIT_OWN_FAILURE;
        spec.fd = fd;
        if (stream_run(&spec, &end, &status, text, sizeof(text), &err) < 0) {
                (void)cli_fail(cli, &err, what);
                return EXIT_OWN_FAILURE;
        }
        return exec_end(cli, what, end, status, text);
}

/* --- console --- */

/* "^a", "none". */
static bool parse_escape(const char *text, int *ret)
{
        char c;

        if (strcmp(text, "none") == 0) {
                *ret = STREAM_NO_ESCAPE;
                return true;
        }
        if (text[0] != '^' || !text[1] || text[2])
                return false;
        c = text[1] >= 'a' && text[1] <= 'z' ? (char)(text[1] - 32) : text[1];
        if (c < '@' || c > '_')
                return false;
        *ret = c - '@';
        return true;
}

static int console_end(const struct cli *cli, const char *name, bool tty, enum stream_end end, const char *text)
{
        char what[160];

        (void)snprintf(what, sizeof(what), "console '%s'", name);
        if (tty)
                (void)fputs("\n", stderr);
        if (*text) {
                cli_say(NULL, "croft: %s: %s", what, text);
                return CROFT_EXIT_FAILURE;
        }
        if (end == STREAM_DETACHED)
                cli_say(cli, "Detached from '%s', which goes on.", name);
        else if (end != STREAM_PIPE && tty)
                cli_say(cli, "The console of '%s' was closed.", name);
        return 0;
}

int cli_cmd_console(struct cli *cli, const struct cli_args *args)
{
        const char *name = args->words[0], *escape = cli_value(args, "escape");
        bool tty = isatty(STDIN_FILENO) == 1;
        struct stream_spec spec = {.terminal = tty, .escape = 1, .input = 0, .out = 1, .err = 2};
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_json_ json_t *body = json_object();
        char what[160], text[CROFT_ERROR_TEXT_MAX];
        enum stream_end end;
        _cleanup_close_ int fd = -1;
        int r, status = 0;

        if (escape && !parse_escape(escape, &spec.escape))
                return cli_usage(args->command, "'%s' is no key: ^a to ^z, ^[ ^\\ ^] ^^ ^_, or none", escape);
        (void)snprintf(what, sizeof(what), "console '%s'", name);
        r = upgrade(cli, name, "console", body, what, &fd);
        if (r != 0)
                return r;
        if (tty && spec.escape >= 0)
                cli_say(cli, "Connected to the console of '%s'. Ctrl-%c q detaches.", name,
                        spec.escape < 27 && spec.escape > 0 ? spec.escape + 96 : spec.escape + 64);
        spec.fd = fd;
        if (stream_run(&spec, &end, &status, text, sizeof(text), &err) < 0)
                return cli_fail(cli, &err, what);
        return console_end(cli, name, tty, end, text);
}
