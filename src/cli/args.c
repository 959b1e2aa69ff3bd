/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * args.c - the arguments of a command: options by its table and the global ones, in any place, up to "--".
 *
 * Pure but for the line that says what is wrong: one wrong word is named, with the nearest right one where there is
 * one.
 */
#include "cli.h"
#include "text.h"

#include <string.h>

const struct cli_option cli_global_options[] = {
        {"socket", 0, "PATH", "where croftd listens (default: $CROFT_SOCKET, else " CROFT_SOCKET_DEFAULT ")"},
        {"format", 0, "FORMAT", "table, json, csv or yaml"},
        {"no-header", 0, NULL, "no line of titles above a table or csv"},
        {"quiet", 'q', NULL, "only names, one a line; no notices"},
        {"verbose", 'v', NULL, "every cause of an error on a line of its own"},
        {"help", 'h', NULL, "this help"},
        {NULL},
};

const struct cli_command *cli_find(const struct cli_command *table, const char *name)
{
        for (const struct cli_command *c = table; c && c->name; c++) {
                if (strcmp(c->name, name) == 0 || (c->alias && strcmp(c->alias, name) == 0))
                        return c;
        }
        return NULL;
}

const char *cli_full_name(const struct cli_command *command, char *buf, size_t size)
{
        (void)snprintf(
                buf, size, "%s%s%s", command->group ? command->group : "", command->group ? " " : "", command->name);
        return buf;
}

static const struct cli_option *find_in(const struct cli_option *table, const char *name, size_t length, char letter)
{
        for (const struct cli_option *o = table; o && o->name; o++) {
                if (name ? strlen(o->name) == length && strncmp(o->name, name, length) == 0
                         : o->letter && o->letter == letter)
                        return o;
        }
        return NULL;
}

static const struct cli_option *find_option(
        const struct cli_command *command, const char *name, size_t length, char letter)
{
        const struct cli_option *o = find_in(command ? command->options : NULL, name, length, letter);

        return o ? o : find_in(cli_global_options, name, length, letter);
}

static void nearest_in(const struct cli_option *table, const char *name, unsigned int *best, const char **ret)
{
        for (const struct cli_option *o = table; o && o->name; o++) {
                unsigned int distance = text_distance(o->name, name);

                if (distance < *best) {
                        *best = distance;
                        *ret = o->name;
                }
        }
}

static int unknown_option(const struct cli_command *command, const char *word, size_t length)
{
        _cleanup_free_ char *name = strndup(word + 2, length - 2);
        const char *near = NULL;
        unsigned int best = 3;

        if (!name)
                return CROFT_EXIT_EXHAUSTED;
        nearest_in(command ? command->options : NULL, name, &best, &near);
        nearest_in(cli_global_options, name, &best, &near);
        if (near)
                return cli_usage(command, "no option '--%s', did you mean '--%s'?", name, near);
        return cli_usage(command, "no option '--%s'", name);
}

static int take_format(struct cli *cli, const char *value)
{
        static const char *const names[] = {"table", "json", "csv", "yaml", "xml"};

        for (size_t i = 0; i < ELEMENTS(names); i++) {
                if (strcmp(names[i], value) == 0) {
                        cli->format = (enum cli_format)i;
                        cli->format_given = true;
                        return 0;
                }
        }
        if (strcmp(value, "text") == 0) {
                cli->format = FORMAT_TABLE;
                cli->format_given = true;
                return 0;
        }
        return cli_usage(NULL, "no format '%s': table (or text), json, csv, yaml, or xml for errors", value);
}

/* Global options change the command line itself, the others wait for the command. */
static int take_option(struct cli *cli, struct cli_args *args, const struct cli_option *option, const char *value)
{
        if (option >= cli_global_options && option < cli_global_options + ELEMENTS(cli_global_options)) {
                if (value && strcmp(option->name, "format") == 0)
                        return take_format(cli, value);
                cli->socket = strcmp(option->name, "socket") == 0 ? value : cli->socket;
                cli->quiet |= strcmp(option->name, "quiet") == 0;
                cli->verbose |= strcmp(option->name, "verbose") == 0;
                cli->no_header |= strcmp(option->name, "no-header") == 0;
                if (strcmp(option->name, "help") != 0)
                        return 0;
        }
        for (size_t i = 0; value && !option->repeated && i < args->n_values; i++) {
                if (args->values[i].option == option)
                        return cli_usage(args->command, "--%s is given twice", option->name);
        }
        args->values[args->n_values++] = (struct cli_value){option, value};
        return 0;
}

/* "--name", "--name=value", "--name value".  *at is left at the last word used. */
static int parse_long(struct cli *cli, struct cli_args *args, int argc, char **argv, int *at)
{
        const char *word = argv[*at], *equal = strchr(word, '=');
        size_t length = equal ? (size_t)(equal - word) : strlen(word);
        const struct cli_option *option = find_option(args->command, word + 2, length - 2, 0);

        if (!option)
                return unknown_option(args->command, word, length);
        if (!option->argument) {
                if (equal)
                        return cli_usage(args->command, "--%s takes no value", option->name);
                return take_option(cli, args, option, NULL);
        }
        if (equal)
                return take_option(cli, args, option, equal + 1);
        if (*at + 1 >= argc)
                return cli_usage(args->command, "--%s needs %s", option->name, option->argument);
        return take_option(cli, args, option, argv[++*at]);
}

/* "-tu root", "-uroot". */
static int parse_letters(struct cli *cli, struct cli_args *args, int argc, char **argv, int *at)
{
        for (const char *p = argv[*at] + 1; *p; p++) {
                const struct cli_option *option = find_option(args->command, NULL, 0, *p);
                int r;

                if (!option)
                        return cli_usage(args->command, "no option '-%c'", *p);
                if (option->argument) {
                        const char *value = p[1] ? p + 1 : *at + 1 < argc ? argv[++*at] : NULL;

                        if (!value)
                                return cli_usage(args->command, "-%c needs %s", *p, option->argument);
                        return take_option(cli, args, option, value);
                }
                r = take_option(cli, args, option, NULL);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int check_words(const struct cli_args *args)
{
        const struct cli_command *c = args->command;

        if (cli_has(args, "help"))
                return 0;
        if (args->n_words < c->min_words) {
                char name[64];

                return cli_usage(c, "too few words, it is: croft %s %s", cli_full_name(c, name, sizeof(name)),
                        c->usage ? c->usage : "");
        }
        if (args->n_words > c->max_words)
                return cli_usage(c, "'%s' is one word too many", args->words[c->max_words]);
        if (!c->rest && args->n_rest)
                return cli_usage(c, "'%s' is one word too many", args->rest[0]);
        return 0;
}

static int parse_words(struct cli *cli, struct cli_args *args, int argc, char **argv)
{
        const struct cli_command *c = args->command;

        for (int i = 0; i < argc; i++) {
                int r = 0;
                bool dashes = strcmp(argv[i], "--") == 0;

                if (c->rest && (dashes || (argv[i][0] != '-' && args->n_words == c->min_words))) {
                        for (i += dashes; i < argc; i++)
                                args->rest[args->n_rest++] = argv[i];
                } else if (dashes) {
                        for (i++; i < argc; i++)
                                args->words[args->n_words++] = argv[i];
                } else if (argv[i][0] == '-' && argv[i][1] == '-') {
                        r = parse_long(cli, args, argc, argv, &i);
                } else if (argv[i][0] == '-' && argv[i][1]) {
                        r = parse_letters(cli, args, argc, argv, &i);
                } else {
                        args->words[args->n_words++] = argv[i];
                }
                if (r != 0)
                        return r;
        }
        return 0;
}

int cli_args_parse(struct cli *cli, const struct cli_command *command, int argc, char **argv, struct cli_args *ret)
{
        size_t letters = 1;
        int r;

        for (int i = 0; i < argc; i++)
                letters += strlen(argv[i]); /* no word holds more options than letters */
        *ret = (struct cli_args){
                .command = command,
                .values = calloc(letters, sizeof(*ret->values)),
                .words = calloc((size_t)argc + 1, sizeof(*ret->words)),
                .rest = calloc((size_t)argc + 1, sizeof(*ret->rest)),
        };
        if (!ret->values || !ret->words || !ret->rest) {
                cli_args_done(ret);
                (void)fprintf(stderr, "croft: no memory\n");
                return CROFT_EXIT_EXHAUSTED;
        }
        r = parse_words(cli, ret, argc, argv);
        if (r == 0)
                r = check_words(ret);
        if (r == 0 && cli->format == FORMAT_XML && !command->xml)
                r = cli_usage(command, "what this prints has no XML form: table, json, csv or yaml");
        if (r != 0)
                cli_args_done(ret);
        return r;
}

void cli_args_done(struct cli_args *args)
{
        free(args->values);
        free(args->words);
        free(args->rest);
        *args = (struct cli_args){0};
}

const char *cli_next(const struct cli_args *args, const char *name, size_t *at)
{
        while (*at < args->n_values) {
                const struct cli_value *v = &args->values[(*at)++];

                if (strcmp(v->option->name, name) == 0)
                        return v->value ? v->value : "";
        }
        return NULL;
}

bool cli_has(const struct cli_args *args, const char *name)
{
        size_t at = 0;

        return cli_next(args, name, &at) != NULL;
}

const char *cli_value(const struct cli_args *args, const char *name)
{
        size_t at = 0;

        return cli_next(args, name, &at);
}

bool cli_parse_seconds(const char *text, unsigned int *ret_ms)
{
        size_t length = strspn(text, "0123456789.");
        double seconds;
        char *end;

        if (length == 0 || text[length])
                return false;
        seconds = strtod(text, &end);
        if (*end || !(seconds >= 0.001) || seconds > 4000000)
                return false;
        *ret_ms = (unsigned int)(seconds * 1000 + 0.5);
        return true;
}
