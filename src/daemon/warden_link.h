/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warden_link.h - croftd's end of a warden: spawning it, and asking with a time-out.
 *
 * What comes back was written by a process that serves a hostile partition: it is decoded and checked, never believed.
 */
#ifndef CROFT_DAEMON_WARDEN_LINK_H
#define CROFT_DAEMON_WARDEN_LINK_H

#include "partition/partition.h"
#include "partition/warden_msg.h"

#include <croft/error.h>
#include <stdint.h>

#define WARDEN_LAUNCH_MS 60000 /* a root on a slow disk */
#define WARDEN_ANSWER_MS 10000
#define WARDEN_HELLO_MS 3000

struct warden_process {
        int socket; /* our end of the SEQPACKET pair that it has as descriptor 3; nonblocking */
        int pidfd;
        pid_t pid;
        uint64_t start_time;
};

/* Starts our croft-warden (mode: "warden" or "session"), in a session of its own, without any
 * descriptor but 0 to 3.  The caller closes both descriptors and reaps the child. */
int warden_spawn(const char *path, const char *mode, struct warden_process *ret, struct croft_error *err);

/* Waits for the next message.  FAILED becomes the error it carries, every type but expected is -EBADMSG, silence
 * -ETIMEDOUT, the end -ECONNRESET.  state may be NULL; *ret (may be NULL) is ended by warden_packet_done(). */
int warden_expect(int socket, enum warden_type expected, unsigned int timeout_ms, struct warden_state *state,
        struct warden_packet *ret, struct croft_error *err);

#endif
