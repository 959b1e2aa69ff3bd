/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sealed.c - see sealed.h.
 */
#include "kernel/sealed.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define CHUNK 32768 /* on the stack */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int sealed_new(const char *name, struct croft_error *err)
{
        int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

        return fd < 0 ? croft_error_set(err, errno, "make a memory file") : fd;
}

int sealed_seal(int memfd, struct croft_error *err)
{
        int r = fd_seal(memfd);

        return r < 0 ? croft_error_set(err, r, "seal the copy") : 0;
}

bool sealed_is(int fd)
{
        int seals = fcntl(fd, F_GET_SEALS);

        return seals >= 0 && (seals & SEALS) == SEALS;
}

static ssize_t read_some(int fd, void *buf, uint64_t at)
{
        ssize_t n;

        do
                n = pread(fd, buf, CHUNK, (off_t)at);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
        return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
               a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
               a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int check_file(const struct stat *st, uint64_t max, struct croft_error *err)
{
        if (!S_ISREG(st->st_mode))
                return croft_error_set(err, EINVAL, "it is no regular file.");
        if ((uint64_t)st->st_size > max)
                return croft_error_set(
                        err, EFBIG, "it is larger than the %ju MiB that an extension may have.", (uintmax_t)max >> 20);
        return 0;
}

int sealed_copy(int from, int to, uint64_t max, struct croft_error *err)
{
        char buf[CHUNK];
        struct stat before, after;
        uint64_t size = 0;
        ssize_t n;
        int r;

        if (fstat(from, &before) < 0)
                return croft_error_set(err, errno, "look at it");
        r = check_file(&before, max, err);
        if (r < 0)
                return r;
        while ((n = read_some(from, buf, size)) > 0) {
                size += (uint64_t)n;
                if (size > (uint64_t)before.st_size) /* and so never beyond the limit */
                        break;
                r = fd_write_all(to, buf, (size_t)n);
                if (r < 0)
                        return croft_error_set(err, r, "copy it");
        }
        if (n < 0)
                return croft_error_set(err, (int)n, "read it");
        if (fstat(from, &after) < 0)
                return croft_error_set(err, errno, "look at it");
        if (size != (uint64_t)before.st_size || !is_same(&before, &after))
                return croft_error_set(err, EAGAIN, "it changes while it is read.");
        return 0;
}
