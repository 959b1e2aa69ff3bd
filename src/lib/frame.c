/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * frame.c - the header of a frame of croft/stream.h, and the encoding of a path.
 */
#include <croft/croft.h>

#include <errno.h>
#include <string.h>

void croft_frame_put(uint8_t header[CROFT_STREAM_HEADER], enum croft_stream_type type, uint32_t body_size)
{
        header[0] = (uint8_t)type;
        header[1] = header[2] = header[3] = 0;
        for (int i = 0; i < 4; i++)
                header[4 + i] = (uint8_t)(body_size >> (24 - 8 * i));
}

int croft_frame_get(
        const uint8_t header[CROFT_STREAM_HEADER], enum croft_stream_type *ret_type, uint32_t *ret_body_size)
{
        uint32_t size = 0;

        for (int i = 0; i < 4; i++)
                size = size << 8 | header[4 + i];
        if (header[0] > CROFT_STREAM_ERROR || header[1] || header[2] || header[3] || size > CROFT_STREAM_BODY_MAX)
                return -EBADMSG;
        *ret_type = (enum croft_stream_type)header[0];
        *ret_body_size = size;
        return 0;
}

static void put(char *buf, size_t size, size_t at, char c)
{
        if (at + 1 < size)
                buf[at] = c;
}

size_t croft_path_escape(char *buf, size_t size, const char *text)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~.";
        static const char hex[] = "0123456789ABCDEF";
        /* A segment "." or ".." would be taken for a step in the tree of paths. */
        int dots = strcmp(text, ".") == 0 || strcmp(text, "..") == 0;
        size_t n = 0;

        for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
                if (strchr(plain, *s) && !(dots && *s == '.')) {
                        put(buf, size, n++, (char)*s);
                        continue;
                }
                put(buf, size, n++, '%');
                put(buf, size, n++, hex[*s >> 4]);
                put(buf, size, n++, hex[*s & 15]);
        }
        if (size > 0)
                buf[n < size ? n : size - 1] = '\0';
        return n;
}
