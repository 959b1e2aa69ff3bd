/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * errlog.h - the record of errors, croftd's side: makes and clears the books in the kernel, and records what croftd
 * finds.
 *
 * The objects are pinned and outlive croftd, and with them what was recorded (ERR-30, C-11).  Recording never changes
 * the outcome of what is recorded: what can't be written is counted (ERR-37).  All functions may be called from any
 * thread.
 */
#ifndef CROFT_ERRLOG_ERRLOG_H
#define CROFT_ERRLOG_ERRLOG_H

#include "errlog/errlog.bpf.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>

struct plane;
struct errlog;

/* Loads or adopts the objects in the plane (borrowed, for the life of *ret).  Objects of another layout are begun anew.
 * -EOPNOTSUPP, -EPERM as plane_open(). */
int errlog_open(struct plane *plane, struct errlog **ret, struct croft_error *err);
struct errlog *errlog_free(struct errlog *errlog); /* lets go; what is pinned stays */
void errlog_freep(struct errlog **errlog);
/* Takes the objects away, for a clean end.  -EBUSY: a partition's book has records; nothing was changed. */
int errlog_remove(struct errlog *errlog, struct croft_error *err);

/* Partition id (never 0) has a book.  Idempotent: an older name stays. */
int errlog_add(struct errlog *errlog, uint64_t id, const char *name, struct croft_error *err);
/* The partition has a new name; nothing if it has no book. */
int errlog_rename(struct errlog *errlog, uint64_t id, const char *name, struct croft_error *err);
/* Its book and all in it go.  Idempotent. */
int errlog_forget(struct errlog *errlog, uint64_t id, struct croft_error *err);

/* Forgets those that keep() doesn't want: of partitions that are gone. */
int errlog_sweep(
        struct errlog *errlog, bool (*keep)(void *context, uint64_t id), void *context, struct croft_error *err);

/* A new attempt of that operation: what is in the book goes (ERR-30).  *ret_attempt (may be NULL): its number.  The
 * book is made if there is none. */
int errlog_begin_attempt(struct errlog *errlog, uint64_t id, const char *name, const char *operation,
        uint64_t *ret_attempt, struct croft_error *err);
/* What is in the book goes; the attempt stays.  0: global's. */
int errlog_clear(struct errlog *errlog, uint64_t id, struct croft_error *err);

/* Records each fragment of what, the cause first, in the book of that partition (0: global's).  component: who found
 * it, "croftd". How many were refused or couldn't be written. */
unsigned int errlog_record_error(struct errlog *errlog, uint64_t id, const char *component,
        enum errlog_severity severity, const struct croft_error *what);
/* One line of text that is no error's. */
unsigned int errlog_record_text(
        struct errlog *errlog, uint64_t id, const char *component, enum errlog_severity severity, const char *text);

#endif
