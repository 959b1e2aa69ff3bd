/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kid_list.c - lists in pages, against a plain array; which pages a change makes anew.
 */
#include "base/cleanup.h"
#include "fault.h"
#include "kstat/kid_list.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define KIDS_MAX 2000

static __u64 next_id;

static int change(struct kid_list *list, const uint64_t *add, size_t n_add, const uint64_t *drop, size_t n_drop,
        size_t *ret_fresh)
{
        struct kid_change c;
        int r = kid_list_change(
                list, (struct kid_numbers){add, n_add}, (struct kid_numbers){drop, n_drop}, &next_id, &c);

        if (r < 0)
                return r;
        if (ret_fresh)
                *ret_fresh = c.n_fresh;
        kid_change_keep(&c, list);
        return 0;
}

static void assert_is(const struct kid_list *list, const bool *expected)
{
        uint64_t last = 0;
        size_t n = 0, pages = 0;

        for (size_t p = 0; p < list->n_pages; p++, pages++) {
                assert_in_range(list->pages[p]->n, 1, KSTAT_PAGE_KIDS);
                for (uint32_t i = 0; i < list->pages[p]->n; i++, n++) {
                        assert_true(list->pages[p]->kids[i] > last);
                        last = list->pages[p]->kids[i];
                        assert_true(last < KIDS_MAX && expected[last]);
                }
        }
        assert_int_equal(list->n, n);
        for (uint64_t kid = 0; kid < KIDS_MAX; kid++)
                n -= expected[kid];
        assert_int_equal(n, 0);
        for (size_t p = 0; p < pages; p++)
                for (size_t q = 0; q < p; q++)
                        assert_true(list->pages[p]->id != list->pages[q]->id);
}

static void any_changes_give_what_they_say(void **state)
{
        static bool expected[KIDS_MAX];
        struct kid_list list = {.n = 0};
        unsigned int seed = 20261128;

        (void)state;
        for (int round = 0; round < 500; round++) {
                uint64_t add[64], drop[64], kid = 0;
                size_t n_add = 0, n_drop = 0;

                /* the kids that one changes lie close together, or far apart */
                for (uint64_t step = 1 + (uint64_t)rand_r(&seed) % 60; n_add + n_drop < 64;) {
                        kid += 1 + (uint64_t)rand_r(&seed) % step;
                        if (kid >= KIDS_MAX)
                                break;
                        if (rand_r(&seed) % (round % 100 < 60 ? 3 : 2) == 0)
                                drop[n_drop++] = kid;
                        else if (round % 100 < 60)
                                add[n_add++] = kid;
                }
                assert_int_equal(change(&list, add, n_add, drop, n_drop, NULL), 0);
                for (size_t i = 0; i < n_drop; i++)
                        expected[drop[i]] = false;
                for (size_t i = 0; i < n_add; i++)
                        expected[add[i]] = true;
                assert_is(&list, expected);
        }
        kid_list_done(&list);
}

static void fill(struct kid_list *list, uint64_t n)
{
        uint64_t *kids = calloc(n, sizeof(*kids));

        assert_non_null(kids);
        for (uint64_t i = 0; i < n; i++)
                kids[i] = i + 1;
        assert_int_equal(change(list, kids, n, NULL, 0, NULL), 0);
        free(kids);
}

static void a_change_makes_few_pages_however_long_the_list_is(void **state)
{
        const uint64_t add[] = {100001, 100002}, drop[] = {5, 40001, 40002};
        struct kid_list list = {.n = 0};
        size_t fresh;

        (void)state;
        fill(&list, 100000);
        assert_int_equal(list.n_pages, (100000 + KSTAT_PAGE_KIDS - 1) / KSTAT_PAGE_KIDS);
        assert_int_equal(change(&list, add, ELEMENTS(add), drop, ELEMENTS(drop), &fresh), 0);
        assert_int_equal(fresh, 3);
        assert_int_equal(list.n, 99999);
        assert_int_equal(change(&list, NULL, 0, NULL, 0, &fresh), 0);
        assert_int_equal(fresh, 0);
        kid_list_done(&list);
}

/* A list whose structures have ended but for one here and there doesn't keep a page for each. */
static void pages_that_have_become_short_are_joined(void **state)
{
        struct kid_list list = {.n = 0};
        uint64_t drop[KSTAT_PAGE_KIDS];
        size_t n;

        (void)state;
        fill(&list, 6400);
        for (uint64_t page = 0; page < 100; page++) {
                n = 0;
                for (uint64_t i = 2; i <= KSTAT_PAGE_KIDS; i++)
                        drop[n++] = page * KSTAT_PAGE_KIDS + i;
                assert_int_equal(change(&list, NULL, 0, drop, n, NULL), 0);
        }
        assert_int_equal(list.n, 100);
        assert_in_range(list.n_pages, 2, 100);
        n = 0;
        drop[n++] = 1;
        assert_int_equal(change(&list, NULL, 0, drop, n, NULL), 0);
        assert_int_equal(list.n, 99);
        kid_list_done(&list);
}

static void a_kid_that_goes_and_comes_at_once_stays(void **state)
{
        const uint64_t kid[] = {3};
        struct kid_list list = {.n = 0};

        (void)state;
        fill(&list, 5);
        assert_int_equal(change(&list, kid, 1, kid, 1, NULL), 0);
        assert_int_equal(list.n, 5);
        kid_list_done(&list);
}

static int change_twice(void *context)
{
        const uint64_t add[] = {1, 5, 9}, drop[] = {5};
        struct kid_list list = {.n = 0};
        int r = change(&list, add, ELEMENTS(add), NULL, 0, NULL);

        (void)context;
        if (r == 0) {
                r = change(&list, add, 0, drop, ELEMENTS(drop), NULL);
                if (list.n != (r == 0 ? 2 : 3))
                        r = -EUCLEAN;
        }
        kid_list_done(&list);
        return r;
}

static void memory_that_runs_out_leaves_the_list_as_it_was(void **state)
{
        (void)state;
        fault_walk(FAULT_ALLOCATION, false, change_twice, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(any_changes_give_what_they_say),
                cmocka_unit_test(a_change_makes_few_pages_however_long_the_list_is),
                cmocka_unit_test(pages_that_have_become_short_are_joined),
                cmocka_unit_test(a_kid_that_goes_and_comes_at_once_stays),
                cmocka_unit_test(memory_that_runs_out_leaves_the_list_as_it_was),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
