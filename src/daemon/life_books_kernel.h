/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_books_kernel.h - what the books are about: modules and instances of BPF objects in the kernel.  books_lock is
 * held.
 */
#ifndef CROFT_DAEMON_LIFE_BOOKS_KERNEL_H
#define CROFT_DAEMON_LIFE_BOOKS_KERNEL_H

#include "daemon/life_private.h"
#include "devid/majors.h"
#include "kext/books.h"
#include "kext/bpf.h"

/* Is there what that row is of?  Half of an instance is, as long as it is to go. */
bool books_kernel_has(struct life *life, const struct kext_loaded *l);
/* Is the module that somebody else has loaded the one on record?  By what both say; where they say nothing it can't be
 * known. */
bool books_kernel_is_same(const struct kext_identity *wanted);
/* How long a module takes to begin and to end is its own to say: to load or take out one books_lock is let go
 * meanwhile, and what the books say must be read again.  Is the kernel at the one of that name?  loaded: its row, or
 * NULL. */
bool books_kernel_is_at(const struct life *life, const char *name, const struct kext_loaded *loaded);
/* For whom it is; bytes: a module's file.  The flags are as it says how it is packed; the kernel unpacks what it can.
 */
int books_kernel_load(struct unit *u, int bytes, const char *parameters, struct croft_error *err);
/* Likewise, one that takes majors; ret: those that came, which are its own, as long as nobody in global loads something
 * of that kind in the same moment.  No other partition's is loaded meanwhile (life.books_majors). */
struct book_majors {
        struct devid_major list[DEVID_BROUGHT_MAX];
        size_t n;
};
int books_kernel_load_with_majors(
        struct unit *u, int bytes, const char *parameters, struct book_majors *ret, struct croft_error *err);
/* Keeps them out of the table of device numbers; text: what the books say of them.  -EBUSY: one is a partition's. */
int books_kernel_take_majors(
        struct life *life, const struct book_majors *majors, char text[KEXT_MAJORS_MAX + 1], struct croft_error *err);
/* The partition's control groups, which pay for what an object of it takes; the caller ends *ret. */
int books_kernel_payers(struct unit *u, struct bpf_payers *ret, struct croft_error *err);
/* Attaches the programs of an object to the partition's control group. */
int books_kernel_attach(struct unit *u, const char *name, const struct bpf_programs *programs, struct croft_error *err);
/* -EBUSY: a module that somebody uses; -ENOENT: it isn't there. */
int books_kernel_unload(struct life *life, const struct kext_loaded *l);
/* Takes away the instances that no row is of. */
void books_kernel_sweep(struct life *life, const struct kext_books *books);

#endif
