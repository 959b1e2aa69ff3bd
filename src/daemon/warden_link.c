/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warden_link.c - talking to a warden.  See warden_link.h.
 */
#include "daemon/warden_link.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <poll.h>

/* 1: a packet. */
static int receive_before(int socket, int64_t deadline, struct warden_packet *ret)
{
        for (;;) {
                struct pollfd p = {.fd = socket, .events = POLLIN};
                int64_t left = deadline - now_ms();
                int r = warden_receive(socket, ret);

                if (r != -EAGAIN)
                        return r == 0 ? -ECONNRESET : r;
                if (left <= 0)
                        return -ETIMEDOUT;
                if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
                        return -errno;
        }
}

static int read_failure(struct warden_packet *packet, struct croft_error *err)
{
        struct croft_error told = CROFT_ERROR_INIT;

        if (warden_error_get(&packet->body, &told) < 0 || told.code == 0)
                return croft_error_set(err, EBADMSG, "the warden failed and can't say why.");
        return croft_error_copy(err, &told);
}

int warden_expect(int socket, enum warden_type expected, unsigned int timeout_ms, struct warden_state *state,
        struct warden_packet *ret, struct croft_error *err)
{
        _cleanup_(warden_packet_done) struct warden_packet packet = {.roles = NULL};
        int64_t deadline = now_ms() + timeout_ms;
        int r = receive_before(socket, deadline, &packet);

        while (r > 0 && packet.type == WARDEN_REFUSED) { /* one that was under way */
                warden_packet_done(&packet);
                r = receive_before(socket, deadline, &packet);
        }

        if (r == -ECONNRESET)
                return croft_error_set(err, ECONNRESET, "the warden ended before it answered.");
        if (r == -ETIMEDOUT)
                return croft_error_set(err, ETIMEDOUT, "the warden didn't answer in %u s.", timeout_ms / 1000);
        if (r < 0)
                return croft_error_set(err, r, "hear the warden");
        if (packet.type == WARDEN_FAILED)
                return read_failure(&packet, err);
        if (packet.type != expected)
                return croft_error_set(err, EBADMSG, "the warden says %s instead of %s.", warden_type_name(packet.type),
                        warden_type_name(expected));
        if (state && warden_state_get(&packet.body, state) < 0)
                return croft_error_set(err, EBADMSG, "the warden's %s is malformed.", warden_type_name(expected));
        if (ret) {
                *ret = packet;
                packet = (struct warden_packet){.roles = NULL};
        }
        return 0;
}
