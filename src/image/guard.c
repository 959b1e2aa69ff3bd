/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guard.c - see guard.h.  The program is PID 1's only child there; when the caller dies, the kernel kills the guard,
 * and with it PID 1 and all that the program has started.
 */
#include "image/guard.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int exit_status(int status)
{
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int fail(const char *what)
{
        fprintf(stderr, "E: croft-image: %s: %s\n", what, strerror(errno));
        return 125;
}

/* PID 1: reaps what the program leaves behind, ends with it. */
static int be_init(int alive, char **argv)
{
        pid_t child, pid;
        int status;
        char byte;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return fail("prctl");
        /* The guard's number isn't known in here; its end of the pipe tells whether it had died before. */
        if (read(alive, &byte, 1) >= 0)
                return 125;
        if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
                return fail("mount /proc");
        child = fork();
        if (child < 0)
                return fail("fork");
        if (child == 0) {
                execvp(argv[0], argv);
                _exit(errno == ENOENT ? 127 : 126);
        }
        do
                pid = waitpid(-1, &status, 0);
        while (pid != child && (pid >= 0 || errno == EINTR));
        return pid == child ? exit_status(status) : 125;
}

int guard_main(const char *parent, char **argv)
{
        uint64_t pid;
        pid_t child;
        int status, tmp, alive[2];

        if (!str_to_u64(parent, INT32_MAX, &pid) || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != (pid_t)pid)
                return 125;
        /* Cloned before the mount namespace is left: a mount of another one can't be bound. */
        tmp = (int)syscall(SYS_open_tree, 3, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
        if (tmp < 0)
                return fail("open_tree");
        if (unshare(CLONE_NEWNS | CLONE_NEWPID) < 0)
                return fail("unshare");
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return fail("make mounts private");
        if (syscall(SYS_move_mount, tmp, "", AT_FDCWD, "/tmp", MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return fail("mount /tmp");
        if (close_range(3, ~0U, 0) < 0)
                return fail("close descriptors");
        if (pipe2(alive, O_CLOEXEC | O_NONBLOCK) < 0)
                return fail("pipe");
        child = fork();
        if (child < 0)
                return fail("fork");
        if (child == 0) {
                (void)close(alive[1]);
                _exit(be_init(alive[0], argv));
        }
        while (waitpid(child, &status, 0) < 0)
                if (errno != EINTR)
                        return fail("wait");
        return exit_status(status);
}
