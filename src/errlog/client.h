/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client.h - runs the pinned program `errlog`: the one way to the record, for croftd and for everybody else.
 *
 * Nothing but the C library and the kernel: no daemon has to be there.  Negative errnos are those of errlog.bpf.h, or
 * -EIO when the program couldn't be run.
 */
#ifndef CROFT_ERRLOG_CLIENT_H
#define CROFT_ERRLOG_CLIENT_H

#include "errlog/errlog.bpf.h"

#include <stdint.h>

/* The program in that directory, as a descriptor that the caller closes.  -ENOENT, -EACCES, -EPERM as bpf(2). */
int errlog_client_open(const char *directory);

/* Runs it. */
int errlog_client_call(int program, struct errlog_call *call);

/* The book when nobody was in the middle of writing: each record before ret->next is there, or will never be.  -EAGAIN:
 * there was no such moment in five seconds. */
int errlog_client_book(int program, uint64_t partition, struct errlog_book *ret);

/* Records in it, and those that are being written. */
unsigned int errlog_client_count(const struct errlog_book *book);

/* Map `errlog_books`, which lies above that directory: for root in global.  A descriptor that the caller closes. */
int errlog_client_open_books(const char *directory);
/* The partition behind *last (NULL: the first) that has a book, and the book.  -ENOENT: no more. */
int errlog_client_next_book(int books, const uint64_t *last, uint64_t *key, struct errlog_book *ret);

/* The first record of that book with a number from *seq on, which *seq becomes.  -ENOENT: none; -EAGAIN: one after the
 * other was taken away by somebody else. */
int errlog_client_next(
        int program, uint64_t partition, const struct errlog_book *book, uint64_t *seq, struct errlog_record *ret);

#endif
