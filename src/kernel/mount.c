/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mount.c - the mount API by descriptors.  See mount.h.
 */
#include "kernel/mount.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Not from <sys/mount.h>: it clashes with <linux/mount.h> in the C libraries of the time. */
#define UMOUNT_DETACH 2
#define PROPAGATION_PRIVATE (1 << 18)
#define PROPAGATION_SHARED (1 << 20)

static int clone_from(int dir_fd, const char *path, unsigned int flags)
{
        long fd = syscall(SYS_open_tree, dir_fd, path,
                OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW | (path[0] ? 0 : AT_EMPTY_PATH) | flags);

        return fd < 0 ? -errno : (int)fd;
}

int mount_clone(int dir_fd, const char *path)
{
        return clone_from(dir_fd, path, 0);
}

int mount_clone_tree(int dir_fd, const char *path)
{
        return clone_from(dir_fd, path, AT_RECURSIVE);
}

int mount_change(int mount_fd, uint64_t set, uint64_t clear, int userns_fd)
{
        struct mount_attr attr = {.attr_set = set, .attr_clr = clear, .propagation = PROPAGATION_PRIVATE};

        if (userns_fd >= 0) {
                attr.attr_set |= MOUNT_ATTR_IDMAP;
                attr.userns_fd = (uint64_t)userns_fd;
        }
        return syscall(SYS_mount_setattr, mount_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static int configure(int fs_fd, const char *option)
{
        const char *equals = strchr(option, '=');
        char key[64];
        size_t length;

        if (!equals)
                return syscall(SYS_fsconfig, fs_fd, FSCONFIG_SET_FLAG, option, NULL, 0) < 0 ? -errno : 0;
        length = (size_t)(equals - option);
        if (length >= sizeof(key))
                return -EINVAL;
        memcpy(key, option, length);
        key[length] = '\0';
        return syscall(SYS_fsconfig, fs_fd, FSCONFIG_SET_STRING, key, equals + 1, 0) < 0 ? -errno : 0;
}

/* What the kernel wrote about the failure ("e overlay: ..."), or "". */
static const char *kernel_message(int fs_fd, char *buf, size_t size)
{
        ssize_t n = read(fs_fd, buf, size - 1);

        if (n <= 2)
                n = 0;
        buf[n] = '\0';
        buf[strcspn(buf, "\n")] = '\0';
        return n ? buf + 2 : buf;
}

int mount_make(const char *type, const char *const options[], struct croft_error *err)
{
        _cleanup_close_ int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
        char message[256];
        int r;

        if (fs < 0)
                return croft_error_set(err, errno, "open file system '%s'", type);
        for (size_t i = 0; options && options[i]; i++) {
                r = configure(fs, options[i]);
                if (r < 0)
                        return croft_error_set(err, r, "set '%s' of file system '%s' %s", options[i], type,
                                kernel_message(fs, message, sizeof(message)));
        }
        if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
                r = errno;
                return croft_error_set(
                        err, r, "make file system '%s' %s", type, kernel_message(fs, message, sizeof(message)));
        }
        return TAKE_FD(fs);
}

int mount_of(int fs_fd, uint64_t attributes)
{
        long fd = syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, attributes);

        return fd < 0 ? -errno : (int)fd;
}

int mount_new(const char *type, const char *const options[], uint64_t attributes, struct croft_error *err)
{
        _cleanup_close_ int fs = mount_make(type, options, err);
        int r;

        if (fs < 0)
                return fs;
        r = mount_of(fs, attributes);
        return r < 0 ? croft_error_set(err, r, "mount file system '%s'", type) : r;
}

int mount_attach(int mount_fd, int target_fd)
{
        return syscall(SYS_move_mount, mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) <
                               0
                       ? -errno
                       : 0;
}

int mount_attach_below(int mount_fd, int root_fd, const char *path)
{
        return syscall(SYS_move_mount, mount_fd, "", root_fd, path, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

#define INSIDE (RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

/* Makes each missing part; what is there stays. */
static int make_parts(int root_fd, const char *path)
{
        char part[512];

        for (const char *p = path;; p++) {
                _cleanup_close_ int at = -EBADF;
                char *slash;

                if (*p && *p != '/')
                        continue;
                if ((size_t)(p - path) >= sizeof(part))
                        return -ENAMETOOLONG;
                memcpy(part, path, (size_t)(p - path));
                part[p - path] = '\0';
                slash = strrchr(part, '/');
                if (slash)
                        *slash = '\0';
                at = fd_open2(root_fd, slash && part[0] ? part : ".", O_PATH | O_DIRECTORY, 0, INSIDE);
                if (at < 0)
                        return at;
                if (mkdirat(at, slash ? slash + 1 : part, 0755) < 0 && errno != EEXIST)
                        return -errno;
                if (!*p)
                        return 0;
        }
}

int mount_point(int root_fd, const char *path, int make)
{
        int fd, r;

        while (*path == '/')
                path++;
        if (!*path)
                return -EINVAL;
        fd = fd_open2(root_fd, path, O_PATH, 0, INSIDE);
        if (fd != -ENOENT || !make)
                return fd;
        r = make_parts(root_fd, path);
        return r < 0 ? r : fd_open2(root_fd, path, O_PATH, 0, INSIDE);
}

int mount_attach_at(int mount_fd, int root_fd, const char *path, int make, struct croft_error *err)
{
        _cleanup_close_ int target = mount_point(root_fd, path, make);
        int r;

        if (target == -ELOOP)
                return croft_error_set(err, ELOOP, "mount point '%s' is a link; croft follows none.", path);
        if (target < 0)
                return croft_error_set(err, target, "open mount point '%s'", path);
        r = mount_attach(mount_fd, target);
        return r < 0 ? croft_error_set(err, r, "attach at '%s'", path) : 0;
}

uint64_t mount_unique_id(int dir_fd, const char *path)
{
        /* struct statx as Linux 6.8 knows it: stx_mnt_id means this with that bit */
        const unsigned int unique = 0x4000U; /* STATX_MNT_ID_UNIQUE */
        struct statx s = {0};

        return statx(dir_fd, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, unique, &s) == 0 && s.stx_mask & unique
                       ? s.stx_mnt_id
                       : 0;
}

static int propagate_all(uint64_t propagation)
{
        struct mount_attr attr = {.propagation = propagation};

        return syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

int mount_make_private(struct croft_error *err)
{
        int r = propagate_all(PROPAGATION_PRIVATE);

        return r < 0 ? croft_error_set(err, r, "make all mounts private") : 0;
}

int mount_make_shared(struct croft_error *err)
{
        int r = propagate_all(PROPAGATION_SHARED);

        return r < 0 ? croft_error_set(err, r, "make all mounts shared") : 0;
}

int mount_pivot(int fd, struct croft_error *err)
{
        if (fchdir(fd) < 0)
                return croft_error_set(err, errno, "enter the new root");
        /* pivot_root(2): "." twice stacks the old root on the new one, where umount finds it without a directory. */
        if (syscall(SYS_pivot_root, ".", ".") < 0)
                return croft_error_set(err, errno, "change the root");
        if (syscall(SYS_umount2, ".", UMOUNT_DETACH) < 0)
                return croft_error_set(err, errno, "let go of the old root");
        return chdir("/") < 0 ? croft_error_set(err, errno, "enter '/'") : 0;
}
