/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * listeners.h - the listeners of a partition's intercepted calls (kernel/notify.h), as its warden and croftd keep them:
 * one of init's descendants, and one of each exec session's, because each has installed the filter for itself.
 *
 * Both keep a duplicate of each under the same number, so that a call in flight, which lies in their common area, is
 * known by it to whoever comes next.  Numbers are given by croftd, never twice in one run of a partition.
 */
#ifndef CROFT_PARTITION_LISTENERS_H
#define CROFT_PARTITION_LISTENERS_H

#include "partition/warden_msg.h"

/* C-15.  A session whose command and all its descendants have ended doesn't count. */
#define LISTENERS_MAX 128
#define LISTENER_INIT 1 /* the number of init's */

struct listeners {
        struct listener {
                uint32_t number;
                int fd;
        } list[LISTENERS_MAX]; /* in no order */
        uint32_t n;
        uint32_t newest; /* the greatest number that was ever given */
};

/* Takes fd over; it is closed on failure.  number 0: a new one.  *ret_number (may be NULL) is it.  -EEXIST: it is there
 * already; -ENOSPC: there are too many; -EBADF: fd is none. */
int listeners_add(struct listeners *l, uint32_t number, int fd, uint32_t *ret_number);
/* Its descriptor, borrowed; -EBADF: there is none. */
int listeners_find(const struct listeners *l, uint32_t number);
/* Closes it.  (A process that has it in an epoll set takes it out there first: others hold the same file.) */
void listeners_remove(struct listeners *l, uint32_t number);
/* Closes those whose last process has ended. */
void listeners_sweep(struct listeners *l);
void listeners_done(struct listeners *l);

/* Says all that are in l to the other side, complete: these are all there are.  0 or a negative errno. */
int listeners_send(int socket, const struct listeners *l);
/* Says one more. */
int listeners_send_one(int socket, uint32_t number, int fd);

#endif
