/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stream.c - framed connections.  See stream.h.  Invariant: used_input <= n_input <= STREAM_INPUT_MAX and sent_output
 * <= n_output <= room_output.
 */
#include "warden/stream.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define LINGER_MS 2000

int stream_open(struct stream *s, int fd)
{
        *s = (struct stream){.fd = fd};
        return fd_set_nonblock(fd, 1);
}

void stream_close(struct stream *s)
{
        close_fd(s->fd);
        free(s->input);
        free(s->output);
        *s = (struct stream){.fd = -EBADF};
}

static uint32_t frame_length(const uint8_t *header)
{
        return (uint32_t)header[4] << 24 | (uint32_t)header[5] << 16 | (uint32_t)header[6] << 8 | header[7];
}

/* A complete header: is it one that a client may send? */
static int begin_frame(struct stream *s)
{
        const uint8_t *h = s->header;

        s->left = frame_length(h);
        if (h[1] || h[2] || h[3] || s->left > CROFT_STREAM_BODY_MAX)
                return -EBADMSG;
        switch (h[0]) {
        case CROFT_STREAM_STDIN:
                s->input_ended = s->input_ended || s->left == 0;
                break;
        case CROFT_STREAM_SIZE:
                if (s->left != 4)
                        return -EBADMSG;
                break;
        case CROFT_STREAM_SIGNAL:
                if (s->left != 1)
                        return -EBADMSG;
                break;
        default:
                return -EBADMSG;
        }
        return 0;
}

static void end_small_frame(struct stream *s)
{
        if (s->header[0] == CROFT_STREAM_SIGNAL) {
                s->signal = s->body[0];
                return;
        }
        s->rows = (uint16_t)(s->body[0] << 8 | s->body[1]);
        s->columns = (uint16_t)(s->body[2] << 8 | s->body[3]);
        s->resized = true;
}

/* Takes up to n bytes of a body; returns how many. */
static size_t take_body(struct stream *s, const uint8_t *p, size_t n)
{
        if (n > s->left)
                n = s->left;
        if (s->header[0] == CROFT_STREAM_STDIN) {
                memcpy(s->input + s->n_input, p, n); /* n <= what was read <= the room: headers only shrink it */
                s->n_input += n;
        } else {
                size_t size = s->header[0] == CROFT_STREAM_SIZE ? 4 : 1;

                memcpy(s->body + (size - s->left), p, n);
        }
        s->left -= (uint32_t)n;
        if (s->left == 0 && s->header[0] != CROFT_STREAM_STDIN)
                end_small_frame(s);
        return n;
}

static int decode(struct stream *s, const uint8_t *p, size_t size)
{
        while (size > 0) {
                size_t n;
                int r;

                if (s->left > 0) {
                        n = take_body(s, p, size);
                } else {
                        n = CROFT_STREAM_HEADER - s->n_header;
                        n = n < size ? n : size;
                        memcpy(s->header + s->n_header, p, n);
                        s->n_header = (uint8_t)(s->n_header + n);
                        if (s->n_header == CROFT_STREAM_HEADER) {
                                s->n_header = 0;
                                r = begin_frame(s);
                                if (r < 0)
                                        return r;
                        }
                }
                p += n;
                size -= n;
        }
        return 0;
}

bool stream_input_pending(const struct stream *s)
{
        return s->n_input > s->used_input;
}

int stream_read(struct stream *s)
{
        uint8_t buf[STREAM_INPUT_MAX];
        ssize_t n;
        int r;

        do
                n = recv(s->fd, buf, sizeof(buf), 0);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return errno == EAGAIN ? 1 : -errno;
        if (n == 0)
                return 0;
        s->n_input = s->used_input = 0; /* all of it was used: that is this function's condition */
        if (!s->input)
                s->input = malloc(STREAM_INPUT_MAX);
        if (!s->input)
                return -ENOMEM;
        r = decode(s, buf, (size_t)n);
        return r < 0 ? r : 1;
}

static void forget_input(struct stream *s)
{
        free(s->input);
        s->input = NULL;
        s->n_input = s->used_input = 0;
}

int stream_input_to(struct stream *s, int fd)
{
        while (stream_input_pending(s)) {
                ssize_t n = write(fd, s->input + s->used_input, s->n_input - s->used_input);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        return 0;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                s->used_input += (size_t)n;
        }
        forget_input(s);
        return 1;
}

size_t stream_room(const struct stream *s, size_t max)
{
        size_t queued = s->n_output - s->sent_output;

        return queued < max ? max - queued : 0;
}

/* Room for more at the end of the queue; what was sent makes room first. */
static int make_room(struct stream *s, size_t more)
{
        size_t room;
        uint8_t *p;

        if (s->sent_output > 0) {
                memmove(s->output, s->output + s->sent_output, s->n_output - s->sent_output);
                s->n_output -= s->sent_output;
                s->sent_output = 0;
        }
        if (s->room_output - s->n_output >= more)
                return 0;
        room = s->n_output + more;
        p = realloc(s->output, room);
        if (!p)
                return -ENOMEM;
        s->output = p;
        s->room_output = room;
        return 0;
}

static void append_frame(struct stream *s, uint8_t type, const uint8_t *data, size_t size)
{
        uint8_t *p = s->output + s->n_output;

        p[0] = type;
        p[1] = p[2] = p[3] = 0;
        p[4] = (uint8_t)(size >> 24);
        p[5] = (uint8_t)(size >> 16);
        p[6] = (uint8_t)(size >> 8);
        p[7] = (uint8_t)size;
        if (size > 0)
                memcpy(p + CROFT_STREAM_HEADER, data, size);
        s->n_output += CROFT_STREAM_HEADER + size;
}

int stream_put(struct stream *s, uint8_t type, const void *data, size_t size)
{
        size_t frames = size / CROFT_STREAM_BODY_MAX + 1;
        const uint8_t *p = data;
        int r = make_room(s, size + frames * CROFT_STREAM_HEADER);

        if (r < 0)
                return r;
        do {
                size_t part = size < CROFT_STREAM_BODY_MAX ? size : CROFT_STREAM_BODY_MAX;

                append_frame(s, type, p, part);
                p = p ? p + part : p;
                size -= part;
        } while (size > 0);
        r = stream_flush(s);
        return r < 0 ? r : 0;
}

int stream_put_exit(struct stream *s, uint32_t status)
{
        uint8_t body[4] = {(uint8_t)(status >> 24), (uint8_t)(status >> 16), (uint8_t)(status >> 8), (uint8_t)status};

        return stream_put(s, CROFT_STREAM_EXIT, body, sizeof(body));
}

void stream_linger(struct stream *s)
{
        int64_t end = now_ms() + LINGER_MS, now;
        uint8_t buf[STREAM_INPUT_MAX];

        (void)shutdown(s->fd, SHUT_WR);
        while ((now = now_ms()) < end) {
                struct pollfd p = {.fd = s->fd, .events = POLLIN};
                ssize_t n;

                if (poll(&p, 1, (int)(end - now)) == 0)
                        return;
                n = recv(s->fd, buf, sizeof(buf), 0);
                if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
                        return;
        }
}

bool stream_output_pending(const struct stream *s)
{
        return s->n_output > s->sent_output;
}

int stream_flush(struct stream *s)
{
        while (stream_output_pending(s)) {
                ssize_t n = send(s->fd, s->output + s->sent_output, s->n_output - s->sent_output, MSG_NOSIGNAL);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        return 0;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                s->sent_output += (size_t)n;
        }
        free(s->output); /* an idle client costs no memory */
        s->output = NULL;
        s->n_output = s->sent_output = s->room_output = 0;
        return 1;
}
