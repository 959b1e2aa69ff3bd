/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stream.h - our end of a croft/stream.h connection: never blocks, holds a bounded amount in each direction.
 *
 * Input: at most STREAM_INPUT_MAX bytes of a client's input are taken before they have been used; meanwhile the
 * connection isn't read and the client feels it.  Output: the caller asks stream_room() and stops reading its source,
 * or drops the client.
 */
#ifndef CROFT_WARDEN_STREAM_H
#define CROFT_WARDEN_STREAM_H

#include <croft/stream.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_INPUT_MAX 4096

struct stream {
        int fd; /* owned; nonblocking; -EBADF: closed */
        /* The frame under way. */
        uint8_t header[CROFT_STREAM_HEADER];
        uint8_t n_header;
        uint8_t body[4]; /* of a SIZE or SIGNAL frame */
        uint32_t left;   /* bytes of the body that are yet to come */
        /* What was received and not yet used. */
        uint8_t *input; /* allocated while something is in it */
        size_t n_input, used_input;
        bool input_ended;
        bool resized;
        uint16_t rows, columns;
        uint8_t signal; /* 0: none */
        /* What is yet to be sent. */
        uint8_t *output;
        size_t n_output, sent_output, room_output;
};

/* Takes fd over and makes it nonblocking. */
int stream_open(struct stream *s, int fd);
void stream_close(struct stream *s);

/* Reads what there is.  1: something may have come, 0: the client has gone, negative errno: it broke the protocol
 * (-EBADMSG) or failed.  Must not be called while stream_input_pending(). */
int stream_read(struct stream *s);
bool stream_input_pending(const struct stream *s);
/* Writes pending input to fd (nonblocking).  1: all is written, 0: fd would block, negative errno. */
int stream_input_to(struct stream *s, int fd);

/* Bytes that may still be queued before max are. */
size_t stream_room(const struct stream *s, size_t max);
/* Queues data in frames of that type (size 0: one empty frame) and sends what goes.  0 or a negative errno. */
int stream_put(struct stream *s, uint8_t type, const void *data, size_t size);
int stream_put_exit(struct stream *s, uint32_t status);
bool stream_output_pending(const struct stream *s);
/* 1: all is sent, 0: the client doesn't take more now, negative errno: it has gone. */
int stream_flush(struct stream *s);
/* After the last frame: takes what the client sends still, to which it has a right as long as it can't know (it would
 * fail with EPIPE), until it closes, at most two seconds.  Blocks. */
void stream_linger(struct stream *s);

#endif
