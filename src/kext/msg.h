/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * msg.h - what croft-kext tells croftd, a packet each.  It may have been taken over by what it read: decoding takes
 * nothing for granted.
 */
#ifndef CROFT_KEXT_MSG_H
#define CROFT_KEXT_MSG_H

#include "base/wire.h"
#include "kext/kext.h"

#define MSG_SIZE_MAX 16384
#define MSG_TEXT_MAX 512

enum msg_type {
        MSG_FAULT = 'E',    /* the last one: why it failed */
        MSG_PROGRESS = 'P', /* of a scan: entries looked at */
        MSG_LOOK = 'L',     /* of a scan the first, of a look the only one */
        MSG_FINDING = 'F',  /* of a scan: the next one, without an application */
        MSG_BELONGS = 'B',  /* of a scan: what application a finding is of */
        MSG_WANTED = 'W',   /* of a scan: which file wants a finding loaded */
        MSG_END = '.',      /* of a scan: the last one */
        MSG_READ = 'R',     /* the last one: the bytes are there */
        MSG_PROGRAM = 'G',  /* of verify: a descriptor of the next program comes with it */
        MSG_IDENTITY = 'I', /* the last one; without sha256 and size, which croftd sees for itself */
};

struct msg {
        enum msg_type type;
        int code; /* of FAULT: a positive errno */
        char text[MSG_TEXT_MAX];
        struct kext_identity identity;
        /* Of PROGRESS: how many; of BELONGS and WANTED: which finding, from 0; of PROGRAM: enum bpf_attach_type; of
         * IDENTITY: how many bytes it unpacks to, 0: it isn't compressed, or they aren't kept. */
        uint64_t number;
        struct kext_finding finding;
        struct kext_look look;
};

/* What it says is in w, fault and all. */
void msg_encode(const struct msg *msg, struct wire_writer *w);
/* -EBADMSG: nothing of ours.  Texts come out printable. */
int msg_decode(const void *data, size_t size, struct msg *ret);

#endif
