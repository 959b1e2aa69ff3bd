/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * line.c - frames over a TLS session.  See line.h.
 */
#include "remote/line.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

void line_init(struct line *line, SSL *ssl, const char *who)
{
        line->ssl = ssl;
        line->who = who;
        line->used = line->taken = 0;
        line->heard_ms = line->said_ms = now_ms();
}

static void drop_taken(struct line *line)
{
        line->used -= line->taken;
        memmove(line->in, line->in + line->taken, line->used);
        line->taken = 0;
}

/* More bytes into in[], which has room.  1; 0: there are none yet. */
static int read_some(struct line *line, struct croft_error *err)
{
        int n, kind, r;

        ERR_clear_error();
        errno = 0;
        n = SSL_read(line->ssl, line->in + line->used, (int)(sizeof(line->in) - line->used));
        if (n > 0) {
                line->used += (size_t)n;
                line->heard_ms = now_ms();
                return 1;
        }
        kind = SSL_get_error(line->ssl, n);
        if (kind == SSL_ERROR_WANT_READ)
                return 0;
        if (kind == SSL_ERROR_WANT_WRITE) { /* new keys were asked for: its answer has to go out first */
                r = tls_wait(SSL_get_fd(line->ssl), POLLOUT, now_ms() + LINE_PATIENCE_MS);
                return r < 0 ? croft_error_set(err, r, "send to %s", line->who) : 1;
        }
        r = tls_fail(line->ssl, n, line->who, err);
        return r < 0 ? r : croft_error_set(err, ENOTCONN, "%s ended the line.", line->who);
}

int line_take(struct line *line, struct frame *ret, struct croft_error *err)
{
        drop_taken(line);
        for (;;) {
                long size = frame_take(line->in, line->used, ret);
                int r;

                if (size < 0)
                        return croft_error_set(err, EBADMSG, "%s sent what is no frame.", line->who);
                if (size > 0) {
                        line->taken = (size_t)size;
                        return 1;
                }
                r = read_some(line, err);
                if (r <= 0)
                        return r;
        }
}

int line_wait(struct line *line, int64_t deadline_ms, struct frame *ret, struct croft_error *err)
{
        int r;

        while ((r = line_take(line, ret, err)) == 0) {
                r = tls_wait(SSL_get_fd(line->ssl), POLLIN, deadline_ms);
                if (r < 0)
                        return croft_error_set(err, r, "wait for an answer of %s", line->who);
        }
        return r < 0 ? r : 0;
}

/* A frame goes out as one write where it fits: head and body in one record. */
int line_put(struct line *line, enum frame_type type, const void *body, size_t size, struct croft_error *err)
{
        uint8_t out[FRAME_HEAD + FRAME_BODY_MAX];
        int64_t deadline = now_ms() + LINE_PATIENCE_MS;
        size_t sent = 0;

        if (size > FRAME_BODY_MAX)
                return croft_error_set(err, EMSGSIZE, "send to %s", line->who);
        frame_put_head(out, type, size);
        if (size > 0)
                memcpy(out + FRAME_HEAD, body, size);
        while (sent < FRAME_HEAD + size) {
                int n, kind, r;

                ERR_clear_error();
                errno = 0;
                n = SSL_write(line->ssl, out + sent, (int)(FRAME_HEAD + size - sent));
                if (n > 0) {
                        sent += (size_t)n;
                        continue;
                }
                kind = SSL_get_error(line->ssl, n);
                if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE) {
                        r = tls_fail(line->ssl, n, line->who, err);
                        return r < 0 ? r : croft_error_set(err, ENOTCONN, "%s ended the line.", line->who);
                }
                r = tls_wait(SSL_get_fd(line->ssl), kind == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline);
                if (r < 0)
                        return croft_error_set(err, r, "send to %s", line->who);
        }
        line->said_ms = now_ms();
        return 0;
}

int line_put_number(struct line *line, enum frame_type type, uint32_t value, struct croft_error *err)
{
        uint8_t body[4];
        size_t size = frame_put_number(type, value, body);

        return line_put(line, type, body, size, err);
}

int line_keep(struct line *line, struct croft_error *err)
{
        int64_t now = now_ms();

        if (now - line->heard_ms >= LINE_DEAD_MS)
                return croft_error_set(err, ETIMEDOUT, "no sign of life from %s", line->who);
        return now - line->said_ms >= LINE_ALIVE_MS ? line_put(line, FRAME_ALIVE, NULL, 0, err) : 0;
}

int line_timeout_ms(const struct line *line)
{
        int64_t now = now_ms(), say = line->said_ms + LINE_ALIVE_MS, hear = line->heard_ms + LINE_DEAD_MS;
        int64_t left = (say < hear ? say : hear) - now;

        return left < 0 ? 0 : (int)left;
}

void line_end(struct line *line)
{
        int fd = SSL_get_fd(line->ssl);
        int64_t deadline = now_ms() + LINE_LINGER_MS;
        char unread[512];

        (void)SSL_shutdown(line->ssl); /* "that was all"; its answer isn't waited for */
        (void)shutdown(fd, SHUT_WR);
        /* A socket that is closed with unread bytes resets the connection, and what was sent last may be lost. */
        while (tls_wait(fd, POLLIN, deadline) == 0 && recv(fd, unread, sizeof(unread), MSG_DONTWAIT) > 0)
                ;
}
