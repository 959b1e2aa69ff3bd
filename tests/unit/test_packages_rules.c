/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_packages_rules.c - when a partition is scanned because its packages have changed.
 */
#include "daemon/packages_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW 1000000

static void what_is_as_it_was_scanned_rests(void **state)
{
        struct packages_watch w = {.n_watches = 0};

        (void)state;
        packages_touch(&w, NOW);
        assert_int_equal(w.due, NOW + PACKAGES_SETTLE_MS);
        assert_int_equal(packages_judge(&w, "a", "a", w.due), PACKAGES_REST);
        assert_int_equal(w.due, 0);
}

static void what_has_changed_is_scanned_once_it_has_settled(void **state)
{
        struct packages_watch w = {.seen = "a"};

        (void)state;
        assert_int_equal(packages_judge(&w, "a", "b", NOW), PACKAGES_WAIT);
        assert_int_equal(w.due, NOW + PACKAGES_SETTLE_MS);
        assert_int_equal(packages_judge(&w, "a", "c", w.due), PACKAGES_WAIT);
        assert_int_equal(packages_judge(&w, "a", "c", w.due), PACKAGES_SCAN);
}

static void what_was_never_scanned_is(void **state)
{
        struct packages_watch w = {.n_watches = 0};

        (void)state;
        assert_int_equal(packages_judge(&w, NULL, "", NOW), PACKAGES_SCAN);
}

static void what_changes_all_the_time_is_scanned_nevertheless(void **state)
{
        struct packages_watch w = {.n_watches = 0};
        int64_t now = NOW;

        (void)state;
        for (int i = 0; packages_judge(&w, "", i % 2 ? "a" : "b", now) != PACKAGES_SCAN; i++) {
                assert_true(now - NOW < PACKAGES_CHANGING_MS);
                now = w.due;
        }
        assert_true(now - NOW >= PACKAGES_CHANGING_MS);
}

static void a_touch_meanwhile_brings_nothing_forward(void **state)
{
        struct packages_watch w = {.due = NOW + 50000};

        (void)state;
        packages_touch(&w, NOW);
        assert_int_equal(w.due, NOW + 50000);
}

/* Touched at each moment for an hour; each scan takes `took`.  Returns how many there were. */
static unsigned int scans_of_an_hour(int64_t took, unsigned int *ret_looks)
{
        struct packages_watch w = {.n_watches = 0};
        unsigned int scans = 0, looks = 0;
        int64_t now = NOW, end = NOW + 3600000;
        char stamp[16];

        while (now < end) {
                packages_touch(&w, now);
                now = w.due;
                w.due = 0;
                (void)snprintf(stamp, sizeof(stamp), "%u", looks++);
                if (packages_judge(&w, "scanned", stamp, now) != PACKAGES_SCAN)
                        continue;
                packages_scanned(&w, now, now + took);
                now += took;
                scans++;
        }
        *ret_looks = looks;
        return scans;
}

static void who_changes_without_end_is_scanned_once_a_minute_at_most(void **state)
{
        unsigned int looks;

        (void)state;
        assert_in_range(scans_of_an_hour(100, &looks), 20, 60);
        assert_in_range(looks, 60, 3600 * 1000 / PACKAGES_SETTLE_MS);
}

static void scans_that_take_long_are_rare(void **state)
{
        unsigned int looks;

        (void)state;
        assert_in_range(scans_of_an_hour(20000, &looks), 2, 4); /* a sixtieth of the time */
}

static void what_fails_is_tried_again_more_and_more_seldom(void **state)
{
        struct packages_watch w = {.n_watches = 0};
        int64_t waited = 0;

        (void)state;
        packages_failed(&w, NOW);
        assert_int_equal(w.due, NOW + PACKAGES_FAILED_MS);
        packages_failed(&w, NOW);
        assert_int_equal(w.due, NOW + 2 * PACKAGES_FAILED_MS);
        for (int i = 0; i < 100; i++) {
                packages_failed(&w, NOW);
                assert_true(w.due - NOW >= waited);
                waited = w.due - NOW;
        }
        assert_int_equal(waited, PACKAGES_FAILED_MAX);
        assert_int_equal(packages_judge(&w, "a", "a", NOW), PACKAGES_REST);
        packages_failed(&w, NOW);
        assert_int_equal(w.due, NOW + PACKAGES_FAILED_MS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_as_it_was_scanned_rests),
                cmocka_unit_test(what_has_changed_is_scanned_once_it_has_settled),
                cmocka_unit_test(what_was_never_scanned_is),
                cmocka_unit_test(what_fails_is_tried_again_more_and_more_seldom),
                cmocka_unit_test(what_changes_all_the_time_is_scanned_nevertheless),
                cmocka_unit_test(a_touch_meanwhile_brings_nothing_forward),
                cmocka_unit_test(who_changes_without_end_is_scanned_once_a_minute_at_most),
                cmocka_unit_test(scans_that_take_long_are_rare),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
