/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bytes.c - files into sealed memory (kernel/sealed.h), and their hashes.  See kext.h.
 *
 * Invariant: nothing is judged that anybody can still change.
 */
#include "kext/bytes.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/sealed.h"
#include "kext/kext.h"

#include <openssl/evp.h>
#include <string.h>

/* On the stack: memory that is got and given back each time costs a small one more than its hash. */
#define CHUNK 32768

int kext_seal(int memfd, struct croft_error *err)
{
        return sealed_seal(memfd, err);
}

int bytes_copy(int from, int to, struct croft_error *err)
{
        return sealed_copy(from, to, KEXT_FILE_MAX, err);
}

int bytes_memfd(struct croft_error *err)
{
        return sealed_new("croft-kext", err);
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

bool bytes_are_same(int a, int b)
{
        char ours[CHUNK / 2], theirs[CHUNK / 2];
        ssize_t n = 1;

        for (off_t at = 0; n > 0; at += n) {
                n = pread(a, ours, sizeof(ours), at);
                if (n < 0 || pread(b, theirs, sizeof(theirs), at) != n || memcmp(ours, theirs, (size_t)n) != 0)
                        return false;
        }
        return n == 0;
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
        char buf[CHUNK];
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        unsigned char sum[EVP_MAX_MD_SIZE];
        uint64_t size = 0;
        ssize_t n = -ENOMEM;
        bool ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

        while (ok && size <= KEXT_FILE_MAX && (n = pread(fd, buf, sizeof(buf), (off_t)size)) > 0) {
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
        if (!sealed_is(memfd))
                return croft_error_set(err, EPERM, "its bytes can still be changed: it isn't sealed.");
        return bytes_hash(memfd, sha256, ret_size, err);
}
