/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_life_books_load.c - what a load leaves in the books and in the kernel, whichever of its steps fails.  Both are
 * played.
 */
#include "daemon/life_books_load.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* --- the books, of one row, and the kernel --- */

static struct kext_loaded row; /* state 0: none */
static unsigned int holders, writes, failing_write;
static int load_result, majors_result, unload_result;
static bool is_there, majors_were_read;

int store_books_change(struct store *store, const struct store_book_change *change, struct croft_error *err)
{
        (void)store;
        if (++writes == failing_write)
                return croft_error_set(err, ENOSPC, "write");
        if (change->loaded)
                row = *change->loaded;
        if (change->unloaded)
                row = (struct kext_loaded){.state = 0};
        holders += change->holder != NULL;
        return 0;
}

int books_kernel_attach(struct unit *u, const char *name, const struct bpf_programs *programs, struct croft_error *err)
{
        (void)u, (void)name, (void)programs;
        is_there = load_result == 0;
        return load_result < 0 ? croft_error_set(err, load_result, "attach") : 0;
}

int books_kernel_load(struct unit *u, int bytes, const char *parameters, struct croft_error *err)
{
        (void)u, (void)bytes;
        assert_string_equal(parameters, "x=1");
        is_there = load_result == 0;
        return load_result < 0 ? croft_error_set(err, load_result, "load") : 0;
}

int books_kernel_load_with_majors(
        struct unit *u, int bytes, const char *parameters, struct book_majors *ret, struct croft_error *err)
{
        ret->n = 1;
        ret->list[0] = (struct devid_major){DEVID_BLOCK, 60};
        majors_were_read = true;
        return books_kernel_load(u, bytes, parameters, err);
}

int books_kernel_take_majors(
        struct life *life, const struct book_majors *majors, char text[KEXT_MAJORS_MAX + 1], struct croft_error *err)
{
        (void)life;
        (void)strcpy(text, majors->n ? "block 60" : "");
        return majors_result < 0 ? croft_error_set(err, majors_result, "the major") : 0;
}

int books_kernel_unload(struct life *life, const struct kext_loaded *l)
{
        (void)life;
        assert_string_equal(l->name, "brd");
        assert_true(is_there);
        is_there = unload_result == -EBUSY;
        return unload_result;
}

/* --- one load --- */

static int load(bool takes_major, uint64_t partition)
{
        static struct life life;
        static struct unit unit = {.life = &life};
        const struct kext_record record = {.identity = {.name = "brd", .takes_major = takes_major}};
        const struct book_wish wish = {.record = &record, .parameters = "x=1"};
        struct loading l = {.u = &unit, .wish = &wish, .loaded = {.name = "brd", .partition = partition}};
        struct croft_error err = CROFT_ERROR_INIT;

        (void)pthread_cond_init(&life.books_wanted, NULL);
        return books_load_run(&l, &err);
}

static int begin(void **state)
{
        (void)state;
        row = (struct kext_loaded){.state = 0};
        holders = writes = failing_write = 0;
        load_result = majors_result = unload_result = 0;
        is_there = majors_were_read = false;
        return 0;
}

static void what_is_loaded_is_in_the_books_with_its_holder_and_majors(void **state)
{
        (void)state;
        assert_int_equal(load(true, 0), 0);
        assert_true(is_there && majors_were_read);
        assert_int_equal(row.state, KEXT_LOADED);
        assert_string_equal(row.majors, "block 60");
        assert_int_equal(holders, 1);
}

static void of_one_that_takes_none_no_majors_are_looked_for(void **state)
{
        (void)state;
        assert_int_equal(load(false, 0), 0);
        assert_false(majors_were_read);
        assert_string_equal(row.majors, "");
        begin(NULL);
        assert_int_equal(load(true, 7), 0); /* nor of an object, whatever is on record */
        assert_false(majors_were_read);
        assert_true(is_there);
}

static void what_the_kernel_does_not_take_leaves_nothing(void **state)
{
        (void)state;
        load_result = -EEXIST;
        assert_int_equal(load(true, 0), -EEXIST); /* and what is there isn't ours to take out */
        assert_int_equal(row.state, 0);
        assert_int_equal(holders, 0);
}

static void what_takes_a_partitions_major_is_taken_out_again(void **state)
{
        (void)state;
        majors_result = -EBUSY;
        assert_int_equal(load(true, 0), -EBUSY);
        assert_false(is_there);
        assert_int_equal(row.state, 0);
        assert_int_equal(holders, 0);
}

static void if_it_is_used_by_then_it_is_to_go(void **state)
{
        (void)state;
        majors_result = unload_result = -EBUSY;
        assert_int_equal(load(true, 0), -EBUSY);
        assert_true(is_there);
        assert_int_equal(row.state, KEXT_PENDING);
        assert_int_equal(holders, 0);
}

static void what_can_not_be_written_is_not_begun_or_taken_back(void **state)
{
        (void)state;
        failing_write = 1;
        assert_int_equal(load(true, 0), -ENOSPC);
        assert_false(is_there);
        begin(NULL);
        failing_write = 2;
        assert_int_equal(load(true, 0), -ENOSPC);
        assert_false(is_there);
        assert_int_equal(row.state, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(what_is_loaded_is_in_the_books_with_its_holder_and_majors, begin),
                cmocka_unit_test_setup(of_one_that_takes_none_no_majors_are_looked_for, begin),
                cmocka_unit_test_setup(what_the_kernel_does_not_take_leaves_nothing, begin),
                cmocka_unit_test_setup(what_takes_a_partitions_major_is_taken_out_again, begin),
                cmocka_unit_test_setup(if_it_is_used_by_then_it_is_to_go, begin),
                cmocka_unit_test_setup(what_can_not_be_written_is_not_begun_or_taken_back, begin),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
