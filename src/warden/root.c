/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * root.c - builds the root of a partition from what the warden staged, as root of the partition.
 *
 * Whatever is in the layers was written by the partition: every mount point is opened below the root and through no
 * link.  Nothing here is more than the partition's own root could do later, so nothing here has to be locked; what must
 * be locked comes from the stage.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/mount.h"
#include "kernel/pty.h"
#include "warden/launch.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

static int mount_overlay(struct croft_error *err)
{
        static const char *const options[] = {
                "lowerdir=/lower", "upperdir=/rw/upper", "workdir=/rw/work", "userxattr", NULL};
        _cleanup_close_ int fd = mount_new("overlay", options, 0, err), target = -EBADF;
        int r;

        if (fd < 0)
                return fd;
        target = open("/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (target < 0)
                return croft_error_set(err, errno, "open the place of the root");
        r = mount_attach(fd, target);
        return r < 0 ? croft_error_set(err, r, "attach the root") : TAKE_FD(fd);
}

static int attach_copy(
        int copy, const char *from, int root, const char *to, uint64_t attributes, struct croft_error *err)
{
        _cleanup_close_ int fd = copy;
        int r;

        if (fd < 0)
                return croft_error_set(err, fd, "copy '%s'", from);
        r = attributes ? mount_change(fd, attributes, 0, -EBADF) : 0;
        if (r < 0)
                return croft_error_set(err, r, "set flags of the copy of '%s'", from);
        return mount_attach_at(fd, root, to, 1, err);
}

/* Attaches a copy of a staged mount, or of a file or directory on one, with more flags. */
static int bind(int dir_fd, const char *from, int root, const char *to, uint64_t attributes, struct croft_error *err)
{
        return attach_copy(mount_clone(dir_fd, from), from, root, to, attributes, err);
}

/* The same with all that is mounted below it. */
static int bind_tree(
        int dir_fd, const char *from, int root, const char *to, uint64_t attributes, struct croft_error *err)
{
        return attach_copy(mount_clone_tree(dir_fd, from), from, root, to, attributes, err);
}

static int attach_new(int root, const char *to, const char *type, const char *const options[], uint64_t attributes,
        struct croft_error *err)
{
        _cleanup_close_ int fd = mount_new(type, options, attributes, err);

        if (fd < 0)
                return fd;
        return mount_attach_at(fd, root, to, 1, err);
}

/* The warden has seen to what is to be covered; with their covers, because these are locked. */
static int mount_proc(const struct launch *l, int root, struct croft_error *err)
{
        _cleanup_close_ int fd = mount_clone_tree(AT_FDCWD, "/" STAGE_OWN "/proc");
        int r;

        if (fd < 0)
                return croft_error_set(err, fd, "copy the proc");
        r = mount_attach_at(fd, root, "proc", 1, err);
        if (r == 0 && !l->covered)
                r = cover_limit_sysctls(fd, root, err);
        return r;
}

static int mount_sys(int root, struct croft_error *err)
{
        return bind_tree(AT_FDCWD, "/" STAGE_OWN "/sys", root, "sys", 0, err);
}

/* The size option of a tmpfs: that share of the partition's memory, or of the machine's. */
static void size_option(const struct launch *l, unsigned int percent, char option[48])
{
        if (l->spec.memory_bytes > 0)
                snprintf(option, 48, "size=%ju", (uintmax_t)(l->spec.memory_bytes / 100 * percent));
        else
                snprintf(option, 48, "size=%u%%", percent);
}

static int mount_dev(const struct launch *l, int root, struct croft_error *err)
{
        /* Of the 3072 terminals that the kernel gives away outside its own namespace, no partition gets more than this.
         */
        static const char *const pts[] = {"ptmxmode=666", "mode=620", "gid=5", "max=256", NULL};
        char size[48];
        const char *const shm[] = {"mode=1777", size, NULL};
        int r;

        size_option(l, 50, size);

        r = bind(AT_FDCWD, "/dev", root, "dev", 0, err);
        if (r == 0)
                r = attach_new(root, "dev/pts", "devpts", pts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
        if (r == 0)
                r = attach_new(root, "dev/shm", "tmpfs", shm, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, err);
        if (r == 0)
                r = attach_new(root, "dev/mqueue", "mqueue", NULL, NSNDNX, err);
        return r;
}

/* A drop-in in that folder.  Not below /run/systemd: that it is there says that systemd runs (sd_booted()). */
static int write_unit(int root, const char *folder, const char *text, struct croft_error *err)
{
        _cleanup_close_ int fd = -EBADF;
        char path[128];
        int r;

        (void)snprintf(path, sizeof(path), LAUNCH_UNITS "/%s", folder);
        r = fd_make_dirs(root, path, 0755, err);
        if (r < 0)
                return r;
        (void)snprintf(path, sizeof(path), LAUNCH_UNITS "/%s/zzz-croft.conf", folder);
        fd = fd_open2(root, path, O_WRONLY | O_CREAT | O_EXCL, 0644, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
        r = fd < 0 ? fd : fd_write_all(fd, text, strlen(text));
        return r < 0 ? croft_error_set(err, r, "write '%s'", LAUNCH_UNITS) : 0;
}

/* systemd 247 gives up units that want a /proc of their own where no new one can be mounted; all others take what is
 * there (from 252 on if nothing on it can be unmounted).  So no unit is to want one. */
static int tell_systemd(int root, struct croft_error *err)
{
        static const char text[] = "[Service]\nProtectProc=default\nProcSubset=all\nProtectKernelTunables=no\n"
                                   "ProtectControlGroups=no\n";
        _cleanup_close_ int fd = fd_open2(root, "lib/systemd/libsystemd-shared-247.so", O_PATH, 0, RESOLVE_IN_ROOT);

        return fd < 0 ? 0 : write_unit(root, "service.d", text, err);
}

/* The unit that loads what modules-load.d(5) lists is passed over where there is no CAP_SYS_MODULE, which no partition
 * has: who is granted extensions needs none.  To take one condition back takes back all, so the others are here; a root
 * without modules of this kernel isn't to have a unit that fails. */
static int tell_systemd_of_modules(int root, struct croft_error *err)
{
        static const char text[] = "[Unit]\nConditionCapability=\n"
                                   "ConditionPathExists=/lib/modules/%v\n"
                                   "ConditionDirectoryNotEmpty=|/lib/modules-load.d\n"
                                   "ConditionDirectoryNotEmpty=|/usr/lib/modules-load.d\n"
                                   "ConditionDirectoryNotEmpty=|/usr/local/lib/modules-load.d\n"
                                   "ConditionDirectoryNotEmpty=|/etc/modules-load.d\n"
                                   "ConditionDirectoryNotEmpty=|/run/modules-load.d\n";

        return write_unit(root, "systemd-modules-load.service.d", text, err);
}

static int mount_run(const struct launch *l, int root, struct croft_error *err)
{
        char size[48];
        const char *const options[] = {"mode=755", size, "nr_inodes=819200", NULL};
        int r;

        size_option(l, 20, size);
        r = attach_new(root, "run", "tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, err);
        if (r == 0 && l->covered)
                r = tell_systemd(root, err);
        if (r == 0 && l->spec.modules)
                r = tell_systemd_of_modules(root, err);
        if (r == 0 && l->stage.tools >= 0)
                r = bind(AT_FDCWD, "/tools", root, "run/croft/bin", 0, err);
        if (r == 0 && l->stage.programs >= 0)
                r = bind(AT_FDCWD, "/programs", root, "run/croft/programs", 0, err);
        return r;
}

static int mount_shares(const struct launch *l, int root, struct croft_error *err)
{
        char name[32];
        int r = 0;

        for (size_t i = 0; r == 0 && i < l->n_shares; i++) {
                snprintf(name, sizeof(name), "/share%zu", i);
                r = bind(AT_FDCWD, name, root, l->shares[i].path, 0, err);
                if (r < 0)
                        return croft_error_prefix(err, "share '%s'", l->shares[i].path);
        }
        return r;
}

static int open_console(int root, int *ret_master, int *ret_slave, struct croft_error *err)
{
        _cleanup_close_ int pts = mount_point(root, "dev/pts", 0), directory = -EBADF, master = -EBADF, slave = -EBADF;
        unsigned int index;
        char name[16];
        int r;

        if (pts >= 0)
                directory = openat(pts, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
                return croft_error_set(err, errno, "open /dev/pts");
        r = pty_open(directory, &master, &slave, &index, err);
        if (r < 0)
                return r;
        if (fchmod(slave, 0600) < 0)
                return croft_error_set(err, errno, "protect the console");
        snprintf(name, sizeof(name), "%u", index);
        r = bind(directory, name, root, "dev/console", 0, err);
        if (r < 0)
                return r;
        *ret_master = TAKE_FD(master);
        *ret_slave = TAKE_FD(slave);
        return 0;
}

/* What no partition needs, but its root may have back: what lies below is nobody else's. */
static int mask_unlocked(const struct launch *l, int root, struct croft_error *err)
{
        _cleanup_close_ int staged = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r;

        if (staged < 0)
                return croft_error_set(err, errno, "open '/'");
        r = cover_attach_masks(&l->stage.masks, staged, root, "proc", err);
        if (r == 0)
                r = cover_hide_disks(staged, root, err);
        return r < 0 ? r : cover_attach_masks(&l->stage.masks, staged, root, "sys", err);
}

int root_build(const struct launch *l, int *ret_master, int *ret_slave, struct croft_error *err)
{
        _cleanup_close_ int root = -EBADF, master = -EBADF, slave = -EBADF;
        int r;

        root = mount_overlay(err);
        if (root < 0)
                return root;
        r = mount_shares(l, root, err);
        if (r == 0)
                r = mount_proc(l, root, err);
        if (r == 0)
                r = mount_sys(root, err);
        if (r == 0)
                r = mount_dev(l, root, err);
        if (r == 0)
                r = mount_run(l, root, err);
        if (r == 0 && !l->covered)
                r = mask_unlocked(l, root, err);
        if (r == 0)
                r = open_console(root, &master, &slave, err);
        if (r < 0)
                return r;
        *ret_master = TAKE_FD(master);
        *ret_slave = TAKE_FD(slave);
        return TAKE_FD(root);
}

/* In a cgroup namespace of its own: the partition's directory is the root of what it sees. */
int root_mount_cgroup(int root, struct croft_error *err)
{
        _cleanup_close_ int fd = mount_new("cgroup2", NULL, NSNDNX, err);

        return fd < 0 ? fd : mount_attach_at(fd, root, "sys/fs/cgroup", 0, err);
}
