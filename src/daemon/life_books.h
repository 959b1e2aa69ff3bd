/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_books.h - kernel extensions in the kernel: loading one for a partition, taking it out when nobody holds it, and
 * the two books of that (kext/books.h).
 *
 * life.books_lock is over the books and over what is done to the kernel's modules, but not while the kernel is at one;
 * only the store, the table of units and partition.lock are taken while it is held.  A partition's holders are changed
 * by its owner only.
 */
#ifndef CROFT_DAEMON_LIFE_BOOKS_H
#define CROFT_DAEMON_LIFE_BOOKS_H

#include "daemon/life_private.h"
#include "kext/books.h"

/* What is wanted of which bytes, by whom. */
struct book_wish {
        const struct kext_record *record;
        const struct kext_grant *grant;  /* that lets it */
        const struct kext_sealed *bytes; /* that a call brought; else NULL */
        const char *parameters;          /* as finit_module(2) takes them */
        enum kext_via via;
        unsigned int depth; /* how many needed one another up to it; 0: asked for itself */
};

/* By the owner of u.  -EEXIST: it has it already (by a call); -EBUSY: see kext_books_judge(). */
int books_load(struct unit *u, const struct book_wish *wish, struct croft_error *err);
/* -ENOENT: it holds no such one; -EAGAIN: another one that it holds needs it.  By a command once for each load by a
 * command.  A kernel that can't let it go yet is asked again later. */
int books_unload(struct unit *u, const char *name, enum kext_via via, struct croft_error *err);
/* All that the partition holds. */
int books_release(struct unit *u, struct croft_error *err);
/* By global: -EBUSY with the holders, if it has some; force: they lose it. */
int books_take_away(struct life *life, const char *name, bool force, struct croft_error *err);

/* Does the partition hold it, and has the kernel it? */
bool books_holds(struct unit *u, const char *name);

/* As they are now: what somebody in global has taken out is lost.  The caller calls kext_books_done(). */
int books_read(struct life *life, struct kext_books *ret, struct croft_error *err);

/* One that it holds: a BPF object or a module, and how many others of its own need it. */
struct book_entry {
        const struct kext_holder *holder;
        bool is_bpf;
        uint32_t users;
};
/* Each; how many there are. */
size_t books_each(struct unit *u, void (*each)(void *context, const struct book_entry *e), void *context);

/* Is that major of a module that another partition has alone?  As host.is_kept_from wants it; if in doubt it is. */
bool books_keep_from(struct partition *p, uint32_t type, uint32_t major);

/* At the start of croftd, when all partitions are as they should be: what was interrupted is taken back, and the books
 * are brought to what the kernel has (KXT-35). */
int books_settle(struct life *life, struct croft_error *err);
/* From here to books_close() what the kernel couldn't let go is tried again. */
void books_watch(struct life *life);
void books_close(struct life *life);
void books_print_crash_points(void);

#endif
