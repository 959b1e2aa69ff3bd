/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warden_link.h - croftd's end of a warden: asking with a time-out.
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

/* Waits for the next message.  FAILED becomes the error it carries, every type but expected is -EBADMSG, silence
 * -ETIMEDOUT, the end -ECONNRESET.  state may be NULL; *ret (may be NULL) is ended by warden_packet_done(). */
int warden_expect(int socket, enum warden_type expected, unsigned int timeout_ms, struct warden_state *state,
        struct warden_packet *ret, struct croft_error *err);

#endif
