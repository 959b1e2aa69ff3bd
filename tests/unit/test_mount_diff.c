/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/cleanup.h"
#include "fault.h"
#include "kstat/mount_diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct mount_known known[] = {
        {.key = 10, .created = 100, .kids = {1, 2}}, {.key = 20, .created = 200, .kids = {3, 4}},
        {.key = 30, .created = 300, .kids = {0, 0}}, /* it was refused structures */
};

static struct mounts_list list_of(struct mount_found *found, size_t n)
{
        return (struct mounts_list){.found = found, .n = n};
}

static void make(const struct mounts_list *list, struct mount_diff *ret)
{
        assert_int_equal(mount_diff_make(known, ELEMENTS(known), list, ret), 0);
}

static void the_same_mounts_change_nothing(void **state)
{
        struct mount_found found[] = {
                {.key = 10, .created = 100}, {.key = 20, .created = 200}, {.key = 30, .created = 300}};
        struct mounts_list list = list_of(found, ELEMENTS(found));
        struct mount_diff diff;

        (void)state;
        make(&list, &diff);
        assert_int_equal(diff.n_kept, 3);
        assert_int_equal(diff.n_gone, 0);
        assert_int_equal(diff.n_new, 0);
        mount_diff_done(&diff);
}

static void what_is_gone_loses_both_structures(void **state)
{
        struct mount_found found[] = {{.key = 20, .created = 200}};
        struct mounts_list list = list_of(found, ELEMENTS(found));
        struct mount_diff diff;

        (void)state;
        make(&list, &diff);
        assert_int_equal(diff.n_kept, 1);
        assert_int_equal(diff.kept[0].key, 20);
        assert_int_equal(diff.n_gone, 2);
        assert_int_equal(diff.gone[0], 1);
        assert_int_equal(diff.gone[1], 2);
        assert_int_equal(diff.n_gone_keys, 2);
        assert_int_equal(diff.gone_keys[0], 10);
        assert_int_equal(diff.gone_keys[1], 30);
        mount_diff_done(&diff);
}

static void what_is_new_is_told_wherever_it_sorts(void **state)
{
        struct mount_found found[] = {{.key = 5, .created = 1}, {.key = 10, .created = 100}, {.key = 15, .created = 1},
                {.key = 20, .created = 200}, {.key = 30, .created = 300}, {.key = 99, .created = 1}};
        struct mounts_list list = list_of(found, ELEMENTS(found));
        struct mount_diff diff;

        (void)state;
        make(&list, &diff);
        assert_int_equal(diff.n_kept, 3);
        assert_int_equal(diff.n_new, 3);
        assert_int_equal(diff.new[0].key, 5);
        assert_int_equal(diff.new[1].key, 15);
        assert_int_equal(diff.new[2].key, 99);
        mount_diff_done(&diff);
}

/* Before Linux 6.8 ids are given again. */
static void another_mount_under_the_same_key_is_gone_and_new(void **state)
{
        struct mount_found found[] = {
                {.key = 10, .created = 101}, {.key = 20, .created = 200}, {.key = 30, .created = 300}};
        struct mounts_list list = list_of(found, ELEMENTS(found));
        struct mount_diff diff;

        (void)state;
        make(&list, &diff);
        assert_int_equal(diff.n_kept, 2);
        assert_int_equal(diff.n_gone, 2);
        assert_int_equal(diff.n_gone_keys, 0); /* under that key the new one is counted */
        assert_int_equal(diff.n_new, 1);
        assert_int_equal(diff.new[0].created, 101);
        mount_diff_done(&diff);
}

static void an_incomplete_look_proves_nothing_gone(void **state)
{
        struct mount_found found[] = {{.key = 40, .created = 1}};
        struct mounts_list list = list_of(found, ELEMENTS(found));
        struct mount_diff diff;

        (void)state;
        list.incomplete = true;
        make(&list, &diff);
        assert_int_equal(diff.n_kept, 3);
        assert_int_equal(diff.n_gone, 0);
        assert_int_equal(diff.n_new, 1);
        mount_diff_done(&diff);
}

static void a_look_that_a_change_came_into_proves_nothing_gone(void **state)
{
        struct mounts_list list = {.changed = true};
        struct mount_diff diff;

        (void)state;
        make(&list, &diff);
        assert_int_equal(diff.n_kept, 3);
        assert_int_equal(diff.n_gone, 0);
        mount_diff_done(&diff);
}

static void nothing_known_and_nothing_found_is_fine(void **state)
{
        struct mounts_list list = {.n = 0};
        struct mount_diff diff;

        (void)state;
        assert_int_equal(mount_diff_make(NULL, 0, &list, &diff), 0);
        assert_int_equal(diff.n_kept + diff.n_gone + diff.n_new, 0);
        mount_diff_done(&diff);
}

static int compare_all(void *context)
{
        struct mount_diff diff;
        int r = mount_diff_make(known, ELEMENTS(known), context, &diff);

        mount_diff_done(&diff);
        return r;
}

static void memory_that_runs_out_is_told(void **state)
{
        struct mount_found found[] = {{.key = 40, .created = 1}};
        struct mounts_list list = list_of(found, ELEMENTS(found));

        (void)state;
        assert_int_equal(fault_walk(FAULT_ALLOCATION, false, compare_all, &list), 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_same_mounts_change_nothing),
                cmocka_unit_test(what_is_gone_loses_both_structures),
                cmocka_unit_test(what_is_new_is_told_wherever_it_sorts),
                cmocka_unit_test(another_mount_under_the_same_key_is_gone_and_new),
                cmocka_unit_test(an_incomplete_look_proves_nothing_gone),
                cmocka_unit_test(a_look_that_a_change_came_into_proves_nothing_gone),
                cmocka_unit_test(nothing_known_and_nothing_found_is_fine),
                cmocka_unit_test(memory_that_runs_out_is_told),
        };

        return cmocka_run_group_tests_name("mount_diff", tests, NULL, NULL);
}
