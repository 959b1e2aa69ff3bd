/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ns.c - namespaces.  See ns.h.
 */
#include "kernel/ns.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <inttypes.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

pid_t ns_clone(uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
        struct clone_args args = {
                .flags = flags,
                /* clone3 wants none with CLONE_PARENT: the child inherits ours. */
                .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
        };
        int pidfd = -EBADF;
        long pid;

        if (ret_pidfd) {
                args.flags |= CLONE_PIDFD;
                args.pidfd = (uint64_t)(uintptr_t)&pidfd;
        }
        if (cgroup_fd >= 0) {
                args.flags |= CLONE_INTO_CGROUP;
                args.cgroup = (uint64_t)cgroup_fd;
        }
        pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid < 0)
                return -errno;
        if (pid > 0 && ret_pidfd)
                *ret_pidfd = pidfd;
        return (pid_t)pid;
}

pid_t ns_clone_owned(uid_t owner, uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
        int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
        pid_t pid;

        /* By system call: the C library's versions would look for threads to tell.  NO_SETUID_FIXUP keeps the effective
         * capabilities, which CLONE_INTO_CGROUP asks for. */
        if (bits < 0 || prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0 ||
                syscall(SYS_setresuid, -1, owner, -1) < 0)
                return -errno;
        pid = ns_clone(CLONE_NEWUSER | flags, cgroup_fd, ret_pidfd);
        if (pid == 0)
                return 0;
        if (syscall(SYS_setresuid, -1, 0, -1) < 0 || prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0) {
                int r = -errno;

                if (pid > 0)
                        (void)kill(pid, SIGKILL); /* our own child, not yet waited for */
                return r;
        }
        return pid;
}

static int write_map(pid_t pid, const char *file, uint32_t base, uint32_t count, struct croft_error *err)
{
        char path[64], line[64];
        int r;

        snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
        snprintf(line, sizeof(line), "0 %" PRIu32 " %" PRIu32 "\n", base, count);
        r = fd_write_file(AT_FDCWD, path, line);
        return r < 0 ? croft_error_set(err, r, "write %s '0 %" PRIu32 " %" PRIu32 "'", file, base, count) : 0;
}

int ns_write_maps(pid_t pid, uint32_t base, uint32_t count, struct croft_error *err)
{
        int r = write_map(pid, "uid_map", base, count, err);

        return r < 0 ? r : write_map(pid, "gid_map", base, count, err);
}

int ns_open(pid_t pid, const char *name)
{
        char path[64];
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int ns_open_all(pid_t pid)
{
        char path[64];
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/ns", (int)pid);
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int ns_enter(int pidfd, int flags)
{
        return setns(pidfd, flags) < 0 ? -errno : 0;
}

int ns_loopback_up(struct croft_error *err)
{
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};

        if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
                return croft_error_set(err, errno, "bring the loopback interface up");
        return 0;
}

/* Offsets so that both clocks read (nearly) zero: seconds are exact, a nanosecond part would only be noise. */
static int write_offsets(struct croft_error *err)
{
        struct timespec monotonic, boot;
        char text[128];
        int r;

        clock_gettime(CLOCK_MONOTONIC, &monotonic);
        clock_gettime(CLOCK_BOOTTIME, &boot);
        snprintf(text, sizeof(text), "monotonic -%lld 0\nboottime -%lld 0\n", (long long)monotonic.tv_sec,
                (long long)boot.tv_sec);
        r = fd_write_file(AT_FDCWD, "/proc/self/timens_offsets", text);
        return r < 0 ? croft_error_set(err, r, "set the clocks of the time namespace") : 0;
}

int ns_restart_clocks(struct croft_error *err)
{
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (unshare(CLONE_NEWTIME) < 0)
                return croft_error_set(err, errno == EINVAL ? EOPNOTSUPP : errno, "make a time namespace");
        r = write_offsets(err);
        if (r < 0)
                return r;
        /* unshare() is for children only; the offsets are frozen by the first one who enters. */
        fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, CLONE_NEWTIME) < 0)
                return croft_error_set(err, errno, "enter the time namespace");
        return 0;
}

int ns_start_time(pid_t pid, uint64_t *ret)
{
        _cleanup_free_ char *text = NULL;
        char path[64], *p;
        int r;

        snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        r = fd_read_file(AT_FDCWD, path, 4096, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;
        p = strrchr(text, ')'); /* the name before it may hold blanks and brackets */
        for (int field = 2; p && field < 22; field++)
                p = strchr(p + 1, ' ');
        if (!p || sscanf(p + 1, "%" SCNu64, ret) != 1)
                return -EBADMSG;
        return 0;
}
