/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fd.c - files by descriptor.  See fd.h.
 */
#include "base/fd.h"

#include "base/cleanup.h"

#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int fd_open2(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
        struct open_how how = {
                .flags = (uint64_t)(flags | O_CLOEXEC),
                .mode = flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? mode : 0,
                .resolve = resolve,
        };
        long fd;

        /* EAGAIN: a rename raced with the walk and the kernel couldn't vouch for it; a few tries settle it. */
        for (int tries = 0; tries < 64; tries++) {
                fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
                if (fd >= 0)
                        return (int)fd;
                if (errno != EAGAIN && errno != EINTR)
                        break;
        }
        return -errno;
}

int fd_write_all(int fd, const void *buf, size_t size)
{
        const char *p = buf;

        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EIO;
                p += n;
                size -= (size_t)n;
        }
        return 0;
}

int fd_read_file(int dir_fd, const char *path, size_t max_bytes, char **ret, size_t *ret_size)
{
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        _cleanup_free_ char *buf = NULL;
        size_t size = 0, room = 0;

        if (fd < 0)
                return -errno;
        if (max_bytes > SSIZE_MAX)
                max_bytes = SSIZE_MAX; /* room for the two bytes more that are asked for below */
        for (;;) {
                ssize_t n;

                if (size == room) {
                        size_t more = room ? room * 2 : 4096;
                        char *p;

                        if (more > max_bytes + 1)
                                more = max_bytes + 1;
                        if (size == more)
                                return -EFBIG;
                        p = realloc(buf, more + 1);
                        if (!p)
                                return -ENOMEM;
                        buf = p;
                        room = more;
                }
                n = read(fd, buf + size, room - size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                size += (size_t)n;
        }
        if (size > max_bytes)
                return -EFBIG;
        buf[size] = '\0';
        if (ret_size)
                *ret_size = size;
        *ret = TAKE(buf);
        return 0;
}

int fd_write_file(int dir_fd, const char *path, const char *text)
{
        _cleanup_close_ int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        size_t size = strlen(text);
        ssize_t n;

        if (fd < 0)
                return -errno;
        do
                n = write(fd, text, size);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        return (size_t)n == size ? 0 : -EIO;
}

/* Makes the temporary file "<path>.new" durable; the caller renames it. */
static int write_beside(int dir_fd, const char *temporary, const void *content, size_t size, mode_t mode)
{
        _cleanup_close_ int fd = -EBADF;
        int r;

        (void)unlinkat(dir_fd, temporary, 0); /* left by a killed writer */
        fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd < 0)
                return -errno;
        r = fd_write_all(fd, content, size);
        if (r == 0 && fsync(fd) < 0)
                r = -errno;
        return r;
}

/* The directory that path is in.  Failure is not told: the new content stands, only its durability over a power loss is
 * at stake. */
static void sync_parent(int dir_fd, const char *path)
{
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *parent = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
        _cleanup_close_ int fd = -EBADF;

        if (!parent)
                return;
        fd = openat(dir_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
                (void)fsync(fd);
}

int fd_replace_file(
        int dir_fd, const char *path, const void *content, size_t size, mode_t mode, struct croft_error *err)
{
        _cleanup_free_ char *temporary = NULL;
        int r;

        if (asprintf(&temporary, "%s.new", path) < 0) {
                temporary = NULL;
                return croft_error_set(err, ENOMEM, "replace '%s'", path);
        }
        r = write_beside(dir_fd, temporary, content, size, mode);
        if (r == 0 && renameat(dir_fd, temporary, dir_fd, path) < 0)
                r = -errno;
        if (r < 0) {
                (void)unlinkat(dir_fd, temporary, 0);
                return croft_error_set(err, r, "replace '%s'", path);
        }
        sync_parent(dir_fd, path);
        return 0;
}

int fd_make_dirs(int dir_fd, const char *path, mode_t mode, struct croft_error *err)
{
        _cleanup_close_ int at = -EBADF;
        _cleanup_free_ char *copy = strdup(path);
        char *save = NULL;

        if (!copy)
                return croft_error_set(err, ENOMEM, "make directory '%s'", path);
        at = openat(dir_fd, path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (at < 0)
                return croft_error_set(err, errno, "make directory '%s'", path);
        for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
                int next;

                if (strcmp(part, "..") == 0)
                        return croft_error_set(err, EINVAL, "make directory '%s': '..' is not allowed.", path);
                if (mkdirat(at, part, mode) < 0 && errno != EEXIST)
                        return croft_error_set(err, errno, "make directory '%s' at '%s'", path, part);
                next = openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (next < 0)
                        return croft_error_set(err, errno, "make directory '%s' at '%s'", path, part);
                close_fd(at);
                at = next;
        }
        return 0;
}

/* One level of the walk of fd_remove_tree().  Only the deepest levels are open, so that a tree of any depth can be
 * removed with few descriptors; a closed one is reached again by "..", and compared, on the way up. */
struct level {
        DIR *dir;   /* NULL: closed meanwhile */
        char *name; /* in the level above */
        dev_t device;
        ino_t inode;
        unsigned int rewinds;
};

struct walk {
        struct level *levels;
        size_t depth, room;
};

#define WALK_OPEN_MAX 32
#define WALK_REWINDS_MAX 1000

static bool is_mount_root(int fd)
{
        struct statx st;

        return statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) == 0 && (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* Opens a directory of the walk; -EBUSY for a mount point, because what is below isn't ours to delete.  RESOLVE_NO_XDEV
 * sees bind mounts of the same file system, too, which a comparison of st_dev doesn't. */
static int walk_open(const struct walk *walk, int dir_fd, const char *name)
{
        _cleanup_close_ int fd = -EBADF;

        if (walk->depth > 0) {
                fd = fd_open2(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                        RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
                return fd == -EXDEV ? -EBUSY : TAKE_FD(fd);
        }
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return is_mount_root(fd) ? -EBUSY : TAKE_FD(fd);
}

static int walk_reserve(struct walk *walk)
{
        size_t room = walk->room ? walk->room * 2 : 32;
        struct level *p;

        if (walk->depth < walk->room)
                return 0;
        p = reallocarray(walk->levels, room, sizeof(*p));
        if (!p)
                return -ENOMEM;
        walk->levels = p;
        walk->room = room;
        return 0;
}

static void walk_close_oldest(struct walk *walk)
{
        struct level *level;

        if (walk->depth <= WALK_OPEN_MAX)
                return;
        level = &walk->levels[walk->depth - 1 - WALK_OPEN_MAX];
        croft_closedirp(&level->dir);
        level->dir = NULL;
}

static int walk_enter(struct walk *walk, int dir_fd, const char *name)
{
        _cleanup_close_ int fd = walk_open(walk, dir_fd, name);
        _cleanup_free_ char *copy = NULL;
        struct stat st;
        DIR *dir;
        int r;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        r = walk_reserve(walk);
        if (r < 0)
                return r;
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        dir = fdopendir(fd);
        if (!dir)
                return -errno;
        (void)TAKE_FD(fd); /* owned by dir now */
        walk->levels[walk->depth++] =
                (struct level){.dir = dir, .name = TAKE(copy), .device = st.st_dev, .inode = st.st_ino};
        walk_close_oldest(walk);
        return 0;
}

/* Opens the level above the deepest one when it was closed. */
static int walk_reopen_above(struct walk *walk)
{
        struct level *above = &walk->levels[walk->depth - 2];
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (above->dir)
                return 0;
        fd = openat(dirfd(above[1].dir), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (st.st_dev != above->device || st.st_ino != above->inode)
                return -EBUSY; /* somebody moved the directory that we are in */
        above->dir = fdopendir(fd);
        if (!above->dir)
                return -errno;
        (void)TAKE_FD(fd); /* owned by above->dir now */
        return 0;
}

static void walk_leave(struct walk *walk)
{
        struct level *level = &walk->levels[--walk->depth];

        croft_closedirp(&level->dir);
        free(level->name);
}

/* Deletes one entry or enters it.  Returns 0 or a negative errno. */
static int remove_entry(struct walk *walk, const char *name)
{
        int fd = dirfd(walk->levels[walk->depth - 1].dir), r;

        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return 0;
        if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
                return 0;
        r = -errno;
        if (r != -EISDIR && r != -EPERM)
                return r;
        if (unlinkat(fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                return 0;
        if (errno == ENOTDIR)
                return r; /* a file that can't be removed */
        if (errno != ENOTEMPTY && errno != EEXIST)
                return -errno;
        r = walk_enter(walk, fd, name);
        return r == -ENOENT ? 0 : r; /* somebody else took it away */
}

/* Removes the deepest level, which has been read to its end, and goes back to the one above. */
static int remove_level(struct walk *walk, int dir_fd)
{
        struct level *level = &walk->levels[walk->depth - 1];

        if (walk->depth > 1) {
                int r = walk_reopen_above(walk);

                if (r < 0)
                        return r;
                dir_fd = dirfd(level[-1].dir);
        }
        if (unlinkat(dir_fd, level->name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
                if ((errno != ENOTEMPTY && errno != EEXIST) || level->rewinds++ == WALK_REWINDS_MAX)
                        return -errno;
                rewinddir(level->dir); /* entries appeared meanwhile, or readdir skipped some */
                return 0;
        }
        walk_leave(walk);
        return 0;
}

static int remove_all(struct walk *walk, int dir_fd)
{
        while (walk->depth > 0) {
                struct dirent *entry;
                int r;

                errno = 0;
                entry = readdir(walk->levels[walk->depth - 1].dir);
                if (!entry && errno)
                        return -errno;
                r = entry ? remove_entry(walk, entry->d_name) : remove_level(walk, dir_fd);
                if (r < 0)
                        return r;
        }
        return 0;
}

int fd_remove_tree(int dir_fd, const char *path, struct croft_error *err)
{
        struct walk walk = {0};
        int r;

        r = walk_enter(&walk, dir_fd, path);
        if (r == -ENOTDIR || r == -ELOOP)
                r = unlinkat(dir_fd, path, 0) < 0 ? -errno : 0;
        if (r == -ENOENT)
                r = 0;
        if (r == 0)
                r = remove_all(&walk, dir_fd);
        while (walk.depth > 0)
                walk_leave(&walk);
        free(walk.levels);
        return r < 0 ? croft_error_set(err, r, "remove '%s'", path) : 0;
}

#define SEAL_TRIES 10

int fd_seal(int fd)
{
        int r = -EBUSY;

        /* The kernel waits a tenth of a second for pages that it holds itself (mm/memfd.c), which isn't always enough.
         */
        for (int i = 0; i < SEAL_TRIES && r == -EBUSY; i++)
                r = fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0 ? -errno : 0;
        return r;
}

int fd_sealed(const char *name, const void *content, size_t size)
{
        _cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0)
                return -errno;
        r = fd_write_all(fd, content, size);
        if (r == 0)
                r = fd_seal(fd);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int change_flag(int fd, int get, int set, int flag, int on)
{
        int flags = fcntl(fd, get);

        if (flags < 0)
                return -errno;
        flags = on ? flags | flag : flags & ~flag;
        return fcntl(fd, set, flags) < 0 ? -errno : 0;
}

int fd_set_cloexec(int fd, int on)
{
        return change_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int fd_set_nonblock(int fd, int on)
{
        return change_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int fd_dup(int fd)
{
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        return copy < 0 ? -errno : copy;
}
