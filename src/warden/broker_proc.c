/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_proc.c - a proc or a sysfs of one's own inside a partition, for containers in it: of the caller's own pid or
 * network namespace, with the views and masks that lie on the partition's, locked.
 *
 * The kernel makes none where parts of the only one in sight are covered (docs/adr/0023).  So a process that has become
 * as the caller has the file system made, of its namespaces and with its rights, as far as the kernel lets it; mounted
 * it is by us, where everything is in sight, and it is handed over when all is on it.
 *
 * What lies on the partition's is taken from the mount namespace of its init, by its paths.  Its root may have
 * something else there: then that covers the new one, too.  What isn't there isn't to be had: EPERM.
 */
#include "warden/broker_mount.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "warden/cover.h"
#include "warden/views.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

bool mount_wants_proc(const struct mount_arguments *m)
{
        return m->has_type && (strcmp(m->type, "proc") == 0 || strcmp(m->type, "sysfs") == 0);
}

bool mount_is_in_proc(const char *path)
{
        _cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
        struct statfs s;

        return fd >= 0 && fstatfs(fd, &s) == 0 && (s.f_type == PROC_SUPER_MAGIC || s.f_type == SYSFS_MAGIC);
}

bool mount_covers_proc(const char *path)
{
        const char *slash = strrchr(path, '/');
        struct statx st;
        char above[PATH_MAX];

        if (!slash || statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &st) < 0 ||
                !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
                return false;
        (void)snprintf(above, sizeof(above), "%.*s", (int)(slash - path + 1), path);
        return mount_is_in_proc(above);
}

/* As the caller. */
static int open_both(const struct mount_arguments *m, int fds[2])
{
        static char source[sizeof("source=") + PATH_MAX], data[MOUNT_DATA_MAX]; /* one a process */
        const char *options[MOUNT_OPTIONS_MAX + 2] = {NULL};
        char *at = data, *word;
        size_t n = 0;

        fds[0] = open(m->target, O_PATH | O_CLOEXEC);
        if (fds[0] < 0)
                return -errno;
        if (m->has_source && m->source[0]) {
                (void)snprintf(source, sizeof(source), "source=%s", m->source);
                options[n++] = source;
        }
        if (m->has_data)
                memcpy(data, m->data, sizeof(data));
        while ((word = strsep(&at, ","))) {
                if (n > MOUNT_OPTIONS_MAX)
                        return -EINVAL;
                if (*word)
                        options[n++] = word;
        }
        fds[1] = mount_make(m->type, options, NULL);
        return fds[1] < 0 ? fds[1] : 0;
}

/* Copies of what lies on the partition's, in its init's mount namespace; back in ours. */
static int copy_views(const struct broker *b, int views[VIEWS_MOUNTS_MAX])
{
        _cleanup_close_ int ours = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        _cleanup_close_ int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        const char *path;
        int r = 0;

        if (ours < 0 || old < 0 || setns(b->mntns, CLONE_NEWNS) < 0)
                return -errno;
        for (size_t i = 0; r == 0 && (path = views_mount_path(i)); i++) {
                _cleanup_close_ int file = fd_open2(AT_FDCWD, path, O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS);

                views[i] = file < 0 ? -EBADF : mount_clone(file, "");
        }
        if (setns(ours, CLONE_NEWNS) < 0 || fchdir(old) < 0 || chroot(".") < 0)
                r = -errno;
        return r;
}

/* Mounted in our root, with everything on it. */
static int assemble(int fs, const char *name, const int views[])
{
        _cleanup_(cover_close_masks) struct masks masks = {.n = 0};
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), mount = mount_of(fs, NSNDNX);
        int r;

        if (root < 0 || mount < 0)
                return root < 0 ? -errno : mount;
        if (mkdirat(root, name, 0555) < 0 || mknodat(root, "node", S_IFCHR | 0666, makedev(1, 3)) < 0)
                return -errno;
        r = mount_attach_below(mount, root, name);
        if (r == 0)
                r = cover_prepare(root, root, "node", NULL);
        if (r == 0)
                r = cover_make_masks(&masks, root, NULL);
        return r < 0 ? r : cover_attach(views, &masks, root, mount, root, name, NULL);
}

int mount_proc(const struct broker *b, struct behalf *who, const struct mount_arguments *m)
{
        const char *name = strcmp(m->type, "proc") == 0 ? "proc" : "sys";
        const char *path = strcmp(m->type, "proc") == 0 ? "/proc" : "/sys";
        _cleanup_close_ int target = -EBADF, fs = -EBADF, locked = -EBADF;
        int views[VIEWS_MOUNTS_MAX], found[2]; /* the process ends soon */
        int r = mount_look_up(who, m, open_both, found);

        if (r < 0)
                return r;
        target = found[0];
        fs = found[1];
        r = copy_views(b, views);
        if (r == 0)
                r = mount_enter_root();
        if (r == 0)
                r = assemble(fs, name, views);
        if (r < 0)
                return r;
        locked = mount_lock(path);
        r = locked < 0 ? locked : mount_change(locked, mount_flags_to_attributes(m->flags), 0, -EBADF);
        return r < 0 ? r : mount_hand_over(who, locked, target);
}
