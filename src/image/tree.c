/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tree.c - reads below the host's root, writes below the template's.  Thin: what to take is decided elsewhere.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "image/native.h"

#include <linux/openat2.h>
#include <string.h>

#define STRICT (RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS)

/* Reads at most size bytes of an open file; the file may shrink meanwhile. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
        size_t used = 0;

        while (used < size) {
                ssize_t n = read(fd, buf + used, size - used);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                used += (size_t)n;
        }
        return (ssize_t)used;
}

int native_read(int host, const char *path, size_t max_bytes, char **ret, size_t *ret_size, struct stat *st)
{
        /* NONBLOCK: a FIFO planted under the name of a file must not hang us. */
        _cleanup_close_ int fd = fd_open2(host, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, STRICT);
        _cleanup_free_ char *buf = NULL;
        struct stat own;
        ssize_t n;

        if (fd < 0)
                return fd;
        if (fstat(fd, &own) < 0)
                return -errno;
        if (!S_ISREG(own.st_mode))
                return -EINVAL;
        if (own.st_size < 0 || (uint64_t)own.st_size > max_bytes)
                return -EFBIG;
        buf = malloc((size_t)own.st_size + 1);
        if (!buf)
                return -ENOMEM;
        n = read_all(fd, buf, (size_t)own.st_size);
        if (n < 0)
                return (int)n;
        buf[n] = '\0';
        if (ret_size)
                *ret_size = (size_t)n;
        if (st)
                *st = own;
        *ret = TAKE(buf);
        return 0;
}

int native_open_dir(int host, const char *path)
{
        return fd_open2(host, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0, STRICT);
}

bool native_exists(int root, const char *path)
{
        _cleanup_close_ int fd = fd_open2(root, path, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);

        return fd >= 0;
}

/* Opens the folder above path, made when it is missing; *ret_name points into path. */
static int open_above(struct native_tree *t, const char *path, const char **ret_name, struct croft_error *err)
{
        _cleanup_free_ char *above = NULL;
        const char *slash = strrchr(path, '/');
        int fd, r;

        *ret_name = slash ? slash + 1 : path;
        above = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
        if (!above)
                return croft_error_set(err, ENOMEM, "make '/%s' of the template", path);
        fd = fd_open2(t->root, above, O_RDONLY | O_DIRECTORY, 0, STRICT);
        if (fd == -ENOENT) {
                r = fd_make_dirs(t->root, above, 0755, err);
                if (r < 0)
                        return r;
                fd = fd_open2(t->root, above, O_RDONLY | O_DIRECTORY, 0, STRICT);
        }
        return fd < 0 ? croft_error_set(err, fd, "open '/%s' of the template", above) : fd;
}

/* Ids of a partition go from 0 to 65535; what the host owns beyond is root's inside. */
static int set_owner(int fd, const struct native_owner *owner)
{
        uid_t uid = owner->uid > 65535 ? 0 : owner->uid;
        gid_t gid = owner->gid > 65535 ? 0 : owner->gid;

        /* chown first: it clears the set-id bits. */
        if (fchown(fd, uid, gid) < 0 || fchmod(fd, owner->mode & 07777) < 0)
                return -errno;
        return 0;
}

int native_put_file(struct native_tree *t, const char *path, const void *data, size_t size,
        const struct native_owner *owner, struct croft_error *err)
{
        _cleanup_close_ int above = -EBADF, fd = -EBADF;
        const char *name;
        int r;

        above = open_above(t, path, &name, err);
        if (above < 0)
                return above;
        fd = openat(above, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EEXIST)
                return 0;
        r = fd < 0 ? -errno : fd_write_all(fd, data, size);
        if (r == 0)
                r = set_owner(fd, owner);
        if (r < 0)
                return croft_error_set(err, r, "write '/%s' of the template", path);
        t->bytes += size;
        return 0;
}

int native_put_text(struct native_tree *t, const char *path, const char *text, mode_t mode, struct croft_error *err)
{
        return native_put_file(t, path, text, strlen(text), &(struct native_owner){.mode = mode}, err);
}

int native_put_dir(struct native_tree *t, const char *path, const struct native_owner *owner, struct croft_error *err)
{
        _cleanup_close_ int above = -EBADF, fd = -EBADF;
        const char *name;
        int r;

        above = open_above(t, path, &name, err);
        if (above < 0)
                return above;
        if (mkdirat(above, name, 0700) < 0) {
                if (errno == EEXIST)
                        return 0;
                return croft_error_set(err, errno, "make '/%s' of the template", path);
        }
        fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = fd < 0 ? -errno : set_owner(fd, owner);
        return r < 0 ? croft_error_set(err, r, "make '/%s' of the template", path) : 0;
}

int native_put_link(struct native_tree *t, const char *path, const char *target, struct croft_error *err)
{
        _cleanup_close_ int above = -EBADF;
        const char *name;

        above = open_above(t, path, &name, err);
        if (above < 0)
                return above;
        if (symlinkat(target, above, name) < 0 && errno != EEXIST)
                return croft_error_set(err, errno, "make link '/%s' of the template", path);
        return 0;
}

int native_copy_public(struct native_tree *t, const char *from, const char *to, struct croft_error *err)
{
        _cleanup_free_ char *data = NULL;
        struct stat st;
        size_t size;
        int r;

        r = native_read(t->host, from, 8 * NATIVE_FILE_MAX, &data, &size, &st);
        if (r == -ENOMEM)
                return croft_error_set(err, r, "copy '/%s'", from);
        if (r < 0 || !(st.st_mode & S_IROTH))
                return 0;
        return native_put_file(t, to, data, size,
                &(struct native_owner){.mode = st.st_mode & 0755, .uid = st.st_uid, .gid = st.st_gid}, err);
}
