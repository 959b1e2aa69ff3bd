/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ring.c - the console log.  See ring.h.
 *
 * pwrite, no mapping: a mapping would turn a full disk into SIGBUS, and count as the warden's memory.
 */
#include "partition/ring.h"

#include "base/cleanup.h"

#include <endian.h>
#include <string.h>

#define DATA_AT 64 /* offset of the data */

struct header {
        uint8_t magic[8];
        uint32_t size;
        uint32_t zero;
        uint64_t written;
};
_Static_assert(RING_SIZE_MAX + DATA_AT <= RING_FILE_MAX, "no log is larger than it may be");
_Static_assert(sizeof(struct header) == 24, "the header is an on-disk format");

static const uint8_t magic[8] = {'c', 'r', 'o', 'f', 't', 'l', 'o', 'g'};

static int write_at(int fd, const void *data, size_t size, off_t at)
{
        const uint8_t *p = data;

        while (size > 0) {
                ssize_t n = pwrite(fd, p, size, at);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                p += n;
                at += n;
                size -= (size_t)n;
        }
        return 0;
}

/* Reads up to size bytes; what is missing at the end (a short file) is zero. */
static int read_at(int fd, void *data, size_t size, off_t at)
{
        uint8_t *p = data;

        memset(data, 0, size);
        while (size > 0) {
                ssize_t n = pread(fd, p, size, at);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                p += n;
                at += n;
                size -= (size_t)n;
        }
        return 0;
}

/* 1: a sound header, 0: none. */
static int read_header(int fd, uint32_t *ret_size, uint64_t *ret_written)
{
        struct header h;
        int r = read_at(fd, &h, sizeof(h), 0);

        if (r < 0)
                return r;
        h.size = le32toh(h.size);
        h.written = le64toh(h.written);
        if (memcmp(h.magic, magic, sizeof(magic)) != 0 || h.zero != 0 || h.size == 0 || h.size > RING_SIZE_MAX)
                return 0;
        *ret_size = h.size;
        *ret_written = h.written;
        return 1;
}

static int write_header(const struct ring *r)
{
        struct header h = {.size = htole32(r->size), .written = htole64(r->written)};

        memcpy(h.magic, magic, sizeof(magic));
        return write_at(r->fd, &h, sizeof(h), 0);
}

int ring_open(struct ring *r, int fd, uint32_t size)
{
        struct ring ring = {.fd = fd, .size = size};
        int result;

        if (size == 0 || size > RING_SIZE_MAX)
                return -EINVAL;
        result = read_header(fd, &ring.size, &ring.written);
        if (result == 0) {
                ring.size = size;
                ring.written = 0;
                result = write_header(&ring);
        }
        if (result < 0)
                return result;
        *r = ring;
        return 0;
}

int ring_write(struct ring *r, const void *data, size_t size)
{
        const uint8_t *p = data;
        int result;

        if (r->fd < 0 || size == 0)
                return 0;
        if (size > r->size) {
                p += size - r->size;
                r->written += size - r->size;
                size = r->size;
        }
        while (size > 0) {
                uint32_t at = (uint32_t)(r->written % r->size);
                size_t part = size < r->size - at ? size : r->size - at;

                result = write_at(r->fd, p, part, DATA_AT + (off_t)at);
                if (result < 0)
                        return result;
                r->written += part;
                p += part;
                size -= part;
        }
        return write_header(r);
}

int ring_copy(int fd, uint8_t **ret, size_t *ret_size)
{
        _cleanup_free_ uint8_t *copy = NULL;
        uint64_t written;
        uint32_t size, at;
        size_t used;
        int r;

        *ret = NULL;
        *ret_size = 0;
        r = read_header(fd, &size, &written);
        if (r <= 0 || written == 0)
                return r < 0 ? r : 0;
        used = written < size ? (size_t)written : size;
        at = written < size ? 0 : (uint32_t)(written % size);
        copy = malloc(used);
        if (!copy)
                return -ENOMEM;
        r = read_at(fd, copy, used - at, DATA_AT + (off_t)at);
        if (r == 0 && at > 0)
                r = read_at(fd, copy + used - at, at, DATA_AT);
        if (r < 0)
                return r;
        *ret = TAKE(copy);
        *ret_size = used;
        return 0;
}
