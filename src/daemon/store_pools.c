/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store_pools.c - the rows of the store that are about pools of CPUs, and the journal of operations on them.  See
 * store.h.
 *
 * Which pool a partition is bound to is one of its properties and not here.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "daemon/store_private.h"

static const char *column_text(sqlite3_stmt *s, int i)
{
        const char *text = (const char *)sqlite3_column_text(s, i);

        return text ? text : "";
}

static int read_pool(sqlite3_stmt *s, struct pools *pools, struct croft_error *err)
{
        struct cpus cpus = {.bits = {0}};
        const char *name = column_text(s, 0);
        int r;

        if (!str_is_name(name))
                return croft_error_set(err, EUCLEAN, "a pool has a wrong name in the database.");
        (void)cpus_parse(column_text(s, 1), &cpus);
        r = pools_put(pools, name, &cpus);
        return r < 0 ? croft_error_set(err, r, "read the pools") : 0;
}

int store_pools(struct store *store, struct pools *ret, struct croft_error *err)
{
        _cleanup_(pools_done) struct pools pools = {.list = NULL};
        struct croft_error e = CROFT_ERROR_INIT;
        int result = SQLITE_DONE, r = store_begin(store, false, &e);
        sqlite3_stmt *s;

        if (r < 0)
                return croft_error_copy(err, &e);
        s = store_statement(store, SQL_POOLS);
        while (r == 0 && (result = sqlite3_step(s)) == SQLITE_ROW)
                r = read_pool(s, &pools, &e);
        (void)sqlite3_reset(s);
        if (r == 0 && result != SQLITE_DONE)
                r = store_fault(store, result, &e, "read the pools");
        r = store_commit(store, r, &e);
        if (r < 0)
                return croft_error_copy(err, &e);
        *ret = pools;
        pools = (struct pools){.list = NULL};
        return 0;
}

int store_pool_operation(struct store *store, struct store_operation *ret, char *ret_pool, struct croft_error *err)
{
        struct store_operation operation = {.name = ""};
        struct croft_error e = CROFT_ERROR_INIT;
        int result, r = store_begin(store, false, &e);
        char pool[NAME_LENGTH_MAX + 1] = "";
        sqlite3_stmt *s;

        if (r < 0)
                return croft_error_copy(err, &e);
        s = store_statement(store, SQL_POOL_OPERATION);
        result = sqlite3_step(s);
        if (result == SQLITE_ROW) {
                (void)str_copy(operation.name, sizeof(operation.name), column_text(s, 0));
                (void)str_copy(pool, sizeof(pool), column_text(s, 1));
        } else if (result != SQLITE_DONE) {
                r = store_fault(store, result, &e, "read the operation on pools");
        }
        (void)sqlite3_reset(s);
        r = store_commit(store, r, &e);
        if (r < 0)
                return croft_error_copy(err, &e);
        *ret = operation;
        (void)str_copy(ret_pool, NAME_LENGTH_MAX + 1, pool);
        return 0;
}

/* --- the journal --- */

static int journal_begin(void *journal, const char *operation, struct croft_error *err)
{
        struct store_pool_journal *j = journal;
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(j->store, false, &e);
        sqlite3_stmt *s;

        if (r < 0)
                return croft_error_copy(err, &e);
        s = store_statement(j->store, SQL_POOL_OPERATION_BEGIN);
        (void)sqlite3_bind_text(s, 1, operation, -1, SQLITE_TRANSIENT);
        (void)sqlite3_bind_text(s, 2, j->pool, -1, SQLITE_TRANSIENT);
        r = store_commit(j->store, store_run_statement(j->store, SQL_POOL_OPERATION_BEGIN, &e), &e);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

static int replace_pools(struct store *store, const struct pools *pools, struct croft_error *err)
{
        int r;

        (void)store_statement(store, SQL_POOLS_DROP);
        r = store_run_statement(store, SQL_POOLS_DROP, err);
        for (size_t i = 0; i < pools->n && r == 0; i++) {
                sqlite3_stmt *s = store_statement(store, SQL_POOL_ADD);
                _cleanup_free_ char *text = cpus_format(&pools->list[i].cpus);

                if (!text)
                        return croft_error_set(err, ENOMEM, "keep the pools");
                (void)sqlite3_bind_text(s, 1, pools->list[i].name, -1, SQLITE_TRANSIENT);
                (void)sqlite3_bind_text(s, 2, text, -1, SQLITE_TRANSIENT);
                r = store_run_statement(store, SQL_POOL_ADD, err);
        }
        return r;
}

static int journal_end(void *journal, struct croft_error *err)
{
        struct store_pool_journal *j = journal;
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(j->store, j->pools != NULL, &e);

        if (r < 0)
                return croft_error_copy(err, &e);
        if (j->pools)
                r = replace_pools(j->store, j->pools, &e);
        if (r == 0) {
                (void)store_statement(j->store, SQL_POOL_OPERATION_END);
                r = store_run_statement(j->store, SQL_POOL_OPERATION_END, &e);
        }
        r = store_commit(j->store, r, &e);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

void store_pool_journal_init(
        struct store_pool_journal *journal, struct store *store, const char *pool, const struct pools *pools)
{
        *journal = (struct store_pool_journal){
                .store = store,
                .pool = pool,
                .pools = pools,
                .steps = {.begin = journal_begin, .end = journal_end, .journal = journal},
        };
}
