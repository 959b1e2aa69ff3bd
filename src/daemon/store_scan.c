/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store_scan.c - the rows of the store that are about what partitions hold of kernel extensions.  See store.h.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "daemon/store_private.h"

#include <string.h>

static int run_for(struct store *store, enum statement which, uint64_t id, struct croft_error *err)
{
        (void)sqlite3_bind_int64(store_statement(store, which), 1, (int64_t)id);
        return store_run_statement(store, which, err);
}

static int insert(
        struct store *store, uint64_t id, size_t number, const struct kext_finding *f, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_FOUND_ADD);

        (void)sqlite3_bind_int64(s, 1, (int64_t)id);
        (void)sqlite3_bind_int64(s, 2, (int64_t)number);
        (void)sqlite3_bind_text(s, 3, f->application, -1, SQLITE_TRANSIENT);
        /* Bytes that need be no text. */
        (void)sqlite3_bind_blob(s, 4, f->path, (int)strlen(f->path), SQLITE_TRANSIENT);
        (void)sqlite3_bind_text(s, 5, f->sha256, -1, SQLITE_TRANSIENT);
        (void)sqlite3_bind_int64(s, 6, (int64_t)f->size);
        (void)sqlite3_bind_text(s, 7, f->oddity, -1, SQLITE_TRANSIENT);
        return store_run_statement(store, SQL_FOUND_ADD, err);
}

static int replace(struct store *store, uint64_t id, int64_t time, const struct kext_finding *findings, size_t n,
        struct croft_error *err)
{
        int r = run_for(store, SQL_FOUND_DROP, id, err);

        for (size_t i = 0; r == 0 && i < n; i++)
                r = insert(store, id, i, &findings[i], err);
        if (r < 0)
                return r;
        (void)sqlite3_bind_int64(store_statement(store, SQL_SCAN_SET), 1, (int64_t)id);
        (void)sqlite3_bind_int64(store->statements[SQL_SCAN_SET], 2, time);
        return store_run_statement(store, SQL_SCAN_SET, err);
}

int store_scan_set(struct store *store, uint64_t id, int64_t time, const struct kext_finding *findings, size_t n,
        struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(store, false, &e);

        if (r == 0)
                r = store_commit(store, replace(store, id, time, findings, n, &e), &e);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

static void read_finding(sqlite3_stmt *s, struct kext_finding *ret)
{
        size_t size = (size_t)sqlite3_column_bytes(s, 1);
        const void *path = sqlite3_column_blob(s, 1);

        *ret = (struct kext_finding){.size = (uint64_t)sqlite3_column_int64(s, 3)};
        store_take_text(s, 0, ret->application, sizeof(ret->application));
        if (path)
                memcpy(ret->path, path, size < sizeof(ret->path) ? size : sizeof(ret->path) - 1);
        store_take_text(s, 2, ret->sha256, sizeof(ret->sha256));
        store_take_text(s, 4, ret->oddity, sizeof(ret->oddity));
}

static int read_time(struct store *store, uint64_t id, int64_t *ret, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_SCAN);
        int result;

        (void)sqlite3_bind_int64(s, 1, (int64_t)id);
        result = sqlite3_step(s);
        *ret = result == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
        (void)sqlite3_reset(s);
        return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : store_fault(store, result, err, "read a scan");
}

static int read_findings(
        struct store *store, uint64_t id, struct kext_finding *list, size_t *ret_n, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_FOUND);
        int result = SQLITE_DONE;
        size_t n = 0;

        (void)sqlite3_bind_int64(s, 1, (int64_t)id);
        while (n < KEXT_FINDINGS_MAX && (result = sqlite3_step(s)) == SQLITE_ROW)
                read_finding(s, &list[n++]);
        (void)sqlite3_reset(s);
        *ret_n = n;
        return result == SQLITE_ROW || result == SQLITE_DONE ? 0 : store_fault(store, result, err, "read a scan");
}

int store_scan(struct store *store, uint64_t id, int64_t *ret_time, struct kext_finding **ret, size_t *ret_n,
        struct croft_error *err)
{
        _cleanup_free_ struct kext_finding *list =
                calloc(KEXT_FINDINGS_MAX, sizeof(*list)); /* pages that aren't used cost nothing */
        struct croft_error e = CROFT_ERROR_INIT;
        int64_t time = 0;
        size_t n = 0;
        int r;

        if (!list)
                return croft_error_set(err, ENOMEM, "read a scan");
        r = store_begin(store, false, &e);
        if (r == 0) {
                r = read_time(store, id, &time, &e);
                if (r == 0)
                        r = read_findings(store, id, list, &n, &e);
                r = store_commit(store, r, &e);
        }
        if (r < 0)
                return croft_error_copy(err, &e);
        *ret = TAKE(list);
        *ret_n = n;
        *ret_time = time;
        return 0;
}
