/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_log.c - what the mains say: levels, one line each, nothing unescaped.
 */
#include "base/cleanup.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int saved_stderr = -EBADF, ends[2] = {-EBADF, -EBADF};

static int set_up(void **state)
{
        (void)state;
        (void)unsetenv("JOURNAL_STREAM");
        saved_stderr = dup(STDERR_FILENO);
        return pipe(ends) < 0 || dup2(ends[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
        (void)state;
        (void)dup2(saved_stderr, STDERR_FILENO);
        saved_stderr = close_fd(saved_stderr);
        ends[0] = close_fd(ends[0]);
        ends[1] = close_fd(ends[1]);
        return 0;
}

/* What has been said so far; a mark of our own ends it, so that nothing said is told from nothing there. */
static const char *said(void)
{
        static char text[4096];
        ssize_t n;

        if (write(STDERR_FILENO, "$", 1) != 1)
                return NULL;
        n = read(ends[0], text, sizeof(text) - 1);
        text[n > 0 ? n - 1 : 0] = '\0';
        return text;
}

static void a_line_begins_with_the_program(void **state)
{
        (void)state;
        log_open("croftd", LOG_LEVEL_INFO);
        log_say(LOG_LEVEL_INFO, "hello %d", 7);
        assert_string_equal(said(), "croftd: hello 7\n");
}

static void what_is_less_important_is_not_said(void **state)
{
        struct croft_error err = {.code = 1};

        (void)state;
        log_open("croftd", LOG_LEVEL_WARNING);
        log_say(LOG_LEVEL_NOTICE, "hello");
        log_error(LOG_LEVEL_DEBUG, &err, "hello");
        assert_string_equal(said(), "");
}

static void the_journal_gets_the_level(void **state)
{
        (void)state;
        (void)setenv("JOURNAL_STREAM", "1:2", 1);
        log_open("croftd", LOG_LEVEL_INFO);
        log_say(LOG_LEVEL_WARNING, "hello");
        assert_string_equal(said(), "<4>hello\n");
}

static void an_error_is_said_with_its_chain(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        log_open("croftd", LOG_LEVEL_INFO);
        (void)croft_error_set(&err, ENOENT, "open 'x'");
        log_error(LOG_LEVEL_ERROR, &err, "start '%s'", "web");
        assert_string_equal(said(), "croftd: start 'web': open 'x': No such file or directory\n");
}

static void control_bytes_make_no_second_line(void **state)
{
        (void)state;
        log_open("croftd", LOG_LEVEL_INFO);
        log_say(LOG_LEVEL_INFO, "a\nb\x1b[2J");
        assert_string_equal(said(), "croftd: a\\x0ab\\x1b[2J\n");
}

static void a_long_text_is_one_line_cut(void **state)
{
        static char text[3000];
        const char *line;

        (void)state;
        log_open("croftd", LOG_LEVEL_INFO);
        memset(text, '\x01', sizeof(text) - 1);
        log_say(LOG_LEVEL_INFO, "%s", text);
        line = said();
        assert_true(strlen(line) > 1000);
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_line_begins_with_the_program),
                TEST(what_is_less_important_is_not_said),
                TEST(the_journal_gets_the_level),
                TEST(an_error_is_said_with_its_chain),
                TEST(control_bytes_make_no_second_line),
                TEST(a_long_text_is_one_line_cut),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
