/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * copies.c - global's own copies of extensions, STATE/kext/SHA256.  See kext.h.
 *
 * Invariant: a file whose name is 64 hex digits was whole, on the disk and verified before it got its name.  All others
 * there are half made.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kext/bytes.h"
#include "kext/kext.h"

#include <linux/openat2.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define DIRECTORY "kext"
#define STRICT (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)

static int open_directory(int state_dir, struct croft_error *err)
{
        int fd, r = fd_make_dirs(state_dir, DIRECTORY, 0700, err);

        if (r < 0)
                return r;
        fd = fd_open2(state_dir, DIRECTORY, O_RDONLY | O_DIRECTORY, 0, STRICT);
        return fd < 0 ? croft_error_set(err, fd, "open '%s'", DIRECTORY) : fd;
}

static int check(int fd, const char *sha256, struct croft_error *err)
{
        char found[KEXT_SHA256_LENGTH + 1];
        uint64_t size;
        int r = bytes_hash(fd, found, &size, err);

        if (r == 0 && strcmp(found, sha256) != 0)
                r = croft_error_set(err, EUCLEAN, "the copy of '%s' is damaged: register the extension again.", sha256);
        return r;
}

static bool is_there(int dir, const char *sha256)
{
        _cleanup_close_ int fd = fd_open2(dir, sha256, O_RDONLY | O_NONBLOCK, 0, STRICT);

        return fd >= 0 && check(fd, sha256, NULL) == 0;
}

static int pour(int from, int to)
{
        struct stat st;
        off_t at = 0;

        if (fstat(from, &st) < 0)
                return -errno;
        while (at < st.st_size) {
                ssize_t n = sendfile(to, from, &at, (size_t)(st.st_size - at));

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n == 0)
                        return -EIO;
        }
        return fsync(to) < 0 ? -errno : 0;
}

static int write_copy(int dir, const char *half, const char *sha256, int memfd, struct croft_error *err)
{
        _cleanup_close_ int fd = fd_open2(dir, half, O_RDWR | O_CREAT | O_TRUNC, 0600, STRICT);
        int r = fd < 0 ? fd : pour(memfd, fd);

        if (r < 0)
                return croft_error_set(err, r, "write '%s/%s'", DIRECTORY, half);
        return check(fd, sha256, err);
}

int kext_copy_put(int state_dir, const char *sha256, int memfd, struct croft_error *err)
{
        _cleanup_close_ int dir = open_directory(state_dir, err);
        char half[KEXT_SHA256_LENGTH + 8];
        int r;

        if (dir < 0)
                return dir;
        if (is_there(dir, sha256))
                return 0;
        (void)snprintf(half, sizeof(half), "%s.new", sha256);
        r = write_copy(dir, half, sha256, memfd, err);
        if (r == 0 && renameat(dir, half, dir, sha256) < 0)
                r = croft_error_set(err, errno, "rename '%s/%s'", DIRECTORY, half);
        if (r == 0 && fsync(dir) < 0)
                r = croft_error_set(err, errno, "write '%s'", DIRECTORY);
        if (r < 0)
                (void)unlinkat(dir, half, 0); /* else the next start sweeps it away */
        return r;
}

int kext_copy_get(int state_dir, const char *sha256, const struct kext_sealed *known, struct croft_error *err)
{
        _cleanup_close_ int fd = -EBADF, memfd = -EBADF;
        char path[sizeof(DIRECTORY) + KEXT_SHA256_LENGTH + 1];
        int r;

        (void)snprintf(path, sizeof(path), DIRECTORY "/%s", sha256);
        fd = fd_open2(state_dir, path, O_RDONLY | O_NONBLOCK, 0, STRICT);
        if (fd == -ENOENT)
                return croft_error_set(err, EUCLEAN, "the copy of '%s' is gone: register the extension again.", sha256);
        if (fd < 0)
                return croft_error_set(err, fd, "open '%s/%s'", DIRECTORY, sha256);
        memfd = kext_read_sealed(fd, err);
        if (memfd < 0)
                return memfd;
        r = known && strcmp(known->sha256, sha256) == 0 && bytes_are_same(known->fd, memfd) ? 0
                                                                                            : check(memfd, sha256, err);
        return r < 0 ? r : TAKE_FD(memfd);
}

int kext_copy_remove(int state_dir, const char *sha256, struct croft_error *err)
{
        _cleanup_close_ int dir = open_directory(state_dir, err);

        if (dir < 0)
                return dir;
        if (unlinkat(dir, sha256, 0) < 0 && errno != ENOENT)
                return croft_error_set(err, errno, "remove '%s/%s'", DIRECTORY, sha256);
        return 0;
}

int kext_copy_sweep(int state_dir, bool (*known)(void *context, const char *sha256), void *context,
        unsigned int *ret_removed, struct croft_error *err)
{
        _cleanup_closedir_ DIR *dir = NULL;
        const struct dirent *entry;
        unsigned int removed = 0;
        int fd = open_directory(state_dir, err);

        if (fd < 0)
                return fd;
        dir = fdopendir(fd);
        if (!dir) {
                close_fd(fd);
                return croft_error_set(err, ENOMEM, "read '%s'", DIRECTORY);
        }
        while ((entry = readdir(dir))) {
                if (entry->d_name[0] == '.' || (kext_is_sha256(entry->d_name) && known(context, entry->d_name)))
                        continue;
                if (unlinkat(dirfd(dir), entry->d_name, 0) == 0)
                        removed++;
                else if (errno != EISDIR) /* none of ours: lost+found, perhaps */
                        return croft_error_set(err, errno, "remove what is half made in '%s'", DIRECTORY);
        }
        *ret_removed = removed;
        return 0;
}
