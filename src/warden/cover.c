/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cover.c - see cover.h.
 */
#include "warden/cover.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "warden/views.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define BY_FILE "null"
#define BY_DIRECTORY "empty"

/* --- masks --- */

/* What the kernel shows to everybody and no partition needs.  What isn't there needs no mask.  Each has a line in
 * docs/leaks.md. */
static const char *const masked_files[] = {"proc/cmdline", "proc/consoles", "proc/iomem", "proc/ioports",
        "proc/kallsyms", "proc/kcore", "proc/keys", "proc/latency_stats", "proc/locks", "proc/sched_debug",
        "proc/sysrq-trigger", "proc/timer_list"};
static const char *const masked_directories[] = {"proc/acpi", "proc/asound", "proc/bus", "proc/driver",
        "proc/dynamic_debug", "proc/fs", "proc/irq", "proc/scsi", "proc/sys/fs/quota", "sys/bus/cpu", "sys/bus/memory",
        "sys/devices/virtual/bdi", "sys/devices/virtual/block", "sys/firmware", "sys/fs/btrfs", "sys/fs/ext4",
        "sys/fs/f2fs", "sys/fs/xfs", "sys/kernel/btf", "sys/kernel/debug", "sys/kernel/irq", "sys/kernel/mm/hugepages",
        "sys/kernel/mm/ksm", "sys/kernel/security", "sys/kernel/slab", "sys/kernel/tracing", "sys/power"};
_Static_assert(ELEMENTS(masked_files) + ELEMENTS(masked_directories) <= MASKS_MAX, "too many masks");
/* Kept writable below a read-only /proc/sys: the kernel gives a user namespace its own values of these. */
static const char *const own_sysctls[] = {"net", "user"};

static int make_mask(int root, const struct mask *mask, struct croft_error *err)
{
        int fd = mount_clone(root, mask->by);

        return fd < 0 ? croft_error_set(err, fd, "copy '%s'", mask->by) : fd;
}

static int make_masks(
        struct masks *masks, int root, const char *by, const char *const paths[], size_t n, struct croft_error *err)
{
        for (size_t i = 0; i < n; i++) {
                struct mask mask = {.path = paths[i], .by = by, .fd = -EBADF};

                if (faccessat(root, mask.path, F_OK, 0) == 0 || errno != ENOENT)
                        mask.fd = make_mask(root, &mask, err);
                if (mask.fd < 0 && mask.fd != -EBADF)
                        return mask.fd;
                masks->list[masks->n++] = mask;
        }
        return 0;
}

/* Mounts of one file and of one directory, of which copies have the same flags. */
int cover_prepare(int root, int null_dir, const char *null, struct croft_error *err)
{
        _cleanup_close_ int file = -EBADF, directory = -EBADF;
        int r;

        if (mkdirat(root, BY_DIRECTORY, 0755) < 0 || mknodat(root, BY_FILE, S_IFREG | 0444, 0) < 0)
                return croft_error_set(err, errno, "make what hides files");
        file = mount_clone(null_dir, null);
        directory = mount_clone(root, BY_DIRECTORY);
        r = mount_change(file, MOUNT_ATTR_RDONLY | NSNDNX, 0, -EBADF);
        if (r == 0)
                r = mount_change(directory, MOUNT_ATTR_RDONLY | NSNDNX, 0, -EBADF);
        if (r == 0)
                r = mount_attach_below(file, root, BY_FILE);
        if (r == 0)
                r = mount_attach_below(directory, root, BY_DIRECTORY);
        return r < 0 ? croft_error_set(err, r, "attach what hides files") : 0;
}

int cover_make_masks(struct masks *masks, int root, struct croft_error *err)
{
        int r = make_masks(masks, root, BY_FILE, masked_files, ELEMENTS(masked_files), err);

        return r < 0 ? r : make_masks(masks, root, BY_DIRECTORY, masked_directories, ELEMENTS(masked_directories), err);
}

void cover_close_masks(struct masks *masks)
{
        while (masks->n > 0)
                close_fd(masks->list[--masks->n].fd);
}

static int attach_mask(const struct mask *mask, int root, int to, struct croft_error *err)
{
        _cleanup_close_ int late = -EBADF; /* a module that was loaded while the masks waited */
        int fd = mask->fd, r;

        if (fd < 0 && faccessat(to, mask->path, F_OK, 0) < 0 && errno == ENOENT)
                return 0;
        if (fd < 0)
                fd = late = make_mask(root, mask, err);
        if (fd < 0)
                return fd;
        r = mount_attach_below(fd, to, mask->path);
        return r < 0 && r != -ENOENT ? croft_error_set(err, r, "hide '%s'", mask->path) : 0;
}

/* Is that path, "proc/kcore", below the directory of that name? */
static bool is_below(const char *path, const char *name)
{
        return str_has_prefix(path, name) && path[strlen(name)] == '/';
}

int cover_attach_masks(const struct masks *masks, int root, int to, const char *name, struct croft_error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < masks->n; i++)
                if (is_below(masks->list[i].path, name))
                        r = attach_mask(&masks->list[i], root, to, err);
        return r;
}

/* --- disks --- */

static int hide_disk(const char *path, int root, int to, struct croft_error *err)
{
        const struct mask mask = {.path = path, .by = BY_DIRECTORY, .fd = -EBADF};

        return attach_mask(&mask, root, to, err);
}

/* Those without a bus are masked all together. */
int cover_hide_disks(int root, int to, struct croft_error *err)
{
        static const char devices[] = "../devices/", without_bus[] = "../devices/virtual/block/";
        int fd = openat(to, "sys/block", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_closedir_ DIR *disks = fd < 0 ? NULL : fdopendir(fd); /* which then has it */
        char target[PATH_MAX], path[PATH_MAX];
        const struct dirent *entry;
        int r = 0;

        if (!disks) {
                r = fd < 0 && errno == ENOENT ? 0 : croft_error_set(err, errno, "open /sys/block");
                close_fd(fd);
                return r;
        }
        while (r == 0 && (entry = readdir(disks))) {
                ssize_t n = readlinkat(dirfd(disks), entry->d_name, target, sizeof(target) - 1);

                if (n < 0) /* not a disk; or it has just gone */
                        continue;
                target[n] = '\0';
                if (!str_has_prefix(target, devices) || str_has_prefix(target, without_bus))
                        continue;
                n = snprintf(path, sizeof(path), "sys/%s", target + strlen("../"));
                r = n < (ssize_t)sizeof(path) ? hide_disk(path, root, to, err) : 0;
        }
        return r;
}

/* --- sysctls --- */

/* The copies are made first: later they would be of what covers them. */
int cover_limit_sysctls(int proc, int to, struct croft_error *err)
{
        _cleanup_close_ int sys = -EBADF;
        int holes[ELEMENTS(own_sysctls)], r;
        char path[64];

        for (size_t i = 0; i < ELEMENTS(own_sysctls); i++) {
                snprintf(path, sizeof(path), "sys/%s", own_sysctls[i]);
                holes[i] = mount_clone(proc, path);
        }
        sys = mount_clone_tree(proc, "sys"); /* with what covers files in it */
        r = sys < 0 ? sys : mount_change(sys, MOUNT_ATTR_RDONLY, 0, -EBADF);
        r = r < 0 ? croft_error_set(err, r, "copy '/proc/sys'") : mount_attach_at(sys, to, "proc/sys", 0, err);
        for (size_t i = 0; i < ELEMENTS(own_sysctls); i++) {
                snprintf(path, sizeof(path), "proc/sys/%s", own_sysctls[i]);
                if (r == 0 && holes[i] >= 0)
                        r = mount_attach_at(holes[i], to, path, 0, err);
                close_fd(holes[i]);
        }
        return r;
}

/* --- all --- */

static int attach_view(int view, int to, const char *path)
{
        struct stat st;

        if (view >= 0)
                return mount_attach_below(view, to, path);
        return fstatat(to, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : -EPERM;
}

static int attach_views(const int views[], int to, const char *name, struct croft_error *err)
{
        const char *path;
        int r = 0;

        for (size_t i = 0; r == 0 && (path = views_mount_path(i)); i++) {
                if (!is_below(path, name))
                        continue;
                r = attach_view(views[i], to, path);
                if (r == -ENOENT) /* this kernel has none */
                        r = 0;
                if (r < 0)
                        return croft_error_set(err, r, "cover '%s'", path);
        }
        return r;
}

int cover_attach(const int views[], const struct masks *masks, int root, int mount, int to, const char *name,
        struct croft_error *err)
{
        int r = strcmp(name, "sys") == 0 ? cover_hide_disks(root, to, err) : 0;

        if (r == 0)
                r = attach_views(views, to, name, err);
        if (r == 0 && strcmp(name, "proc") == 0)
                r = cover_limit_sysctls(mount, to, err);
        return r < 0 ? r : cover_attach_masks(masks, root, to, name, err);
}
