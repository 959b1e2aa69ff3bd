/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * become.c - the last steps before execve.  See become.h.
 *
 * The order matters: the filter and the bounding set need the capabilities that the change of user takes away, and
 * descriptors are marked last so that nothing that was opened on the way can leak.
 */
#include "warden/become.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/caps.h"
#include "kernel/seccomp.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void become_ordinary(pid_t pid)
{
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
        (void)fd_write_file(AT_FDCWD, path,
                "0"); /* lowering what is above 0 may be refused: then it is killed earlier, as croftd is */
}

int become_root(struct croft_error *err)
{
        /* By system call: the C library's versions would look for threads to tell. */
        if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, 0, 0, 0) < 0 ||
                syscall(SYS_setresuid, 0, 0, 0) < 0)
                return croft_error_set(err, errno, "become root of the partition");
        return 0;
}

/* What a program inherits without asking. */
static void reset_inherited(bool block_signals)
{
        /* struct sigaction as the kernel has it, all zero: SIG_DFL.  The C library's call refuses its own two signals,
         * which croftd may have inherited ignored, too. */
        const unsigned long standard[4] = {0};
        struct sched_param param = {0};
        sigset_t mask;

        for (int i = 1; i < _NSIG; i++)
                (void)syscall(SYS_rt_sigaction, i, standard, NULL, _NSIG / 8); /* KILL and STOP refuse */
        (void)(block_signals ? sigfillset(&mask) : sigemptyset(&mask));
        (void)sigprocmask(SIG_SETMASK, &mask, NULL);
        umask(022);
        /* Failures leave croftd's own value, which is a setting of the administrator's. */
        (void)sched_setscheduler(0, SCHED_OTHER, &param);
        (void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
        (void)prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
        (void)prctl(PR_SET_TIMERSLACK, 0, 0, 0, 0);
}

static int lower_nofile(uint64_t hard, struct croft_error *err)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return croft_error_set(err, errno, "read the limit of open files");
        if (hard == 0 || hard >= limit.rlim_max)
                return 0; /* raising is a privilege that we may not have, and that nobody asked for */
        limit.rlim_max = hard;
        if (limit.rlim_cur > hard)
                limit.rlim_cur = hard;
        return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? croft_error_set(err, errno, "lower the limit of open files") : 0;
}

static int attach_stdio(const struct become *b, struct croft_error *err)
{
        int high[3];

        if (b->session && setsid() < 0)
                return croft_error_set(err, errno, "begin a session");
        if (b->terminal && ioctl(b->stdio[0], TIOCSCTTY, 0) < 0)
                return croft_error_set(err, errno, "take the terminal");
        /* Above 2 first, lest one overwrites another that is yet to be moved. */
        for (int i = 0; i < 3; i++) {
                high[i] = fcntl(b->stdio[i], F_DUPFD_CLOEXEC, 3);
                if (high[i] < 0)
                        return croft_error_set(err, errno, "duplicate standard descriptor %d", i);
        }
        for (int i = 0; i < 3; i++)
                if (dup2(high[i], i) < 0)
                        return croft_error_set(err, errno, "set standard descriptor %d", i);
        return 0;
}

static int change_user(const struct become *b, struct croft_error *err)
{
        if (syscall(SYS_setgroups, b->n_groups, b->groups) < 0 || syscall(SYS_setresgid, b->gid, b->gid, b->gid) < 0 ||
                syscall(SYS_setresuid, b->uid, b->uid, b->uid) < 0)
                return croft_error_set(err, errno, "become user %u, group %u", b->uid, b->gid);
        return 0;
}

static const char *find_path(char *const *environment)
{
        for (; environment && *environment; environment++)
                if (strncmp(*environment, "PATH=", 5) == 0)
                        return *environment + 5;
        return DEFAULT_PATH;
}

/* execve, but never of what only a magic link of /proc names: "/proc/self/exe" would be our own program, run inside. */
static int run_file(const char *file, char *const *argv, char *const *environment)
{
        _cleanup_close_ int fd = fd_open2(AT_FDCWD, file, O_PATH, 0, RESOLVE_NO_MAGICLINKS);

        if (fd < 0)
                return -fd;
        execve(file, argv, environment);
        return errno;
}

/* execvpe(3) that never falls back to a shell.  Returns the errno to report: EACCES beats ENOENT. */
static int run(char *const *argv, char *const *environment)
{
        static char *const no_environment[] = {NULL};
        const char *path = find_path(environment);
        int worst = ENOENT;

        environment = environment ? environment : no_environment;
        if (strchr(argv[0], '/'))
                return run_file(argv[0], argv, environment);
        while (*argv[0] && *path) {
                size_t length = strcspn(path, ":");
                char file[4096];

                if (length > 0 &&
                        (size_t)snprintf(file, sizeof(file), "%.*s/%s", (int)length, path, argv[0]) < sizeof(file)) {
                        int code = run_file(file, argv, environment);

                        if (code != ENOENT && code != ENOTDIR)
                                worst = code;
                }
                path += length + (path[length] == ':');
        }
        return worst;
}

int become_prepare(const struct become *b, struct croft_error *err)
{
        int r;

        reset_inherited(b->block_signals);
        r = lower_nofile(b->nofile, err);
        return r < 0 ? r : caps_bound(err);
}

int become_confine(const struct become *b, struct croft_error *err)
{
        const char *directory = b->directory ? b->directory : "/";
        int r = attach_stdio(b, err);

        if (r == 0 && b->filter >= 0)
                r = seccomp_install(b->filter, err);
        if (r == 0)
                r = change_user(b, err);
        if (r < 0)
                return r;
        if (chdir(directory) < 0 && !(b->directory_or_root && chdir("/") == 0))
                return croft_error_set(err, errno, "enter directory '%s'", directory);
        if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
                return croft_error_set(err, errno, "close all other descriptors");
        return 0;
}

int become_run(const struct become *b, struct croft_error *err)
{
        return croft_error_set(err, run(b->argv, b->environment), "run '%s'", b->argv[0]);
}
