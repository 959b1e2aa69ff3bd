/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * frame.c - encoding and bounds-checked decoding of frames.  See frame.h.  Pure functions.
 */
#include "remote/frame.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "base/wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* How large a body of each type may be. */
static const struct {
        uint32_t min, max;
} bounds[] = {
        [FRAME_READY] = {4, 4},
        [FRAME_REQUEST] = {1, FRAME_REQUEST_MAX},
        [FRAME_DATA] = {1, FRAME_BODY_MAX},
        [FRAME_END] = {1, 1},
        [FRAME_REFUSED] = {1, 1},
        [FRAME_ALIVE] = {0, 0},
};

long frame_take(const uint8_t *data, size_t size, struct frame *ret)
{
        struct wire_reader r;
        uint8_t type;
        uint32_t body;

        if (size > 0 && (data[0] < FRAME_READY || data[0] >= ELEMENTS(bounds)))
                return -EBADMSG; /* at once: whoever speaks something else isn't waited for */
        if (size < FRAME_HEAD)
                return 0;
        wire_reader_init(&r, data, FRAME_HEAD);
        type = wire_get_u8(&r);
        body = wire_get_u32(&r);
        if (body < bounds[type].min || body > bounds[type].max)
                return -EBADMSG;
        if (size - FRAME_HEAD < body)
                return 0;
        *ret = (struct frame){.type = (enum frame_type)type, .body = data + FRAME_HEAD, .size = body};
        return (long)(FRAME_HEAD + body);
}

void frame_put_head(uint8_t head[FRAME_HEAD], enum frame_type type, size_t size)
{
        head[0] = (uint8_t)type;
        for (unsigned int i = 0; i < 4; i++)
                head[1 + i] = (uint8_t)(size >> 8 * i);
}

int frame_get_number(const struct frame *frame, uint32_t *ret)
{
        struct wire_reader r;
        uint32_t value;

        wire_reader_init(&r, frame->body, frame->size);
        value = frame->type == FRAME_READY ? wire_get_u32(&r) : wire_get_u8(&r);
        if (wire_reader_end(&r) < 0)
                return -EBADMSG;
        *ret = value;
        return 0;
}

size_t frame_put_number(enum frame_type type, uint32_t value, uint8_t body[4])
{
        for (unsigned int i = 0; i < 4; i++)
                body[i] = (uint8_t)(value >> 8 * i);
        return bounds[type].max;
}

int frame_get_words(const uint8_t *body, size_t size, char ***ret)
{
        struct wire_reader r;
        char **words;

        if (size > FRAME_REQUEST_MAX)
                return -EBADMSG;
        wire_reader_init(&r, body, size);
        words = wire_get_strv(&r, FRAME_WORDS_MAX, FRAME_WORD_MAX);
        if (wire_reader_end(&r) < 0 || strv_length(words) == 0) {
                strv_free(words);
                return r.fault == -ENOMEM ? -ENOMEM : -EBADMSG;
        }
        *ret = words;
        return 0;
}

int frame_put_words(char *const *words, uint8_t **ret, size_t *ret_size)
{
        struct wire_writer w = WIRE_WRITER_INIT;
        bool fits = strv_length(words) > 0 && strv_length(words) <= FRAME_WORDS_MAX;

        for (size_t i = 0; fits && words[i]; i++)
                fits = strlen(words[i]) <= FRAME_WORD_MAX;
        if (fits)
                wire_put_strv(&w, words);
        if (!fits || w.fault || w.used > FRAME_REQUEST_MAX) {
                int r = fits && w.fault ? w.fault : -E2BIG;

                wire_writer_done(&w);
                return r;
        }
        *ret = w.data;
        *ret_size = w.used;
        return 0;
}
