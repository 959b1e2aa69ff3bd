/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * unpack.c - reads a tar archive of any compression with libarchive, entry by entry, into a sink.
 *
 * Two readers, one behind the other: the first only undoes the compression, so that what comes out of it can be
 * counted (a bomb is refused) and followed to its end (a cut archive is noticed); the second knows tar and nothing
 * else.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "image/sink.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK 65536
#define BLOCK 512 /* of tar: at least one of zeros ends every archive */

struct stream {
        struct archive *raw; /* undoes the compression */
        int fd;
        unsigned char packed[CHUNK]; /* what is read from fd */
        unsigned char tail[8];       /* its last bytes: sum and length at the end of a gzip file */
        uint32_t crc;                /* of what comes out, if that is gzip */
        bool gzip;
        uint64_t read, max;
        bool ended, ends_in_zeros;
        struct croft_error fault;
        char buf[CHUNK];
};

static void archive_freep(struct archive **a)
{
        if (*a)
                (void)archive_read_free(*a);
}

static int bad_archive(struct croft_error *err, struct archive *a, const char *what)
{
        const char *why = archive_error_string(a);
        char quoted[256];

        if (archive_errno(a) == ENOMEM)
                return croft_error_set(err, ENOMEM, "%s", what);
        why = why ? why : "it is damaged";
        return croft_error_set(
                err, EILSEQ, "%s: %s.", what, str_escape(quoted, sizeof(quoted), why, strnlen(why, sizeof(quoted))));
}

/* Remembers whether the stream's last block so far is all zeros; chunks are cut anywhere, so bytes are counted. */
static void watch_end(struct stream *stream, size_t size)
{
        static const char zeros[BLOCK];
        size_t tail = size < BLOCK ? size : BLOCK;

        stream->ends_in_zeros =
                memcmp(stream->buf + size - tail, zeros, tail) == 0 && (tail == BLOCK || stream->ends_in_zeros);
}

/* CRC-32 of gzip (RFC 1952). */
static uint32_t add_crc(uint32_t crc, const char *data, size_t size)
{
        static uint32_t table[256];

        for (uint32_t i = 0; !table[255] && i < 256; i++) {
                uint32_t c = i;

                for (int bit = 0; bit < 8; bit++)
                        c = c & 1 ? 0xEDB88320U ^ (c >> 1) : c >> 1;
                table[i] = c;
        }
        crc = ~crc;
        for (size_t i = 0; i < size; i++)
                crc = table[(crc ^ (unsigned char)data[i]) & 0xFF] ^ (crc >> 8);
        return ~crc;
}

static uint32_t little_endian(const unsigned char *p)
{
        return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* libarchive doesn't look at gzip's sum.  A file of several members has the sum of the last only: it is left alone. */
static bool has_bad_sum(const struct stream *stream)
{
        return stream->gzip && little_endian(stream->tail + 4) == (uint32_t)stream->read &&
               little_endian(stream->tail) != stream->crc;
}

static la_ssize_t read_packed(struct archive *a, void *data, const void **ret)
{
        struct stream *stream = data;
        ssize_t n;

        do
                n = read(stream->fd, stream->packed, sizeof(stream->packed));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                archive_set_error(a, errno, "can't be read");
        for (ssize_t i = n < 8 ? 0 : n - 8; i < n; i++) {
                memmove(stream->tail, stream->tail + 1, sizeof(stream->tail) - 1);
                stream->tail[7] = stream->packed[i];
        }
        *ret = stream->packed;
        return n;
}

/* Fills buf as far as the stream goes; 0: its end; -1: fault is set. */
static la_ssize_t read_stream(struct stream *stream)
{
        size_t used = 0;

        while (!stream->ended && used < CHUNK) {
                la_ssize_t n = archive_read_data(stream->raw, stream->buf + used, CHUNK - used);

                if (n < 0) {
                        (void)bad_archive(&stream->fault, stream->raw, "unpack the archive");
                        return -1;
                }
                stream->ended = n == 0;
                used += (size_t)n;
        }
        stream->read += used;
        if (stream->read > stream->max) {
                (void)croft_error_set(&stream->fault, EILSEQ, "the archive unpacks to more than an image may have.");
                return -1;
        }
        if (used > 0)
                watch_end(stream, used);
        if (stream->gzip)
                stream->crc = add_crc(stream->crc, stream->buf, used);
        return (la_ssize_t)used;
}

static la_ssize_t read_callback(struct archive *a, void *data, const void **ret)
{
        struct stream *stream = data;
        la_ssize_t n = read_stream(stream);

        *ret = stream->buf;
        if (n < 0)
                archive_set_error(a, EILSEQ, "unreadable");
        return n;
}

static int open_raw(struct stream *stream, struct croft_error *err)
{
        struct archive_entry *entry;
        int r;

        stream->raw = archive_read_new();
        if (!stream->raw)
                return croft_error_set(err, ENOMEM, "read the archive");
        /* Those that libarchive does itself: it would start programs for others. */
        (void)archive_read_support_filter_gzip(stream->raw);
        (void)archive_read_support_filter_bzip2(stream->raw);
        (void)archive_read_support_filter_xz(stream->raw);
        (void)archive_read_support_filter_lzma(stream->raw);
        (void)archive_read_support_filter_zstd(stream->raw);
        (void)archive_read_support_filter_lz4(stream->raw);
        (void)archive_read_support_format_raw(stream->raw);
        if (archive_read_open(stream->raw, stream, NULL, read_packed, NULL) != ARCHIVE_OK)
                return bad_archive(err, stream->raw, "read the archive");
        r = archive_read_next_header(stream->raw, &entry);
        if (r == ARCHIVE_EOF)
                return croft_error_set(err, EILSEQ, "the archive is empty.");
        stream->gzip = archive_filter_code(stream->raw, 0) == ARCHIVE_FILTER_GZIP;
        return r == ARCHIVE_OK || r == ARCHIVE_WARN ? 0 : bad_archive(err, stream->raw, "read the archive");
}

static int read_item(struct archive_entry *entry, struct item *item, struct croft_error *err)
{
        const char *name = archive_entry_pathname(entry), *why;

        if (!name)
                name = archive_entry_pathname_utf8(entry);
        if (!name)
                return croft_error_set(err, EILSEQ, "an entry has a name that can't be read.");
        why = entry_name(name, item->name);
        if (why)
                return sink_refuse(err, name, why);
        item->mode = archive_entry_mode(entry);
        item->uid = (uint64_t)archive_entry_uid(entry);
        item->gid = (uint64_t)archive_entry_gid(entry);
        item->mtime =
                (struct timespec){.tv_sec = archive_entry_mtime(entry), .tv_nsec = archive_entry_mtime_nsec(entry)};
        if (item->mtime.tv_nsec < 0 || item->mtime.tv_nsec > 999999999)
                item->mtime.tv_nsec = 0;
        if (archive_entry_size(entry) < 0)
                return sink_refuse(err, item->name, "has a negative size");
        item->size = (uint64_t)archive_entry_size(entry);
        return 0;
}

static int put_xattrs(struct archive_entry *entry, int fd, const struct item *item, struct croft_error *err)
{
        const char *name;
        const void *value;
        size_t size;
        int r = 0;

        (void)archive_entry_xattr_reset(entry);
        while (r == 0 && archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
                if (name)
                        r = sink_xattr(fd, item, name, value, size, err);
        return r;
}

static int put_data(struct sink *s, struct archive *a, int fd, const struct item *item, struct croft_error *err)
{
        const void *data;
        la_int64_t offset;
        size_t size;
        int r;

        while ((r = archive_read_data_block(a, &data, &size, &offset)) == ARCHIVE_OK) {
                r = sink_write(s, fd, item, (uint64_t)offset, data, size, err);
                if (r < 0)
                        return r;
        }
        return r == ARCHIVE_EOF ? 0 : bad_archive(err, a, "read the archive");
}

static int put_file(struct sink *s, struct archive *a, struct archive_entry *entry, const struct item *item,
        struct croft_error *err)
{
        _cleanup_close_ int fd = sink_file(s, item, err);
        int r;

        if (fd < 0)
                return fd;
        r = put_data(s, a, fd, item, err);
        if (r == 0)
                r = sink_file_end(s, fd, item, err);
        /* After the owner: fchown takes capabilities away. */
        return r < 0 ? r : put_xattrs(entry, fd, item, err);
}

static int put_folder(struct sink *s, struct archive_entry *entry, const struct item *item, struct croft_error *err)
{
        _cleanup_close_ int fd = -EBADF;
        int r = sink_folder(s, item, err);

        if (r < 0 || archive_entry_xattr_count(entry) == 0)
                return r;
        fd = sink_open_folder(s, item->name);
        return fd < 0 ? sink_fail(err, fd, "open", item->name) : put_xattrs(entry, fd, item, err);
}

static int put_entry(struct sink *s, struct archive *a, struct archive_entry *entry, const struct item *item,
        struct croft_error *err)
{
        const char *target = archive_entry_hardlink(entry);

        if (target || archive_entry_hardlink_utf8(entry))
                return target ? sink_hard_link(s, item, target, err)
                              : sink_refuse(err, item->name, "is a hard link to a name that can't be read");
        switch (item->mode & S_IFMT) {
        case S_IFREG:
                return put_file(s, a, entry, item, err);
        case S_IFDIR:
                return put_folder(s, entry, item, err);
        case S_IFLNK:
                target = archive_entry_symlink(entry);
                return sink_symlink(s, item, target ? target : "", err);
        default:
                return sink_special(s, item, err);
        }
}

static int use_entry(
        struct sink *s, struct archive *a, struct archive_entry *entry, enum unpack_pass pass, struct croft_error *err)
{
        struct item item = {0};
        char folder[ENTRY_NAME_MAX];
        int r = read_item(entry, &item, err);

        if (r < 0)
                return r;
        if (pass == UNPACK_WHITEOUTS)
                return sink_whiteout(s, item.name, err);
        if (pass == UNPACK_LAYER && str_has_prefix(entry_base(item.name, folder), ".wh."))
                return 0;
        if (archive_entry_hardlink(entry))
                item.size = 0; /* the file it links to was counted */
        r = sink_admit(s, &item, err);
        return r < 0 ? r : put_entry(s, a, entry, &item, err);
}

static int read_entries(
        struct sink *s, struct archive *a, struct stream *stream, enum unpack_pass pass, struct croft_error *err)
{
        struct archive_entry *entry;
        int r = 0, n = 0;

        while (r == 0) {
                int got = archive_read_next_header(a, &entry);

                if (got == ARCHIVE_EOF)
                        break;
                if (stream->fault.code)
                        return croft_error_copy(err, &stream->fault);
                if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
                        return bad_archive(err, a, n ? "read the archive" : "read the archive (is it a tar?)");
                r = use_entry(s, a, entry, pass, err);
                n++;
        }
        if (r < 0 && stream->fault.code)
                return croft_error_copy(err, &stream->fault);
        if (r == 0 && n == 0)
                return croft_error_set(err, EILSEQ, "the archive holds nothing.");
        return r;
}

/* To the very end: checksums of the compression stand there, and so does the tar's own end. */
static int drain(struct stream *stream, struct croft_error *err)
{
        la_ssize_t n;

        while ((n = read_stream(stream)) > 0)
                ;
        if (n < 0)
                return croft_error_copy(err, &stream->fault);
        if (has_bad_sum(stream))
                return croft_error_set(err, EILSEQ, "the archive is damaged: its gzip checksum is wrong.");
        if (!stream->ends_in_zeros)
                return croft_error_set(err, EILSEQ, "the archive is cut off, or something follows it.");
        return 0;
}

int unpack_archive(struct sink *s, int fd, enum unpack_pass pass, struct croft_error *err)
{
        _cleanup_free_ struct stream *stream = calloc(1, sizeof(*stream));
        _cleanup_(archive_freep) struct archive *raw = NULL, *a = archive_read_new();
        int r;

        if (!stream || !a)
                return croft_error_set(err, ENOMEM, "read the archive");
        stream->fd = fd;
        stream->max = s->max_bytes + s->max_entries * 4096;
        r = open_raw(stream, err);
        raw = stream->raw;
        if (r < 0)
                return r;
        (void)archive_read_support_format_tar(a);
        if (archive_read_open(a, stream, NULL, read_callback, NULL) != ARCHIVE_OK)
                return stream->fault.code ? croft_error_copy(err, &stream->fault)
                                          : bad_archive(err, a, "read the archive (is it a tar?)");
        r = read_entries(s, a, stream, pass, err);
        return r < 0 ? r : drain(stream, err);
}
