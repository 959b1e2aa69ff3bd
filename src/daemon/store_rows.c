/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store_rows.c - the rows of the store: definitions, properties, runs, operations, notices.  See store.h.
 *
 * Statements are made safe by binding; results of sqlite3_bind_*() aren't looked at, because an unbound parameter is
 * NULL and every column is NOT NULL: the statement itself then fails.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "daemon/store_private.h"
#include "partition/property.h"

#include <string.h>
#include <time.h>

static void bind_text(sqlite3_stmt *s, int i, const char *text)
{
        (void)sqlite3_bind_text(s, i, text, -1, SQLITE_TRANSIENT);
}

static void bind_number(sqlite3_stmt *s, int i, int64_t number)
{
        (void)sqlite3_bind_int64(s, i, number);
}

/* Runs a statement whose only parameter is the partition. */
static int run_for(struct store *store, enum statement which, uint64_t id, struct croft_error *err)
{
        bind_number(store_statement(store, which), 1, (int64_t)id);
        return store_run_statement(store, which, err);
}

/* The first free range from the search's place on.  Ranges go round, so that one that was freed rests a while. */
static int find_range(struct store *store, uint32_t *ret, struct croft_error *err)
{
        _cleanup_free_ bool *used = malloc(PARTITION_RANGES * sizeof(*used));
        sqlite3_stmt *s = store_statement(store, SQL_UIDS);
        int result;

        if (!used)
                return croft_error_set(err, ENOMEM, "find a range of ids");
        memcpy(used, store->taken, PARTITION_RANGES * sizeof(*used));
        while ((result = sqlite3_step(s)) == SQLITE_ROW) {
                int64_t range = (sqlite3_column_int64(s, 0) - PARTITION_UID_FIRST) / PARTITION_IDS;

                if (range >= 0 && range < PARTITION_RANGES)
                        used[range] = true;
        }
        (void)sqlite3_reset(s);
        if (result != SQLITE_DONE)
                return store_fault(store, result, err, "find a range of ids");
        for (uint32_t i = 0; i < PARTITION_RANGES; i++) {
                *ret = (store->next_range + i) % PARTITION_RANGES;
                if (!used[*ret])
                        return 0;
        }
        return croft_error_set(err, EUSERS,
                "there is no range of %d user ids left for one more partition; %d are in use.", PARTITION_IDS,
                PARTITION_RANGES);
}

static int add_properties(struct store *store, uint64_t id, const struct property *properties, struct croft_error *err)
{
        for (; properties; properties = properties->next) {
                sqlite3_stmt *s = store_statement(store, SQL_PROPERTY_ADD);
                int r;

                bind_number(s, 1, (int64_t)id);
                bind_text(s, 2, properties->key);
                bind_text(s, 3, properties->value);
                r = store_run_statement(store, SQL_PROPERTY_ADD, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int begin_operation(struct store *store, uint64_t id, const char *name, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_OPERATION_BEGIN);

        bind_number(s, 1, (int64_t)id);
        bind_text(s, 2, name);
        return store_run_statement(store, SQL_OPERATION_BEGIN, err);
}

static int add_definition(struct store *store, const struct partition_def *def, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_PARTITION_ADD);
        int r;

        bind_number(s, 1, (int64_t)def->id);
        bind_text(s, 2, def->name);
        bind_text(s, 3, def->image);
        bind_number(s, 4, def->native);
        bind_number(s, 5, def->uid_base);
        bind_number(s, 6, def->created);
        r = store_run_statement(store, SQL_PARTITION_ADD, err);
        return r < 0 ? r : add_properties(store, def->id, def->properties, err);
}

int store_create(struct store *store, struct partition_def *def, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        struct partition_def new = *def;
        uint32_t range = 0;
        int r = store_begin(store, false, &e);

        if (r < 0)
                return croft_error_copy(err, &e);
        new.id = store->next_id;
        r = find_range(store, &range, &e);
        new.uid_base = PARTITION_UID_FIRST + range *PARTITION_IDS;
        if (r == 0)
                r = add_definition(store, &new, &e);
        if (r == 0)
                r = begin_operation(store, new.id, "create", &e);
        if (r == 0)
                r = store_set_meta_number(store, "next-id", new.id + 1, &e);
        if (r == 0)
                r = store_set_meta_number(store, "next-range", (range + 1) % PARTITION_RANGES, &e);
        if (r == 0) {
                /* Given away even when the commit fails halfway: a hole is harmless, a repetition isn't. */
                store->next_id = new.id + 1;
                store->next_range = (range + 1) % PARTITION_RANGES;
        }
        r = store_commit(store, r, &e);
        if (r < 0)
                return croft_error_copy(err, &e);
        *def = new;
        return 0;
}

int store_skip_id(struct store *store, uint64_t id, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r;

        if (id >= INT64_MAX)
                return croft_error_set(err, ERANGE, "skip id %ju", (uintmax_t)id);
        r = store_begin(store, true, &e);
        if (r < 0)
                return croft_error_copy(err, &e);
        if (store->next_id <= id) {
                store->next_id = id + 1;
                r = store_set_meta_number(store, "next-id", id + 1, &e);
        }
        r = store_commit(store, r, &e);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

int store_create_done(struct store *store, uint64_t id, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(store, true, &e);

        if (r == 0) {
                r = run_for(store, SQL_PARTITION_DONE, id, &e);
                if (r == 0)
                        r = run_for(store, SQL_OPERATION_END, id, &e);
                r = store_commit(store, r, &e);
        }
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

int store_forget(struct store *store, uint64_t id, struct croft_error *err)
{
        static const enum statement statements[] = {SQL_PROPERTIES_DROP, SQL_GRANTS_DROP, SQL_HOLDERS_DROP,
                SQL_FOUND_DROP, SQL_SCAN_DROP, SQL_RUN_DROP, SQL_PARTITION_DROP, SQL_OPERATION_END};
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(store, true, &e);

        if (r < 0)
                return croft_error_copy(err, &e);
        for (size_t i = 0; i < ELEMENTS(statements) && r == 0; i++)
                r = run_for(store, statements[i], id, &e);
        r = store_commit(store, r, &e);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

static int replace_properties(struct store *store, uint64_t id, const struct property *properties, bool end_operation,
        struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(store, true, &e);

        if (r < 0)
                return croft_error_copy(err, &e);
        r = run_for(store, SQL_PROPERTIES_DROP, id, &e);
        if (r == 0)
                r = add_properties(store, id, properties, &e);
        if (r == 0 && end_operation)
                r = run_for(store, SQL_OPERATION_END, id, &e);
        r = store_commit(store, r, &e);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

int store_set_properties(struct store *store, uint64_t id, const struct property *properties, struct croft_error *err)
{
        return replace_properties(store, id, properties, false, err);
}

int store_end_with_properties(
        struct store *store, uint64_t id, const struct property *properties, struct croft_error *err)
{
        return replace_properties(store, id, properties, true, err);
}

int store_rename(struct store *store, uint64_t id, const char *name, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        sqlite3_stmt *s;
        int r = store_begin(store, true, &e);

        if (r < 0)
                return croft_error_copy(err, &e);
        s = store_statement(store, SQL_PARTITION_RENAME);
        bind_number(s, 1, (int64_t)id);
        bind_text(s, 2, name);
        r = store_run_statement(store, SQL_PARTITION_RENAME, &e);
        if (r == -EEXIST)
                croft_error_set(&e, EEXIST, "there is a partition '%s' already.", name);
        r = store_commit(store, r, &e);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

static int set_run(struct store *store, uint64_t id, const struct store_run *run, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_RUN_SET);

        bind_number(s, 1, (int64_t)id);
        bind_text(s, 2, store->boot_id);
        bind_number(s, 3, run->state);
        bind_number(s, 4, run->pid);
        bind_number(s, 5, (int64_t)run->start_time);
        bind_number(s, 6, run->warden_pid);
        bind_number(s, 7, (int64_t)run->warden_start_time);
        bind_number(s, 8, run->started);
        bind_number(s, 9, run->exit_status);
        bind_number(s, 10, run->stopped);
        bind_text(s, 11, run->last_error);
        return store_run_statement(store, SQL_RUN_SET, err);
}

int store_set_run(struct store *store, uint64_t id, const struct store_run *run, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(store, false, &e);

        if (r == 0)
                r = store_commit(store, set_run(store, id, run, &e), &e);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

static int journal_begin(void *journal, const char *operation, struct croft_error *err)
{
        struct store_journal *j = journal;
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(j->store, false, &e);

        if (r == 0)
                r = store_commit(j->store, begin_operation(j->store, j->id, operation, &e), &e);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

static int journal_end(void *journal, struct croft_error *err)
{
        struct store_journal *j = journal;
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(j->store, false, &e);

        if (r < 0)
                return croft_error_copy(err, &e);
        r = run_for(j->store, SQL_OPERATION_END, j->id, &e);
        if (r == 0 && j->run)
                r = set_run(j->store, j->id, j->run, &e);
        r = store_commit(j->store, r, &e);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

void store_journal_init(struct store_journal *journal, struct store *store, uint64_t id, const struct store_run *run)
{
        *journal = (struct store_journal){
                .store = store,
                .id = id,
                .run = run,
                .steps = {.begin = journal_begin, .end = journal_end, .journal = journal},
        };
}

static const char *column_text(sqlite3_stmt *s, int i)
{
        const char *text = (const char *)sqlite3_column_text(s, i);

        return text ? text : "";
}

static void read_run(struct store *store, sqlite3_stmt *s, struct store_run *run)
{
        *run = (struct store_run){.state = PARTITION_DEFINED, .exit_status = -1};
        if (sqlite3_column_type(s, 7) == SQLITE_NULL)
                return;
        run->this_boot = strcmp(column_text(s, 7), store->boot_id) == 0;
        run->exit_status = sqlite3_column_int64(s, 14);
        (void)str_copy(run->last_error, sizeof(run->last_error), column_text(s, 16));
        if (!run->this_boot)
                return; /* its numbers name other processes now, or none */
        run->state = (enum partition_state)sqlite3_column_int(s, 8);
        run->pid = sqlite3_column_int64(s, 9);
        run->start_time = (uint64_t)sqlite3_column_int64(s, 10);
        run->warden_pid = sqlite3_column_int64(s, 11);
        run->warden_start_time = (uint64_t)sqlite3_column_int64(s, 12);
        run->started = sqlite3_column_int64(s, 13);
        run->stopped = sqlite3_column_int(s, 15) != 0;
}

/* Checked when they were set: what this version finds wrong is told when it is used, and keeps no croftd from starting.
 */
static int read_properties(struct store *store, uint64_t id, struct property **list, struct croft_error *err)
{
        sqlite3_stmt *s = store_statement(store, SQL_PROPERTIES);
        int result = SQLITE_DONE, r = 0;

        bind_number(s, 1, (int64_t)id);
        while (r == 0 && (result = sqlite3_step(s)) == SQLITE_ROW)
                r = property_put(list, column_text(s, 0), column_text(s, 1));
        (void)sqlite3_reset(s);
        if (r < 0)
                return croft_error_set(err, r, "read the properties of partition %ju", (uintmax_t)id);
        return result == SQLITE_DONE ? 0 : store_fault(store, result, err, "read properties");
}

static int read_entry(struct store *store, sqlite3_stmt *s, struct store_entry *entry, struct croft_error *err)
{
        struct partition_def *def = &entry->def;

        *entry = (struct store_entry){.half_made = sqlite3_column_int(s, 6) != 0};
        def->id = (uint64_t)sqlite3_column_int64(s, 0);
        def->native = sqlite3_column_int(s, 3) != 0;
        def->uid_base = (uint32_t)sqlite3_column_int64(s, 4);
        def->created = sqlite3_column_int64(s, 5);
        if (!str_copy(def->name, sizeof(def->name), column_text(s, 1)) || !str_is_name(def->name) ||
                !str_copy(def->image, sizeof(def->image), column_text(s, 2)))
                return croft_error_set(
                        err, EUCLEAN, "partition %ju has a wrong name or image in the database.", (uintmax_t)def->id);
        read_run(store, s, &entry->run);
        (void)str_copy(entry->operation.name, sizeof(entry->operation.name), column_text(s, 17));
        return read_properties(store, def->id, &def->properties, err);
}

int store_each(
        struct store *store, int (*f)(struct store_entry *entry, void *context), void *context, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        sqlite3_stmt *s;
        int result = SQLITE_DONE, r = store_begin(store, false, &e);

        if (r < 0)
                return croft_error_copy(err, &e);
        s = store_statement(store, SQL_ALL);
        while (r == 0 && (result = sqlite3_step(s)) == SQLITE_ROW) {
                struct store_entry entry;

                r = read_entry(store, s, &entry, &e);
                if (r == 0)
                        r = f(&entry, context);
                partition_def_done(&entry.def);
        }
        (void)sqlite3_reset(s);
        if (r == 0 && result != SQLITE_DONE)
                r = store_fault(store, result, &e, "read");
        r = store_commit(store, r, &e);
        if (r < 0 && e.code)
                croft_error_copy(err, &e);
        return r;
}

int store_add_notice(struct store *store, const char *text, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r = store_begin(store, false, &e);

        if (r < 0)
                return croft_error_copy(err, &e);
        bind_text(store_statement(store, SQL_NOTICE_ADD), 1, text);
        r = store_commit(store, store_run_statement(store, SQL_NOTICE_ADD, &e), &e);
        if (r == 0)
                __atomic_add_fetch(&store->notices, 1, __ATOMIC_SEQ_CST);
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

char *store_take_notice(struct store *store)
{
        _cleanup_free_ char *text = NULL;
        sqlite3_stmt *s;
        int64_t id = 0;
        int r = -ENOENT;

        if (__atomic_load_n(&store->notices, __ATOMIC_SEQ_CST) == 0 || store_begin(store, false, NULL) < 0)
                return NULL;
        s = store_statement(store, SQL_NOTICE_FIRST);
        if (sqlite3_step(s) == SQLITE_ROW) {
                id = sqlite3_column_int64(s, 0);
                text = strdup(column_text(s, 1));
                r = text ? 0 : -ENOMEM;
        }
        (void)sqlite3_reset(s);
        if (r == 0) {
                bind_number(store_statement(store, SQL_NOTICE_DROP), 1, id);
                r = store_run_statement(store, SQL_NOTICE_DROP, NULL);
        }
        if (store_commit(store, r, NULL) < 0)
                return NULL; /* it stays, for the next one who asks */
        __atomic_sub_fetch(&store->notices, 1, __ATOMIC_SEQ_CST);
        return TAKE(text);
}
