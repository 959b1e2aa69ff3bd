/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cli_screen.c - cells become the bytes that a terminal needs, and no more.
 */
#include "cli/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void update_is(struct screen *s, const char *expected)
{
        size_t size = 0;
        const char *bytes = screen_update(s, &size);

        assert_non_null(bytes);
        assert_string_equal(bytes, expected);
        assert_int_equal(size, strlen(expected));
}

static void the_first_update_draws_all(void **state)
{
        struct screen *s = screen_new(3, 10, true);

        (void)state;
        screen_put(s, 1, 2, 0, SCREEN_BOLD, "web");
        update_is(s, "\033[m\033[H\033[2J\033[2;3H\033[0;1mweb");
        screen_free(s);
}

static void an_update_without_a_change_is_empty(void **state)
{
        struct screen *s = screen_new(3, 10, true);
        size_t size;

        (void)state;
        screen_put(s, 0, 0, 0, SCREEN_PLAIN, "web 1");
        (void)screen_update(s, &size);
        screen_clear(s);
        screen_put(s, 0, 0, 0, SCREEN_PLAIN, "web 1");
        update_is(s, "");
        screen_free(s);
}

static void only_what_has_changed_is_sent(void **state)
{
        struct screen *s = screen_new(3, 40, true);
        size_t size;

        (void)state;
        screen_put(s, 1, 0, 0, SCREEN_PLAIN, "web  1.0                 x");
        (void)screen_update(s, &size);
        screen_clear(s);
        screen_put(s, 1, 0, 0, SCREEN_PLAIN, "web  2.0                 y");
        update_is(s, "\033[2;6H2\033[2;26Hy");
        screen_clear(s);
        screen_put(s, 1, 0, 0, SCREEN_PLAIN, "web");
        update_is(s, "\033[2;4H\033[K");
        screen_free(s);
}

static void nothing_is_written_outside(void **state)
{
        struct screen *s = screen_new(2, 5, true);

        (void)state;
        assert_int_equal(screen_put(s, 0, 3, 0, SCREEN_PLAIN, "long text"), 5);
        assert_int_equal(screen_put(s, 0, 0, 2, SCREEN_PLAIN, "abc"), 2);
        screen_put(s, 2, 0, 0, SCREEN_PLAIN, "below");
        screen_put(s, 1, 99, 0, SCREEN_PLAIN, "right");
        assert_string_equal(screen_line(s, 0), "ab lo");
        assert_string_equal(screen_line(s, 1), "");
        screen_free(s);
}

static void what_a_terminal_would_obey_is_a_question_mark(void **state)
{
        struct screen *s = screen_new(1, 20, true);

        (void)state;
        screen_put(s, 0, 0, 0, SCREEN_PLAIN, "a\033[31m\n\xc3\xa4");
        assert_string_equal(screen_line(s, 0), "a?[31m???");
        screen_free(s);
}

static void without_colour_there_is_none(void **state)
{
        struct screen *s = screen_new(1, 20, false);
        size_t size;
        const char *bytes;

        (void)state;
        screen_put(s, 0, 0, 0, SCREEN_RED, "web");
        bytes = screen_update(s, &size);
        assert_null(strstr(bytes, "31m"));
        assert_non_null(strstr(bytes, "web"));
        screen_free(s);
}

static void another_size_draws_all(void **state)
{
        struct screen *s = screen_new(5, 20, true);
        size_t size;

        (void)state;
        screen_put(s, 4, 15, 0, SCREEN_PLAIN, "web");
        (void)screen_update(s, &size);
        assert_int_equal(screen_resize(s, 2, 8), 0);
        screen_put(s, 4, 15, 0, SCREEN_PLAIN, "web");
        screen_put(s, 1, 0, 0, SCREEN_PLAIN, "db");
        update_is(s, "\033[m\033[H\033[2J\033[2;1Hdb");
        screen_free(s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_first_update_draws_all),
                cmocka_unit_test(an_update_without_a_change_is_empty),
                cmocka_unit_test(only_what_has_changed_is_sent),
                cmocka_unit_test(nothing_is_written_outside),
                cmocka_unit_test(what_a_terminal_would_obey_is_a_question_mark),
                cmocka_unit_test(without_colour_there_is_none),
                cmocka_unit_test(another_size_draws_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
