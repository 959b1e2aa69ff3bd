/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store_private.h - how the files of the store see the database: prepared statements under one mutex.
 */
#ifndef CROFT_DAEMON_STORE_PRIVATE_H
#define CROFT_DAEMON_STORE_PRIVATE_H

#include "daemon/store.h"

#include <pthread.h>
#include <sqlite3.h>

enum statement {
        SQL_BEGIN,
        SQL_COMMIT,
        SQL_ROLLBACK,
        SQL_SYNC_NORMAL,
        SQL_SYNC_FULL,
        SQL_META_SET,
        SQL_PARTITION_ADD,
        SQL_PARTITION_DONE,
        SQL_PARTITION_DROP,
        SQL_PARTITION_RENAME,
        SQL_UIDS,
        SQL_PROPERTY_ADD,
        SQL_PROPERTIES_DROP,
        SQL_RUN_SET,
        SQL_RUN_DROP,
        SQL_OPERATION_BEGIN,
        SQL_OPERATION_END,
        SQL_NOTICE_ADD,
        SQL_NOTICE_FIRST,
        SQL_NOTICE_DROP,
        SQL_ALL,
        SQL_PROPERTIES,
        SQL_POOL_ADD,
        SQL_POOLS_DROP,
        SQL_POOLS,
        SQL_POOL_OPERATION,
        SQL_POOL_OPERATION_BEGIN,
        SQL_POOL_OPERATION_END,
        SQL_EXTENSION_ADD,
        SQL_EXTENSION_FIND,
        SQL_EXTENSION_MATCH,
        SQL_EXTENSIONS,
        SQL_EXTENSION_OTHER_KIND,
        SQL_EXTENSION_NEWEST,
        SQL_EXTENSION_SUPERSEDE,
        SQL_EXTENSION_RENEW,
        SQL_EXTENSION_COMPLETE,
        SQL_EXTENSION_SET_STATE,
        SQL_EXTENSIONS_REVOKE,
        SQL_REVOKED_ADD,
        SQL_REVOKED_FIND,
        SQL_GRANT_ADD,
        SQL_GRANT_DROP,
        SQL_GRANTS_DROP,
        SQL_GRANTS,
        SQL_LOADED_SET,
        SQL_LOADED_DROP,
        SQL_LOADED,
        SQL_HOLDER_SET,
        SQL_HOLDER_DROP,
        SQL_HOLDERS_DROP,
        SQL_HOLDERS,
        SQL_BOOKS_FORGET_LOADED,
        SQL_BOOKS_FORGET_HOLDERS,
        SQL_SCAN_SET,
        SQL_SCAN_DROP,
        SQL_SCAN,
        SQL_SCANS,
        SQL_FOUND_ADD,
        SQL_FOUND_DROP,
        SQL_FOUND,
        SQL_COUNT
};

struct store {
        sqlite3 *db;
        sqlite3_stmt *statements[SQL_COUNT];
        pthread_mutex_t lock; /* over all of it; held for a transaction */
        bool full_sync;       /* what "PRAGMA synchronous" says now */
        char tag[9];
        char boot_id[40];
        bool new_boot;
        uint64_t next_id, next_scan;
        uint32_t next_range; /* where the search for a free id range begins */
        unsigned int notices;
        bool taken[PARTITION_RANGES]; /* ranges that /etc/subuid or /etc/subgid give to somebody */
};

/* Sets *err from SQLite's last result; returns the negative errno. */
int store_fault(struct store *store, int result, struct croft_error *err, const char *doing);
/* A statement, reset and unbound. */
sqlite3_stmt *store_statement(struct store *store, enum statement which);
/* Runs a statement that gives no rows. */
int store_run_statement(struct store *store, enum statement which, struct croft_error *err);
void store_bind_text(sqlite3_stmt *s, int i, const char *text);
/* A column, cut off to the room. */
void store_take_text(sqlite3_stmt *s, int i, char *dst, size_t size);
/* All rows of a statement with its values bound, each taken by take() into `size` bytes; the caller frees *ret. */
int store_read_rows(struct store *store, sqlite3_stmt *s, size_t size, void (*take)(sqlite3_stmt *s, void *row),
        void **ret, size_t *ret_n, struct croft_error *err);
int store_set_meta(struct store *store, const char *key, const char *value, struct croft_error *err);
int store_set_meta_number(struct store *store, const char *key, uint64_t value, struct croft_error *err);

/* Takes the lock and begins; every begin is followed by exactly one store_commit(), which is told how the work went
 * (0 or a negative errno): it commits or rolls back, drops the lock, and returns the errno of the first failure. */
int store_begin(struct store *store, bool durable, struct croft_error *err);
/* The same for who only reads: under the lock nothing changes, so there is nothing to begin and to commit. */
void store_read_begin(struct store *store);
void store_read_end(struct store *store);
int store_commit(struct store *store, int result, struct croft_error *err);

#endif
