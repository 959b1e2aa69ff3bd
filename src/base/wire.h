/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * wire.h - encoding and bounds-checked decoding of messages between croftd and its wardens.
 *
 * A message is a sequence of fields without tags, in an order that both sides know: integers in little endian, strings
 * and blobs as a u32 length and the bytes (strings without NUL inside or at the end), lists as a u32 count and the
 * elements.  Reader and writer are sticky: after the first fault every call is a no-op, and only the end needs a check.
 */
#ifndef CROFT_BASE_WIRE_H
#define CROFT_BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_writer {
        uint8_t *data; /* owned; wire_writer_done() frees it */
        size_t used, room;
        int fault; /* 0 or a negative errno */
};

#define WIRE_WRITER_INIT                                                                                               \
        {                                                                                                              \
                .data = NULL                                                                                           \
        }

void wire_put_u8(struct wire_writer *w, uint8_t value);
void wire_put_u32(struct wire_writer *w, uint32_t value);
void wire_put_u64(struct wire_writer *w, uint64_t value);
void wire_put_i64(struct wire_writer *w, int64_t value);
/* NULL is written as the empty string. */
void wire_put_string(struct wire_writer *w, const char *s);
void wire_put_strv(struct wire_writer *w, char *const *v);
void wire_put_blob(struct wire_writer *w, const void *data, size_t size);
void wire_writer_done(struct wire_writer *w);

struct wire_reader {
        const uint8_t *data; /* borrowed */
        size_t size, at;
        int fault; /* 0 or a negative errno: -EBADMSG malformed, -EMSGSIZE over a bound, -ENOMEM */
};

void wire_reader_init(struct wire_reader *r, const void *data, size_t size);
uint8_t wire_get_u8(struct wire_reader *r);
uint32_t wire_get_u32(struct wire_reader *r);
uint64_t wire_get_u64(struct wire_reader *r);
int64_t wire_get_i64(struct wire_reader *r);
/* A new string of at most max bytes (caller frees), NULL on a fault or when a NUL is inside. */
char *wire_get_string(struct wire_reader *r, size_t max);
/* A new NULL-ended vector of at most max_count strings of at most max bytes each, NULL on a fault. */
char **wire_get_strv(struct wire_reader *r, size_t max_count, size_t max);
/* The bytes of a string or blob of at most max bytes, borrowed from the message; NULL on a fault.  NUL bytes pass. */
const void *wire_get_bytes(struct wire_reader *r, size_t max, size_t *ret_size);
/* Copies a string of fewer than size bytes into dst; "" on a fault. */
void wire_get_text(struct wire_reader *r, char *dst, size_t size);
/* 0 when everything was read without fault and nothing is left over, else a negative errno. */
int wire_reader_end(const struct wire_reader *r);

#endif
