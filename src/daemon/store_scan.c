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
        (void)sqlite3_bind_text(s, 8, f->configured, -1, SQLITE_TRANSIENT);
        return store_run_statement(store, SQL_FOUND_ADD, err);
}

static int set_record(struct store *store, const struct kext_scan_record *record, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_SCAN_SET);

        (void)sqlite3_bind_int64(s, 1, (int64_t)record->partition);
        (void)sqlite3_bind_int64(s, 2, record->time);
        (void)sqlite3_bind_int64(s, 3, (int64_t)record->number);
        (void)sqlite3_bind_int(s, 4, (int)record->reason);
        store_bind_text(s, 5, record->stamp);
        return store_run_statement(store, SQL_SCAN_SET, err);
}

static int replace(struct store *store, const struct kext_scan_record *record, const struct kext_finding *findings,
        size_t n, struct croft_error *err)
{
        int r = run_for(store, SQL_FOUND_DROP, record->partition, err);

        for (size_t i = 0; r == 0 && i < n; i++)
                r = insert(store, record->partition, i, &findings[i], err);
        if (r == 0)
                r = set_record(store, record, err);
        return r < 0 ? r : store_set_meta_number(store, "next-scan", record->number + 1, err);
}

int store_scan_set(struct store *store, struct kext_scan_record *record, const struct kext_finding *findings, size_t n,
        struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(store, false, &e);

        if (r == 0) {
                record->number = store->next_scan++; /* one that fails leaves a gap */
                r = store_commit(store, replace(store, record, findings, n, &e), &e);
        }
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
        store_take_text(s, 5, ret->configured, sizeof(ret->configured));
}

static void read_record(sqlite3_stmt *s, void *row)
{
        struct kext_scan_record *ret = row;

        *ret = (struct kext_scan_record){.partition = (uint64_t)sqlite3_column_int64(s, 0),
                .time = sqlite3_column_int64(s, 1),
                .number = (uint64_t)sqlite3_column_int64(s, 2),
                .reason = (enum kext_scan_reason)sqlite3_column_int(s, 3),
                .found = (uint64_t)sqlite3_column_int64(s, 5)};
        store_take_text(s, 4, ret->stamp, sizeof(ret->stamp));
}

static int read_last(struct store *store, uint64_t id, struct kext_scan_record *ret, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_SCAN);
        int result;

        (void)sqlite3_bind_int64(s, 1, (int64_t)id);
        result = sqlite3_step(s);
        *ret = (struct kext_scan_record){.partition = id};
        if (result == SQLITE_ROW)
                read_record(s, ret);
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

int store_scan(struct store *store, uint64_t id, struct kext_scan_record *ret_record, struct kext_finding **ret,
        size_t *ret_n, struct croft_error *err)
{
        _cleanup_free_ struct kext_finding *list =
                ret ? calloc(KEXT_FINDINGS_MAX, sizeof(*list)) : NULL; /* pages that aren't used cost nothing */
        struct croft_error e = CROFT_ERROR_INIT;
        struct kext_scan_record record;
        size_t n = 0;
        int r;

        if (ret && !list)
                return croft_error_set(err, ENOMEM, "read a scan");
        r = store_begin(store, false, &e);
        if (r == 0) {
                r = read_last(store, id, &record, &e);
                if (r == 0 && list)
                        r = read_findings(store, id, list, &n, &e);
                r = store_commit(store, r, &e);
        }
        if (r < 0)
                return croft_error_copy(err, &e);
        if (ret) {
                *ret = TAKE(list);
                *ret_n = n;
        }
        *ret_record = record;
        return 0;
}

int store_scans(struct store *store, struct kext_scan_record **ret, size_t *ret_n, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        void *list = NULL;
        int r = store_begin(store, false, &e);

        if (r == 0) {
                r = store_read_rows(
                        store, store_statement(store, SQL_SCANS), sizeof(**ret), read_record, &list, ret_n, &e);
                r = store_commit(store, r, &e);
        }
        if (r < 0)
                return croft_error_copy(err, &e);
        *ret = list;
        return 0;
}
