/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sandbox.c - what the worker gives up before it reads the first byte.
 *
 * The target's mount is cloned with its ids mapped: what is 0..65535 on the disk is a range of ids that nobody else
 * has.  In a user namespace of just that range the worker is root over the target's files and over nothing else.  Its
 * root is the target, its network and IPC are empty, five capabilities over that range are left, and few system calls.
 */
#include "image/sink.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/mount.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* 65,536 ids for workers, below those of partitions and of the owners of their namespaces (partition/ids.h). */
#define WORKER_IDS 0x77FE0000U
#define MEMORY_MAX (3ULL << 30) /* address space: the windows of xz and zstd, and folders' names */

/* Ids of a source beyond those that an image may have get numbers of their own, so that they are seen and refused: one
 * without a number would look like "nobody". */
#define FOREIGN_IDS 0x80000000U
#define FOREIGN_COUNT 0x7FF00000U

static int write_map(pid_t pid, const char *file, bool foreign)
{
        char path[64], map[128];

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
        if (foreign)
                (void)snprintf(map, sizeof(map), "0 %u 65536\n65536 %u %u\n", WORKER_IDS, FOREIGN_IDS, FOREIGN_COUNT);
        else
                (void)snprintf(map, sizeof(map), "0 %u 65536\n", WORKER_IDS);
        return fd_write_file(AT_FDCWD, path, map);
}

/* A namespace lives by its descriptor; the child that it is made with goes at once. */
static int open_user_namespace(bool foreign, struct croft_error *err)
{
        pid_t self = getpid(), pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0UL);
        char path[64];
        int fd, r;

        if (pid < 0)
                return croft_error_set(err, errno, "make a user namespace");
        if (pid == 0) {
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != self)
                        _exit(1);
                for (;;)
                        pause();
        }
        r = write_map(pid, "uid_map", foreign);
        if (r == 0)
                r = write_map(pid, "gid_map", foreign);
        (void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
        fd = r < 0 ? r : open(path, O_RDONLY | O_CLOEXEC);
        if (fd == -1)
                fd = -errno;
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return fd < 0 ? croft_error_set(err, fd, "map the ids of a user namespace") : fd;
}

/* A detached copy of the folder's mount with mapped ids. */
static int map_folder(int folder, int userns, uint64_t flags, struct croft_error *err)
{
        struct mount_attr attr = {
                .attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | flags,
                .propagation = MS_PRIVATE, /* the copy of a shared mount is shared, too, and couldn't become a root */
                .userns_fd = (uint64_t)userns,
        };
        _cleanup_close_ int fd =
                (int)syscall(SYS_open_tree, folder, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

        if (fd < 0)
                return croft_error_set(err, errno, "clone the mount of a folder");
        if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
                return croft_error_set(err, errno, "map the ids of the folder's file system");
        return TAKE_FD(fd);
}

/* The target becomes the root of a mount namespace of its own, with nothing else in it. */
static int change_root(int target, struct croft_error *err)
{
        if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
                return croft_error_set(err, errno, "make namespaces");
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return croft_error_set(err, errno, "make the mounts private");
        if (syscall(SYS_move_mount, target, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return croft_error_set(err, errno, "attach the target");
        if (fchdir(target) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
                chdir("/") < 0)
                return croft_error_set(err, errno, "change the root");
        return 0;
}

static int set_limit(int what, uint64_t value)
{
        struct rlimit limit;

        if (getrlimit(what, &limit) < 0)
                return -errno;
        if (limit.rlim_max == RLIM_INFINITY || value < limit.rlim_max)
                limit.rlim_max = value;
        limit.rlim_cur = limit.rlim_max;
        return setrlimit(what, &limit) < 0 ? -errno : 0;
}

static int drop_capabilities(void)
{
        static const cap_value_t kept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_SETFCAP};
        cap_t caps;
        int r = 0;

        for (int cap = 0; cap <= 63; cap++)
                if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
                        return -errno;
        caps = cap_init();
        if (!caps)
                return -ENOMEM;
        if (cap_set_flag(caps, CAP_PERMITTED, ELEMENTS(kept), kept, CAP_SET) < 0 ||
                cap_set_flag(caps, CAP_EFFECTIVE, ELEMENTS(kept), kept, CAP_SET) < 0 || cap_set_proc(caps) < 0)
                r = -errno;
        (void)cap_free(caps);
        return r;
}

static int become_nobody(int userns, const struct sandbox *box, struct croft_error *err)
{
        int r;

        if (setns(userns, CLONE_NEWUSER) < 0 || setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 ||
                setresuid(0, 0, 0) < 0)
                return croft_error_set(err, errno, "enter the user namespace");
        r = drop_capabilities();
        if (r == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0))
                r = -errno;
        if (r == 0)
                r = set_limit(RLIMIT_FSIZE, box->max_bytes);
        if (r == 0)
                r = set_limit(RLIMIT_NOFILE, 1024);
        if (r == 0)
                r = set_limit(RLIMIT_CORE, 0);
#ifndef __SANITIZE_ADDRESS__
        if (r == 0)
                r = set_limit(RLIMIT_AS, MEMORY_MAX);
#endif
        if (r < 0)
                return croft_error_set(err, r, "drop privileges");
        /* Last: the changes above forget it.  Then, whether the caller died before. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != box->parent)
                return croft_error_set(err, ESRCH, "the caller is gone.");
        return 0;
}

static int filter_calls(struct croft_error *err)
{
        static const int allowed[] = {SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write),
                SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fstat),
                SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(mkdirat),
                SCMP_SYS(linkat), SCMP_SYS(symlinkat), SCMP_SYS(readlinkat), SCMP_SYS(unlinkat), SCMP_SYS(fchmod),
                SCMP_SYS(fchmodat), SCMP_SYS(fchown), SCMP_SYS(fchownat), SCMP_SYS(utimensat), SCMP_SYS(fsetxattr),
                SCMP_SYS(fgetxattr), SCMP_SYS(flistxattr), SCMP_SYS(ftruncate), SCMP_SYS(getdents64), SCMP_SYS(fcntl),
                SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise),
                SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn),
                SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall), SCMP_SYS(clock_gettime), SCMP_SYS(getrandom),
                SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(sigaltstack), SCMP_SYS(fadvise64)};
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r = filter ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < ELEMENTS(allowed); i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
        if (r == 0)
                r = seccomp_rule_add(
                        filter, SCMP_ACT_ALLOW, SCMP_SYS(mknodat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, S_IFMT, S_IFIFO));
        if (r == 0)
                r = seccomp_load(filter);
        seccomp_release(filter);
        return r < 0 ? croft_error_set(err, r, "filter system calls") : 0;
}

int sandbox_enter(struct sandbox *box, struct croft_error *err)
{
        _cleanup_close_ int userns = open_user_namespace(box->source >= 0, err), target = -EBADF, source = -EBADF;
        int r;

        if (userns < 0)
                return userns;
        target = map_folder(box->target, userns, box->follow ? 0 : MOUNT_ATTR_NOSYMFOLLOW, err);
        if (target < 0)
                return target;
        if (box->source >= 0) {
                source = map_folder(box->source, userns, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSYMFOLLOW, err);
                if (source < 0) {
                        croft_error_prefix(err, "the folder to copy (a tar of it can be imported anywhere)");
                        return source;
                }
        }
        r = change_root(target, err);
        if (r == 0)
                r = become_nobody(userns, box, err);
        if (r == 0)
                r = filter_calls(err);
        if (r < 0)
                return r;
        close_fd(box->target);
        close_fd(box->source);
        box->target = TAKE_FD(target);
        box->source = TAKE_FD(source);
        return 0;
}
