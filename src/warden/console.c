/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * console.c - the console.  See console.h.
 *
 * Invariant: the master is read whenever it has something, whatever the clients do; no client is ever waited for.
 */
#include "warden/console.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/pty.h"

#include <string.h>
#include <sys/epoll.h>

#define READS_A_TURN 16

static int watch(struct console *c, int operation, int fd, uint32_t events, uint64_t data)
{
        struct epoll_event event = {.events = events, .data.u64 = data};

        return epoll_ctl(c->epoll, operation, fd, &event) < 0 ? -errno : 0;
}

static uint64_t client_data(size_t index)
{
        return (uint64_t)CONSOLE_TAG_CLIENT << 32 | index;
}

static void drop(struct stream *s)
{
        stream_close(s); /* closing takes it out of epoll: nobody else holds this descriptor */
}

/* Reads a client only while its last input has gone; writes when there is something. */
static void rewatch(struct console *c, size_t index)
{
        struct stream *s = &c->clients[index];
        uint32_t events = (stream_input_pending(s) ? 0 : EPOLLIN) | (stream_output_pending(s) ? EPOLLOUT : 0);

        if (s->fd >= 0 && watch(c, EPOLL_CTL_MOD, s->fd, events, client_data(index)) < 0)
                drop(s);
}

/* Edge-triggered: while nobody has the terminal open (systemd before its getty), a hang-up would be told for ever.
 * Each call looks anew, so that what was left unread is told again. */
static void watch_master(struct console *c, int operation)
{
        if (c->master >= 0)
                (void)watch(c, operation, c->master, EPOLLIN | EPOLLET | (c->want_write ? EPOLLOUT : 0),
                        (uint64_t)CONSOLE_TAG_MASTER << 32);
}

static void rewatch_master(struct console *c)
{
        bool want = false;

        for (size_t i = 0; i < CONSOLE_CLIENTS_MAX; i++)
                want = want || (c->clients[i].fd >= 0 && stream_input_pending(&c->clients[i]));
        if (want == c->want_write)
                return;
        c->want_write = want;
        watch_master(c, EPOLL_CTL_MOD);
}

int console_open(struct console *c, int epoll, int master, int log)
{
        int r;

        *c = (struct console){.epoll = epoll, .master = master, .ring = {.fd = -EBADF}};
        for (size_t i = 0; i < CONSOLE_CLIENTS_MAX; i++)
                c->clients[i].fd = -EBADF;
        if (log >= 0)
                (void)ring_open(&c->ring, log, RING_SIZE_DEFAULT); /* no log is no reason not to run */
        if (master < 0)
                return 0;
        r = fd_set_nonblock(master, 1);
        if (r < 0)
                return r;
        watch_master(c, EPOLL_CTL_ADD);
        return 0;
}

void console_close(struct console *c)
{
        for (size_t i = 0; i < CONSOLE_CLIENTS_MAX; i++)
                stream_close(&c->clients[i]);
}

static void send_to(struct console *c, size_t index, const void *data, size_t size)
{
        struct stream *s = &c->clients[index];

        if (s->fd < 0 || size == 0)
                return;
        if (stream_room(s, CONSOLE_QUEUE_MAX) < size || stream_put(s, CROFT_STREAM_STDOUT, data, size) < 0)
                drop(s);
        else if (stream_output_pending(s))
                rewatch(c, index);
}

void console_attach(struct console *c, int fd)
{
        _cleanup_free_ uint8_t *history = NULL;
        struct stream *s = NULL;
        size_t index, size;

        for (index = 0; index < CONSOLE_CLIENTS_MAX && !s; index++)
                if (c->clients[index].fd < 0)
                        s = &c->clients[index];
        if (!s) {
                struct stream refused;

                if (stream_open(&refused, fd) == 0) {
                        static const char text[] = "the console has 8 clients already";

                        (void)stream_put(&refused, CROFT_STREAM_ERROR, text, sizeof(text) - 1);
                        (void)stream_put_exit(&refused, 125);
                }
                stream_close(&refused);
                return;
        }
        index--;
        c->ending[index] = false;
        if (stream_open(s, fd) < 0 || watch(c, EPOLL_CTL_ADD, fd, EPOLLIN, client_data(index)) < 0) {
                drop(s);
                return;
        }
        if (c->ring.fd >= 0 && ring_copy(c->ring.fd, &history, &size) == 0)
                send_to(c, index, history, size);
}

/* false: there is nothing more (for now). */
static bool read_master(struct console *c)
{
        uint8_t buf[4096];
        ssize_t n = read(c->master, buf, sizeof(buf));

        if (n < 0 && errno == EINTR)
                return true;
        if (n <= 0)
                return false; /* EAGAIN, or EIO: nobody has the terminal open (yet, again) */
        (void)ring_write(&c->ring, buf, (size_t)n);
        for (size_t i = 0; i < CONSOLE_CLIENTS_MAX; i++)
                send_to(c, i, buf, (size_t)n);
        return true;
}

static void pass_input(struct console *c, size_t index)
{
        struct stream *s = &c->clients[index];

        if (s->fd < 0)
                return;
        if (c->master < 0 || stream_input_to(s, c->master) < 0)
                s->used_input = s->n_input; /* nobody listens: typed into the void */
        rewatch(c, index);
}

void console_master_ready(struct console *c, uint32_t events)
{
        /* A few reads a turn: a flooding partition must not keep us from croftd. */
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
                int turns = 0;

                while (turns < READS_A_TURN && read_master(c))
                        turns++;
                if (turns == READS_A_TURN)
                        watch_master(c, EPOLL_CTL_MOD);
        }
        if (events & EPOLLOUT) {
                for (size_t i = 0; i < CONSOLE_CLIENTS_MAX; i++)
                        pass_input(c, i);
                rewatch_master(c);
        }
}

void console_client_ready(struct console *c, size_t index, uint32_t events)
{
        struct stream *s = &c->clients[index];

        if (index >= CONSOLE_CLIENTS_MAX || s->fd < 0)
                return;
        if ((events & EPOLLOUT) && (stream_flush(s) < 0 || (c->ending[index] && !stream_output_pending(s)))) {
                drop(s);
                return;
        }
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !stream_input_pending(s) && stream_read(s) <= 0) {
                drop(s);
                rewatch_master(c);
                return;
        }
        if (events & EPOLLHUP && stream_input_pending(s)) {
                drop(s); /* gone while its input waits: without reading it, the hang-up would be told for ever */
                rewatch_master(c);
                return;
        }
        if (s->resized && c->master >= 0)
                (void)pty_resize(c->master, s->rows, s->columns);
        s->resized = false;
        pass_input(c, index);
        rewatch_master(c);
}

void console_end(struct console *c, uint32_t status)
{
        if (c->master >= 0) {
                /* Bounded: what init's children still write isn't waited for. */
                for (int i = 0; i < 64 && read_master(c); i++)
                        ;
                (void)watch(c, EPOLL_CTL_DEL, c->master, 0, 0);
                c->master = -EBADF;
        }
        for (size_t i = 0; i < CONSOLE_CLIENTS_MAX; i++) {
                if (c->clients[i].fd < 0 || c->ending[i])
                        continue;
                c->ending[i] = true;
                if (stream_put_exit(&c->clients[i], status) < 0 || !stream_output_pending(&c->clients[i]))
                        drop(&c->clients[i]);
                else
                        rewatch(c, i);
        }
}
