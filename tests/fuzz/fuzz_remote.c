/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_remote.c - what another machine sends to croft-remote: frames one after the other, as they come off a line, and
 * the words of a request.  What is taken and written again must be the same bytes, and what is too large is never
 * waited for.
 */
#include "base/str.h"
#include "base/wire.h"
#include "fuzz.h"
#include "remote/allowed.h"
#include "remote/frame.h"

#include <errno.h>
#include <string.h>

static void check_words(const struct frame *frame)
{
        char **words = NULL;
        uint8_t *again = NULL;
        size_t size = 0;

        if (frame_get_words(frame->body, frame->size, &words) < 0)
                return;
        fuzz_require(strv_length(words) > 0 && strv_length(words) <= FRAME_WORDS_MAX);
        if (allowed_command(words))
                fuzz_require(strcmp(words[0], "croft") == 0 && strcmp(words[2], "print") == 0 && words[3][0] != '-');
        fuzz_require(frame_put_words(words, &again, &size) == 0);
        fuzz_require(size == frame->size && memcmp(again, frame->body, size) == 0);
        free(again);
        strv_free(words);
}

static void check_number(const struct frame *frame)
{
        uint32_t value = 0;
        uint8_t body[4];

        fuzz_require(frame_get_number(frame, &value) == 0);
        fuzz_require(frame_put_number(frame->type, value, body) == frame->size);
        fuzz_require(memcmp(body, frame->body, frame->size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct frame frame;
        long taken;

        while ((taken = frame_take(data, size, &frame)) > 0) {
                uint8_t head[FRAME_HEAD];

                fuzz_require((size_t)taken <= size && frame.size + FRAME_HEAD == (size_t)taken);
                fuzz_require(frame.size <= FRAME_BODY_MAX);
                frame_put_head(head, frame.type, frame.size);
                fuzz_require(memcmp(head, data, FRAME_HEAD) == 0);
                if (frame.type == FRAME_REQUEST)
                        check_words(&frame);
                else if (frame.type == FRAME_READY || frame.type == FRAME_END || frame.type == FRAME_REFUSED)
                        check_number(&frame);
                data += taken;
                size -= (size_t)taken;
        }
        fuzz_require(taken == -EBADMSG || (taken == 0 && size < FRAME_HEAD + FRAME_BODY_MAX));
        return 0;
}
