/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_store_books.c - the books of extensions in the database of croftd.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
        char path[64];
        int dir;
        struct store *store;
        struct partition_def a;
};

static int setup(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void)snprintf(f->path, sizeof(f->path), "/tmp/croft-store-XXXXXX");
        assert_non_null(mkdtemp(f->path));
        f->dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(store_open(f->dir, &f->store, NULL), 0);
        (void)snprintf(f->a.name, sizeof(f->a.name), "a");
        assert_int_equal(store_create(f->store, &f->a, NULL), 0);
        assert_int_equal(store_create_done(f->store, f->a.id, NULL), 0);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        store_close(f->store);
        close_fd(f->dir);
        assert_int_equal(fd_remove_tree(AT_FDCWD, f->path, NULL), 0);
        free(f);
        return 0;
}

static const struct kext_loaded row = {
        .name = "dummy", .sha256 = "abc", .state = KEXT_LOADED, .baseline = true, .since = 17, .majors = "block 1"};

static struct kext_holder holder_of(const struct fixture *f)
{
        return (struct kext_holder){.partition = f->a.id,
                .name = "dummy",
                .sha256 = "abc",
                .count = 3,
                .local = true,
                .via = KEXT_VIA_COMMAND,
                .since = 18,
                .lost = true};
}

static void what_is_written_is_read_by_the_next_one(void **state)
{
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
        struct fixture *f = *state;
        const struct kext_holder holder = holder_of(f), *h;
        const struct kext_loaded *l;

        assert_int_equal(
                store_books_change(f->store, &(struct store_book_change){.loaded = &row, .holder = &holder}, NULL), 0);
        f->store = store_close(f->store);
        assert_int_equal(store_open(f->dir, &f->store, NULL), 0);
        assert_int_equal(store_books(f->store, &books, NULL), 0);
        assert_int_equal(books.n_loaded, 1);
        assert_int_equal(books.n_holders, 1);
        l = &books.loaded[0];
        assert_true(strcmp(l->name, row.name) == 0 && strcmp(l->sha256, row.sha256) == 0 && l->state == row.state &&
                    l->baseline && l->since == row.since && strcmp(l->majors, "block 1") == 0);
        h = &books.holders[0];
        assert_true(h->partition == f->a.id && strcmp(h->name, holder.name) == 0 && strcmp(h->sha256, "abc") == 0);
        assert_true(h->count == 3 && h->local && h->via == KEXT_VIA_COMMAND && h->since == 18 && h->lost);
}

static void each_partition_has_a_row_of_its_instance(void **state)
{
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
        struct kext_loaded one = row, other = row;
        struct fixture *f = *state;

        one.partition = 1;
        other.partition = 2;
        assert_int_equal(store_books_change(f->store, &(struct store_book_change){.loaded = &one}, NULL), 0);
        assert_int_equal(store_books_change(f->store, &(struct store_book_change){.loaded = &other}, NULL), 0);
        assert_int_equal(store_books_change(f->store, &(struct store_book_change){.unloaded = &one}, NULL), 0);
        assert_int_equal(store_books(f->store, &books, NULL), 0);
        assert_int_equal(books.n_loaded, 1);
        assert_int_equal(books.loaded[0].partition, 2);
}

static void a_change_is_all_or_nothing(void **state)
{
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
        struct fixture *f = *state;
        struct kext_holder nobody = holder_of(f);

        nobody.partition = 4711;
        assert_true(
                store_books_change(f->store, &(struct store_book_change){.loaded = &row, .holder = &nobody}, NULL) < 0);
        assert_int_equal(store_books(f->store, &books, NULL), 0);
        assert_int_equal(books.n_loaded + books.n_holders, 0);
}

static void rows_go(void **state)
{
        struct kext_books books = {.n_loaded = 0};
        struct fixture *f = *state;
        const struct kext_holder holder = holder_of(f);
        const struct store_book_change both = {.loaded = &row, .holder = &holder};

        assert_int_equal(store_books_change(f->store, &both, NULL), 0);
        assert_int_equal(
                store_books_change(f->store, &(struct store_book_change){.unloaded = &row, .gone = &holder}, NULL), 0);
        assert_int_equal(store_books(f->store, &books, NULL), 0);
        assert_int_equal(books.n_loaded + books.n_holders, 0);
        kext_books_done(&books);
        assert_int_equal(store_books_change(f->store, &both, NULL), 0);
        assert_int_equal(store_books_forget(f->store, NULL), 0);
        assert_int_equal(store_books(f->store, &books, NULL), 0);
        assert_int_equal(books.n_loaded + books.n_holders, 0);
        kext_books_done(&books);
        assert_int_equal(store_books_change(f->store, &both, NULL), 0);
        assert_int_equal(store_forget(f->store, f->a.id, NULL), 0);
        assert_int_equal(store_books(f->store, &books, NULL), 0);
        assert_int_equal(books.n_holders, 0);
        kext_books_done(&books);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_is_written_is_read_by_the_next_one, setup, teardown),
                cmocka_unit_test_setup_teardown(each_partition_has_a_row_of_its_instance, setup, teardown),
                cmocka_unit_test_setup_teardown(a_change_is_all_or_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(rows_go, setup, teardown),
        };

        return cmocka_run_group_tests_name("store_books", tests, NULL, NULL);
}
