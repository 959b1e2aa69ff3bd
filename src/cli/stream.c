/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stream.c - one poll loop between a connection and the standard descriptors.  See stream.h.
 *
 * One frame each way is held, never more: what can't be written yet stops the reading of its direction only, so large
 * data both ways at once can't lock up.  The standard descriptors keep their flags (others share them): they are
 * written to in pieces that poll(2) has promised room for.
 */
#include "stream.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_SIZE 16384
#define PIECE 4096 /* a pipe or terminal that polls writable takes that much at once */
#define SIGNALS_MAX 64

struct stream {
        const struct stream_spec *spec;
        struct terminal terminal;
        bool input_ended, escape_held, detached, pipe_broken, closed, exited, size_due;
        int status;
        unsigned long long signals_due;
        char *text; /* of ERROR */
        size_t text_size;

        uint8_t in[CROFT_STREAM_HEADER + CROFT_STREAM_BODY_MAX]; /* the frame at hand */
        size_t in_size, delivered;                               /* delivered: bytes of its body */
        enum croft_stream_type type;
        uint32_t body_size;
        bool complete;

        uint8_t out[4 * INPUT_SIZE];
        size_t out_at, out_size;
};

/* --- to croft --- */

static bool put_frame(struct stream *s, enum croft_stream_type type, const void *body, size_t size)
{
        if (s->out_size + CROFT_STREAM_HEADER + size > sizeof(s->out))
                return false;
        croft_frame_put(s->out + s->out_size, type, (uint32_t)size);
        memcpy(s->out + s->out_size + CROFT_STREAM_HEADER, body, size);
        s->out_size += CROFT_STREAM_HEADER + size;
        return true;
}

/* How much input may be read now: what goes out must hold it, and a few control frames besides. */
static size_t input_room(struct stream *s)
{
        const size_t reserve = 1024;
        size_t left;

        if (s->out_at > 0) {
                memmove(s->out, s->out + s->out_at, s->out_size - s->out_at);
                s->out_size -= s->out_at;
                s->out_at = 0;
        }
        left = sizeof(s->out) - s->out_size;
        if (left <= reserve + CROFT_STREAM_HEADER + 1)
                return 0;
        left -= reserve + CROFT_STREAM_HEADER + 1;
        return left < INPUT_SIZE ? left : INPUT_SIZE;
}

/* What is due goes out when there is room for it. */
static void put_due(struct stream *s)
{
        uint16_t rows, columns;

        if (s->size_due && terminal_size(&rows, &columns)) {
                uint8_t body[4] = {(uint8_t)(rows >> 8), (uint8_t)rows, (uint8_t)(columns >> 8), (uint8_t)columns};

                s->size_due = !put_frame(s, CROFT_STREAM_SIZE, body, sizeof(body));
        }
        for (uint8_t i = 1; i < SIGNALS_MAX && s->signals_due; i++) {
                if (s->signals_due >> i & 1 && put_frame(s, CROFT_STREAM_SIGNAL, &i, 1))
                        s->signals_due &= ~(1ULL << i);
        }
}

/* Takes the detach sequence out of data; what is left stays in place with one byte of room in front used. */
static size_t filter(struct stream *s, const uint8_t *data, size_t size, uint8_t *to)
{
        int escape = s->spec->escape;
        size_t n = 0;

        for (size_t i = 0; i < size && !s->detached; i++) {
                if (s->escape_held) {
                        s->escape_held = false;
                        if (data[i] == 'q') {
                                s->detached = true;
                                break;
                        }
                        to[n++] = (uint8_t)escape;
                        if (data[i] != escape) /* twice: it is meant for the other side, once */
                                to[n++] = data[i];
                } else if (escape >= 0 && data[i] == escape) {
                        s->escape_held = true;
                } else {
                        to[n++] = data[i];
                }
        }
        return n;
}

static void read_input(struct stream *s)
{
        uint8_t data[INPUT_SIZE], body[INPUT_SIZE + 1];
        ssize_t n = read(s->spec->input, data, input_room(s));
        size_t size;

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n <= 0) {
                s->input_ended = true;
                (void)put_frame(s, CROFT_STREAM_STDIN, "", 0); /* there is room, or it wouldn't be read */
                return;
        }
        size = filter(s, data, (size_t)n, body);
        if (size > 0)
                (void)put_frame(s, CROFT_STREAM_STDIN, body, size);
}

static int send_out(struct stream *s, struct croft_error *err)
{
        ssize_t n = send(s->spec->fd, s->out + s->out_at, s->out_size - s->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return 0;
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) {
                /* The other side wants no more; what it has said may still be there to be read. */
                s->input_ended = true;
                s->out_at = s->out_size = 0;
                return 0;
        }
        if (n < 0)
                return croft_error_set(err, errno, "send to the session");
        s->out_at += (size_t)n;
        if (s->out_at == s->out_size)
                s->out_at = s->out_size = 0;
        return 0;
}

/* --- from croft --- */

static int bad_frame(struct croft_error *err)
{
        return croft_error_set(err, EBADMSG, "the session sent what is no frame.");
}

/* What a frame means that isn't output. */
static int take_frame(struct stream *s, struct croft_error *err)
{
        const uint8_t *body = s->in + CROFT_STREAM_HEADER;

        switch (s->type) {
        case CROFT_STREAM_STDOUT:
        case CROFT_STREAM_STDERR:
                return 0;
        case CROFT_STREAM_EXIT:
                if (s->body_size != 4)
                        return bad_frame(err);
                s->status = body[3];
                s->exited = true;
                return 0;
        case CROFT_STREAM_ERROR:
                (void)snprintf(s->text, s->text_size, "%.*s", (int)s->body_size, (const char *)body);
                return 0;
        default:
                return bad_frame(err);
        }
}

static void next_frame(struct stream *s)
{
        s->in_size = s->delivered = 0;
        s->complete = false;
}

/* Reads what the frame at hand still lacks. */
static int receive(struct stream *s, struct croft_error *err)
{
        size_t want = CROFT_STREAM_HEADER + (s->in_size >= CROFT_STREAM_HEADER ? s->body_size : 0);
        ssize_t n = recv(s->spec->fd, s->in + s->in_size, want - s->in_size, MSG_DONTWAIT);

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return 0;
        if (n == 0 || (n < 0 && errno == ECONNRESET)) {
                s->closed = true;
                return 0;
        }
        if (n < 0)
                return croft_error_set(err, errno, "receive from the session");
        s->in_size += (size_t)n;
        if (s->in_size == CROFT_STREAM_HEADER && croft_frame_get(s->in, &s->type, &s->body_size) < 0)
                return bad_frame(err);
        if (s->in_size < CROFT_STREAM_HEADER || s->in_size < CROFT_STREAM_HEADER + s->body_size)
                return 0;
        s->complete = true;
        return take_frame(s, err);
}

static int target(const struct stream *s)
{
        return s->type == CROFT_STREAM_STDERR ? s->spec->err : s->spec->out;
}

static ssize_t write_some(int fd, const void *data, size_t size)
{
        struct stat st;

        if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
                return send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        return write(fd, data, size > PIECE && !S_ISREG(st.st_mode) ? PIECE : size);
}

/* The end of an output is passed on: whoever reads ours sees it now, not when we end. */
static void end_output(int fd)
{
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        if (null >= 0 && fd <= 2)
                (void)dup2(null, fd);
        if (null >= 0)
                (void)close(null);
}

static int deliver(struct stream *s, struct croft_error *err)
{
        const uint8_t *body = s->in + CROFT_STREAM_HEADER;
        bool output = s->type == CROFT_STREAM_STDOUT || s->type == CROFT_STREAM_STDERR;
        ssize_t n;

        if (output && s->body_size == 0 && !s->spec->terminal)
                end_output(target(s));
        if (!output || s->delivered == s->body_size) {
                next_frame(s);
                return 0;
        }
        n = write_some(target(s), body + s->delivered, s->body_size - s->delivered);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return 0;
        if (n < 0 && errno == EPIPE) {
                s->pipe_broken = true;
                return 0;
        }
        if (n < 0)
                return croft_error_set(err, errno, "write the output");
        s->delivered += (size_t)n;
        if (s->delivered == s->body_size)
                next_frame(s);
        return 0;
}

/* --- the loop --- */

static void take_signals(struct stream *s)
{
        int number;

        while ((number = terminal_signal(&s->terminal)) > 0) {
                if (number == SIGWINCH || number == SIGCONT) {
                        if (number == SIGCONT)
                                terminal_again(&s->terminal);
                        s->size_due = s->spec->terminal;
                } else if (s->spec->forward) {
                        s->signals_due |= 1ULL << (number % SIGNALS_MAX);
                } else {
                        terminal_die(&s->terminal, number);
                }
        }
}

enum { POLL_SOCKET, POLL_SIGNALS, POLL_INPUT, POLL_OUTPUT, POLL_N };

static int wait_for(struct stream *s, struct pollfd *p, struct croft_error *err)
{
        bool room = input_room(s) > 0, writing = s->complete && s->delivered < s->body_size;

        p[POLL_SOCKET] = (struct pollfd){
                .fd = s->spec->fd, .events = (short)((s->complete ? 0 : POLLIN) | (s->out_size ? POLLOUT : 0))};
        /* Nothing to do with it but to hear of its end, which would come again and again. */
        if (!p[POLL_SOCKET].events)
                p[POLL_SOCKET].fd = -1;
        p[POLL_SIGNALS] = (struct pollfd){.fd = s->terminal.signals, .events = POLLIN};
        p[POLL_INPUT] = (struct pollfd){.fd = room && !s->input_ended ? s->spec->input : -1, .events = POLLIN};
        p[POLL_OUTPUT] = (struct pollfd){.fd = writing ? target(s) : -1, .events = POLLOUT};
        if (poll(p, POLL_N, -1) >= 0)
                return 0;
        if (errno != EINTR)
                return croft_error_set(err, errno, "wait for the session");
        for (size_t i = 0; i < POLL_N; i++)
                p[i].revents = 0;
        return 0;
}

static int turn(struct stream *s, struct croft_error *err)
{
        struct pollfd p[POLL_N];
        int r;

        put_due(s);
        if (s->complete && (s->delivered == s->body_size || s->type > CROFT_STREAM_STDERR))
                return deliver(s, err);
        r = wait_for(s, p, err);
        if (r == 0 && p[POLL_SIGNALS].revents)
                take_signals(s);
        if (r == 0 && p[POLL_INPUT].revents)
                read_input(s);
        if (r == 0 && p[POLL_OUTPUT].revents)
                r = deliver(s, err);
        if (r == 0 && p[POLL_SOCKET].revents & POLLOUT)
                r = send_out(s, err);
        if (r == 0 && !s->complete && p[POLL_SOCKET].revents & (POLLIN | POLLHUP | POLLERR))
                r = receive(s, err);
        return r;
}

static enum stream_end end_of(const struct stream *s)
{
        return s->exited ? STREAM_EXITED : s->detached ? STREAM_DETACHED : s->pipe_broken ? STREAM_PIPE : STREAM_CLOSED;
}

int stream_run(const struct stream_spec *spec, enum stream_end *ret_end, int *ret_status, char *text, size_t size,
        struct croft_error *err)
{
        struct stream *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return croft_error_set(err, ENOMEM, "speak with the session");
        s->spec = spec;
        s->text = text;
        s->text_size = size;
        *text = '\0';
        r = terminal_begin(&s->terminal, spec->terminal);
        if (r < 0)
                (void)croft_error_set(err, r, "wait for signals");
        s->size_due = spec->terminal;
        while (r == 0 && !s->exited && !s->detached && !s->pipe_broken && !s->closed)
                r = turn(s, err);
        if (r == 0 && s->detached && s->out_size > 0)
                r = send_out(s, err); /* what was typed before the key; a session that hangs doesn't hold us */
        terminal_end(&s->terminal);
        if (r == 0) {
                *ret_end = end_of(s);
                *ret_status = s->status;
        }
        free(s);
        return r;
}
