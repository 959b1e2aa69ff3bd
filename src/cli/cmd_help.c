/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_help.c - help and version, made of the table of commands.
 *
 * With --quiet help prints bare words, one a line: that is what the completion of shells reads.
 */
#include "cli.h"

#include <string.h>

#define USAGE_COLUMNS 38

static void print_options(const struct cli_option *options)
{
        for (const struct cli_option *o = options; o && o->name; o++) {
                char letter[8] = "    ", name[64];

                if (o->letter)
                        (void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
                (void)snprintf(name, sizeof(name), "--%s%s%s", o->name, o->argument ? " " : "",
                        o->argument ? o->argument : "");
                (void)printf("  %s%-22s %s\n", letter, name, o->help);
        }
}

static void print_commands(const struct cli_command *table)
{
        for (const struct cli_command *c = table; c->name; c++) {
                char name[64], usage[128];

                (void)snprintf(usage, sizeof(usage), "%s%s%s", cli_full_name(c, name, sizeof(name)),
                        c->usage ? " " : "", c->usage ? c->usage : "");
                if (c->children)
                        print_commands(c->children);
                else if (strlen(usage) > USAGE_COLUMNS)
                        (void)printf("  %s\n  %-*s %s\n", usage, USAGE_COLUMNS, "", c->summary);
                else
                        (void)printf("  %-*s %s\n", USAGE_COLUMNS, usage, c->summary);
        }
}

static void print_all(void)
{
        (void)printf("croft: operating-system partitions on one Linux kernel\n\n"
                     "usage: croft [--socket PATH] [--format FORMAT] [-q] [-v] COMMAND ...\n\n");
        print_commands(cli_commands);
        (void)printf("\noptions of every command:\n");
        print_options(cli_global_options);
        (void)printf("\n'croft help COMMAND' says more; see croft(1) and croft-properties(7).\n");
}

static void print_keys(void)
{
        (void)printf("\nproperties (* takes effect at the next start):\n");
        for (const struct cli_key *k = cli_keys; k->key; k++) {
                char key[64];

                (void)snprintf(key, sizeof(key), "%s%s%s", k->key, strcmp(k->key, "env.") == 0 ? "NAME" : "",
                        k->live ? "" : " *");
                (void)printf("  %-18s %s\n", key, k->help);
        }
}

static void print_one(const struct cli_command *c)
{
        char name[64];

        (void)printf("usage: croft %s%s%s\n%s\n", cli_full_name(c, name, sizeof(name)), c->usage ? " " : "",
                c->usage ? c->usage : "", c->summary);
        if (c->help)
                (void)printf("\n%s\n", c->help);
        if (c->children) {
                (void)printf("\n");
                print_commands(c->children);
        }
        if (c->options && c->options->name) {
                (void)printf("\noptions:\n");
                print_options(c->options);
        }
        if (c->run == cli_cmd_create || c->run == cli_cmd_set)
                print_keys();
        if (c->raw)
                return;
        (void)printf("\noptions of every command:\n");
        print_options(cli_global_options);
}

static void print_option_words(const struct cli_option *options)
{
        for (const struct cli_option *o = options; o && o->name; o++) {
                if (o->letter)
                        (void)printf("-%c%s\n", o->letter, o->argument ? "=" : "");
                (void)printf("--%s%s\n", o->name, o->argument ? "=" : "");
        }
}

/* For completion: the words that may follow; '=' at the end: with a value. */
static void print_words(const struct cli_command *c)
{
        const struct cli_command *table = c ? c->children : cli_commands;

        for (; table && table->name; table++)
                (void)printf("%s\n", table->name);
        print_option_words(c ? c->options : NULL);
        print_option_words(cli_global_options);
}

void cli_help(const struct cli *cli, const struct cli_command *command)
{
        if (cli->quiet)
                print_words(command);
        else if (command)
                print_one(command);
        else
                print_all();
}

static int print_key_words(void)
{
        for (const struct cli_key *k = cli_keys; k->key; k++)
                (void)printf("%s\n", k->key);
        return 0;
}

int cli_cmd_help(struct cli *cli, const struct cli_args *args)
{
        const struct cli_command *table = cli_commands, *found = NULL;

        if (args->n_words == 1 && strcmp(args->words[0], "properties") == 0) {
                if (cli->quiet)
                        return print_key_words();
                print_keys();
                return 0;
        }
        for (size_t i = 0; i < args->n_words; i++) {
                found = cli_find(table, args->words[i]);
                if (!found)
                        return cli_usage(NULL, "no command '%s'", args->words[i]);
                table = found->children;
        }
        cli_help(cli, found);
        return 0;
}

int cli_cmd_version(struct cli *cli, const struct cli_args *args)
{
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_json_ json_t *root = NULL;
        _cleanup_free_ char *text = NULL;
        const char *version;

        (void)args;
        (void)printf("croft %s\n", croft_version());
        /* Of no importance when it isn't there: the version of this program is what was asked for. */
        if (cli->quiet || croft_client_open(cli->socket, &cli->client, &err) < 0 ||
                croft_client_request(cli->client, "GET", "/v1", NULL, &text, &err) < 0)
                return 0;
        root = json_loads(text, 0, NULL);
        version = json_string_value(json_object_get(root, "version"));
        if (version)
                (void)printf("croftd %s\n", version);
        return 0;
}
