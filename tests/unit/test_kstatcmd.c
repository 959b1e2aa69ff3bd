/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kstatcmd.c - kstat(8) on statistics in memory.  What it prints is compared with the files in golden/kstat, byte
 * for byte; with GOLDEN_WRITE set they are written anew, to be looked at before they are committed.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "fake_kstat.h"
#include "fault.h"
#include "kstatcmd/kstatcmd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static unsigned int waits;

/* A second later something has happened, and a CPU is gone. */
static void wait_a_round(void *context, unsigned int seconds)
{
        (void)context;
        assert_int_equal(seconds, 5);
        if (waits++ == 0)
                fake_kstat_remove(5);
}

static int resolve(void *context, const char *name, uint64_t *ret, struct croft_error *err)
{
        (void)context;
        if (strcmp(name, "web") != 0)
                return croft_error_set(err, ENOENT, "no partition '%s'.", name);
        *ret = 7;
        return 0;
}

static int set_up(void **state)
{
        struct fake_stat *own;

        (void)state;
        waits = 0;
        fake_kstat_reset();
        fake_kstat_machine();
        own = fake_kstat_add("net", 0, "ip", "net", KSTAT_NAMED);
        fake_kstat_number(own, "packets", KSTAT_DATA_UINT64, KSTAT_UNIT_EVENTS, 5);
        own->private = true;
        fake_kstat.other = 7;
        return 0;
}

struct said {
        char *out, *error;
        size_t out_size, error_size;
};

static void said_done(struct said *said)
{
        free(said->out);
        free(said->error);
}

/* The words of `line` as arguments. */
static int run(const char *line, bool verbs, struct said *said)
{
        struct kstatcmd cmd = {.name = "kstat", .verbs = verbs, .resolve = resolve, .wait = wait_a_round};
        char *copy = strdup(line), *words[20] = {(char *)(uintptr_t) "kstat"}, *rest = copy;
        int argc = 1, r;

        *said = (struct said){.out = NULL};
        while ((words[argc] = strsep(&rest, " ")))
                argc += *words[argc] != '\0';
        cmd.out = open_memstream(&said->out, &said->out_size);
        cmd.error = open_memstream(&said->error, &said->error_size);
        r = kstatcmd_run(&cmd, argc, words);
        assert_int_equal(fclose(cmd.out), 0);
        assert_int_equal(fclose(cmd.error), 0);
        free(copy);
        return r;
}

static void golden(const char *name, const char *got)
{
        _cleanup_free_ char *path = NULL, *expected = NULL;

        assert_true(asprintf(&path, "%s/kstat/%s", GOLDEN, name) > 0);
        if (getenv("GOLDEN_WRITE"))
                assert_int_equal(fd_replace_file(AT_FDCWD, path, got, strlen(got), 0644, NULL), 0);
        assert_int_equal(fd_read_file(AT_FDCWD, path, 1 << 20, &expected, NULL), 0);
        assert_string_equal(got, expected);
}

/* What it prints on both outputs is in that file. */
static void prints(const char *line, int status, const char *file)
{
        struct said said;

        assert_int_equal(run(line, false, &said), status);
        assert_string_equal(said.error, "");
        golden(file, said.out);
        said_done(&said);
}

static void the_plain_form_is_that_of_illumos(void **state)
{
        (void)state;
        prints("", 0, "plain");
        prints("-m cpu", 0, "plain-module");
        prints("cpu:0:sys:pswitch", 0, "plain-one");
}

static void the_parsable_form_is_that_of_illumos(void **state)
{
        (void)state;
        prints("-p", 0, "parsable");
        prints("-l", 0, "names");
        prints("-C -c disk", 0, "colon");
}

static void json_is_that_of_illumos(void **state)
{
        (void)state;
        prints("-j", 0, "json");
        prints("-j -s pswitch", 0, "json-statistic");
        prints("-j -m nothing", 1, "json-none");
}

static void patterns_are_globs_or_expressions(void **state)
{
        (void)state;
        prints("-p -m cpu* -s /^(idle|user)$/", 0, "patterns");
        prints("-p cpu::sys:cpu_ticks_[iu]* :7:", 0, "operands");
        prints("-p -i /^-/ -s a:b", 0, "negative");
        prints("-q cpu:1:sys", 0, "nothing");
        prints("-q cpu:2:sys", 1, "nothing");
        prints("-p -s nothing", 1, "nothing");
        prints("cpu:01:sys", 1, "nothing");
        prints("-p -m // -s crtime -n sys", 0, "regex-empty");
}

static void whole_keys_read_nothing_else(void **state)
{
        (void)state;
        prints("-p cpu:0:sys:pswitch cpu:0:sys:cpu_ticks_user sd:0:sda:reads", 0, "keys");
        assert_true(fake_kstat.calls <= 3 + 1); /* three structures and a schema */
}

static void an_interval_shows_what_changed(void **state)
{
        (void)state;
        prints("-p cpu::sys:pswitch 5 3", 0, "interval");
        assert_int_equal(waits, 2);
}

static void global_may_look_into_a_partition(void **state)
{
        struct said said;

        (void)state;
        prints("-p net:0:ip:packets", 1, "nothing");
        prints("-z web -p net:0:ip:packets", 0, "partition");
        prints("-z 7 -p -m net -s packets", 0, "partition");
        assert_int_equal(run("-z nobody -p net:0:ip", false, &said), 3);
        assert_string_equal(said.error, "kstat: no partition 'nobody'\n");
        said_done(&said);
        fake_kstat.caller = 8;
        assert_int_equal(run("-z 7 -p net:0:ip", false, &said), 3);
        assert_string_equal(said.error, "kstat: read statistic 'net:0:ip': only global may ask for a partition's\n");
        said_done(&said);
}

static void a_wrong_line_is_usage(void **state)
{
        static const char *const wrong[] = {"-x", "-T", "-T x", "-q -p", "-q -j", "-m cpu cpu:0", "a:b:c:d:e", "0",
                "1 0", "1 2 3", "99999999999", "-m /(/", "-c /[/", "-m"};
        struct said said;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(wrong); i++) {
                assert_int_equal(run(wrong[i], false, &said), 2);
                assert_string_equal(said.out, "");
                assert_non_null(strstr(said.error, "Usage:"));
                said_done(&said);
        }
        assert_int_equal(run("-h", false, &said), 0);
        said_done(&said);
}

static void what_is_broken_is_fatal(void **state)
{
        struct said said;

        (void)state;
        fake_kstat.error = -EIO;
        assert_int_equal(run("-p", false, &said), 3);
        said_done(&said);
        fake_kstat.open_error = -ENOENT;
        assert_int_equal(run("-p", false, &said), 3);
        assert_non_null(strstr(said.error, "is croftd running?"));
        said_done(&said);
}

static void the_time_is_printed_first(void **state)
{
        struct said said;
        long long seconds;
        int at = 0;

        (void)state;
        assert_int_equal(run("-T u -p sd:0:sda:reads", false, &said), 0);
        assert_int_equal(sscanf(said.out, "%lld\n%n", &seconds, &at), 1);
        assert_true(seconds > 1000000000);
        assert_string_equal(said.out + at, "sd:0:sda:reads\t1\n");
        said_done(&said);
        setenv("TZ", "UTC", 1);
        assert_int_equal(run("-Td -p sd:0:sda:reads", false, &said), 0);
        assert_non_null(strstr(said.out, " UTC "));
        said_done(&said);
}

static void croft_kstat_has_words_of_its_own(void **state)
{
        struct said said;

        (void)state;
        assert_int_equal(run("list", true, &said), 0);
        golden("list", said.out);
        said_done(&said);
        assert_int_equal(run("read -p sd:0:sda", true, &said), 0);
        golden("read", said.out);
        said_done(&said);
        assert_int_equal(run("show 3", true, &said), 0);
        golden("show", said.out);
        said_done(&said);
        assert_int_equal(run("read sd:9:sda", true, &said), CROFT_EXIT_NOT_FOUND);
        assert_string_equal(said.error, "kstat: read statistic 'sd:9:sda': No such device or address\n");
        said_done(&said);
        assert_int_equal(run("show 99", true, &said), CROFT_EXIT_NOT_FOUND);
        said_done(&said);
        assert_int_equal(run("show x", true, &said), CROFT_EXIT_USAGE);
        said_done(&said);
        assert_int_equal(run("list", false, &said), 1); /* a module of that name */
        said_done(&said);
}

static int print_all(void *context)
{
        struct kstatcmd cmd = {.name = "kstat", .out = context, .error = context};
        char kstat[] = "kstat", option[] = "-p", *argv[] = {kstat, option, NULL};
        int r = kstatcmd_run(&cmd, 2, argv);

        return r == 0 ? 0 : -r;
}

static void memory_that_runs_out_is_told(void **state)
{
        FILE *nowhere = fopen("/dev/null", "we");

        (void)state;
        assert_non_null(nowhere);
        assert_true(fault_walk(FAULT_ALLOCATION, false, print_all, nowhere) >= 20);
        (void)fclose(nowhere);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(the_plain_form_is_that_of_illumos, set_up),
                cmocka_unit_test_setup(the_parsable_form_is_that_of_illumos, set_up),
                cmocka_unit_test_setup(json_is_that_of_illumos, set_up),
                cmocka_unit_test_setup(patterns_are_globs_or_expressions, set_up),
                cmocka_unit_test_setup(whole_keys_read_nothing_else, set_up),
                cmocka_unit_test_setup(an_interval_shows_what_changed, set_up),
                cmocka_unit_test_setup(global_may_look_into_a_partition, set_up),
                cmocka_unit_test_setup(a_wrong_line_is_usage, set_up),
                cmocka_unit_test_setup(what_is_broken_is_fatal, set_up),
                cmocka_unit_test_setup(the_time_is_printed_first, set_up),
                cmocka_unit_test_setup(croft_kstat_has_words_of_its_own, set_up),
                cmocka_unit_test_setup(memory_that_runs_out_is_told, set_up),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
