/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * line.h - frames over a TLS session: what comes, one at a time, and what goes, all of it or an error.
 *
 * The socket is nonblocking.  line_take() never waits; the others wait until they are told.
 */
#ifndef CROFT_REMOTE_LINE_H
#define CROFT_REMOTE_LINE_H

#include "remote/frame.h"
#include "remote/tls.h"

/* How a line lives: a sign of life this often, given up after this long without one; each write, and each answer in the
 * beginning, within that time. */
#define LINE_ALIVE_MS 3000
#define LINE_DEAD_MS 9000
#define LINE_PATIENCE_MS 10000
#define LINE_LINGER_MS 2000 /* for the other side to read the end */

struct line {
        SSL *ssl;        /* borrowed */
        const char *who; /* the other side, for errors; borrowed */
        uint8_t in[FRAME_HEAD + FRAME_BODY_MAX];
        size_t used, taken; /* of in[]: bytes there, and those of the frame that was handed out last */
        int64_t heard_ms, said_ms;
};

void line_init(struct line *line, SSL *ssl, const char *who);

/* The next frame; its body holds until the next call.  1; 0: not yet, poll the socket for input; -ENOTCONN: the other
 * side ended the line in order; -EBADMSG; other errors of TLS. */
int line_take(struct line *line, struct frame *ret, struct croft_error *err);
/* Waits for it.  0 or a negative errno: -ETIMEDOUT. */
int line_wait(struct line *line, int64_t deadline_ms, struct frame *ret, struct croft_error *err);
/* Sends a frame within LINE_PATIENCE_MS. */
int line_put(struct line *line, enum frame_type type, const void *body, size_t size, struct croft_error *err);
int line_put_number(struct line *line, enum frame_type type, uint32_t value, struct croft_error *err);

/* Sends a sign of life when it is time for one; -ETIMEDOUT: there was none for too long. */
int line_keep(struct line *line, struct croft_error *err);
/* How long one may wait before line_keep() is due. */
int line_timeout_ms(const struct line *line);
/* Ends the line in order: what was sent still arrives. */
void line_end(struct line *line);

#endif
