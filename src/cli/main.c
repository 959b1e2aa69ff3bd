/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c - croft: finds the command and runs it.
 */
#include "cli.h"
#include "text.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const char *nearest(const struct cli_command *table, const char *word)
{
        const char *near = NULL;
        unsigned int best = 3;

        for (const struct cli_command *c = table; c->name; c++) {
                unsigned int distance = text_distance(c->name, word);

                if (distance < best) {
                        best = distance;
                        near = c->name;
                }
        }
        return near;
}

static int unknown(const struct cli_command *table, const struct cli_command *parent, const char *word)
{
        const char *near = nearest(table, word);

        if (near)
                return cli_usage(parent, "no command '%s%s%s', did you mean '%s'?", parent ? parent->name : "",
                        parent ? " " : "", word, near);
        return cli_usage(parent, "no command '%s%s%s'", parent ? parent->name : "", parent ? " " : "", word);
}

/* How many words are global options in front of the command. */
static int leading(int argc, char **argv)
{
        int n = 0;

        while (n < argc && argv[n][0] == '-') {
                bool takes = (strcmp(argv[n], "--socket") == 0 || strcmp(argv[n], "--format") == 0);

                n += takes && n + 1 < argc ? 2 : 1;
        }
        return n;
}

static int run(struct cli *cli, const struct cli_command *command, int argc, char **argv)
{
        struct cli_args args;
        int r = cli_args_parse(cli, command, argc, argv, &args);

        if (r != 0)
                return r;
        if (cli_has(&args, "help"))
                cli_help(cli, command);
        else
                r = command->run(cli, &args);
        cli_args_done(&args);
        return r;
}

/* "croft image list": goes down to the command itself. */
static int dispatch(struct cli *cli, int argc, char **argv)
{
        const struct cli_command *table = cli_commands, *command = NULL;
        int at = 0;

        while (table) {
                const struct cli_command *parent = command;

                if (at >= argc) {
                        if (parent)
                                return cli_usage(parent, "'%s' needs a command", parent->name);
                        cli_help(cli, NULL);
                        return CROFT_EXIT_USAGE;
                }
                if (parent && (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)) {
                        cli_help(cli, parent);
                        return 0;
                }
                command = cli_find(table, argv[at]);
                if (!command)
                        return unknown(table, parent, argv[at]);
                table = command->children;
                at++;
        }
        if (command->raw)
                return command->raw(cli, argc - at, argv + at);
        return run(cli, command, argc - at, argv + at);
}

static int global(struct cli *cli, int argc, char **argv)
{
        static const struct cli_command none = {.name = "", .usage = ""};
        struct cli_args args;
        bool help;
        int r, n = leading(argc, argv);

        if (n > 0 && (strcmp(argv[n - 1], "--version") == 0 || strcmp(argv[n - 1], "-V") == 0)) {
                (void)printf("croft %s\n", croft_version());
                return 0;
        }
        r = cli_args_parse(cli, &none, n, argv, &args);
        if (r != 0)
                return r;
        help = cli_has(&args, "help");
        cli_args_done(&args);
        if (help) {
                cli_help(cli, NULL);
                return 0;
        }
        return dispatch(cli, argc - n, argv + n);
}

/* A standard descriptor that is closed would be given to the next thing opened.  What stands in for it fails when it is
 * used, as the closed one would. */
static void keep_standard_descriptors(void)
{
        for (int fd = 0; fd <= 2; fd++) {
                if (fcntl(fd, F_GETFD) < 0)
                        (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY); /* gets the lowest number: this one */
        }
}

int main(int argc, char **argv)
{
        const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
        struct cli cli = {.terminal = isatty(STDOUT_FILENO) == 1};
        int r;

        keep_standard_descriptors();
        cli.color = cli.terminal && !(no_color && *no_color) && !(terminal && strcmp(terminal, "dumb") == 0);
        /* A reader that goes away early is no reason to die without a word; writers look at the result. */
        (void)signal(SIGPIPE, SIG_IGN);
        r = global(&cli, argc - 1, argv + 1);
        croft_client_close(cli.client);
        return r;
}
