/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * frame.h - what croft-remote says to croft-remote of another machine, inside TLS 1.3 with a certificate on each side.
 *
 * A frame is one byte for its type, the size of its body in 4 bytes, little-endian, and the body.  The machine that
 * serves speaks first, so that a certificate that it refuses is told before anything is asked (with TLS 1.3 a client
 * has ended its handshake by then):
 *
 *      serves                          connects
 *      READY version | REFUSED why
 *                                      REQUEST words
 *      DATA bytes ... | REFUSED why
 *      END status
 *      ALIVE, now and then             ALIVE, now and then
 *
 * Fields inside bodies are those of base/wire.h.  What comes is hostile until it is decoded here: a frame that is too
 * large for its type, that isn't known, or whose body doesn't end where its fields do is -EBADMSG and ends the line.
 */
#ifndef CROFT_REMOTE_FRAME_H
#define CROFT_REMOTE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_VERSION 1
#define FRAME_HEAD 5
#define FRAME_BODY_MAX 16384   /* of DATA; the others have less */
#define FRAME_REQUEST_MAX 2048 /* bytes of a request's body */
#define FRAME_WORDS_MAX 16     /* words of a request */
#define FRAME_WORD_MAX 256     /* bytes of a word */

enum frame_type {
        FRAME_READY = 1,   /* u32: FRAME_VERSION */
        FRAME_REQUEST = 2, /* strv: a command, word by word; never a line for a shell */
        FRAME_DATA = 3,    /* what the command wrote on its standard output; at least one byte */
        FRAME_END = 4,     /* u8: its status, as a shell has it */
        FRAME_REFUSED = 5, /* u8: enum frame_refusal */
        FRAME_ALIVE = 6,   /* nothing */
};

enum frame_refusal {
        FRAME_REFUSED_NAME = 1,    /* the certificate has no name that is allowed here */
        FRAME_REFUSED_BUSY = 2,    /* as many lines as there may be */
        FRAME_REFUSED_COMMAND = 3, /* not one that another machine may run */
        FRAME_REFUSED_FAILED = 4,  /* it couldn't be run; the log there says why */
};

struct frame {
        enum frame_type type;
        const uint8_t *body; /* borrowed from the bytes it was taken from */
        size_t size;
};

/* The frame at the beginning of data.  Its whole size; 0: more bytes are needed; -EBADMSG: there will be none. */
long frame_take(const uint8_t *data, size_t size, struct frame *ret);
/* Writes the head of a frame whose body has that size. */
void frame_put_head(uint8_t head[FRAME_HEAD], enum frame_type type, size_t size);

/* The number in a READY, END or REFUSED.  0 or -EBADMSG. */
int frame_get_number(const struct frame *frame, uint32_t *ret);
/* The same for writing; body has room for 4 bytes.  Returns the size. */
size_t frame_put_number(enum frame_type type, uint32_t value, uint8_t body[4]);

/* The words of the body of a REQUEST: a new vector (strv_free()) of 1 to FRAME_WORDS_MAX.  0, -EBADMSG or -ENOMEM. */
int frame_get_words(const uint8_t *body, size_t size, char ***ret);
/* A new body of *ret_size bytes (caller frees).  0, -E2BIG (more than a request may have) or -ENOMEM. */
int frame_put_words(char *const *words, uint8_t **ret, size_t *ret_size);

#endif
