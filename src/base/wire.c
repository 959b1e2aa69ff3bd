/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * wire.c - encoding and bounds-checked decoding.  See wire.h.  Invariant of the reader: at <= size.
 */
#include "base/wire.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <endian.h>
#include <string.h>

static void put(struct wire_writer *w, const void *data, size_t size)
{
        if (w->fault)
                return;
        if (w->room - w->used < size) {
                size_t room = (w->used + size) * 2 + 64;
                uint8_t *p = realloc(w->data, room);

                if (!p) {
                        w->fault = -ENOMEM;
                        return;
                }
                w->data = p;
                w->room = room;
        }
        if (size > 0)
                memcpy(w->data + w->used, data, size);
        w->used += size;
}

void wire_put_u8(struct wire_writer *w, uint8_t value)
{
        put(w, &value, sizeof(value));
}

void wire_put_u32(struct wire_writer *w, uint32_t value)
{
        value = htole32(value);
        put(w, &value, sizeof(value));
}

void wire_put_u64(struct wire_writer *w, uint64_t value)
{
        value = htole64(value);
        put(w, &value, sizeof(value));
}

void wire_put_i64(struct wire_writer *w, int64_t value)
{
        wire_put_u64(w, (uint64_t)value);
}

void wire_put_blob(struct wire_writer *w, const void *data, size_t size)
{
        if (size > UINT32_MAX) {
                w->fault = w->fault ? w->fault : -EMSGSIZE;
                return;
        }
        wire_put_u32(w, (uint32_t)size);
        put(w, data, size);
}

void wire_put_string(struct wire_writer *w, const char *s)
{
        s = s ? s : "";
        wire_put_blob(w, s, strlen(s));
}

void wire_put_strv(struct wire_writer *w, char *const *v)
{
        size_t n = strv_length(v);

        wire_put_u32(w, (uint32_t)n);
        for (size_t i = 0; i < n; i++)
                wire_put_string(w, v[i]);
}

void wire_writer_done(struct wire_writer *w)
{
        free(w->data);
        *w = (struct wire_writer)WIRE_WRITER_INIT;
}

void wire_reader_init(struct wire_reader *r, const void *data, size_t size)
{
        *r = (struct wire_reader){.data = data, .size = size};
}

/* The next n bytes, NULL on a fault. */
static const uint8_t *get(struct wire_reader *r, size_t n)
{
        const uint8_t *p;

        if (r->fault)
                return NULL;
        if (r->size - r->at < n) {
                r->fault = -EBADMSG;
                return NULL;
        }
        p = r->data + r->at;
        r->at += n;
        return p;
}

uint8_t wire_get_u8(struct wire_reader *r)
{
        const uint8_t *p = get(r, 1);

        return p ? *p : 0;
}

uint32_t wire_get_u32(struct wire_reader *r)
{
        const uint8_t *p = get(r, sizeof(uint32_t));
        uint32_t value = 0;

        if (p)
                memcpy(&value, p, sizeof(value));
        return le32toh(value);
}

uint64_t wire_get_u64(struct wire_reader *r)
{
        const uint8_t *p = get(r, sizeof(uint64_t));
        uint64_t value = 0;

        if (p)
                memcpy(&value, p, sizeof(value));
        return le64toh(value);
}

int64_t wire_get_i64(struct wire_reader *r)
{
        return (int64_t)wire_get_u64(r);
}

const void *wire_get_bytes(struct wire_reader *r, size_t max, size_t *ret_size)
{
        uint32_t size = wire_get_u32(r);
        const uint8_t *p;

        if (!r->fault && size > max)
                r->fault = -EMSGSIZE;
        p = get(r, size);
        if (p)
                *ret_size = size;
        return p;
}

/* The bytes of a string of at most max bytes; NULL on a fault. */
static const uint8_t *get_string(struct wire_reader *r, size_t max, size_t *ret_size)
{
        size_t size = 0;
        const uint8_t *p = wire_get_bytes(r, max, &size);

        if (p && memchr(p, '\0', size)) {
                r->fault = -EBADMSG;
                return NULL;
        }
        *ret_size = size;
        return p;
}

char *wire_get_string(struct wire_reader *r, size_t max)
{
        size_t size = 0;
        const uint8_t *p = get_string(r, max, &size);
        char *s;

        if (!p)
                return NULL;
        s = strndup((const char *)p, size);
        if (!s)
                r->fault = -ENOMEM;
        return s;
}

void wire_get_text(struct wire_reader *r, char *dst, size_t size)
{
        size_t length = 0;
        const uint8_t *p = get_string(r, size - 1, &length);

        if (p)
                memcpy(dst, p, length);
        dst[p ? length : 0] = '\0';
}

char **wire_get_strv(struct wire_reader *r, size_t max_count, size_t max)
{
        _cleanup_(strv_freep) char **v = NULL;
        uint32_t n = wire_get_u32(r);

        /* Each element takes 4 bytes at least: a count that the message can't hold allocates nothing. */
        if (!r->fault && (n > max_count || n > (r->size - r->at) / sizeof(uint32_t)))
                r->fault = n > max_count ? -EMSGSIZE : -EBADMSG;
        if (r->fault)
                return NULL;
        v = calloc((size_t)n + 1, sizeof(*v));
        if (!v) {
                r->fault = -ENOMEM;
                return NULL;
        }
        for (uint32_t i = 0; i < n; i++) {
                v[i] = wire_get_string(r, max);
                if (!v[i])
                        return NULL;
        }
        return TAKE(v);
}

int wire_reader_end(const struct wire_reader *r)
{
        if (r->fault)
                return r->fault;
        return r->at == r->size ? 0 : -EBADMSG;
}
