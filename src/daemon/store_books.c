/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store_books.c - the rows of the store that say what the kernel has for partitions, and who holds it.  See store.h.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "daemon/store_private.h"

static int put_loaded(struct store *store, const struct kext_loaded *l, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_LOADED_SET);

        store_bind_text(s, 1, l->name);
        (void)sqlite3_bind_int64(s, 2, (int64_t)l->partition);
        store_bind_text(s, 3, l->sha256);
        (void)sqlite3_bind_int(s, 4, (int)l->state);
        (void)sqlite3_bind_int(s, 5, l->baseline);
        (void)sqlite3_bind_int64(s, 6, l->since);
        store_bind_text(s, 7, l->majors);
        return store_run_statement(store, SQL_LOADED_SET, err);
}

static int put_holder(struct store *store, const struct kext_holder *h, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_HOLDER_SET);

        (void)sqlite3_bind_int64(s, 1, (int64_t)h->partition);
        store_bind_text(s, 2, h->name);
        store_bind_text(s, 3, h->sha256);
        (void)sqlite3_bind_int64(s, 4, h->count);
        (void)sqlite3_bind_int(s, 5, h->local);
        (void)sqlite3_bind_int(s, 6, (int)h->via);
        (void)sqlite3_bind_int64(s, 7, h->since);
        (void)sqlite3_bind_int(s, 8, h->lost);
        return store_run_statement(store, SQL_HOLDER_SET, err);
}

static int change_all(struct store *store, const struct store_book_change *c, struct croft_error *err)
{
        int r = c->loaded ? put_loaded(store, c->loaded, err) : 0;

        if (r == 0 && c->unloaded) {
                sqlite3_stmt *s = store_statement(store, SQL_LOADED_DROP);

                store_bind_text(s, 1, c->unloaded->name);
                (void)sqlite3_bind_int64(s, 2, (int64_t)c->unloaded->partition);
                r = store_run_statement(store, SQL_LOADED_DROP, err);
        }
        if (r == 0 && c->gone) {
                sqlite3_stmt *s = store_statement(store, SQL_HOLDER_DROP);

                (void)sqlite3_bind_int64(s, 1, (int64_t)c->gone->partition);
                store_bind_text(s, 2, c->gone->name);
                r = store_run_statement(store, SQL_HOLDER_DROP, err);
        }
        return r == 0 && c->holder ? put_holder(store, c->holder, err) : r;
}

int store_books_change(struct store *store, const struct store_book_change *change, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(store, false, &e);

        if (r == 0)
                r = store_commit(store, change_all(store, change, &e), &e);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

static void read_loaded(sqlite3_stmt *s, void *row)
{
        struct kext_loaded *l = row;

        *l = (struct kext_loaded){.partition = (uint64_t)sqlite3_column_int64(s, 1),
                .state = (enum kext_loaded_state)sqlite3_column_int(s, 3),
                .baseline = sqlite3_column_int(s, 4) != 0,
                .since = sqlite3_column_int64(s, 5)};
        store_take_text(s, 0, l->name, sizeof(l->name));
        store_take_text(s, 2, l->sha256, sizeof(l->sha256));
        store_take_text(s, 6, l->majors, sizeof(l->majors));
}

static void read_holder(sqlite3_stmt *s, void *row)
{
        struct kext_holder *h = row;

        *h = (struct kext_holder){.partition = (uint64_t)sqlite3_column_int64(s, 0),
                .count = (uint32_t)sqlite3_column_int64(s, 3),
                .local = sqlite3_column_int(s, 4) != 0,
                .via = (enum kext_via)sqlite3_column_int(s, 5),
                .since = sqlite3_column_int64(s, 6),
                .lost = sqlite3_column_int(s, 7) != 0};
        store_take_text(s, 1, h->name, sizeof(h->name));
        store_take_text(s, 2, h->sha256, sizeof(h->sha256));
}

int store_books(struct store *store, struct kext_books *ret, struct croft_error *err)
{
        struct kext_books books = {.n_loaded = 0};
        struct croft_error e = CROFT_ERROR_INIT;
        void *loaded = NULL, *holders = NULL;
        int r;

        store_read_begin(store);
        r = store_read_rows(store, store_statement(store, SQL_LOADED), sizeof(*books.loaded), read_loaded, &loaded,
                &books.n_loaded, &e);
        if (r == 0)
                r = store_read_rows(store, store_statement(store, SQL_HOLDERS), sizeof(*books.holders), read_holder,
                        &holders, &books.n_holders, &e);
        store_read_end(store);
        books.loaded = loaded;
        books.holders = holders;
        if (r < 0) {
                kext_books_done(&books);
                return croft_error_copy(err, &e);
        }
        *ret = books;
        return 0;
}

int store_books_forget(struct store *store, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(store, false, &e);

        if (r == 0) {
                r = store_run_statement(store, SQL_BOOKS_FORGET_LOADED, &e);
                if (r == 0)
                        r = store_run_statement(store, SQL_BOOKS_FORGET_HOLDERS, &e);
                r = store_commit(store, r, &e);
        }
        return r < 0 ? croft_error_copy(err, &e) : 0;
}
