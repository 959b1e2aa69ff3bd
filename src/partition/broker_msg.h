/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_msg.h - what a warden, which may do nothing, and the partition's broker, which may do much, say to each other:
 * one packet for an intercepted call, one for its answer.  Both are of this machine and of one version of croft.
 *
 * The broker believes nothing that the warden says but the listener that comes along: which process it is and what it
 * asks for it finds out itself, and it works for processes of its own partition only.
 */
#ifndef CROFT_PARTITION_BROKER_MSG_H
#define CROFT_PARTITION_BROKER_MSG_H

#include <stdint.h>

/* With one descriptor: the listener that the call came from. */
struct broker_call {
        uint64_t id; /* of struct seccomp_notif, as what follows */
        uint64_t args[6];
        uint32_t arch, pid;
        int32_t nr;
        uint32_t slot; /* comes back with the answer */
};

struct broker_answer {
        uint64_t id;   /* 0, by croftd: all calls that were passed on fail with code, a broker has died over them */
        int64_t value; /* of the call */
        int32_t code;  /* 0, or an errno that it fails with */
        uint32_t slot;
};

#endif
