/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cli_args.c - words and options of the command line, and its tables.
 */
#include "cli/cli.h"
#include "partition/property.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char said[1024]; /* the last line on standard error */

/* Parses the words for a command ("image build"); *args is ended by the caller when 0 comes back. */
static int parse(struct cli *cli, const char *name, struct cli_args *args, char **argv)
{
        const struct cli_command *c = cli_find(cli_commands, name);
        FILE *f = tmpfile();
        int saved = dup(2), argc = 0, r;
        size_t n;

        assert_non_null(c);
        assert_non_null(f);
        while (argv[argc])
                argc++;
        fflush(stderr);
        dup2(fileno(f), 2);
        r = cli_args_parse(cli, c, argc, argv, args);
        fflush(stderr);
        dup2(saved, 2);
        close(saved);
        rewind(f);
        n = fread(said, 1, sizeof(said) - 1, f);
        said[n] = '\0';
        fclose(f);
        return r;
}

#define WORDS(...)                                                                                                     \
        (char *[])                                                                                                     \
        {                                                                                                              \
                __VA_ARGS__, NULL                                                                                      \
        }

static char w_name[] = "web", w_s[] = "-s", w_kv[] = "memory.max=64M", w_long[] = "--set=cpu.weight=5";

static void options_and_words_stand_in_any_order(void **state)
{
        struct cli cli = {.format = FORMAT_TABLE};
        struct cli_args args;
        char image[] = "--image", deb[] = "deb";
        size_t at = 0;

        (void)state;
        assert_int_equal(parse(&cli, "create", &args, WORDS(w_s, w_kv, w_name, image, deb, w_long)), 0);
        assert_int_equal(args.n_words, 1);
        assert_string_equal(args.words[0], "web");
        assert_string_equal(cli_value(&args, "image"), "deb");
        assert_string_equal(cli_next(&args, "set", &at), "memory.max=64M");
        assert_string_equal(cli_next(&args, "set", &at), "cpu.weight=5");
        assert_null(cli_next(&args, "set", &at));
        cli_args_done(&args);
}

static void a_word_of_the_command_in_exec_is_never_ours(void **state)
{
        struct cli cli = {.format = FORMAT_TABLE};
        struct cli_args args;
        char dashes[] = "--", ls[] = "ls", l[] = "-l", t[] = "-T", help[] = "--help";

        (void)state;
        assert_int_equal(parse(&cli, "exec", &args, WORDS(w_name, t, dashes, ls, l, dashes, help)), 0);
        assert_true(cli_has(&args, "no-tty"));
        assert_false(cli_has(&args, "help"));
        assert_int_equal(args.n_rest, 4);
        assert_string_equal(args.rest[0], "ls");
        assert_string_equal(args.rest[3], "--help");
        cli_args_done(&args);
        assert_int_equal(parse(&cli, "exec", &args, WORDS(t, w_name, ls, l)), 0);
        assert_int_equal(args.n_rest, 2);
        assert_string_equal(args.rest[1], "-l");
        cli_args_done(&args);
}

static void letters_may_stand_together_with_a_value_at_the_end(void **state)
{
        struct cli cli = {.format = FORMAT_TABLE};
        struct cli_args args;
        char tuw[] = "-Tuwww", dashes[] = "--", id[] = "id";

        (void)state;
        assert_int_equal(parse(&cli, "exec", &args, WORDS(w_name, tuw, dashes, id)), 0);
        assert_true(cli_has(&args, "no-tty"));
        assert_string_equal(cli_value(&args, "user"), "www");
        cli_args_done(&args);
}

static void global_options_are_taken_behind_the_command(void **state)
{
        struct cli cli = {.format = FORMAT_TABLE};
        struct cli_args args;
        char format[] = "--format", yaml[] = "yaml", q[] = "-q", socket[] = "--socket=/x";

        (void)state;
        assert_int_equal(parse(&cli, "list", &args, WORDS(format, yaml, q, socket)), 0);
        assert_int_equal(cli.format, FORMAT_YAML);
        assert_true(cli.quiet);
        assert_string_equal(cli.socket, "/x");
        cli_args_done(&args);
}

static void refuses(const char *command, char **argv, const char *expected)
{
        struct cli cli = {.format = FORMAT_TABLE};
        struct cli_args args;

        assert_int_equal(parse(&cli, command, &args, argv), CROFT_EXIT_USAGE);
        assert_non_null(strstr(said, expected));
        assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static void a_wrong_word_is_named_with_the_right_one(void **state)
{
        char timeuot[] = "--timeuot=3", x[] = "-x", timeout[] = "--timeout", force[] = "--force=1",
             xml[] = "--format=xml", toml[] = "--format=toml", two[] = "--image=a", three[] = "--image=b",
             other[] = "other", esc[] = "--\033[2J";

        (void)state;
        refuses("stop", WORDS(w_name, timeuot),
                "croft: no option '--timeuot', did you mean '--timeout'? (see: croft help stop)");
        refuses("stop", WORDS(w_name, x), "no option '-x'");
        refuses("stop", WORDS(w_name, timeout), "--timeout needs SECONDS");
        refuses("stop", WORDS(w_name, force), "--force takes no value");
        refuses("list", WORDS(toml), "no format 'toml': table (or text), json, csv, yaml, or xml for errors");
        refuses("list", WORDS(xml), "what this prints has no XML form: table, json, csv or yaml");
        refuses("create", WORDS(w_name, two, three), "--image is given twice");
        refuses("create", WORDS(w_name, other), "'other' is one word too many");
        refuses("start", (char *[]){NULL}, "too few words, it is: croft start NAME...");
        refuses("start", WORDS(esc), "\\x1b[2J");
}

static void seconds_are_above_zero(void **state)
{
        unsigned int ms = 0;

        (void)state;
        assert_true(cli_parse_seconds("5", &ms));
        assert_int_equal(ms, 5000);
        assert_true(cli_parse_seconds("0.25", &ms));
        assert_int_equal(ms, 250);
        assert_false(cli_parse_seconds("0", &ms));
        assert_false(cli_parse_seconds("", &ms));
        assert_false(cli_parse_seconds("-1", &ms));
        assert_false(cli_parse_seconds("1.2.3", &ms));
        assert_false(cli_parse_seconds("inf", &ms));
        assert_false(cli_parse_seconds("99999999999", &ms));
}

static void each_command_has_what_help_needs(const struct cli_command *table, const char *group)
{
        for (const struct cli_command *c = table; c->name; c++) {
                assert_non_null(c->summary);
                assert_true(!!c->run + !!c->children + !!c->raw == 1);
                assert_true(c->min_words <= c->max_words);
                assert_true(group ? c->group && strcmp(c->group, group) == 0 : !c->group);
                assert_ptr_equal(cli_find(table, c->name), c);
                if (c->alias)
                        assert_ptr_equal(cli_find(table, c->alias), c);
                for (const struct cli_option *o = c->options; o && o->name; o++) {
                        assert_non_null(o->help);
                        for (const struct cli_option *p = c->options; p < o; p++)
                                assert_true(strcmp(p->name, o->name) != 0 && (!o->letter || o->letter != p->letter));
                        for (const struct cli_option *g = cli_global_options; g->name; g++)
                                assert_true(strcmp(g->name, o->name) != 0 && (!o->letter || o->letter != g->letter));
                }
                if (c->children)
                        each_command_has_what_help_needs(c->children, c->name);
        }
}

static void the_table_of_commands_is_sound(void **state)
{
        (void)state;
        each_command_has_what_help_needs(cli_commands, NULL);
}

static void the_keys_are_those_of_croftd(void **state)
{
        const struct property_info *p = property_table;
        const struct cli_key *k = cli_keys;

        (void)state;
        for (; p->key && k->key; p++, k++) {
                assert_string_equal(k->key, p->key);
                assert_string_equal(k->help, p->help);
                assert_int_equal(k->live, p->live);
        }
        assert_null(p->key);
        assert_null(k->key);
}

static void paths_are_made_of_escaped_segments(void **state)
{
        char *path = cli_path("force=1", "partitions", "a/../b", "stop", NULL);

        (void)state;
        assert_string_equal(path, "/v1/partitions/a%2F..%2Fb/stop?force=1");
        free(path);
        path = cli_path(NULL, "images", NULL);
        assert_string_equal(path, "/v1/images");
        free(path);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(options_and_words_stand_in_any_order),
                cmocka_unit_test(a_word_of_the_command_in_exec_is_never_ours),
                cmocka_unit_test(letters_may_stand_together_with_a_value_at_the_end),
                cmocka_unit_test(global_options_are_taken_behind_the_command),
                cmocka_unit_test(a_wrong_word_is_named_with_the_right_one),
                cmocka_unit_test(seconds_are_above_zero),
                cmocka_unit_test(the_table_of_commands_is_sound),
                cmocka_unit_test(the_keys_are_those_of_croftd),
                cmocka_unit_test(paths_are_made_of_escaped_segments),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
