/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_books_load.h - what is done so that the kernel has an extension for a partition, and the books say so: all of
 * it, or nothing.  books_lock is held, and let go while the kernel is at it.
 */
#ifndef CROFT_DAEMON_LIFE_BOOKS_LOAD_H
#define CROFT_DAEMON_LIFE_BOOKS_LOAD_H

#include "daemon/life_books.h"
#include "daemon/life_books_kernel.h"

struct loading {
        struct unit *u;
        const struct book_wish *wish;
        struct kext_loaded loaded;
        struct kext_holder holder;
        int bytes;                           /* of a module */
        bool is_in;                          /* the kernel has taken it */
        struct book_majors majors;           /* that came with it */
        const struct bpf_programs *programs; /* of a BPF object */
};

/* The intent, then the kernel, then the record.  What was taken back and is still used is PENDING. */
int books_load_run(struct loading *l, struct croft_error *err);
void books_load_print_crash_points(void);

#endif
