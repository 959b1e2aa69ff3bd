/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * listeners.c - a bounded, numbered set of listeners.  See listeners.h.
 */
#include "partition/listeners.h"

#include "base/cleanup.h"

#include <poll.h>

static size_t at(const struct listeners *l, uint32_t number)
{
        size_t i = 0;

        while (i < l->n && l->list[i].number != number)
                i++;
        return i;
}

static int add(struct listeners *l, uint32_t number, int fd)
{
        if (fd < 0)
                return -EBADF;
        if (at(l, number) < l->n)
                return -EEXIST;
        if (l->n == LISTENERS_MAX || number == 0) /* 0: all numbers have been given */
                return -ENOSPC;
        l->list[l->n++] = (struct listener){.number = number, .fd = fd};
        if (number > l->newest)
                l->newest = number;
        return 0;
}

int listeners_add(struct listeners *l, uint32_t number, int fd, uint32_t *ret_number)
{
        uint32_t given = number ? number : l->newest + 1;
        int r = add(l, given, fd);

        if (r < 0)
                close_fd(fd);
        else if (ret_number)
                *ret_number = given;
        return r;
}

int listeners_find(const struct listeners *l, uint32_t number)
{
        size_t i = at(l, number);

        return i < l->n ? l->list[i].fd : -EBADF;
}

void listeners_remove(struct listeners *l, uint32_t number)
{
        size_t i = at(l, number);

        if (i == l->n)
                return;
        close_fd(l->list[i].fd);
        l->list[i] = l->list[--l->n];
}

void listeners_sweep(struct listeners *l)
{
        for (size_t i = l->n; i-- > 0;) {
                struct pollfd p = {.fd = l->list[i].fd};

                if (poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR | POLLNVAL))
                        listeners_remove(l, l->list[i].number);
        }
}

void listeners_done(struct listeners *l)
{
        while (l->n > 0)
                listeners_remove(l, l->list[0].number);
}

static int send_some(int socket, const struct listener *list, uint32_t n, bool complete)
{
        _cleanup_(wire_writer_done) struct wire_writer body = WIRE_WRITER_INIT;
        struct listeners_note note = {.complete = complete, .n = n};
        struct warden_fd fds[LISTENERS_IN_NOTE];

        for (uint32_t i = 0; i < n; i++) {
                note.numbers[i] = list[i].number;
                fds[i] = (struct warden_fd){"listener", list[i].fd};
        }
        listeners_note_put(&body, &note);
        return warden_send(socket, WARDEN_LISTENERS, fds, n, &body);
}

int listeners_send(int socket, const struct listeners *l)
{
        uint32_t sent = 0;

        do {
                uint32_t left = l->n - sent, n = left < LISTENERS_IN_NOTE ? left : LISTENERS_IN_NOTE;
                int r = send_some(socket, l->list + sent, n, n == left);

                if (r < 0)
                        return r;
                sent += n;
        } while (sent < l->n);
        return 0;
}

int listeners_send_one(int socket, uint32_t number, int fd)
{
        const struct listener one = {.number = number, .fd = fd};

        return send_some(socket, &one, 1, false);
}
