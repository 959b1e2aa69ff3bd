/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * decode_unpack.c - decompression by libarchive, bounded.  See decode.h.
 */
#include "kext/decode.h"

#include "base/cleanup.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#define FIRST_ROOM ((size_t)1 << 16)

static const struct {
        unsigned char magic[6];
        size_t size;
        int (*support)(struct archive *a);
} packers[] = {
        {{0x1f, 0x8b}, 2, archive_read_support_filter_gzip},
        {{0xfd, '7', 'z', 'X', 'Z', 0}, 6, archive_read_support_filter_xz},
        {{0x28, 0xb5, 0x2f, 0xfd}, 4, archive_read_support_filter_zstd},
};

static void archive_freep(struct archive **a)
{
        (void)archive_read_free(*a);
}

static int damaged(struct croft_error *err)
{
        return croft_error_set(err, ENOEXEC, "it can't be decompressed.");
}

/* Room for more; -EFBIG: there is no more to be had. */
static int grow(char **buf, size_t *room, struct croft_error *err)
{
        size_t more = *room ? 2 * *room : FIRST_ROOM;
        char *p;

        if (*room == KEXT_PLAIN_MAX)
                return croft_error_set(err, EFBIG, "decompressed it has more than %zu MiB.", KEXT_PLAIN_MAX >> 20);
        if (more > KEXT_PLAIN_MAX)
                more = KEXT_PLAIN_MAX;
        p = realloc(*buf, more);
        if (!p)
                return croft_error_set(err, ENOMEM, "decompress it");
        *buf = p;
        *room = more;
        return 0;
}

static int unpack(struct archive *a, void **ret, size_t *ret_size, struct croft_error *err)
{
        _cleanup_free_ char *buf = NULL;
        struct archive_entry *entry;
        size_t used = 0, room = 0;
        la_ssize_t n = 1;

        /* What only begins so isn't taken for packed by libarchive: it would hand it on as it is. */
        if (archive_read_next_header(a, &entry) != ARCHIVE_OK || archive_filter_code(a, 0) == ARCHIVE_FILTER_NONE)
                return damaged(err);
        while (n > 0) {
                int r = used == room ? grow(&buf, &room, err) : 0;

                if (r < 0)
                        return r;
                n = archive_read_data(a, buf + used, room - used);
                if (n < 0)
                        return damaged(err);
                used += (size_t)n;
        }
        *ret = TAKE(buf);
        *ret_size = used;
        return 0;
}

int decode_unpack(const void *data, size_t size, void **ret, size_t *ret_size, struct croft_error *err)
{
        _cleanup_(archive_freep) struct archive *a = NULL;

        for (size_t i = 0; i < ELEMENTS(packers); i++) {
                if (size < packers[i].size || memcmp(data, packers[i].magic, packers[i].size) != 0)
                        continue;
                a = archive_read_new();
                if (!a)
                        return croft_error_set(err, ENOMEM, "decompress it");
                if (packers[i].support(a) != ARCHIVE_OK || archive_read_support_format_raw(a) != ARCHIVE_OK ||
                        archive_read_open_memory(a, data, size) != ARCHIVE_OK)
                        return damaged(err);
                return unpack(a, ret, ret_size, err);
        }
        *ret = NULL;
        return 0;
}
