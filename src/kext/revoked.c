/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * revoked.c - the lists of revoked extensions, STATE/kext.revoked and CONFIG/kexts.revoked: a SHA-256 a line.  See
 * kext.h.
 *
 * Lines are only ever added.  One that was cut off by a crash, or has become zeros, is no SHA-256; what follows it
 * begins a line of its own.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kext/kext.h"

#include <linux/openat2.h>
#include <string.h>

#define FILE_MAX ((size_t)64 << 20)

int kext_revoked_each(int dir, const char *file,
        int (*each)(void *context, const char *sha256, struct croft_error *err), void *context, struct croft_error *err)
{
        _cleanup_free_ char *text = NULL;
        char *save = NULL;
        size_t size = 0;
        int r = fd_read_file(dir, file, FILE_MAX, &text, &size);

        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return croft_error_set(err, r, "read '%s'", file);
        for (size_t i = 0; i < size; i++) /* what a file system leaves where the power failed */
                if (text[i] == '\0')
                        text[i] = '\n';
        for (char *line = strtok_r(text, "\n", &save); line && r == 0; line = strtok_r(NULL, "\n", &save))
                if (kext_is_sha256(line))
                        r = each(context, line, err);
        return r;
}

static int is_it(void *context, const char *sha256, struct croft_error *err)
{
        (void)err;
        return strcmp(context, sha256) == 0;
}

int kext_revoked_add(int dir, const char *file, const char *sha256, struct croft_error *err)
{
        char line[KEXT_SHA256_LENGTH + 3], wanted[KEXT_SHA256_LENGTH + 1];
        _cleanup_close_ int fd = -EBADF;
        int r;

        (void)snprintf(wanted, sizeof(wanted), "%s", sha256);
        r = kext_revoked_each(dir, file, is_it, wanted, err);
        if (r != 0)
                return r < 0 ? r : 0;
        fd = fd_open2(dir, file, O_WRONLY | O_CREAT | O_APPEND, 0600, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        r = fd < 0 ? fd : fd_write_all(fd, line, (size_t)snprintf(line, sizeof(line), "\n%s\n", sha256));
        if (r == 0 && (fsync(fd) < 0 || fsync(dir) < 0))
                r = -errno;
        return r < 0 ? croft_error_set(err, r, "write '%s'", file) : 0;
}
