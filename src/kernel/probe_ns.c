/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * probe_ns.c - probes of namespaces and mounts: each does in small what the launcher does.
 *
 * Children are made by the bare system call, perhaps out of a process with threads: between clone and exit they call
 * nothing that may take a lock of the C library.
 */
#include "kernel/probe_private.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/mount.h"
#include "kernel/ns.h"

#include <linux/magic.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#define IDS_BASE 1000000
#define IDS_COUNT 65536

/* A child without an exit signal: a waitpid(-1) elsewhere in the process doesn't see it. */
static int clone_quietly(uint64_t flags, int cgroup_fd)
{
        struct clone_args args = {.flags = flags};
        long pid;

        if (cgroup_fd >= 0) {
                args.flags |= CLONE_INTO_CGROUP;
                args.cgroup = (uint64_t)cgroup_fd;
        }
        pid = syscall(SYS_clone3, &args, sizeof(args));
        return pid < 0 ? -errno : (int)pid;
}

static int wait_for(int pid)
{
        siginfo_t info = {0};

        while (waitid(P_PID, (id_t)pid, &info, WEXITED | __WALL) < 0)
                if (errno != EINTR)
                        return -errno;
        return info.si_code == CLD_EXITED ? -info.si_status : -EINTR;
}

static int run_child(uint64_t flags, int cgroup_fd, int (*f)(const void *arg), const void *arg)
{
        int pid = clone_quietly(flags, cgroup_fd), r;

        if (pid < 0)
                return pid;
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                r = f(arg);
                _exit(r < 0 && r >= -255 ? -r : 0);
        }
        return wait_for(pid);
}

int probe_in_child(uint64_t flags, int (*f)(const void *arg), const void *arg)
{
        return run_child(flags, -EBADF, f, arg);
}

int probe_in_cgroup(int cgroup_fd, int (*f)(const void *arg), const void *arg)
{
        return run_child(0, cgroup_fd, f, arg);
}

int probe_start_child(uint64_t flags, int cgroup_fd, int *ret_pid)
{
        int pid = clone_quietly(flags, cgroup_fd);

        if (pid < 0)
                return pid;
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;)
                        pause();
        }
        *ret_pid = pid;
        return 0;
}

void probe_end_child(int pid)
{
        (void)kill(pid, SIGKILL); /* ours and not waited for: the number is still its own */
        (void)wait_for(pid);
}

int probe_make_userns(int *ret_fd)
{
        int pid, fd, r = probe_start_child(CLONE_NEWUSER, -EBADF, &pid);

        if (r < 0)
                return r;
        r = ns_write_maps(pid, IDS_BASE, IDS_COUNT, NULL);
        fd = r < 0 ? r : ns_open(pid, "user");
        probe_end_child(pid);
        if (fd < 0)
                return fd;
        *ret_fd = fd;
        return 0;
}

static int nothing(const void *arg)
{
        (void)arg;
        return 0;
}

int probe_user_namespace(const struct probe_context *c, struct probe_result *result)
{
        if (c->userns_error == -EPERM)
                (void)snprintf(result->detail, sizeof(result->detail),
                        "refused: croftd isn't root of the initial user namespace, or a limit is 0");
        return c->userns_error;
}

int probe_pid_namespace(const struct probe_context *c, struct probe_result *result)
{
        (void)c;
        (void)result;
        return probe_in_child(CLONE_NEWUSER | CLONE_NEWPID, nothing, NULL);
}

int probe_mount_namespace(const struct probe_context *c, struct probe_result *result)
{
        (void)c;
        (void)result;
        return probe_in_child(CLONE_NEWUSER | CLONE_NEWNS, nothing, NULL);
}

int probe_uts_namespace(const struct probe_context *c, struct probe_result *result)
{
        (void)c;
        (void)result;
        return probe_in_child(CLONE_NEWUSER | CLONE_NEWUTS, nothing, NULL);
}

int probe_ipc_namespace(const struct probe_context *c, struct probe_result *result)
{
        (void)c;
        (void)result;
        return probe_in_child(CLONE_NEWUSER | CLONE_NEWIPC, nothing, NULL);
}

int probe_network_namespace(const struct probe_context *c, struct probe_result *result)
{
        (void)c;
        (void)result;
        return probe_in_child(CLONE_NEWUSER | CLONE_NEWNET, nothing, NULL);
}

int probe_cgroup_namespace(const struct probe_context *c, struct probe_result *result)
{
        (void)c;
        (void)result;
        return probe_in_child(CLONE_NEWUSER | CLONE_NEWCGROUP, nothing, NULL);
}

static int restart_clocks(const void *arg)
{
        (void)arg;
        return ns_restart_clocks(NULL);
}

int probe_time_namespace(const struct probe_context *c, struct probe_result *result)
{
        (void)c;
        (void)result;
        return probe_in_child(0, restart_clocks, NULL);
}

/* fsopen, fsconfig, fsmount, open_tree and mount_setattr: the mount is never attached anywhere. */
int probe_mount_api(const struct probe_context *c, struct probe_result *result)
{
        _cleanup_close_ int fd = mount_new("tmpfs", NULL, 0, NULL);

        (void)c;
        (void)result;
        return fd < 0 ? fd : mount_change(fd, MOUNT_ATTR_RDONLY, 0, -EBADF);
}

/* Names the file system of the state directory. */
static void tell_file_system(int state_dir, struct probe_result *result)
{
        static const struct {
                long magic;
                const char *name;
        } known[] = {{EXT4_SUPER_MAGIC, "ext4"}, {XFS_SUPER_MAGIC, "xfs"}, {BTRFS_SUPER_MAGIC, "btrfs"},
                {TMPFS_MAGIC, "tmpfs"}, {OVERLAYFS_SUPER_MAGIC, "overlay"}, {NFS_SUPER_MAGIC, "nfs"},
                {FUSE_SUPER_MAGIC, "fuse"}, {0x2fc12fc1, "zfs"}, {F2FS_SUPER_MAGIC, "f2fs"}};
        struct statfs fs;

        if (fstatfs(state_dir, &fs) < 0)
                return;
        (void)snprintf(result->detail, sizeof(result->detail), "state directory on file system 0x%lx", (long)fs.f_type);
        for (size_t i = 0; i < ELEMENTS(known); i++)
                if (fs.f_type == known[i].magic)
                        (void)snprintf(result->detail, sizeof(result->detail), "state directory on %s", known[i].name);
}

int probe_idmapped_mount(const struct probe_context *c, struct probe_result *result)
{
        _cleanup_close_ int tree = -EBADF;

        if (c->userns < 0)
                return c->userns_error;
        tell_file_system(c->state_dir, result);
        tree = mount_clone(c->state_dir, "");
        return tree < 0 ? tree : mount_change(tree, 0, 0, c->userns);
}

struct overlay_order {
        const char *path; /* of a directory with lower/file, upper and work */
        int userns;
};

/* The root of a partition in small: layers idmapped by us, put together inside the user namespace, and a file of the
 * lower layer opened for writing so that it is copied up. */
static int make_overlay(const void *arg)
{
        static const char *const options[] = {"lowerdir=lower", "upperdir=upper", "workdir=work", "userxattr",
                "volatile" /* unmounting would write the whole file system of the state directory to disk */, NULL};
        const struct overlay_order *o = arg;
        int dir, tree, root, r = mount_make_private(NULL);

        dir = open(o->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (r < 0 || dir < 0)
                return r < 0 ? r : -errno;
        tree = mount_clone(dir, "");
        r = tree < 0 ? tree : mount_change(tree, 0, 0, o->userns);
        if (r == 0)
                r = mount_attach(tree, dir);
        if (r < 0)
                return r;
        if (chdir(o->path) < 0 || setns(o->userns, CLONE_NEWUSER) < 0 || unshare(CLONE_NEWNS) < 0 ||
                syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
                return -errno;
        root = mount_new("overlay", options, 0, NULL);
        if (root < 0)
                return root;
        return openat(root, "file", O_WRONLY | O_CLOEXEC) < 0 ? -errno : 0;
}

static int make_layers(int dir)
{
        _cleanup_close_ int file = -EBADF;

        if (mkdirat(dir, "lower", 0755) < 0 || mkdirat(dir, "upper", 0755) < 0 || mkdirat(dir, "work", 0755) < 0)
                return -errno;
        file = openat(dir, "lower/file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        return file < 0 ? -errno : 0;
}

int probe_overlay(const struct probe_context *c, struct probe_result *result)
{
        static atomic_uint counter;
        _cleanup_close_ int dir = -EBADF;
        _cleanup_free_ char *path = NULL;
        struct overlay_order order = {.userns = c->userns};
        char name[48], link[48];
        int r;

        if (c->userns < 0)
                return c->userns_error;
        tell_file_system(c->state_dir, result);
        (void)snprintf(name, sizeof(name), ".probe-%d-%u", (int)getpid(), counter++);
        if (mkdirat(c->state_dir, name, 0700) < 0)
                return -errno;
        dir = openat(c->state_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = dir < 0 ? -errno : make_layers(dir);
        if (r == 0) {
                (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
                path = realpath(link, NULL);
                order.path = path;
                r = path ? probe_in_child(CLONE_NEWNS, make_overlay, &order) : -errno;
        }
        (void)fd_remove_tree(c->state_dir, name, NULL); /* at worst an empty directory stays; the name tells */
        return r;
}

static int mount_fresh(const void *type)
{
        int fd = mount_new(type, NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, NULL);

        return fd < 0 ? fd : 0;
}

int probe_fresh_proc(const struct probe_context *c, struct probe_result *result)
{
        int r = probe_in_child(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID, mount_fresh, "proc");

        (void)c;
        if (r == -EPERM)
                (void)snprintf(result->detail, sizeof(result->detail),
                        "refused: something is mounted over parts of /proc (croftd runs in a container)");
        return r;
}

int probe_fresh_sys(const struct probe_context *c, struct probe_result *result)
{
        int r = probe_in_child(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET, mount_fresh, "sysfs");

        (void)c;
        if (r == -EPERM)
                (void)snprintf(result->detail, sizeof(result->detail),
                        "refused: something is mounted over parts of /sys (croftd runs in a container)");
        return r;
}

int probe_mqueue(const struct probe_context *c, struct probe_result *result)
{
        (void)c;
        (void)result;
        return probe_in_child(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC, mount_fresh, "mqueue");
}
