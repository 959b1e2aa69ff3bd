/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store.c - opening, checking and migrating the database, and its transactions.  See store.h; the rows are in
 * store_rows.c.
 *
 * One connection under one mutex: writes are serial in SQLite anyway, and a transaction takes some 20 microseconds (a
 * durable one as long as the disk's fsync).
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/store_private.h"

#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define STORE_FILE "croft.db"
#define STORE_APPLICATION 0x63726674 /* "crft", in the header of the file */
#define LOG_PAGES "256"              /* of the write-ahead log before it is taken over into the database */
#define RESERVED_PAGES 300           /* a bit more than the log may have */
#define RESERVED_BYTES "1228800"
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

/* Migration i leads from schema version i to i + 1. Never change one that was released; add one. */
static const char *const migrations[] = {
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE partition (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, image TEXT NOT NULL,"
        "  native INTEGER NOT NULL, uid_base INTEGER NOT NULL UNIQUE, created INTEGER NOT NULL,"
        "  half_made INTEGER NOT NULL);"
        "CREATE TABLE property (partition INTEGER NOT NULL REFERENCES partition (id), key TEXT NOT NULL,"
        "  value TEXT NOT NULL, PRIMARY KEY (partition, key)) WITHOUT ROWID;"
        "CREATE TABLE run (partition INTEGER PRIMARY KEY REFERENCES partition (id), boot_id TEXT NOT NULL,"
        "  state INTEGER NOT NULL, pid INTEGER NOT NULL, start_time INTEGER NOT NULL, warden_pid INTEGER NOT NULL,"
        "  warden_start_time INTEGER NOT NULL, started INTEGER NOT NULL, exit_status INTEGER NOT NULL,"
        "  stopped INTEGER NOT NULL, last_error TEXT NOT NULL);"
        "CREATE TABLE operation (partition INTEGER PRIMARY KEY, name TEXT NOT NULL, position INTEGER NOT NULL,"
        "  step TEXT NOT NULL, done INTEGER NOT NULL);"
        "CREATE TABLE notice (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL);",
        /* one operation on pools at a time */
        "CREATE TABLE pool (name TEXT PRIMARY KEY, cpus TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE pool_operation (id INTEGER PRIMARY KEY CHECK (id = 0), name TEXT NOT NULL, pool TEXT NOT NULL,"
        "  position INTEGER NOT NULL, step TEXT NOT NULL, done INTEGER NOT NULL);",
        /* the intent of the next step says it */
        "ALTER TABLE operation DROP COLUMN done;"
        "ALTER TABLE pool_operation DROP COLUMN done;",
        "CREATE TABLE extension (sha256 TEXT PRIMARY KEY, format INTEGER NOT NULL, kind INTEGER NOT NULL,"
        "  size INTEGER NOT NULL, name TEXT NOT NULL, release TEXT NOT NULL, generation INTEGER NOT NULL,"
        "  state INTEGER NOT NULL, vermagic TEXT NOT NULL, srcversion TEXT NOT NULL, build_id TEXT NOT NULL,"
        "  signer TEXT NOT NULL, depends TEXT NOT NULL, origin TEXT NOT NULL, reason TEXT NOT NULL,"
        "  registered INTEGER NOT NULL, UNIQUE (name, release, generation)) WITHOUT ROWID;"
        "CREATE TABLE extension_revoked (sha256 TEXT PRIMARY KEY) WITHOUT ROWID;",
        "CREATE TABLE extension_grant (partition INTEGER NOT NULL REFERENCES partition (id), name TEXT NOT NULL,"
        "  local INTEGER NOT NULL, parameters TEXT NOT NULL, granted INTEGER NOT NULL,"
        "  PRIMARY KEY (partition, name)) WITHOUT ROWID;",
        "CREATE TABLE extension_scan (partition INTEGER PRIMARY KEY REFERENCES partition (id), time INTEGER NOT NULL);"
        "CREATE TABLE extension_found (partition INTEGER NOT NULL REFERENCES partition (id), number INTEGER NOT NULL,"
        "  application TEXT NOT NULL, path BLOB NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,"
        "  oddity TEXT NOT NULL, PRIMARY KEY (partition, number)) WITHOUT ROWID;",
        "ALTER TABLE extension_grant ADD COLUMN previous INTEGER NOT NULL DEFAULT 0;",
        /* of this boot: what the kernel has for partitions, and who holds it */
        "CREATE TABLE extension_loaded (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, state INTEGER NOT NULL,"
        "  baseline INTEGER NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE extension_holder (partition INTEGER NOT NULL REFERENCES partition (id), name TEXT NOT NULL,"
        "  sha256 TEXT NOT NULL, count INTEGER NOT NULL, local INTEGER NOT NULL, via INTEGER NOT NULL,"
        "  since INTEGER NOT NULL, lost INTEGER NOT NULL, PRIMARY KEY (partition, name)) WITHOUT ROWID;",
        /* what was interrupted is undone or finished whole */
        "ALTER TABLE operation DROP COLUMN position;"
        "ALTER TABLE operation DROP COLUMN step;"
        "ALTER TABLE pool_operation DROP COLUMN position;"
        "ALTER TABLE pool_operation DROP COLUMN step;",
        /* 0: a module, of all; else whose instance of a BPF object */
        "ALTER TABLE extension_loaded RENAME TO extension_loaded_before;"
        "CREATE TABLE extension_loaded (name TEXT NOT NULL, partition INTEGER NOT NULL, sha256 TEXT NOT NULL,"
        "  state INTEGER NOT NULL, baseline INTEGER NOT NULL, since INTEGER NOT NULL,"
        "  PRIMARY KEY (name, partition)) WITHOUT ROWID;"
        "INSERT INTO extension_loaded SELECT name, 0, sha256, state, baseline, since FROM extension_loaded_before;"
        "DROP TABLE extension_loaded_before;",
        /* of a compressed one: of what it unpacks to */
        "ALTER TABLE extension ADD COLUMN plain TEXT NOT NULL DEFAULT '';"
        "CREATE INDEX extension_plain ON extension (plain);",
        /* one that was scanned before has no number, so it is scanned again */
        "ALTER TABLE extension_scan ADD COLUMN number INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE extension_scan ADD COLUMN reason INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE extension_scan ADD COLUMN stamp TEXT NOT NULL DEFAULT '';"
        "ALTER TABLE extension_grant ADD COLUMN scan INTEGER NOT NULL DEFAULT 0;",
        "ALTER TABLE extension_found ADD COLUMN configured TEXT NOT NULL DEFAULT '';",
        /* of one that was registered before that was looked at it isn't known: it may */
        "ALTER TABLE extension ADD COLUMN takes_major INTEGER NOT NULL DEFAULT 1;"
        "UPDATE extension SET takes_major = 0 WHERE kind <> 1;"
        "ALTER TABLE extension_grant ADD COLUMN major INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE extension_loaded ADD COLUMN majors TEXT NOT NULL DEFAULT '';"};

/* Is it the newest superseded one, with a current one after it? */
#define EXTENSION_PREVIOUS                                                                                             \
        "state = 2 AND generation = (SELECT max(o.generation) FROM extension o WHERE o.name = extension.name"          \
        "  AND o.release = extension.release AND o.state = 2)"                                                         \
        " AND EXISTS (SELECT 1 FROM extension o WHERE o.name = extension.name AND o.release = extension.release"       \
        "  AND o.state = 1)"

#define EXTENSION_COLUMNS                                                                                              \
        "sha256, kind, size, name, generation, state, vermagic, srcversion, build_id, signer, depends, origin, "       \
        "reason,"                                                                                                      \
        " registered, " EXTENSION_PREVIOUS ", plain, takes_major"

#define SCAN_COLUMNS                                                                                                   \
        "s.partition, s.time, s.number, s.reason, s.stamp,"                                                            \
        " (SELECT count(*) FROM extension_found f WHERE f.partition = s.partition) FROM extension_scan s"

static const char *const sql[SQL_COUNT] = {
        [SQL_BEGIN] = "BEGIN IMMEDIATE",
        [SQL_COMMIT] = "COMMIT",
        [SQL_ROLLBACK] = "ROLLBACK",
        [SQL_SYNC_NORMAL] = "PRAGMA synchronous = NORMAL",
        [SQL_SYNC_FULL] = "PRAGMA synchronous = FULL",
        [SQL_META_SET] = "INSERT OR REPLACE INTO meta VALUES (?, ?)",
        [SQL_PARTITION_ADD] = "INSERT INTO partition VALUES (?, ?, ?, ?, ?, ?, 1)",
        [SQL_PARTITION_DONE] = "UPDATE partition SET half_made = 0 WHERE id = ?",
        [SQL_PARTITION_DROP] = "DELETE FROM partition WHERE id = ?",
        [SQL_PARTITION_RENAME] = "UPDATE partition SET name = ?2 WHERE id = ?1",
        [SQL_UIDS] = "SELECT uid_base FROM partition",
        [SQL_PROPERTY_ADD] = "INSERT INTO property VALUES (?, ?, ?)",
        [SQL_PROPERTIES_DROP] = "DELETE FROM property WHERE partition = ?",
        [SQL_RUN_SET] = "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [SQL_RUN_DROP] = "DELETE FROM run WHERE partition = ?",
        [SQL_OPERATION_BEGIN] = "INSERT OR REPLACE INTO operation VALUES (?, ?)",
        [SQL_OPERATION_END] = "DELETE FROM operation WHERE partition = ?",
        [SQL_NOTICE_ADD] = "INSERT INTO notice (text) VALUES (?)",
        [SQL_NOTICE_FIRST] = "SELECT id, text FROM notice ORDER BY id LIMIT 1",
        [SQL_NOTICE_DROP] = "DELETE FROM notice WHERE id = ?",
        [SQL_ALL] = "SELECT p.id, p.name, p.image, p.native, p.uid_base, p.created, p.half_made, r.boot_id, r.state,"
                    "  r.pid, r.start_time, r.warden_pid, r.warden_start_time, r.started, r.exit_status, r.stopped,"
                    "  r.last_error, o.name FROM partition p LEFT JOIN run r ON r.partition = p.id"
                    "  LEFT JOIN operation o ON o.partition = p.id ORDER BY p.id",
        [SQL_POOL_ADD] = "INSERT INTO pool VALUES (?, ?)",
        [SQL_POOLS_DROP] = "DELETE FROM pool",
        [SQL_POOLS] = "SELECT name, cpus FROM pool ORDER BY name",
        [SQL_POOL_OPERATION] = "SELECT name, pool FROM pool_operation",
        [SQL_POOL_OPERATION_BEGIN] = "INSERT OR REPLACE INTO pool_operation VALUES (0, ?, ?)",
        [SQL_POOL_OPERATION_END] = "DELETE FROM pool_operation",
        [SQL_EXTENSION_ADD] = "INSERT INTO extension VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [SQL_EXTENSION_FIND] = "SELECT " EXTENSION_COLUMNS " FROM extension WHERE sha256 = ?",
        /* revoked in whatever form goes before all; then what is current */
        [SQL_EXTENSION_MATCH] = "SELECT " EXTENSION_COLUMNS " FROM extension WHERE sha256 = ?1 OR plain = ?1"
                                "  ORDER BY state = 3 DESC, state, generation DESC LIMIT 1",
        [SQL_EXTENSIONS] = "SELECT " EXTENSION_COLUMNS " FROM extension ORDER BY name, release, generation",
        [SQL_EXTENSION_OTHER_KIND] = "SELECT 1 FROM extension WHERE name = ? AND kind <> ?",
        [SQL_EXTENSION_NEWEST] = "SELECT coalesce(max(generation), 0) FROM extension WHERE name = ? AND release = ?",
        [SQL_EXTENSION_SUPERSEDE] = "UPDATE extension SET state = 2 WHERE name = ? AND release = ? AND state = 1",
        [SQL_EXTENSION_RENEW] = "UPDATE extension SET state = 1, generation = ?2 WHERE sha256 = ?1",
        [SQL_EXTENSION_COMPLETE] = "UPDATE extension SET plain = ?2, takes_major = ?3 WHERE sha256 = ?1",
        [SQL_EXTENSION_SET_STATE] = "UPDATE extension SET state = ?2 WHERE sha256 = ?1",
        [SQL_REVOKED_ADD] = "INSERT OR IGNORE INTO extension_revoked SELECT ?1"
                            "  UNION SELECT plain FROM extension WHERE sha256 = ?1 AND plain <> ''",
        [SQL_REVOKED_FIND] = "SELECT 1 FROM extension_revoked WHERE sha256 IN (?1, ?2)",
        [SQL_EXTENSIONS_REVOKE] =
                "UPDATE extension SET state = 3 WHERE sha256 IN (SELECT sha256 FROM extension_revoked)"
                "  OR plain IN (SELECT sha256 FROM extension_revoked)",
        [SQL_GRANT_ADD] = "INSERT OR REPLACE INTO extension_grant VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [SQL_GRANT_DROP] = "DELETE FROM extension_grant WHERE partition = ? AND name = ?",
        [SQL_GRANTS_DROP] = "DELETE FROM extension_grant WHERE partition = ?",
        [SQL_GRANTS] = "SELECT name, local, parameters, granted, previous, scan, major FROM extension_grant WHERE "
                       "partition = ? "
                       "ORDER BY name",
        [SQL_LOADED_SET] = "INSERT OR REPLACE INTO extension_loaded VALUES (?, ?, ?, ?, ?, ?, ?)",
        [SQL_LOADED_DROP] = "DELETE FROM extension_loaded WHERE name = ? AND partition = ?",
        [SQL_LOADED] = "SELECT name, partition, sha256, state, baseline, since, majors FROM extension_loaded"
                       "  ORDER BY name, partition",
        [SQL_HOLDER_SET] = "INSERT OR REPLACE INTO extension_holder VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [SQL_HOLDER_DROP] = "DELETE FROM extension_holder WHERE partition = ? AND name = ?",
        [SQL_HOLDERS_DROP] = "DELETE FROM extension_holder WHERE partition = ?",
        [SQL_HOLDERS] = "SELECT partition, name, sha256, count, local, via, since, lost FROM extension_holder"
                        "  ORDER BY name, partition",
        [SQL_BOOKS_FORGET_LOADED] = "DELETE FROM extension_loaded",
        [SQL_BOOKS_FORGET_HOLDERS] = "DELETE FROM extension_holder",
        [SQL_SCAN_SET] = "INSERT OR REPLACE INTO extension_scan VALUES (?, ?, ?, ?, ?)",
        [SQL_SCAN_DROP] = "DELETE FROM extension_scan WHERE partition = ?",
        [SQL_SCAN] = "SELECT " SCAN_COLUMNS " WHERE s.partition = ?",
        [SQL_SCANS] = "SELECT " SCAN_COLUMNS " ORDER BY s.partition",
        [SQL_FOUND_ADD] = "INSERT INTO extension_found VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [SQL_FOUND_DROP] = "DELETE FROM extension_found WHERE partition = ?",
        [SQL_FOUND] =
                "SELECT application, path, sha256, size, oddity, configured FROM extension_found WHERE partition = ?"
                "  ORDER BY number",
        [SQL_PROPERTIES] = "SELECT key, value FROM property WHERE partition = ? ORDER BY key",
};

int store_fault(struct store *store, int result, struct croft_error *err, const char *doing)
{
        int code = EIO;

        switch (result & 0xff) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
                return croft_error_set(err, EUCLEAN,
                        "%s: %s is damaged (%s). Restore it from a copy, or move the whole state directory away.",
                        doing, STORE_FILE, sqlite3_errmsg(store->db));
        case SQLITE_FULL:
                code = ENOSPC;
                break;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                code = EBUSY;
                break;
        case SQLITE_NOMEM:
                code = ENOMEM;
                break;
        case SQLITE_READONLY:
                code = EROFS;
                break;
        case SQLITE_CONSTRAINT:
                code = EEXIST;
                break;
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
                code = sqlite3_system_errno(store->db) ? sqlite3_system_errno(store->db) : EACCES;
                break;
        case SQLITE_IOERR:
                code = sqlite3_system_errno(store->db) ? sqlite3_system_errno(store->db) : EIO;
                break;
        default:
                break;
        }
        if (code == EFBIG || code == EDQUOT)
                code = ENOSPC;
        return croft_error_set(
                err, code, "%s: %s: %s", doing, STORE_FILE, store->db ? sqlite3_errmsg(store->db) : "no database");
}

sqlite3_stmt *store_statement(struct store *store, enum statement which)
{
        sqlite3_stmt *s = store->statements[which];

        (void)sqlite3_reset(s); /* repeats the error of the last run, which was told then */
        (void)sqlite3_clear_bindings(s);
        return s;
}

int store_run_statement(struct store *store, enum statement which, struct croft_error *err)
{
        sqlite3_stmt *s = store->statements[which];
        int result = sqlite3_step(s);

        while (result == SQLITE_ROW) /* some pragmas answer */
                result = sqlite3_step(s);
        if (result != SQLITE_DONE)
                (void)store_fault(store, result, err, "write");
        (void)sqlite3_reset(s);
        return result == SQLITE_DONE ? 0 : err && err->code ? -err->code : -EIO;
}

void store_bind_text(sqlite3_stmt *s, int i, const char *text)
{
        (void)sqlite3_bind_text(s, i, text, -1, SQLITE_TRANSIENT);
}

void store_take_text(sqlite3_stmt *s, int i, char *dst, size_t size)
{
        const char *text = (const char *)sqlite3_column_text(s, i);

        (void)str_copy(dst, size, text ? text : "");
}

int store_read_rows(struct store *store, sqlite3_stmt *s, size_t size, void (*take)(sqlite3_stmt *s, void *row),
        void **ret, size_t *ret_n, struct croft_error *err)
{
        int result = SQLITE_DONE, r = 0;
        char *list = NULL;
        size_t n = 0;

        while (r == 0 && (result = sqlite3_step(s)) == SQLITE_ROW) {
                char *p = (n & (n - 1)) == 0 ? reallocarray(list, n ? 2 * n : 1, size) : list; /* full at each power */

                if (!p) {
                        r = croft_error_set(err, ENOMEM, "read rows of the database");
                        break;
                }
                list = p;
                take(s, list + n++ * size);
        }
        (void)sqlite3_reset(s);
        if (r == 0 && result != SQLITE_DONE)
                r = store_fault(store, result, err, "read");
        if (r < 0) {
                free(list);
                return r;
        }
        *ret = list;
        *ret_n = n;
        return 0;
}

int store_set_meta(struct store *store, const char *key, const char *value, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_META_SET);

        (void)sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(s, 2, value, -1, SQLITE_TRANSIENT);
        return store_run_statement(store, SQL_META_SET, err);
}

int store_set_meta_number(struct store *store, const char *key, uint64_t value, struct croft_error *err)
{
        char text[24];

        (void)snprintf(text, sizeof(text), "%ju", (uintmax_t)value);
        return store_set_meta(store, key, text, err);
}

int store_begin(struct store *store, bool durable, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT; /* its own: the caller may have none, but we need the code */
        int r = 0;

        (void)pthread_mutex_lock(&store->lock);
        if (store->full_sync != durable) {
                r = store_run_statement(store, durable ? SQL_SYNC_FULL : SQL_SYNC_NORMAL, &e);
                if (r == 0)
                        store->full_sync = durable;
        }
        if (r == 0)
                r = store_run_statement(store, SQL_BEGIN, &e);
        if (r == 0)
                return 0;
        (void)pthread_mutex_unlock(&store->lock);
        return croft_error_copy(err, &e);
}

int store_commit(struct store *store, int result, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;

        if (result == 0) {
                result = store_run_statement(store, SQL_COMMIT, &e);
                if (result < 0)
                        croft_error_copy(err, &e);
        }
        if (result < 0 && !sqlite3_get_autocommit(store->db))
                (void)store_run_statement(store, SQL_ROLLBACK, NULL); /* the first failure is the one to tell */
        (void)pthread_mutex_unlock(&store->lock);
        return result;
}

void store_read_begin(struct store *store)
{
        (void)pthread_mutex_lock(&store->lock);
}

void store_read_end(struct store *store)
{
        (void)pthread_mutex_unlock(&store->lock);
}

static int exec(struct store *store, const char *text, struct croft_error *err, const char *doing)
{
        int result = sqlite3_exec(store->db, text, NULL, NULL, NULL);

        return result == SQLITE_OK ? 0 : store_fault(store, result, err, doing);
}

/* The one number that a pragma answers. */
static int pragma(struct store *store, const char *text, int64_t *ret, struct croft_error *err)
{
        sqlite3_stmt *s = NULL;
        int result = sqlite3_prepare_v2(store->db, text, -1, &s, NULL);

        if (result == SQLITE_OK)
                result = sqlite3_step(s);
        if (result == SQLITE_ROW)
                *ret = sqlite3_column_int64(s, 0);
        (void)sqlite3_finalize(s);
        return result == SQLITE_ROW ? 0 : store_fault(store, result, err, "open");
}

/* "ok", or -EUCLEAN. Reads all of it; a database of 1,000 partitions has some 300 kB. */
static int check_integrity(struct store *store, struct croft_error *err)
{
        sqlite3_stmt *s = NULL;
        int r = 0, result = sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &s, NULL);

        if (result == SQLITE_OK)
                result = sqlite3_step(s);
        if (result != SQLITE_ROW)
                r = store_fault(store, result, err, "check");
        else if (strcmp((const char *)sqlite3_column_text(s, 0), "ok") != 0)
                r = croft_error_set(err, EUCLEAN,
                        "%s is damaged (%s). Restore it from a copy, or move the whole state directory away.",
                        STORE_FILE, (const char *)sqlite3_column_text(s, 0));
        (void)sqlite3_finalize(s);
        return r;
}

static int migrate(struct store *store, struct croft_error *err)
{
        int64_t version = 0, application = 0;
        char text[96];
        int r;

        r = pragma(store, "PRAGMA user_version", &version, err);
        if (r == 0)
                r = pragma(store, "PRAGMA application_id", &application, err);
        if (r < 0)
                return r;
        if (version > (int64_t)ELEMENTS(migrations))
                return croft_error_set(err, EPROTO,
                        "%s was made by a newer croft (schema %jd, this one knows %zu). Install that croft again.",
                        STORE_FILE, (intmax_t)version, ELEMENTS(migrations));
        if (version > 0 && application != STORE_APPLICATION)
                return croft_error_set(err, EUCLEAN, "%s is the database of another program.", STORE_FILE);
        for (; version < (int64_t)ELEMENTS(migrations); version++) {
                r = exec(store, "BEGIN IMMEDIATE", err, "migrate");
                if (r == 0)
                        r = exec(store, migrations[version], err, "migrate");
                (void)snprintf(text, sizeof(text), "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                        STORE_APPLICATION, (int)version + 1);
                if (r == 0)
                        r = exec(store, text, err, "migrate");
                if (r < 0) {
                        (void)exec(store, "ROLLBACK", NULL, "migrate"); /* closing would do it, too */
                        return r;
                }
        }
        return 0;
}

/* A value of the meta table to buf; false: none. */
static bool get_meta(struct store *store, const char *key, char *buf, size_t size)
{
        sqlite3_stmt *s = NULL;
        bool found = false;

        if (sqlite3_prepare_v2(store->db, "SELECT value FROM meta WHERE key = ?", -1, &s, NULL) == SQLITE_OK) {
                (void)sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
                found = sqlite3_step(s) == SQLITE_ROW && str_copy(buf, size, (const char *)sqlite3_column_text(s, 0));
        }
        (void)sqlite3_finalize(s);
        return found;
}

static uint64_t get_meta_number(struct store *store, const char *key, uint64_t otherwise)
{
        uint64_t value;
        char text[24];

        return get_meta(store, key, text, sizeof(text)) && str_to_u64(text, INT64_MAX, &value) ? value : otherwise;
}

static int read_boot_id(char *buf, size_t size, struct croft_error *err)
{
        _cleanup_free_ char *text = NULL;
        int r = fd_read_file(AT_FDCWD, BOOT_ID_FILE, 64, &text, NULL);

        if (r < 0)
                return croft_error_set(err, r, "read '%s'", BOOT_ID_FILE);
        text[strcspn(text, "\n")] = '\0';
        if (!str_copy(buf, size, text))
                return croft_error_set(err, EBADMSG, "read '%s'", BOOT_ID_FILE);
        return 0;
}

/* What the meta table says, and what it has to say from now on. */
static int open_meta(struct store *store, struct croft_error *err)
{
        char boot_id[40] = "";
        uint32_t random;
        int r;

        r = read_boot_id(store->boot_id, sizeof(store->boot_id), err);
        if (r < 0)
                return r;
        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return croft_error_set(err, errno, "get a random number");
        r = store_begin(store, true, err);
        if (r < 0)
                return r;
        if (!get_meta(store, "tag", store->tag, sizeof(store->tag))) {
                (void)snprintf(store->tag, sizeof(store->tag), "%08x", random);
                r = store_set_meta(store, "tag", store->tag, err);
        }
        store->next_id = get_meta_number(store, "next-id", 1);
        store->next_scan = get_meta_number(store, "next-scan", 1);
        /* Two instances on one machine don't know of one another: each begins its search somewhere else. */
        store->next_range = (uint32_t)get_meta_number(store, "next-range", random) % PARTITION_RANGES;
        store->new_boot = !get_meta(store, "boot-id", boot_id, sizeof(boot_id)) || strcmp(boot_id, store->boot_id) != 0;
        if (r == 0 && store->new_boot)
                r = store_set_meta(store, "boot-id", store->boot_id, err);
        return store_commit(store, r, err);
}

static int prepare_statements(struct store *store, struct croft_error *err)
{
        for (size_t i = 0; i < SQL_COUNT; i++) {
                int result = sqlite3_prepare_v3(
                        store->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &store->statements[i], NULL);

                if (result != SQLITE_OK)
                        return store_fault(store, result, err, "open");
        }
        return 0;
}

/* A database that is made anew beside partitions would give their ids again and sweep them away. */
static int refuse_to_forget(int state_dir, struct croft_error *err)
{
        _cleanup_closedir_ DIR *dir = NULL;
        struct stat st;
        int fd;

        if (fstatat(state_dir, STORE_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0)
                return 0;
        fd = fd_open2(state_dir, "partitions", O_RDONLY | O_DIRECTORY, 0, 0);
        if (fd < 0)
                return fd == -ENOENT ? 0 : croft_error_set(err, fd, "open 'partitions'");
        dir = fdopendir(fd);
        if (!dir) {
                close_fd(fd);
                return croft_error_set(err, ENOMEM, "open 'partitions'");
        }
        for (struct dirent *entry; (entry = readdir(dir));)
                if (entry->d_name[0] != '.')
                        return croft_error_set(err, EUCLEAN,
                                "%s is missing, but there are partitions. Restore it from a copy, or move the whole "
                                "state directory away.",
                                STORE_FILE);
        return 0;
}

/* Marks the ranges that a line of /etc/subuid ("name:first:count") gives to somebody. */
static void mark_taken(struct store *store, char *line)
{
        char *save = NULL, *first = NULL, *count = NULL;
        uint64_t from, n, end = (uint64_t)PARTITION_UID_FIRST + (uint64_t)PARTITION_RANGES * PARTITION_IDS;

        if (strtok_r(line, ":", &save))
                first = strtok_r(NULL, ":", &save);
        if (first)
                count = strtok_r(NULL, ":", &save);
        if (!count || !str_to_u64(first, UINT32_MAX, &from) || !str_to_u64(count, UINT32_MAX, &n))
                return;
        for (uint64_t id = PARTITION_UID_FIRST; id < end; id += PARTITION_IDS)
                if (from < id + PARTITION_IDS && id < from + n)
                        store->taken[(id - PARTITION_UID_FIRST) / PARTITION_IDS] = true;
}

static void read_taken(struct store *store, const char *path)
{
        _cleanup_free_ char *text = NULL;
        char *save = NULL;

        if (fd_read_file(AT_FDCWD, path, 1024 * 1024, &text, NULL) < 0)
                return; /* none, or none that useradd would read either */
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                mark_taken(store, line);
}

static int count_notices(struct store *store, struct croft_error *err)
{
        int64_t n = 0;
        int r = pragma(store, "SELECT count(*) FROM notice", &n, err);

        store->notices = (unsigned int)n;
        return r;
}

/* Makes room while there is some.  A tenant who fills the disk must not keep anybody from stopping him, and stop writes
 * a journal: so the write-ahead log is as long from the start as it will ever be and is kept at close, and the database
 * has free pages inside.  Both are overwritten from then on. */
static int reserve_room(struct store *store, struct croft_error *err)
{
        int64_t free_pages = 0;
        int r = pragma(store, "PRAGMA freelist_count", &free_pages, err);

        if (r < 0 || free_pages >= RESERVED_PAGES / 2)
                return r;
        /* Two transactions, or nothing of it would be written. */
        if (exec(store, "INSERT OR REPLACE INTO meta VALUES ('reserve', zeroblob(" RESERVED_BYTES "))", NULL,
                    "reserve room") < 0)
                return 0; /* there is none: as good as it gets */
        return exec(store, "DELETE FROM meta WHERE key = 'reserve'", err, "reserve room");
}

static int set_modes(struct store *store, struct croft_error *err)
{
        /* Exclusive: the index of the log is in memory, not in a file that a full disk could deny. */
        return exec(store,
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;"
                "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = " LOG_PAGES,
                err, "open");
}

static int open_database(struct store *store, int state_dir, struct croft_error *err)
{
        char path[64];
        int result, keep = 1;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", state_dir, STORE_FILE);
        result = sqlite3_open_v2(
                path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
        if (result != SQLITE_OK)
                return store_fault(store, result, err, "open");
        (void)sqlite3_extended_result_codes(store->db, 1);
        /* To close writes nothing: a damaged database stays as it was found, the log keeps its room. */
        (void)sqlite3_file_control(store->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
        (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        (void)sqlite3_exec(store->db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
        (void)sqlite3_busy_timeout(store->db, 5000); /* somebody looks into it with the sqlite3 program just now */
        return 0;
}

int store_open(int state_dir, struct store **ret, struct croft_error *err)
{
        _cleanup_(store_closep) struct store *store = calloc(1, sizeof(*store));
        int r;

        if (!store || pthread_mutex_init(&store->lock, NULL) != 0)
                return croft_error_set(err, ENOMEM, "open '%s'", STORE_FILE);
        r = refuse_to_forget(state_dir, err);
        if (r == 0)
                r = open_database(store, state_dir, err);
        if (r == 0)
                r = check_integrity(store, err);
        if (r == 0)
                r = set_modes(store, err);
        if (r == 0)
                r = migrate(store, err);
        if (r == 0)
                r = reserve_room(store, err);
        if (r == 0)
                r = prepare_statements(store, err);
        if (r == 0)
                r = open_meta(store, err);
        if (r == 0)
                r = count_notices(store, err);
        if (r < 0)
                return r;
        read_taken(store, "/etc/subuid");
        read_taken(store, "/etc/subgid");
        *ret = TAKE(store);
        return 0;
}

struct store *store_close(struct store *store)
{
        if (!store)
                return NULL;
        for (size_t i = 0; i < SQL_COUNT; i++)
                (void)sqlite3_finalize(store->statements[i]);
        (void)sqlite3_close(store->db); /* can only fail with statements open */
        (void)pthread_mutex_destroy(&store->lock);
        free(store);
        return NULL;
}

void store_closep(struct store **store)
{
        *store = store_close(*store);
}

const char *store_tag(const struct store *store)
{
        return store->tag;
}

bool store_is_new_boot(const struct store *store)
{
        return store->new_boot;
}

const char *store_boot_id(const struct store *store)
{
        return store->boot_id;
}

uint64_t store_next_id(const struct store *store)
{
        return store->next_id;
}
