/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store.h - what croftd remembers: definitions, properties, runs, interrupted operations and notices, in
 * STATE/croft.db (SQLite, WAL).
 *
 * Thread-safe.  Every function that changes something is one transaction: after -1 of it, nothing is changed; after a
 * kill -9, all or nothing of it.  "Durable" ones are on the disk when they return (synchronous=FULL); the others
 * survive the death of croftd but may be lost with the power, and then so is what they describe: processes and
 * cgroups.
 * Errors: -ENOSPC the disk is full, -EUCLEAN the database is damaged, else as SQLite's nearest.
 */
#ifndef CROFT_DAEMON_STORE_H
#define CROFT_DAEMON_STORE_H

#include "base/steps.h"
#include "kext/books.h"
#include "kext/kext.h"
#include "partition/partition.h"
#include "partition/pool.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>

struct store;

/* Opens or makes croft.db in state_dir (borrowed, not kept).  -EUCLEAN: damaged, or it is missing while partitions/
 * holds some: nothing was changed and the message says what to do.  -EPROTO: made by a newer croft. */
int store_open(int state_dir, struct store **ret, struct croft_error *err);
struct store *store_close(struct store *store);
void store_closep(struct store **store);

/* The instance's tag, 8 hex digits, random, made with the database.  Borrowed. */
const char *store_tag(const struct store *store);
/* True when this is another boot of the machine than that of the last store_open(): runs of then are gone. */
bool store_is_new_boot(const struct store *store);
const char *store_boot_id(const struct store *store);

/* A new definition, half-made until store_create_done(): allocates def->id (never given before, C-3) and def->uid_base
 * (free, disjoint), and records the operation "create".  -EUSERS: no range is free. */
int store_create(struct store *store, struct partition_def *def, struct croft_error *err);
/* Durable: that id isn't given any more.  For what is found on the disk and isn't in the database. */
int store_skip_id(struct store *store, uint64_t id, struct croft_error *err);
/* Durable: the definition counts from now on, the operation is over. */
int store_create_done(struct store *store, uint64_t id, struct croft_error *err);
/* Durable: definition, properties, run and operation go, the id range is free.  Idempotent. */
int store_forget(struct store *store, uint64_t id, struct croft_error *err);
/* Durable: the list replaces what was set. */
int store_set_properties(struct store *store, uint64_t id, const struct property *properties, struct croft_error *err);
/* Durable. -EEXIST: another partition has that name. */
int store_rename(struct store *store, uint64_t id, const char *name, struct croft_error *err);

/* What is known of a run; all numbers, so that it can be written at each step. */
struct store_run {
        enum partition_state state; /* DEFINED: not running; then stopped tells whether on purpose in this boot */
        int64_t pid, warden_pid;
        uint64_t start_time, warden_start_time;
        int64_t started, exit_status;
        bool stopped;   /* was stopped in this boot: autostart leaves it alone */
        bool this_boot; /* read only: the record is of this boot */
        char last_error[512];
};
int store_set_run(struct store *store, uint64_t id, const struct store_run *run, struct croft_error *err);

/* An operation that was not ended. */
struct store_operation {
        char name[32]; /* "": none */
};
/* The journal of the partition's operation for steps_run(): one operation a partition, a second begin() replaces it.
 * end() also writes run (borrowed, may change until then), when it isn't NULL. */
struct store_journal {
        struct store *store;
        uint64_t id;
        const struct store_run *run;
        struct steps_journal steps; /* made by store_journal_init(): hand &journal.steps to steps_run() */
};
void store_journal_init(struct store_journal *journal, struct store *store, uint64_t id, const struct store_run *run);
/* Durable: ends the operation and sets the properties, in one. */
int store_end_with_properties(
        struct store *store, uint64_t id, const struct property *properties, struct croft_error *err);

/* Calls f for each partition, by id.  def's properties are taken over by f (set to NULL) or freed afterwards.  Stops at
 * the first non-zero and returns it. */
struct store_entry {
        struct partition_def def;
        bool half_made;
        struct store_run run;
        struct store_operation operation;
};
int store_each(struct store *store, int (*f)(struct store_entry *entry, void *context), void *context,
        struct croft_error *err);

/* The pools; *ret is new.  A list of CPUs that this version can't read is an empty one. */
int store_pools(struct store *store, struct pools *ret, struct croft_error *err);
/* The journal of an operation on pools for steps_run(); there is one at a time.  end() also replaces what is on record
 * by `pools` (borrowed, may change until then) when that isn't NULL: durable, all in one. */
struct store_pool_journal {
        struct store *store;
        const char *pool; /* that it is about; borrowed */
        const struct pools *pools;
        struct steps_journal steps; /* made by store_pool_journal_init(): hand &journal.steps to steps_run() */
};
void store_pool_journal_init(
        struct store_pool_journal *journal, struct store *store, const char *pool, const struct pools *pools);
/* What was not ended; name "": nothing.  pool has room for NAME_LENGTH_MAX + 1. */
int store_pool_operation(struct store *store, struct store_operation *ret, char *ret_pool, struct croft_error *err);

/* --- kernel extensions (kext/kext.h), each known by its SHA-256 --- */

/* Durable: registers *record, whose generation and state are chosen here: it becomes the CURRENT one of its name for
 * its kernel, and the one that was before is superseded.  One that is CURRENT already stays as it is, a superseded one
 * is CURRENT again, as a new generation.  *ret: as it is on record now.  -EPERM: it was revoked. */
int store_extension_add(
        struct store *store, const struct kext_record *record, struct kext_record *ret, struct croft_error *err);
/* -ENOENT: it isn't registered. */
int store_extension_find(struct store *store, const char *sha256, struct kext_record *ret, struct croft_error *err);
/* Whose bytes these are, as stored or unpacked; of several a revoked one, or the most current.  -ENOENT: nobody's. */
int store_extension_match(struct store *store, const char *sha256, struct kext_record *ret, struct croft_error *err);
/* All, sorted by name, kernel and generation; the caller frees *ret. */
int store_extensions(struct store *store, struct kext_record **ret, size_t *ret_n, struct croft_error *err);
/* Durable, as are the next. */
int store_extension_supersede(struct store *store, const char *sha256, struct croft_error *err);
/* Registered or not: never again. */
int store_extension_revoke(struct store *store, const char *sha256, struct croft_error *err);

/* What the partition is granted, sorted by name; the caller frees *ret. */
int store_grants(struct store *store, uint64_t id, struct kext_grant **ret, size_t *ret_n, struct croft_error *err);
/* Durable; replaces one of that name.  They go with the partition (store_forget()). */
int store_grant(struct store *store, uint64_t id, const struct kext_grant *grant, struct croft_error *err);
/* Durable.  -ENOENT: there was none. */
int store_ungrant(struct store *store, uint64_t id, const char *name, struct croft_error *err);

/* The books of what the kernel has for partitions (kext/books.h).  One change of any number of rows, all or none.  They
 * survive croftd, not the power: the kernel has lost what they say then. */
struct store_book_change {
        const struct kext_loaded *loaded;   /* the new row of its name and partition, NULL: none */
        const struct kext_loaded *unloaded; /* the row that goes, by these, NULL: none */
        const struct kext_holder *holder;   /* likewise */
        const struct kext_holder *gone;
};
int store_books_change(struct store *store, const struct store_book_change *change, struct croft_error *err);
/* Reads all; the caller ends *ret with kext_books_done(). */
int store_books(struct store *store, struct kext_books *ret, struct croft_error *err);
int store_books_forget(struct store *store, struct croft_error *err);

/* What a scan of the partition has found, replacing that of the one before.  Survives croftd, not the power. */
/* record->number is chosen here. */
int store_scan_set(struct store *store, struct kext_scan_record *record, const struct kext_finding *findings, size_t n,
        struct croft_error *err);
/* The caller frees *ret (may be NULL: only the record is read).  ret_record->number 0: there was no scan. */
int store_scan(struct store *store, uint64_t id, struct kext_scan_record *ret_record, struct kext_finding **ret,
        size_t *ret_n, struct croft_error *err);
/* The last one of each partition that there was one of, by id; the caller frees *ret. */
int store_scans(struct store *store, struct kext_scan_record **ret, size_t *ret_n, struct croft_error *err);

/* Adds what an administrator is to be told with the next command. */
int store_add_notice(struct store *store, const char *text, struct croft_error *err);
/* Takes the oldest away: a new string (caller frees), NULL: none. Free of charge when there is none. */
char *store_take_notice(struct store *store);

/* Ids below this one were given away at some time. */
uint64_t store_next_id(const struct store *store);

#endif
