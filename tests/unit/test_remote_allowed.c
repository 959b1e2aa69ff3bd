/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_remote_allowed.c - which commands another machine may run: those of the table, in one way of saying them.
 */
#include "remote/allowed.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FOLLOW " --follow --format json --attempt 1 --from 1"

/* Words are split at blanks; '_' is the empty word. */
static bool is_allowed(const char *line)
{
        char copy[1024], *words[33] = {NULL}, *save = NULL;
        size_t n = 0;

        (void)snprintf(copy, sizeof(copy), "%s", line);
        for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
                assert_true(n < 32);
                words[n++] = strcmp(word, "_") == 0 ? word + 1 : word;
        }
        return allowed_command(words);
}

static void the_errors_of_a_partition_may_be_followed(void **state)
{
        (void)state;
        assert_true(is_allowed("croft error print web" FOLLOW));
        assert_true(
                is_allowed("croft error print a-1 --follow --format json --attempt 18446744073709551615 --from 99"));
}

static void nothing_else_may_be_run(void **state)
{
        static const char *const lines[] = {"", "_", "croft", "croft list", "sh -c id", "croft error",
                "croft error print", "croft error print web", "croft error clear web", "croft start web",
                "croft error print web --follow --format json --attempt 1 --from",
                "croft error print web --format json --follow --attempt 1 --from 1",
                "/usr/bin/croft error print web" FOLLOW,
                "croft error print web --follow --format xml --attempt 1 --from 1"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(lines); i++)
                assert_false(is_allowed(lines[i]));
}

static void a_word_more_is_one_too_many(void **state)
{
        (void)state;
        assert_false(is_allowed("croft error print web" FOLLOW " x"));
        assert_false(is_allowed("croft error print web" FOLLOW " _"));
        assert_false(is_allowed("croft error print web" FOLLOW " 12 13 14 15 16 17 18 19 20"));
}

static void names_are_those_of_partitions(void **state)
{
        static const char *const names[] = {"_", "--help", "-", "global", "Web", "a/b", "web.", "..", "a;b", "$(x)",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
        char line[256];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(names); i++) {
                (void)snprintf(line, sizeof(line), "croft error print %s" FOLLOW, names[i]);
                assert_false(is_allowed(line));
        }
}

static void numbers_are_from_1_on(void **state)
{
        static const char *const numbers[] = {"_", "0", "01", "-1", "+1", "1x", "0x1", "18446744073709551616"};
        char line[256];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(numbers); i++) {
                (void)snprintf(line, sizeof(line), "croft error print web --follow --format json --attempt %s --from 1",
                        numbers[i]);
                assert_false(is_allowed(line));
                (void)snprintf(line, sizeof(line), "croft error print web --follow --format json --attempt 1 --from %s",
                        numbers[i]);
                assert_false(is_allowed(line));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_errors_of_a_partition_may_be_followed),
                cmocka_unit_test(nothing_else_may_be_run),
                cmocka_unit_test(a_word_more_is_one_too_many),
                cmocka_unit_test(names_are_those_of_partitions),
                cmocka_unit_test(numbers_are_from_1_on),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
