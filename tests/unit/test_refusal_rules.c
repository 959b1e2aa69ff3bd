/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_refusal_rules.c - how much of global's record what is refused to partitions takes.
 */
#include "daemon/refusal_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static enum refusal judge(struct refusals_all *all, struct refusals_own *own, unsigned int n)
{
        char line[32];

        (void)snprintf(line, sizeof(line), "refusal %u", n);
        return refusal_judge(all, own, line);
}

static void the_same_again_is_not_told_again(void **state)
{
        struct refusals_all all = {.n = 0};
        struct refusals_own own = {.n = 0};

        (void)state;
        assert_int_equal(judge(&all, &own, 1), REFUSAL_TELL);
        assert_int_equal(judge(&all, &own, 2), REFUSAL_TELL);
        assert_int_equal(judge(&all, &own, 1), REFUSAL_QUIET);
        assert_int_equal(judge(&all, &own, 2), REFUSAL_QUIET);
        assert_int_equal(all.n, 2);
}

static void a_partition_has_its_share_and_its_end_is_told_once(void **state)
{
        struct refusals_all all = {.n = 0};
        struct refusals_own own = {.n = 0}, other = {.n = 0};

        (void)state;
        for (unsigned int i = 0; i < REFUSALS_MAX; i++)
                assert_int_equal(judge(&all, &own, i), REFUSAL_TELL);
        assert_int_equal(judge(&all, &own, 0), REFUSAL_QUIET);
        assert_int_equal(judge(&all, &own, 100), REFUSAL_TELL_END);
        assert_int_equal(judge(&all, &own, 101), REFUSAL_QUIET);
        assert_int_equal(judge(&all, &other, 0), REFUSAL_TELL);
        assert_int_equal(all.n, REFUSALS_MAX + 1);
}

static void all_together_leave_room(void **state)
{
        struct refusals_all all = {.n = 0};

        (void)state;
        for (unsigned int i = 0; i < 100; i++) {
                struct refusals_own own = {.n = 0};

                assert_int_equal(judge(&all, &own, i), i < REFUSALS_ALL_MAX ? REFUSAL_TELL : REFUSAL_TELL_END);
                if (i >= REFUSALS_ALL_MAX)
                        assert_int_equal(judge(&all, &own, i), REFUSAL_QUIET);
        }
        assert_int_equal(all.n, REFUSALS_ALL_MAX);
}

static void once_the_record_is_cleared_all_begins_anew(void **state)
{
        struct refusals_all all = {.n = 0};
        struct refusals_own own = {.n = 0};

        (void)state;
        for (unsigned int i = 0; i < REFUSALS_MAX + 2; i++)
                (void)judge(&all, &own, i);
        refusals_clear(&all);
        assert_int_equal(judge(&all, &own, 0), REFUSAL_TELL);
        assert_int_equal(judge(&all, &own, 0), REFUSAL_QUIET);
        assert_int_equal(all.n, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_same_again_is_not_told_again),
                cmocka_unit_test(a_partition_has_its_share_and_its_end_is_told_once),
                cmocka_unit_test(all_together_leave_room),
                cmocka_unit_test(once_the_record_is_cleared_all_begins_anew),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
