/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * confine.c - what reads the network has nothing else.  See remote.h.
 *
 * The filter is the wall: whoever takes this process over can neither open a file, connect, start a program nor look at
 * another process; it has the connection, its parent's socket, and the key of this machine's certificate, which the
 * handshake needs.
 */
#include "remote/remote.h"

#include "base/cleanup.h"
#include "kernel/caps.h"

#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define NOBODY 65534

static const char *const calls[] = {"read", "write", "readv", "writev", "recvfrom", "sendto", "recvmsg", "sendmsg",
        "shutdown", "poll", "ppoll", "close", "brk", "munmap", "mremap", "madvise", "futex", "clock_gettime",
        "gettimeofday", "time", "restart_syscall", "getpid", "getppid", "gettid", "rt_sigaction", "rt_sigprocmask",
        "rt_sigreturn", "getrandom", "exit", "exit_group"};

static int filter_calls(struct croft_error *err)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r = filter ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < ELEMENTS(calls); i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(calls[i]), 0);
        /* Memory, but none that can be run; nobody but the own parent's death signals this process. */
        if (r == 0)
                r = seccomp_rule_add(
                        filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        if (r == 0)
                r = seccomp_rule_add(
                        filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        if (r == 0)
                r = seccomp_load(filter);
        if (filter)
                seccomp_release(filter);
        return r < 0 ? croft_error_set(err, -r, "install the system call filter") : 0;
}

int confine(pid_t parent, struct croft_error *err)
{
        const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
        int r;

        if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0)
                return croft_error_set(err, errno, "give up root's groups");
        if (setrlimit(RLIMIT_CORE, &none) < 0)
                return croft_error_set(err, errno, "limit the size of files");
        r = caps_drop_bounding(err);
        if (r < 0)
                return r;
        if (setresuid(NOBODY, NOBODY, NOBODY) < 0)
                return croft_error_set(err, errno, "become user %u", NOBODY);
        /* Not dumpable: others of that user can't look at it. */
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return croft_error_set(err, errno, "give up new privileges");
        r = caps_drop_all(err);
        /* A change of the user forgets it: so it comes after. */
        if (r == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
                return croft_error_set(err, ECHILD, "stay with the parent");
        return r < 0 ? r : filter_calls(err);
}
