/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bytes.c - files into sealed memory, and their hashes.  See kext.h.
 *
 * Invariant: nothing is judged that anybody can still change.
 */
#include "kext/bytes.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "kext/kext.h"

#include <openssl/evp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define CHUNK 131072
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int kext_seal(int memfd, struct croft_error *err)
{
        if (fcntl(memfd, F_ADD_SEALS, SEALS) < 0)
                return croft_error_set(err, errno, "seal the copy");
        return 0;
}

static ssize_t read_some(int fd, void *buf, size_t size)
{
        ssize_t n;

        do
                n = read(fd, buf, size);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
        return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
               a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
               a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int check_file(const struct stat *st, struct croft_error *err)
{
        if (!S_ISREG(st->st_mode))
                return croft_error_set(err, EINVAL, "it is no regular file.");
        if ((uint64_t)st->st_size > KEXT_FILE_MAX)
                return croft_error_set(err, EFBIG, "it is larger than the %ju MiB that an extension may have.",
                        (uintmax_t)KEXT_FILE_MAX >> 20);
        return 0;
}

int bytes_copy(int from, int to, struct croft_error *err)
{
        _cleanup_free_ char *buf = malloc(CHUNK);
        struct stat before, after;
        uint64_t size = 0;
        ssize_t n;
        int r;

        if (!buf)
                return croft_error_set(err, ENOMEM, "copy it");
        if (fstat(from, &before) < 0)
                return croft_error_set(err, errno, "look at it");
        r = check_file(&before, err);
        if (r < 0)
                return r;
        while ((n = read_some(from, buf, CHUNK)) > 0) {
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

int bytes_memfd(struct croft_error *err)
{
        int fd = memfd_create("croft-kext", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        return fd < 0 ? croft_error_set(err, errno, "make a memory file") : fd;
}

int kext_read_sealed(int from, struct croft_error *err)
{
        _cleanup_close_ int memfd = bytes_memfd(err);
        int r;

        if (memfd < 0)
                return memfd;
        r = bytes_copy(from, memfd, err);
        if (r == 0)
                r = kext_seal(memfd, err);
        return r < 0 ? r : TAKE_FD(memfd);
}

void bytes_hex(const unsigned char *bytes, size_t n, char *hex)
{
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < n; i++) {
                hex[2 * i] = digits[bytes[i] >> 4];
                hex[2 * i + 1] = digits[bytes[i] & 15];
        }
        hex[2 * n] = '\0';
}

int bytes_hash(int fd, char sha256[KEXT_SHA256_LENGTH + 1], uint64_t *ret_size, struct croft_error *err)
{
        _cleanup_free_ char *buf = malloc(CHUNK);
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        unsigned char sum[EVP_MAX_MD_SIZE];
        uint64_t size = 0;
        ssize_t n = -ENOMEM;
        bool ok = buf && context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

        while (ok && size <= KEXT_FILE_MAX && (n = pread(fd, buf, CHUNK, (off_t)size)) > 0) {
                ok = EVP_DigestUpdate(context, buf, (size_t)n) == 1;
                size += (uint64_t)n;
        }
        if (n < 0 && ok)
                n = -errno;
        if (size > KEXT_FILE_MAX)
                n = -EFBIG;
        ok = ok && n == 0 && EVP_DigestFinal_ex(context, sum, NULL) == 1;
        EVP_MD_CTX_free(context);
        if (!ok)
                return croft_error_set(err, n < 0 ? (int)n : EIO, "hash it");
        bytes_hex(sum, KEXT_SHA256_LENGTH / 2, sha256);
        *ret_size = size;
        return 0;
}

int kext_hash(int memfd, char sha256[KEXT_SHA256_LENGTH + 1], uint64_t *ret_size, struct croft_error *err)
{
        int seals = fcntl(memfd, F_GET_SEALS);

        if (seals < 0 || (seals & SEALS) != SEALS)
                return croft_error_set(err, EPERM, "its bytes can still be changed: it isn't sealed.");
        return bytes_hash(memfd, sha256, ret_size, err);
}
