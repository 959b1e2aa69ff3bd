/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view_text.c - numbers and masks as the kernel writes them.
 */
#include "base/cleanup.h"
#include "kstat/view_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char room[128];

static struct text begin(size_t size)
{
        return (struct text){.start = room, .at = room, .end = room + size};
}

static void assert_is(struct text *t, const char *expected)
{
        assert_false(t->full);
        *t->at = '\0';
        assert_string_equal(room, expected);
}

static void numbers_are_decimal_and_filled_from_the_left(void **state)
{
        struct text t = begin(sizeof(room) - 1);

        (void)state;
        text_number(&t, 0, 0);
        text_number(&t, 42, 5);
        text_number(&t, 123456, 2);
        text_next(&t, 7);
        text_next(&t, UINT64_MAX);
        assert_is(&t, "0   42123456 7 18446744073709551615");
}

static void hundredths_have_two_digits_behind_the_point(void **state)
{
        struct text t = begin(sizeof(room) - 1);

        (void)state;
        text_hundredths(&t, 0);
        text_char(&t, ' ');
        text_hundredths(&t, 105);
        text_char(&t, ' ');
        text_hundredths(&t, 123456);
        assert_is(&t, "0.00 1.05 1234.56");
}

static void a_mask_as_list_has_ranges(void **state)
{
        const __u64 mask[4] = {0x10f, 0, 0, 1ULL << 63};
        struct text t = begin(sizeof(room) - 1);

        (void)state;
        text_mask_list(&t, mask, 256);
        assert_is(&t, "0-3,8,255");
}

static void a_mask_has_words_of_32_bits_the_highest_first(void **state)
{
        const __u64 mask[4] = {0x100000003, 5};
        struct text t = begin(sizeof(room) - 1);

        (void)state;
        text_mask(&t, mask, 2);
        text_char(&t, ' ');
        text_mask(&t, mask, 34);
        text_char(&t, ' ');
        text_mask(&t, mask, 128);
        assert_is(&t, "3 1,00000003 00000000,00000005,00000001,00000003");
}

static void what_does_not_fit_is_told_and_nothing_is_written_behind(void **state)
{
        struct text t = begin(4);

        (void)state;
        room[4] = '#';
        text_str(&t, "abc");
        text_number(&t, 12, 0);
        assert_int_equal(text_end(&t), -ENOSPC);
        assert_int_equal(room[4], '#');
        t = begin(4);
        text_str(&t, "abcd");
        assert_int_equal(text_end(&t), 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_are_decimal_and_filled_from_the_left),
                cmocka_unit_test(hundredths_have_two_digits_behind_the_point),
                cmocka_unit_test(a_mask_as_list_has_ranges),
                cmocka_unit_test(a_mask_has_words_of_32_bits_the_highest_first),
                cmocka_unit_test(what_does_not_fit_is_told_and_nothing_is_written_behind),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
