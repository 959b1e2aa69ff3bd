/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_pump.c - carries bytes between two stream sockets.  See api_pump.h.
 *
 * It knows nothing of the frames in them.  Invariant: a direction reads only when its buffer is empty, so a slow side
 * stops the other, and nothing is ever dropped.
 */
#include "daemon/api_pump.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

struct direction {
        int from, to;
        const char *early; /* goes before what is read */
        size_t early_size;
        char buf[16384];
        size_t at, end;
        bool ended; /* from has no more */
};

static bool has_bytes(const struct direction *d)
{
        return d->early_size > 0 || d->at < d->end;
}

/* false: the connection is broken. */
static bool push(struct direction *d)
{
        const char *bytes = d->early_size ? d->early : d->buf + d->at;
        size_t size = d->early_size ? d->early_size : d->end - d->at;
        ssize_t n = send(d->to, bytes, size, MSG_NOSIGNAL);

        if (n < 0)
                return errno == EAGAIN || errno == EINTR;
        if (d->early_size) {
                d->early += n;
                d->early_size -= (size_t)n;
        } else {
                d->at += (size_t)n;
        }
        return true;
}

static bool pull(struct direction *d)
{
        ssize_t n = recv(d->from, d->buf, sizeof(d->buf), 0);

        if (n < 0)
                return errno == EAGAIN || errno == EINTR;
        d->at = 0;
        d->end = (size_t)n;
        if (n == 0) {
                d->ended = true;
                (void)shutdown(d->to, SHUT_WR); /* the other side is gone already: nothing to tell it */
        }
        return true;
}

/* Moves what can be moved without waiting.  false: this direction is over, whatever it still held. */
static bool move(struct direction *d, short from_events, short to_events)
{
        if (has_bytes(d))
                return !(to_events & (POLLOUT | POLLERR | POLLHUP)) || push(d);
        if (d->ended || !(from_events & (POLLIN | POLLERR | POLLHUP)))
                return true;
        return pull(d);
}

static void give_up(struct direction *d)
{
        d->early_size = 0;
        d->at = d->end = 0;
        d->ended = true;
        (void)shutdown(d->to, SHUT_WR); /* the other side may be gone: nothing to tell it then */
}

static void want(const struct direction *d, struct pollfd *from, struct pollfd *to)
{
        if (has_bytes(d))
                to->events |= POLLOUT;
        else if (!d->ended)
                from->events |= POLLIN;
}

void api_pump(int a, int b, const void *early, size_t early_size, int stop)
{
        struct direction in = {.from = a, .to = b, .early = early, .early_size = early_size};
        struct direction out = {.from = b, .to = a};

        (void)fd_set_nonblock(a, 1);
        (void)fd_set_nonblock(b, 1);
        while (!out.ended || has_bytes(&out)) {
                struct pollfd p[3] = {{.fd = a}, {.fd = b}, {.fd = stop, .events = POLLIN}};

                want(&in, &p[0], &p[1]);
                want(&out, &p[1], &p[0]);
                /* Poll tells of a hang-up that wasn't asked for, again and again: look away while it must wait. */
                if (p[0].events == 0 && has_bytes(&in))
                        p[0].fd = -1;
                if (p[1].events == 0)
                        p[1].fd = -1;
                if (poll(p, ELEMENTS(p), -1) < 0) {
                        if (errno == EINTR)
                                continue;
                        return;
                }
                if (p[2].revents || !move(&out, p[1].revents, p[0].revents))
                        return;
                if (!move(&in, p[0].revents, p[1].revents))
                        give_up(&in);
                if (in.ended && p[0].revents & POLLHUP)
                        return; /* the client is gone for both ways: b learns it when its other end is closed */
        }
}
