/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * intercept.h - answers the partition's intercepted calls (kernel/notify.h).
 *
 * By a thread of its own: reading or writing the caller's memory may wait for a page of a file that this very warden
 * serves (a partition maps its /proc/meminfo and gives that address), so the one who does it must not be the one who
 * serves files.  It waits for calls and for nothing else: no timer.
 */
#ifndef CROFT_WARDEN_INTERCEPT_H
#define CROFT_WARDEN_INTERCEPT_H

#include "kstat/sample.bpf.h"
#include "kstat/view_totals.h"

#include <croft/error.h>
#include <stdbool.h>

struct intercept;

struct intercept_config {
        int area; /* borrowed: it is mapped */
        /* Borrowed: where calls go that the broker answers (partition/broker_msg.h); -EBADF: to nobody. */
        int broker;
        /* A new sample of the partition: 0 or a negative errno.  Called by the thread. */
        int (*sample)(void *context, struct kstat_sample *ret);
        /* What the machine has; what was told last holds when that can't be had. */
        int (*machine)(struct view_machine *ret);
        /* Gives up privileges, in the thread, before the first call is taken; NULL: nothing is given up. */
        int (*confine)(void *context, struct croft_error *err);
        /* A call about modules was refused.  Called by the thread; NULL: nobody wants to know. */
        void (*refused)(void *context);
        void *context;
};

/* The caller may still make threads (it isn't shut in yet).  On failure nothing is left; *ret is ended by
 * intercept_stop(). */
int intercept_start(const struct intercept_config *config, struct intercept **ret, struct croft_error *err);
/* Ends the thread and closes the listeners; calls under way are the next warden's.  NULL is fine. */
struct intercept *intercept_stop(struct intercept *i);

/* Begins to serve a listener (listeners.h; fd is taken over), with what a dead warden left unanswered of it.  -EEXIST,
 * -ENOSPC. */
int intercept_add(struct intercept *i, uint32_t number, int fd);
/* That was all there are: calls in the area that came from another one have nobody who waits for them. */
void intercept_complete(struct intercept *i);
/* Are calls about kernel modules the broker's?  Until that is said they are refused. */
void intercept_pass_modules(struct intercept *i, bool pass);
/* Says all to croftd. */
int intercept_send(struct intercept *i, int socket);

#endif
