/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_stream.c - what a client of exec or console sends.  The first byte of an input says in what pieces the rest
 * arrives.  However it is cut, what comes out is what a plain decoder, written here once more, finds in the whole.
 */
#include "fuzz.h"
#include "warden/stream.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct outcome {
        uint8_t *input; /* all bodies of STDIN frames */
        size_t n_input;
        bool broken, ended;
        uint16_t rows, columns;
        uint8_t signal;
};

static bool is_allowed(uint8_t type, uint32_t length)
{
        switch (type) {
        case CROFT_STREAM_STDIN:
                return length <= CROFT_STREAM_BODY_MAX;
        case CROFT_STREAM_SIZE:
                return length == 4;
        case CROFT_STREAM_SIGNAL:
                return length == 1;
        default:
                return false;
        }
}

static void note(struct outcome *o, uint8_t type, const uint8_t *body, size_t length, size_t size)
{
        if (type == CROFT_STREAM_STDIN) {
                o->ended = o->ended || length == 0;
                memcpy(o->input + o->n_input, body, size);
                o->n_input += size;
        } else if (size < length) {
                return; /* cut off */
        } else if (type == CROFT_STREAM_SIGNAL) {
                o->signal = body[0];
        } else {
                o->rows = (uint16_t)(body[0] << 8 | body[1]);
                o->columns = (uint16_t)(body[2] << 8 | body[3]);
        }
}

static void decode_whole(const uint8_t *p, size_t size, struct outcome *o)
{
        while (size >= CROFT_STREAM_HEADER) {
                uint32_t length = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
                uint8_t type = p[0];
                size_t n;

                if (p[1] || p[2] || p[3] || !is_allowed(type, length)) {
                        o->broken = true;
                        return;
                }
                p += CROFT_STREAM_HEADER;
                size -= CROFT_STREAM_HEADER;
                n = length < size ? length : size;
                note(o, type, p, length, n);
                p += n;
                size -= n;
        }
}

/* Feeds one piece and lets the input flow out; false: the stream broke. */
static bool feed(struct stream *s, int peer, const uint8_t *p, size_t size, int out)
{
        int r;

        fuzz_require(send(peer, p, size, 0) == (ssize_t)size);
        r = stream_read(s);
        fuzz_require(s->n_input <= STREAM_INPUT_MAX && s->used_input <= s->n_input);
        if (r < 0)
                return false;
        fuzz_require(r == 1);
        if (stream_input_pending(s))
                fuzz_require(stream_input_to(s, out) == 1);
        fuzz_require(!stream_input_pending(s));
        return true;
}

static void check(const struct stream *s, const struct outcome *o, bool broken, int out)
{
        uint8_t *got = malloc(o->n_input + 1);
        ssize_t n = got ? pread(out, got, o->n_input + 1, 0) : -1;

        fuzz_require(broken == o->broken);
        /* what came before the fault in the same piece may be dropped with the client */
        fuzz_require(n >= 0 && (broken ? (size_t)n <= o->n_input : (size_t)n == o->n_input));
        fuzz_require(n <= 0 || memcmp(got, o->input, (size_t)n) == 0);
        fuzz_require(s->signal == o->signal && s->rows == o->rows && s->columns == o->columns);
        fuzz_require(s->input_ended == o->ended);
        free(got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct outcome o = {.input = malloc(size + 1)};
        size_t piece = size > 0 ? (size_t)data[0] + 1 : 1;
        bool broken = false;
        struct stream s;
        int pair[2], out = memfd_create("out", MFD_CLOEXEC);

        fuzz_require(o.input && out >= 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
        fuzz_require(stream_open(&s, pair[0]) == 0);
        decode_whole(data + (size > 0), size - (size > 0), &o);
        for (size_t at = 1; at < size && !broken; at += piece)
                broken = !feed(&s, pair[1], data + at, piece < size - at ? piece : size - at, out);
        check(&s, &o, broken, out);
        stream_close(&s);
        (void)close(pair[1]);
        (void)close(out);
        free(o.input);
        return 0;
}
