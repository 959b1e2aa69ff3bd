/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cli_text.c - text for people's eyes.
 */
#include "cli/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void escapes_to(const char *text, size_t size, bool newline, const char *expected)
{
        char *escaped = text_escape(text, size, newline);

        assert_non_null(escaped);
        assert_string_equal(escaped, expected);
        free(escaped);
}

static void what_a_terminal_obeys_is_escaped(void **state)
{
        (void)state;
        escapes_to("plain", 5, false, "plain");
        escapes_to("\033[31mred\007", 9, false, "\\x1b[31mred\\x07");
        escapes_to("a\0b", 3, false, "a\\x00b");
        escapes_to("a\nb\tc\rd\177", 8, false, "a\\x0ab\\x09c\\x0dd\\x7f");
        escapes_to("a\nb\tc\rd\177", 8, true, "a\nb\tc\\x0dd\\x7f");
}

static void utf8_stays_and_what_only_looks_like_it_goes(void **state)
{
        (void)state;
        escapes_to("M\xc3\xbcller \xe6\xbc\xa2 \xf0\x9f\x90\xa7", 16, false,
                "M\xc3\xbcller \xe6\xbc\xa2 \xf0\x9f\x90\xa7");
        escapes_to("\xc2\x9b"
                   "31m",
                5, false, "\\xc2\\x9b31m");                               /* CSI as a C1 control */
        escapes_to("\xe2\x80\xae", 3, false, "\\xe2\\x80\\xae");          /* right-to-left override */
        escapes_to("\xc0\xaf", 2, false, "\\xc0\\xaf");                   /* overlong */
        escapes_to("\xed\xa0\x80", 3, false, "\\xed\\xa0\\x80");          /* a surrogate */
        escapes_to("\xf4\x90\x80\x80", 4, false, "\\xf4\\x90\\x80\\x80"); /* above the last */
        escapes_to("a\xe6\xbc", 3, false, "a\\xe6\\xbc");                 /* cut off */
}

static void width_is_what_a_terminal_uses(void **state)
{
        (void)state;
        assert_int_equal(text_width(""), 0);
        assert_int_equal(text_width("abc"), 3);
        assert_int_equal(text_width("M\xc3\xbcller"), 6);
        assert_int_equal(text_width("\xe6\xbc\xa2\xe5\xad\x97"), 4);
        assert_int_equal(text_width("e\xcc\x81"), 1);
}

static void distance_counts_the_mistakes_of_typing(void **state)
{
        (void)state;
        assert_int_equal(text_distance("start", "start"), 0);
        assert_int_equal(text_distance("start", "sart"), 1);
        assert_int_equal(text_distance("start", "strat"), 1);
        assert_int_equal(text_distance("start", "stop"), 3);
        assert_int_equal(text_distance("", "abc"), 3);
        assert_true(text_distance("a-word-that-is-longer-than-any-name-of-a-command", "x") >= 40);
}

static void bytes_have_the_unit_that_fits(void **state)
{
        char buf[32];

        (void)state;
        assert_string_equal(text_bytes(buf, sizeof(buf), 0), "0 B");
        assert_string_equal(text_bytes(buf, sizeof(buf), 1023), "1023 B");
        assert_string_equal(text_bytes(buf, sizeof(buf), 1536), "1.5 KiB");
        assert_string_equal(text_bytes(buf, sizeof(buf), 96 << 20), "96 MiB");
        assert_string_equal(text_bytes(buf, sizeof(buf), UINT64_MAX), "16 EiB");
}

static void lengths_of_time_have_two_units_at_most(void **state)
{
        char buf[32];

        (void)state;
        assert_string_equal(text_duration(buf, sizeof(buf), 0), "0 s");
        assert_string_equal(text_duration(buf, sizeof(buf), 1.2345), "1.234 s");
        assert_string_equal(text_duration(buf, sizeof(buf), 59), "59 s");
        assert_string_equal(text_duration(buf, sizeof(buf), 125), "2 min 5 s");
        assert_string_equal(text_duration(buf, sizeof(buf), 7322), "2 h 2 min");
        assert_string_equal(text_duration(buf, sizeof(buf), 86400 * 3 + 3600 * 4), "3 d 4 h");
        assert_string_equal(text_duration(buf, sizeof(buf), -5), "0 s");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_a_terminal_obeys_is_escaped),
                cmocka_unit_test(utf8_stays_and_what_only_looks_like_it_goes),
                cmocka_unit_test(width_is_what_a_terminal_uses),
                cmocka_unit_test(distance_counts_the_mistakes_of_typing),
                cmocka_unit_test(bytes_have_the_unit_that_fits),
                cmocka_unit_test(lengths_of_time_have_two_units_at_most),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
