/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kext_books.c - what follows from who holds which extension.
 */
#include "base/cleanup.h"
#include "kext/books.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { A = 1, B = 2 };

static struct kext_loaded loaded[4];
static struct kext_holder holders[8];
static struct kext_books books;

static int begin(void **state)
{
        (void)state;
        books = (struct kext_books){.loaded = loaded, .holders = holders};
        return 0;
}

static struct kext_loaded *has(const char *name, const char *sha256)
{
        struct kext_loaded *l = &loaded[books.n_loaded++];

        *l = (struct kext_loaded){.state = KEXT_LOADED};
        (void)snprintf(l->name, sizeof(l->name), "%s", name);
        (void)snprintf(l->sha256, sizeof(l->sha256), "%s", sha256);
        return l;
}

static struct kext_holder holder(uint64_t partition, const char *name, const char *sha256)
{
        struct kext_holder h = {.partition = partition, .count = 1};

        (void)snprintf(h.name, sizeof(h.name), "%s", name);
        (void)snprintf(h.sha256, sizeof(h.sha256), "%s", sha256);
        return h;
}

static struct kext_holder *holds(uint64_t partition, const char *name, const char *sha256)
{
        holders[books.n_holders] = holder(partition, name, sha256);
        return &holders[books.n_holders++];
}

static int judge(uint64_t partition, const char *name, const char *sha256, bool local, bool there)
{
        struct kext_holder wanted = holder(partition, name, sha256);

        wanted.local = local;
        return kext_books_judge(&books, &wanted, KEXT_KO, there);
}

static int judge_object(uint64_t partition, const char *name, const char *sha256, bool there)
{
        struct kext_holder wanted = holder(partition, name, sha256);

        wanted.local = true;
        return kext_books_judge(&books, &wanted, KEXT_BPF, there);
}

static void each_partition_has_an_object_of_its_own(void **state)
{
        (void)state;
        has("x", "1")->partition = A;
        holds(A, "x", "1")->local = true;
        assert_int_equal(judge_object(A, "x", "1", true), KEXT_LOAD_COUNT);
        assert_int_equal(judge_object(A, "x", "2", true), -EBUSY);
        assert_int_equal(judge_object(B, "x", "1", false), KEXT_LOAD_REALLY);
        assert_int_equal(judge_object(B, "x", "2", false), KEXT_LOAD_REALLY);
        holders[0].lost = true;
        assert_int_equal(judge_object(A, "x", "2", true), KEXT_LOAD_REALLY);
}

static void what_is_left_of_an_object_is_replaced(void **state)
{
        (void)state;
        has("x", "1")->partition = A;
        loaded[0].state = KEXT_PENDING;
        assert_int_equal(judge_object(A, "x", "1", true), KEXT_LOAD_REALLY);
}

static void an_object_is_its_partitions_and_a_module_all_of_theirs(void **state)
{
        (void)state;
        has("x", "1")->partition = A;
        has("x", "1")->partition = B;
        has("y", "1");
        assert_ptr_equal(kext_books_loaded(&books, "x", A), &loaded[0]);
        assert_ptr_equal(kext_books_loaded(&books, "x", B), &loaded[1]);
        assert_null(kext_books_loaded(&books, "x", 3));
        assert_ptr_equal(kext_books_loaded(&books, "y", A), &loaded[2]);
        assert_ptr_equal(kext_books_loaded(&books, "y", B), &loaded[2]);
}

static void what_the_kernel_has_not_is_really_loaded(void **state)
{
        (void)state;
        assert_int_equal(judge(A, "x", "1", false, false), KEXT_LOAD_REALLY);
        assert_int_equal(judge(A, "x", "1", true, false), KEXT_LOAD_REALLY);
}

static void what_a_partition_has_is_joined_by_others_and_counted_for_itself(void **state)
{
        (void)state;
        has("x", "1");
        holds(A, "x", "1");
        assert_int_equal(judge(A, "x", "1", false, true), KEXT_LOAD_COUNT);
        assert_int_equal(judge(B, "x", "1", false, true), KEXT_LOAD_JOIN);
        holders[0].lost = true;
        assert_int_equal(judge(A, "x", "1", false, true), KEXT_LOAD_JOIN);
}

static void what_waits_to_go_can_be_had_again(void **state)
{
        (void)state;
        has("x", "1")->state = KEXT_PENDING;
        assert_int_equal(judge(A, "x", "1", false, true), KEXT_LOAD_JOIN);
}

static void another_generation_is_busy(void **state)
{
        (void)state;
        has("x", "1");
        holds(A, "x", "1");
        assert_int_equal(judge(B, "x", "2", false, true), -EBUSY);
        assert_int_equal(judge(A, "x", "2", false, true), -EBUSY);
}

static void what_global_has_is_adopted_but_never_for_one_alone(void **state)
{
        (void)state;
        assert_int_equal(judge(A, "x", "1", false, true), KEXT_LOAD_ADOPT);
        assert_int_equal(judge(A, "x", "1", true, true), -EBUSY);
        has("x", "1")->baseline = true;
        assert_int_equal(judge(A, "x", "1", false, true), KEXT_LOAD_JOIN);
        assert_int_equal(judge(A, "x", "1", true, true), -EBUSY);
}

static void one_alone_leaves_no_room_and_takes_none(void **state)
{
        (void)state;
        has("x", "1");
        holds(A, "x", "1")->local = true;
        assert_int_equal(judge(B, "x", "1", false, true), -EBUSY);
        assert_int_equal(judge(B, "x", "1", true, true), -EBUSY);
        holders[0].local = false;
        assert_int_equal(judge(B, "x", "1", true, true), -EBUSY);
        holders[0].lost = true;
        assert_int_equal(judge(B, "x", "1", true, true), KEXT_LOAD_JOIN);
}

static void who_has_one_alone_is_known(void **state)
{
        (void)state;
        holds(B, "x", "1");
        holds(A, "y", "1")->local = true;
        assert_int_equal(kext_books_alone(&books, "x"), 0);
        assert_int_equal(kext_books_alone(&books, "y"), A);
        holders[1].lost = true;
        assert_int_equal(kext_books_alone(&books, "y"), 0);
}

static void the_total_is_of_partitions_that_have_it(void **state)
{
        (void)state;
        holds(A, "x", "1")->count = 7;
        holds(B, "x", "1");
        holds(B, "y", "1");
        assert_int_equal(kext_books_total(&books, "x"), 2);
        holders[0].lost = true;
        assert_int_equal(kext_books_total(&books, "x"), 1);
        assert_int_equal(kext_books_total(&books, "z"), 0);
        assert_ptr_equal(kext_books_holder(&books, B, "y"), &holders[2]);
        assert_null(kext_books_holder(&books, A, "y"));
}

static const char *depends(void *context, const char *sha256)
{
        (void)context;
        return strcmp(sha256, "1") == 0 ? "crc,other-one" : strcmp(sha256, "2") == 0 ? "" : NULL;
}

static void users_are_others_of_the_same_partition(void **state)
{
        (void)state;
        holds(A, "crc", "2")->count = 0;
        holds(A, "x", "1");
        holds(B, "y", "1");
        holds(A, "gone", "?");
        assert_int_equal(kext_books_users(&books, A, "crc", depends, NULL), 1);
        assert_int_equal(kext_books_users(&books, A, "other_one", depends, NULL), 1);
        assert_int_equal(kext_books_users(&books, A, "x", depends, NULL), 0);
        holders[1].lost = true;
        assert_int_equal(kext_books_users(&books, A, "crc", depends, NULL), 0);
}

static void many_loads_are_told_once_and_too_many_refused(void **state)
{
        struct kext_rate rate = {.n = 0};
        unsigned int told = 0;

        (void)state;
        for (unsigned int i = 0; i < KEXT_LOADS_MAX; i++) {
                int r = kext_rate_note(&rate, 1000);

                assert_true(r >= 0);
                told += r == 1;
        }
        assert_int_equal(told, 1);
        assert_int_equal(kext_rate_note(&rate, 1000 + KEXT_LOADS_S - 1), -EAGAIN);
        assert_int_equal(kext_rate_note(&rate, 1000 + KEXT_LOADS_S), 0);
}

static void states_and_ways_have_names(void **state)
{
        (void)state;
        assert_string_equal(kext_loaded_state_name(KEXT_PENDING), "PENDING_UNLOAD");
        assert_string_equal(kext_loaded_state_name((enum kext_loaded_state)99), "UNKNOWN");
        assert_string_equal(kext_via_name(KEXT_VIA_DEPENDENCY), "dependency");
        assert_string_equal(kext_via_name((enum kext_via)0), "unknown");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(what_the_kernel_has_not_is_really_loaded, begin),
                cmocka_unit_test_setup(what_a_partition_has_is_joined_by_others_and_counted_for_itself, begin),
                cmocka_unit_test_setup(what_waits_to_go_can_be_had_again, begin),
                cmocka_unit_test_setup(each_partition_has_an_object_of_its_own, begin),
                cmocka_unit_test_setup(what_is_left_of_an_object_is_replaced, begin),
                cmocka_unit_test_setup(an_object_is_its_partitions_and_a_module_all_of_theirs, begin),
                cmocka_unit_test_setup(another_generation_is_busy, begin),
                cmocka_unit_test_setup(what_global_has_is_adopted_but_never_for_one_alone, begin),
                cmocka_unit_test_setup(one_alone_leaves_no_room_and_takes_none, begin),
                cmocka_unit_test_setup(who_has_one_alone_is_known, begin),
                cmocka_unit_test_setup(the_total_is_of_partitions_that_have_it, begin),
                cmocka_unit_test_setup(users_are_others_of_the_same_partition, begin),
                cmocka_unit_test_setup(many_loads_are_told_once_and_too_many_refused, begin),
                cmocka_unit_test_setup(states_and_ways_have_names, begin),
        };

        return cmocka_run_group_tests_name("kext_books", tests, NULL, NULL);
}
