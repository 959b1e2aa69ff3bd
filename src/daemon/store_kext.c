/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store_kext.c - the rows of the store that are about kernel extensions.  See store.h.
 *
 * Invariant: of one name for one kernel at most one is CURRENT; what was revoked is in a table of its own, which
 * nothing is ever taken out of.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "daemon/store_private.h"

#include <string.h>

#define RELEASE_MAX 128

/* Columns as EXTENSION_COLUMNS has them. */
static void read_record(sqlite3_stmt *s, void *row)
{
        struct kext_record *ret = row;
        struct kext_identity *i = &ret->identity;

        *ret = (struct kext_record){.generation = (uint32_t)sqlite3_column_int64(s, 4)};
        store_take_text(s, 0, i->sha256, sizeof(i->sha256));
        i->kind = (enum kext_kind)sqlite3_column_int(s, 1);
        i->size = (uint64_t)sqlite3_column_int64(s, 2);
        store_take_text(s, 3, i->name, sizeof(i->name));
        ret->state = (enum kext_state)sqlite3_column_int(s, 5);
        store_take_text(s, 6, i->vermagic, sizeof(i->vermagic));
        store_take_text(s, 7, i->srcversion, sizeof(i->srcversion));
        store_take_text(s, 8, i->build_id, sizeof(i->build_id));
        store_take_text(s, 9, i->signer, sizeof(i->signer));
        store_take_text(s, 10, i->depends, sizeof(i->depends));
        store_take_text(s, 11, ret->origin, sizeof(ret->origin));
        store_take_text(s, 12, ret->reason, sizeof(ret->reason));
        ret->registered = sqlite3_column_int64(s, 13);
        ret->previous = sqlite3_column_int(s, 14) != 0;
        store_take_text(s, 15, i->plain, sizeof(i->plain));
        i->takes_major = sqlite3_column_int(s, 16) != 0;
}

/* 1: *ret (may be NULL) is it, 0: there is none. */
static int step(struct store *store, sqlite3_stmt *s, struct kext_record *ret, struct croft_error *err)
{
        int result = sqlite3_step(s);
        int r = result == SQLITE_ROW    ? 1
                : result == SQLITE_DONE ? 0
                                        : store_fault(store, result, err, "read an extension");

        if (r == 1 && ret)
                read_record(s, ret);
        (void)sqlite3_reset(s);
        return r;
}

static int find(
        struct store *store, enum statement which, const char *sha256, struct kext_record *ret, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, which);

        store_bind_text(s, 1, sha256);
        return step(store, s, ret, err);
}

/* In either form. */
static int is_revoked(struct store *store, const struct kext_identity *i, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_REVOKED_FIND);

        store_bind_text(s, 1, i->sha256);
        store_bind_text(s, 2, i->plain);
        return step(store, s, NULL, err);
}

/* One that was registered when some of it wasn't kept. */
static int complete(struct store *store, const struct kext_identity *i, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_EXTENSION_COMPLETE);

        store_bind_text(s, 1, i->sha256);
        store_bind_text(s, 2, i->plain);
        (void)sqlite3_bind_int(s, 3, i->takes_major);
        return store_run_statement(store, SQL_EXTENSION_COMPLETE, err);
}

/* A name is of one kind: grants and holders are by name. */
static int check_kind(struct store *store, const struct kext_identity *i, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_EXTENSION_OTHER_KIND);
        int result;

        store_bind_text(s, 1, i->name);
        (void)sqlite3_bind_int(s, 2, (int)i->kind);
        result = sqlite3_step(s);
        (void)sqlite3_reset(s);
        if (result == SQLITE_ROW && i->kind == KEXT_BPF)
                return croft_error_set(err, EEXIST, "'%s' is on record as a module: call the file otherwise.", i->name);
        if (result == SQLITE_ROW)
                return croft_error_set(err, EEXIST, "'%s' is on record as a BPF object.", i->name);
        return result == SQLITE_DONE ? 0 : store_fault(store, result, err, "read an extension");
}

static int newest(struct store *store, const char *name, const char *release, uint32_t *ret, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_EXTENSION_NEWEST);
        int result;

        store_bind_text(s, 1, name);
        store_bind_text(s, 2, release);
        result = sqlite3_step(s);
        if (result == SQLITE_ROW)
                *ret = (uint32_t)sqlite3_column_int64(s, 0);
        (void)sqlite3_reset(s);
        return result == SQLITE_ROW ? 0 : store_fault(store, result, err, "read an extension");
}

static int supersede_others(struct store *store, const char *name, const char *release, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_EXTENSION_SUPERSEDE);

        store_bind_text(s, 1, name);
        store_bind_text(s, 2, release);
        return store_run_statement(store, SQL_EXTENSION_SUPERSEDE, err);
}

static int insert(struct store *store, const struct kext_record *record, const char *release, struct croft_error *err)
{
        const struct kext_identity *i = &record->identity;
        sqlite3_stmt *s = store_statement(store, SQL_EXTENSION_ADD);

        store_bind_text(s, 1, i->sha256);
        (void)sqlite3_bind_int(s, 2, KEXT_FORMAT);
        (void)sqlite3_bind_int(s, 3, (int)i->kind);
        (void)sqlite3_bind_int64(s, 4, (int64_t)i->size);
        store_bind_text(s, 5, i->name);
        store_bind_text(s, 6, release);
        (void)sqlite3_bind_int64(s, 7, record->generation);
        (void)sqlite3_bind_int(s, 8, (int)record->state);
        store_bind_text(s, 9, i->vermagic);
        store_bind_text(s, 10, i->srcversion);
        store_bind_text(s, 11, i->build_id);
        store_bind_text(s, 12, i->signer);
        store_bind_text(s, 13, i->depends);
        store_bind_text(s, 14, record->origin);
        store_bind_text(s, 15, record->reason);
        (void)sqlite3_bind_int64(s, 16, record->registered);
        store_bind_text(s, 17, i->plain);
        (void)sqlite3_bind_int(s, 18, i->takes_major);
        return store_run_statement(store, SQL_EXTENSION_ADD, err);
}

static int renew(struct store *store, const struct kext_record *record, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_EXTENSION_RENEW);

        store_bind_text(s, 1, record->identity.sha256);
        (void)sqlite3_bind_int64(s, 2, record->generation);
        return store_run_statement(store, SQL_EXTENSION_RENEW, err);
}

/* Inside a transaction; *record is as it is on record when it returns 0. */
static int add(struct store *store, struct kext_record *record, struct croft_error *err)
{
        const struct kext_identity given = record->identity;
        struct kext_record known;
        char release[RELEASE_MAX];
        int is_known, r = is_revoked(store, &given, err);

        if (r > 0)
                return croft_error_set(
                        err, EPERM, "'%s' was revoked: these bytes are never registered again.", record->identity.name);
        is_known = r < 0 ? r : find(store, SQL_EXTENSION_FIND, record->identity.sha256, &known, err);
        if (is_known < 0)
                return is_known;
        if (is_known) {
                *record = known;
                (void)str_copy(record->identity.plain, sizeof(record->identity.plain), given.plain);
                record->identity.takes_major = given.takes_major;
                r = complete(store, &given, err);
                if (r < 0)
                        return r;
        }
        if (is_known && known.state == KEXT_CURRENT)
                return 0;
        (void)kext_release(record->identity.vermagic, release, sizeof(release));
        r = check_kind(store, &record->identity, err);
        if (r == 0)
                r = newest(store, record->identity.name, release, &record->generation, err);
        if (r == 0)
                r = supersede_others(store, record->identity.name, release, err);
        record->generation++;
        record->state = KEXT_CURRENT;
        if (r < 0)
                return r;
        return is_known ? renew(store, record, err) : insert(store, record, release, err);
}

int store_extension_add(
        struct store *store, const struct kext_record *record, struct kext_record *ret, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        struct kext_record own = *record;
        int r = store_begin(store, true, &e);

        if (r == 0)
                r = store_commit(store, add(store, &own, &e), &e);
        if (r < 0)
                return croft_error_copy(err, &e);
        *ret = own;
        return 0;
}

static int find_one(
        struct store *store, enum statement which, const char *sha256, struct kext_record *ret, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        struct kext_record record;
        int found;

        store_read_begin(store);
        found = find(store, which, sha256, &record, &e);
        store_read_end(store);
        if (found < 0)
                return croft_error_copy(err, &e);
        if (!found)
                return croft_error_set(err, ENOENT, "no extension '%s' is registered.", sha256);
        *ret = record;
        return 0;
}

int store_extension_find(struct store *store, const char *sha256, struct kext_record *ret, struct croft_error *err)
{
        return find_one(store, SQL_EXTENSION_FIND, sha256, ret, err);
}

int store_extension_match(struct store *store, const char *sha256, struct kext_record *ret, struct croft_error *err)
{
        return find_one(store, SQL_EXTENSION_MATCH, sha256, ret, err);
}

int store_extensions(struct store *store, struct kext_record **ret, size_t *ret_n, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        void *list = NULL;
        int r;

        store_read_begin(store);
        r = store_read_rows(
                store, store_statement(store, SQL_EXTENSIONS), sizeof(**ret), read_record, &list, ret_n, &e);
        store_read_end(store);
        if (r < 0)
                return croft_error_copy(err, &e);
        *ret = list;
        return 0;
}

static int set_state(struct store *store, const char *sha256, enum kext_state state, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_EXTENSION_SET_STATE);

        store_bind_text(s, 1, sha256);
        (void)sqlite3_bind_int(s, 2, (int)state);
        return store_run_statement(store, SQL_EXTENSION_SET_STATE, err);
}

int store_extension_supersede(struct store *store, const char *sha256, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(store, true, &e);

        if (r == 0)
                r = store_commit(store, set_state(store, sha256, KEXT_SUPERSEDED, &e), &e);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

/* What it is in the other form, too. */
static int revoke_row(struct store *store, const char *sha256, struct croft_error *err)
{
        int r;

        store_bind_text(store_statement(store, SQL_REVOKED_ADD), 1, sha256);
        r = store_run_statement(store, SQL_REVOKED_ADD, err);
        return r < 0 ? r : store_run_statement(store, SQL_EXTENSIONS_REVOKE, err);
}

int store_extension_revoke(struct store *store, const char *sha256, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(store, true, &e);

        if (r == 0)
                r = store_commit(store, revoke_row(store, sha256, &e), &e);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

/* --- grants --- */

static void read_grant(sqlite3_stmt *s, void *row)
{
        struct kext_grant *g = row;

        *g = (struct kext_grant){.local = sqlite3_column_int(s, 1) != 0,
                .granted = sqlite3_column_int64(s, 3),
                .previous = sqlite3_column_int(s, 4) != 0,
                .scan = (uint64_t)sqlite3_column_int64(s, 5),
                .major = sqlite3_column_int(s, 6) != 0};
        store_take_text(s, 0, g->name, sizeof(g->name));
        store_take_text(s, 2, g->parameters, sizeof(g->parameters));
}

int store_grants(struct store *store, uint64_t id, struct kext_grant **ret, size_t *ret_n, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        void *list = NULL;
        sqlite3_stmt *s;
        int r;

        store_read_begin(store);
        s = store_statement(store, SQL_GRANTS);
        (void)sqlite3_bind_int64(s, 1, (int64_t)id);
        r = store_read_rows(store, s, sizeof(**ret), read_grant, &list, ret_n, &e);
        store_read_end(store);
        if (r < 0)
                return croft_error_copy(err, &e);
        *ret = list;
        return 0;
}

int store_grant(struct store *store, uint64_t id, const struct kext_grant *grant, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(store, true, &e);
        sqlite3_stmt *s;

        if (r < 0)
                return croft_error_copy(err, &e);
        s = store_statement(store, SQL_GRANT_ADD);
        (void)sqlite3_bind_int64(s, 1, (int64_t)id);
        store_bind_text(s, 2, grant->name);
        (void)sqlite3_bind_int(s, 3, grant->local);
        store_bind_text(s, 4, grant->parameters);
        (void)sqlite3_bind_int64(s, 5, grant->granted);
        (void)sqlite3_bind_int(s, 6, grant->previous);
        (void)sqlite3_bind_int64(s, 7, (int64_t)grant->scan);
        (void)sqlite3_bind_int(s, 8, grant->major);
        r = store_commit(store, store_run_statement(store, SQL_GRANT_ADD, &e), &e);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

int store_ungrant(struct store *store, uint64_t id, const char *name, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(store, true, &e), dropped;
        sqlite3_stmt *s;

        if (r < 0)
                return croft_error_copy(err, &e);
        s = store_statement(store, SQL_GRANT_DROP);
        (void)sqlite3_bind_int64(s, 1, (int64_t)id);
        store_bind_text(s, 2, name);
        r = store_run_statement(store, SQL_GRANT_DROP, &e);
        dropped = sqlite3_changes(store->db);
        r = store_commit(store, r, &e);
        if (r < 0)
                return croft_error_copy(err, &e);
        return dropped ? 0 : croft_error_set(err, ENOENT, "'%s' isn't granted.", name);
}
