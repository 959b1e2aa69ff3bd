/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cli_devid.c - croft devid: what it makes of its words, and what it prints, whatever a partition calls its
 * devices.  The kernel's table is played, and croftd isn't there.
 */
#include "fake_devid.h"

#include "cli/cli.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char printed[65536], said[4096]; /* on standard output, and on standard error */

/* Puts a file in a descriptor's place; the former one. */
static int begin(int fd, FILE *f)
{
        int saved = dup(fd);

        assert_non_null(f);
        assert_true(saved >= 0);
        (void)fflush(NULL);
        assert_int_equal(dup2(fileno(f), fd), fd);
        return saved;
}

static void end(int fd, FILE *f, int saved, char *buf, size_t size)
{
        size_t n;

        (void)fflush(NULL);
        assert_int_equal(dup2(saved, fd), fd);
        (void)close(saved);
        rewind(f);
        n = fread(buf, 1, size - 1, f);
        buf[n] = '\0';
        (void)fclose(f);
}

/* croft devid COMMAND WORD...; its exit status. */
static int run(enum cli_format format, const char *command, const char *const *words)
{
        struct cli cli = {.format = format, .socket = "/nowhere/croft.sock"};
        const struct cli_command *c = cli_find(cli_find(cli_commands, "devid")->children, command);
        FILE *out = tmpfile(), *err = tmpfile();
        int saved_out = begin(1, out), saved_err = begin(2, err), argc = 0, r;
        struct cli_args args;
        char *argv[16];

        for (; words[argc]; argc++)
                argv[argc] = strdup(words[argc]);
        r = cli_args_parse(&cli, c, argc, argv, &args);
        if (r == 0) {
                r = c->run(&cli, &args);
                cli_args_done(&args);
        }
        while (argc > 0)
                free(argv[--argc]);
        (void)croft_client_close(cli.client);
        end(1, out, saved_out, printed, sizeof(printed));
        end(2, err, saved_err, said, sizeof(said));
        return r;
}

#define WORDS(...)                                                                                                     \
        (const char *const[])                                                                                          \
        {                                                                                                              \
                __VA_ARGS__, NULL                                                                                      \
        }
#define NO_WORDS ((const char *const[]){NULL})

static int set_up(void **state)
{
        (void)state;
        fake_devid_reset();
        return 0;
}

/* --- words -------------------------------------------------------------------------------------------------------- */

static void options_become_the_request(void **state)
{
        const struct devid_call *last = &fake_devid.last;

        (void)state;
        (void)fake_devid_add(0, "c60", "unit", 32);
        assert_int_equal(run(FORMAT_JSON, "alloc",
                                 WORDS("c60", "-p", "32", "--count=8", "-w2", "unit", "--between", "16", "-V", "0")),
                0);
        assert_int_equal(last->op, DEVID_OP_ALLOC);
        assert_string_equal(last->family.text, "c60");
        assert_string_equal(last->instance.text, "unit");
        assert_int_equal(last->preferred, 32);
        assert_int_equal(last->count, 8);
        assert_int_equal(last->within, 2);
        assert_int_equal(last->between, 16);
        assert_int_equal(last->virtual, 0);
        assert_int_equal(last->partition, 0);
}

static void a_node_is_asked_for_by_name(void **state)
{
        (void)state;
        (void)fake_devid_add(0, "dm", "data", 1024);
        strcpy(fake_devid.special.name.text, "data");
        assert_int_equal(run(FORMAT_JSON, "alloc", WORDS("dm", "data", "--node", "data")), 0);
        assert_string_equal(fake_devid.last.special.name.text, "data");
        assert_non_null(strstr(printed, "\"(data)\"")); /* to be made when the partition starts */
        fake_devid.special.state = DEVID_SPECIAL_THERE;
        assert_int_equal(run(FORMAT_JSON, "show", WORDS("dm", "data")), 0);
        assert_non_null(strstr(printed, "\"node\": \"data\""));
        assert_int_equal(run(FORMAT_JSON, "alloc", WORDS("dm", "data", "-N", "other")), CROFT_EXIT_BUSY);
        assert_non_null(strstr(said, "its node is 'data' already"));
        fake_devid.special.state = DEVID_SPECIAL_REFUSED;
        assert_int_equal(run(FORMAT_JSON, "alloc", WORDS("dm", "data", "-N", "data")), CROFT_EXIT_FAILURE);
        assert_non_null(strstr(said, "node 'data' wasn't made: the record of errors says why"));
}

static void without_options_any_one_will_do(void **state)
{
        (void)state;
        (void)fake_devid_add(0, "char", "drv0", 60);
        assert_int_equal(run(FORMAT_JSON, "alloc", WORDS("char", "drv0")), 0);
        assert_int_equal(fake_devid.runs, 1);
        assert_int_equal(fake_devid.last.preferred, DEVID_ANY);
        assert_int_equal(fake_devid.last.virtual, DEVID_ANY);
        assert_int_equal(fake_devid.last.count, 1);
        assert_int_equal(run(FORMAT_JSON, "alloc", WORDS("char", "drv0", "--assign")), 0);
        assert_int_equal(fake_devid.last.op, DEVID_OP_ASSIGN);
        assert_non_null(strstr(printed, "\"assigned\""));
}

static void global_is_a_name_for_ones_own(void **state)
{
        (void)state;
        (void)fake_devid_add(0, "char", "drv0", 60);
        assert_int_equal(run(FORMAT_JSON, "show", WORDS("-z", "global", "char", "drv0")), 0);
        assert_int_equal(fake_devid.last.partition, 0);
}

static void a_number_that_is_none_is_refused(void **state)
{
        static const char *const wrong[] = {
                "", "-1", "+1", " 1", "1 ", "0x10", "4294967295", "18446744073709551616", "1,2", "one"};
        static const char *const options[] = {"--preferred", "--count", "--within", "--between", "--virtual"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(options); i++)
                for (size_t j = 0; j < ELEMENTS(wrong); j++) {
                        char option[64];

                        (void)snprintf(option, sizeof(option), "%s=%s", options[i], wrong[j]);
                        assert_int_equal(run(FORMAT_TABLE, "alloc", WORDS("char", "drv0", option)), CROFT_EXIT_USAGE);
                        (void)snprintf(option, sizeof(option), "%s wants a number, not '%s'", options[i], wrong[j]);
                        assert_non_null(strstr(said, option));
                }
        assert_int_equal(fake_devid.runs, 0);
}

static void a_word_too_few_or_too_many_is_refused(void **state)
{
        static const char *const two[] = {"alloc", "assign", "release", "show"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(two); i++) {
                assert_int_equal(run(FORMAT_TABLE, two[i], WORDS("char")), CROFT_EXIT_USAGE);
                assert_int_equal(run(FORMAT_TABLE, two[i], WORDS("char", "drv0", "more")), CROFT_EXIT_USAGE);
        }
        assert_int_equal(run(FORMAT_TABLE, "list", WORDS("char")), CROFT_EXIT_USAGE);
        assert_int_equal(fake_devid.runs, 0);
}

static void a_partition_is_asked_for_by_its_name(void **state)
{
        (void)state;
        assert_int_equal(run(FORMAT_TABLE, "list", WORDS("-z", "web")), CROFT_EXIT_FAILURE);
        assert_non_null(strstr(said, "croftd isn't running"));
        assert_int_equal(fake_devid.runs, 0);
}

static void failures_say_what_was_wanted(void **state)
{
        (void)state;
        fake_devid.result = -EDQUOT;
        assert_int_equal(run(FORMAT_TABLE, "alloc", WORDS("char", "drv0")), CROFT_EXIT_EXHAUSTED);
        assert_string_equal(
                said, "croft: get a device number for 'drv0': no more device numbers of family 'char' are granted\n");
        fake_devid.result = -EBUSY;
        assert_int_equal(run(FORMAT_TABLE, "release", WORDS("char", "drv0")), CROFT_EXIT_BUSY);
        assert_non_null(strstr(said, "release the device number of 'drv0': that number of family 'char' isn't free"));
        fake_devid.result = 0;
        assert_int_equal(run(FORMAT_TABLE, "show", WORDS("char", "drv\033[2J")), CROFT_EXIT_NOT_FOUND);
        assert_null(strchr(said, '\033'));
        fake_devid.open_error = ENOENT;
        assert_int_equal(run(FORMAT_TABLE, "list", NO_WORDS), CROFT_EXIT_NOT_FOUND);
        assert_non_null(strstr(said, "there is no table of device numbers at "));
        assert_string_equal(printed, "");
}

/* --- what is printed ---------------------------------------------------------------------------------------------- */

static void a_number_is_told_with_its_device(void **state)
{
        json_t *list;

        (void)state;
        (void)fake_devid_add(0, "char", "drv0", 60);
        (void)fake_devid_add(9, "c60", "unit", 3);
        fake_devid.numbers[1].virtual = 0;
        assert_int_equal(run(FORMAT_JSON, "list", NO_WORDS), 0);
        list = json_loads(printed, 0, NULL);
        assert_int_equal(json_array_size(list), 2);
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "partition")), "global");
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "device")), "60:*");
        assert_null(json_object_get(json_array_get(list, 0), "minor"));
        assert_null(json_object_get(json_array_get(list, 0), "virtual"));
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "partition")), "9");
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "device")), "60:3");
        assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 1), "minor")), 3);
        assert_true(json_is_integer(json_object_get(json_array_get(list, 1), "virtual")));
        json_decref(list);
}

static const char *const tricks[] = {"\033[2J", "\377\376", "\xc2\x9b", "\xed\xa0\x80", "a\nb", "\"},{\"", "a,b",
        "\x7f", "\xe2\x80\xae", "\xe2\x82"};

/* A partition hides none of its numbers by a name. */
static void each_number_is_told_whatever_its_name_is(void **state)
{
        json_t *list;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(tricks); i++)
                (void)fake_devid_add(7, "char", tricks[i], (__u32)i);
        assert_int_equal(run(FORMAT_JSON, "list", NO_WORDS), 0);
        list = json_loads(printed, 0, NULL);
        assert_int_equal(json_array_size(list), ELEMENTS(tricks));
        json_decref(list);
        for (size_t i = 0; i < ELEMENTS(tricks); i++) {
                assert_int_equal(run(FORMAT_JSON, "show", WORDS("char", tricks[i])), 0);
                assert_non_null(strstr(printed, "\"instance\""));
        }
}

static void no_terminal_takes_a_name_for_a_command(void **state)
{
        size_t lines = 0;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(tricks); i++)
                (void)fake_devid_add(7, "char", tricks[i], (__u32)i);
        assert_int_equal(run(FORMAT_TABLE, "list", NO_WORDS), 0);
        for (const char *at = printed; *at; at++) {
                assert_true(*at == '\n' || ((unsigned char)*at >= ' ' && (unsigned char)*at < 0x7f));
                lines += *at == '\n';
        }
        assert_int_equal(lines, 1 + ELEMENTS(tricks));
}

#define DEVID_TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
        const struct CMUnitTest tests[] = {
                DEVID_TEST(options_become_the_request),
                DEVID_TEST(a_node_is_asked_for_by_name),
                DEVID_TEST(without_options_any_one_will_do),
                DEVID_TEST(global_is_a_name_for_ones_own),
                DEVID_TEST(a_number_that_is_none_is_refused),
                DEVID_TEST(a_word_too_few_or_too_many_is_refused),
                DEVID_TEST(a_partition_is_asked_for_by_its_name),
                DEVID_TEST(failures_say_what_was_wanted),
                DEVID_TEST(a_number_is_told_with_its_device),
                DEVID_TEST(each_number_is_told_whatever_its_name_is),
                DEVID_TEST(no_terminal_takes_a_name_for_a_command),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
