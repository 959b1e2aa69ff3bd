/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * transport.h - how a call reaches the kernel: by the pinned programs, run by bpf(2), or, where that is refused, by
 * options of a socket.  Tests put their own below the client.
 */
#ifndef CROFT_LIBKSTAT_TRANSPORT_H
#define CROFT_LIBKSTAT_TRANSPORT_H

#include "kstat/kstat.bpf.h"

#include <stdbool.h>

struct kstat_transport {
        /* Answers *call (large: it is a struct kstat_call_large).  What the program returned, 0 or a negative errno;
         * -EIO: it couldn't be run. */
        int (*call)(void *context, struct kstat_call *call, bool large);
        void (*close)(void *context);
        void *context;
        int fd; /* to show to programs that ask (kc_kd); owned by the transport; negative: none */
};

/* The programs in that directory and no other way; NULL: those in the one where pinned_programs() finds them,
 * and options of a socket if they can't be had or bpf(2) is refused later on.  The caller ends it by
 * ret->close(ret->context).  -ENOENT, -EACCES, -EPERM: as bpf(2), when there is no other way either. */
int kstat_transport_open(const char *directory, struct kstat_transport *ret);

#endif
