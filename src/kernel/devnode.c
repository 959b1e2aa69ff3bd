/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devnode.c - device nodes in the /dev of a partition.  See devnode.h.
 */
#include "kernel/devnode.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/steps.h"
#include "base/str.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define INSIDE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)
#define PLACEHOLDER ".croft-" /* and the name that it gets; no valid name begins so */

typedef char placeholder_name[sizeof(PLACEHOLDER) + DEVNODE_NAME_MAX];

bool devnode_name_is_valid(const char *name)
{
        static const char *const mounts[] = {"pts", "shm", "mqueue"};
        bool first = true;
        size_t n = 0;

        for (; name[n]; n++) {
                char c = name[n];

                if (c == '/' ? first : first && c == '.')
                        return false;
                if (c != '/' && !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+:@-", c))
                        return false;
                first = c == '/';
        }
        for (size_t i = 0; i < ELEMENTS(mounts); i++) {
                size_t length = strlen(mounts[i]);

                if (strncmp(name, mounts[i], length) == 0 && (name[length] == '\0' || name[length] == '/'))
                        return false;
        }
        return n > 0 && n <= DEVNODE_NAME_MAX && !first;
}

/* Opens the directory of name, and tells what comes behind it. */
static int open_parent(int dev_fd, const char *name, const char **ret_last)
{
        const char *slash = strrchr(name, '/');
        char path[DEVNODE_NAME_MAX + 1] = ".";

        if (!devnode_name_is_valid(name))
                return -EINVAL;
        *ret_last = slash ? slash + 1 : name;
        if (slash) {
                memcpy(path, name, (size_t)(slash - name));
                path[slash - name] = '\0';
        }
        return fd_open2(dev_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, INSIDE);
}

static int make_parents(int dev_fd, const char *name, const struct devnode *node)
{
        char path[DEVNODE_NAME_MAX + 1];
        int r = 0;

        (void)str_copy(path, sizeof(path), name); /* a valid one fits */
        for (char *slash = strchr(path, '/'); r == 0 && slash; slash = strchr(slash + 1, '/')) {
                _cleanup_close_ int parent = -EBADF;
                const char *last;

                *slash = '\0';
                parent = open_parent(dev_fd, path, &last);
                if (parent < 0)
                        return parent;
                if (mkdirat(parent, last, 0755) == 0) {
                        _cleanup_close_ int made = fd_open2(parent, last, O_RDONLY | O_DIRECTORY, 0, INSIDE);

                        /* Whatever is there by now is the partition's own. */
                        if (made >= 0 && (fchown(made, node->uid, node->gid) < 0 || fchmod(made, 0755) < 0))
                                r = -errno;
                } else if (errno != EEXIST) {
                        r = -errno;
                }
                *slash = '/';
        }
        return r;
}

static bool is_that(int fd, const struct devnode *node)
{
        struct stat st;

        return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == (node->mode & S_IFMT) && st.st_rdev == node->number;
}

static int find_in(int parent, const char *last, const struct devnode *node)
{
        _cleanup_close_ int fd = fd_open2(parent, last, O_PATH | O_NOFOLLOW, 0, INSIDE);

        if (fd < 0)
                return fd;
        return is_that(fd, node) ? TAKE_FD(fd) : -ENOENT;
}

/* chmod(2) has no descriptor of O_PATH; by name it would follow a link that the partition puts there. */
static int set_mode(int fd, mode_t mode)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return chmod(path, mode & 07777) < 0 ? -errno : 0;
}

static const char *placeholder_of(const char *last, placeholder_name name)
{
        (void)snprintf(name, sizeof(placeholder_name), PLACEHOLDER "%s", last);
        return name;
}

static int put_in(int parent, const char *last, const struct devnode *node, bool replace)
{
        _cleanup_close_ int fd = -EBADF;
        placeholder_name buf;
        const char *placeholder = placeholder_of(last, buf);
        int r;

        if (unlinkat(parent, placeholder, 0) < 0 && errno != ENOENT)
                return -errno;
        if (mknodat(parent, placeholder, node->mode & (S_IFMT | 0600), node->number) < 0)
                return -errno;
        fd = find_in(parent, placeholder, node);
        crash_point("devnode", "made", "");
        r = fd == -ENOENT || fd == -ELOOP ? -EAGAIN : fd;
        if (fd >= 0)
                r = fchownat(fd, "", node->uid, node->gid, AT_EMPTY_PATH) < 0 ? -errno : set_mode(fd, node->mode);
        if (r == 0 && renameat2(parent, placeholder, parent, last, replace ? 0 : RENAME_NOREPLACE) < 0)
                r = errno == ENOENT ? -EAGAIN : -errno;
        if (r < 0)
                (void)unlinkat(parent, placeholder, 0);
        return r;
}

int devnode_put(int dev_fd, const char *name, const struct devnode *node, bool replace, struct croft_error *err)
{
        _cleanup_close_ int parent = -EBADF;
        const char *last;
        int r = devnode_name_is_valid(name) ? make_parents(dev_fd, name, node) : -EINVAL;

        if (r == 0)
                r = parent = open_parent(dev_fd, name, &last);
        if (r >= 0)
                r = put_in(parent, last, node, replace);
        if (r == -EEXIST)
                return croft_error_set(err, EEXIST, "there is a '/dev/%s' already.", name);
        return r < 0 ? croft_error_set(err, r, "make the device node '/dev/%s'", name) : 0;
}

int devnode_find(int dev_fd, const char *name, const struct devnode *node)
{
        _cleanup_close_ int parent = -EBADF;
        const char *last;

        parent = open_parent(dev_fd, name, &last);
        return parent < 0 ? parent : find_in(parent, last, node);
}

int devnode_drop(int dev_fd, const char *name, const struct devnode *node, struct croft_error *err)
{
        _cleanup_close_ int parent = -EBADF, fd = -EBADF;
        placeholder_name placeholder;
        const char *last;

        parent = open_parent(dev_fd, name, &last);
        if (parent >= 0) {
                (void)unlinkat(parent, placeholder_of(last, placeholder), 0); /* of one that died in devnode_put() */
                fd = find_in(parent, last, node);
        }
        /* Another one that comes there in this moment is the partition's own, and goes. */
        if (fd >= 0 && unlinkat(parent, last, 0) < 0 && errno != ENOENT)
                return croft_error_set(err, errno, "remove the device node '/dev/%s'", name);
        return 0;
}
