/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cli_line.c - a command on another machine by a child: what is run for it, what it says, how it ends.
 */
#include "cli/line.h"

#include "fault.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const command[] = {"croft", "error", "print", NULL};

static void expect_words(enum line_kind kind, const char *given, const char *expected)
{
        struct line_words words;
        char text[512] = "";

        assert_int_equal(line_words_make(kind, given, "far", command, &words), 0);
        for (size_t i = 0; words.words[i]; i++)
                (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s|", words.words[i]);
        assert_string_equal(text, expected);
        line_words_done(&words);
}

static void ssh_gets_one_line_for_its_shell(void **state)
{
        (void)state;
        expect_words(LINE_SSH, NULL,
                "ssh|-o|BatchMode=yes|-o|ConnectTimeout=10|-o|ServerAliveInterval=3|-o|ServerAliveCountMax=2|--|far|"
                "croft error print|");
}

static void tls_gets_word_by_word(void **state)
{
        (void)state;
        expect_words(LINE_TLS, "", "croft-remote|connect|--|far|croft|error|print|");
}

static void the_environment_says_what_else_to_run(void **state)
{
        (void)state;
        expect_words(LINE_TLS, "x  --y ", "x|--y|--|far|croft|error|print|");
}

static void too_many_words_are_refused(void **state)
{
        char given[2 * LINE_WORDS_MAX + 1];
        struct line_words words;

        (void)state;
        for (size_t i = 0; i < LINE_WORDS_MAX; i++)
                memcpy(given + 2 * i, "x ", 3);
        assert_int_equal(line_words_make(LINE_TLS, given, "far", command, &words), -E2BIG);
}

static int make(void *context)
{
        struct line_words words;
        int r = line_words_make(LINE_SSH, NULL, "far", command, &words);

        (void)context;
        if (r == 0)
                line_words_done(&words);
        return r;
}

static void each_allocation_that_fails_is_told(void **state)
{
        (void)state;
        assert_int_equal(fault_walk(FAULT_ALLOCATION, false, make, NULL), 2);
}

/* Runs a line of the shell; what it wrote is in out. */
static void run(const char *text, char out[64], struct line *ret)
{
        const struct line_words words = {.words = {"sh", "-c", text, NULL}};
        size_t used = 0;
        ssize_t n;

        assert_int_equal(line_open(&words, ret), 0);
        while ((n = line_read(ret, out + used, 63 - used)) > 0)
                used += (size_t)n;
        assert_int_equal(n, 0);
        out[used] = '\0';
}

/* Standard error is /dev/null meanwhile: it is TAP's. */
static int to_nowhere(void)
{
        int saved = dup(STDERR_FILENO);

        assert_non_null(freopen("/dev/null", "w", stderr));
        return saved;
}

static void back(int saved)
{
        assert_true(dup2(saved, STDERR_FILENO) >= 0);
        (void)close(saved);
}

static void what_it_writes_is_read_and_its_status_told(void **state)
{
        struct line line;
        char out[64];

        (void)state;
        run("echo one; echo two; exit 3", out, &line);
        assert_string_equal(out, "one\ntwo\n");
        assert_int_equal(line_close(&line, false), 3);
        assert_string_equal(line.last, "");
}

static void the_last_line_that_it_says_is_kept(void **state)
{
        int saved = to_nowhere();
        struct line line;
        char out[64];
        int status;

        (void)state;
        run("echo first >&2; echo out; printf 'why\\r\\n\\n' >&2; exit 255", out, &line);
        status = line_close(&line, false);
        back(saved);
        assert_int_equal(status, 255);
        assert_string_equal(out, "out\n");
        assert_string_equal(line.last, "why");
}

static void a_line_without_end_is_cut(void **state)
{
        int saved = to_nowhere();
        struct line line;
        char out[64];
        int status;

        (void)state;
        run("head -c 100000 /dev/zero | tr '\\0' x >&2", out, &line);
        status = line_close(&line, false);
        back(saved);
        assert_int_equal(status, 0);
        assert_int_equal(strlen(line.last), sizeof(line.last) - 1);
}

static void one_that_is_given_up_is_told_to_end(void **state)
{
        const struct line_words words = {.words = {"sleep", "1000000", NULL}};
        struct line line;

        (void)state;
        assert_int_equal(line_open(&words, &line), 0);
        assert_int_equal(line_close(&line, true), 128 + SIGTERM);
}

static void what_it_leaves_behind_is_not_waited_for(void **state)
{
        int saved = to_nowhere();
        struct line line;
        char out[64];
        int status;

        (void)state;
        run("sleep 1000000 >/dev/null & echo $!; echo why >&2; exit 1", out, &line);
        status = line_close(&line, false);
        (void)kill((pid_t)strtol(out, NULL, 10), SIGKILL);
        back(saved);
        assert_int_equal(status, 1);
        assert_string_equal(line.last, "why");
}

static void a_program_that_is_not_there_says_so(void **state)
{
        const struct line_words words = {.words = {"/nonexistent/ssh", NULL}};
        int saved = to_nowhere();
        struct line line;
        char byte;
        int status;

        (void)state;
        assert_int_equal(line_open(&words, &line), 0);
        assert_int_equal(line_read(&line, &byte, 1), 0);
        status = line_close(&line, false);
        back(saved);
        assert_int_equal(status, 127);
        assert_string_equal(line.last, "/nonexistent/ssh: No such file or directory");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ssh_gets_one_line_for_its_shell),
                cmocka_unit_test(tls_gets_word_by_word),
                cmocka_unit_test(the_environment_says_what_else_to_run),
                cmocka_unit_test(too_many_words_are_refused),
                cmocka_unit_test(each_allocation_that_fails_is_told),
                cmocka_unit_test(what_it_writes_is_read_and_its_status_told),
                cmocka_unit_test(the_last_line_that_it_says_is_kept),
                cmocka_unit_test(a_line_without_end_is_cut),
                cmocka_unit_test(one_that_is_given_up_is_told_to_end),
                cmocka_unit_test(what_it_leaves_behind_is_not_waited_for),
                cmocka_unit_test(a_program_that_is_not_there_says_so),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
