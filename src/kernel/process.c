/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * process.c - processes held by pidfd.  See process.h.  What is read of /proc here is the kernel's word about a
 * process, except its name, which is skipped.
 */
#include "kernel/process.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int read_proc(pid_t pid, const char *file, char **ret)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
        return fd_read_file(AT_FDCWD, path, 65536, ret, NULL);
}

/* The state letter and the start time. */
static int read_stat(pid_t pid, char *ret_state, uint64_t *ret_start)
{
        _cleanup_free_ char *text = NULL;
        char *save = NULL, *word = NULL, *end;
        int r = read_proc(pid, "stat", &text);

        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;
        end = strrchr(text, ')'); /* the name may hold anything, a ')' too */
        if (!end || end[1] != ' ' || !end[2])
                return -EBADMSG;
        *ret_state = end[2];
        word = strtok_r(end + 1, " ", &save); /* field 3 */
        for (int i = 3; word && i < 22; i++)
                word = strtok_r(NULL, " ", &save);
        return word && str_to_u64(word, UINT64_MAX, ret_start) ? 0 : -EBADMSG;
}

int process_start_time(pid_t pid, uint64_t *ret)
{
        char state;

        return read_stat(pid, &state, ret);
}

int process_open(pid_t pid, uint64_t start_time)
{
        _cleanup_close_ int fd = -EBADF;
        uint64_t start;
        char state;
        int r;

        if (pid <= 0)
                return -ESRCH;
        fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0)
                return -errno;
        /* Looked at after the pidfd was made: if it is the right one now, the pidfd is its. */
        r = read_stat(pid, &state, &start);
        if (r < 0)
                return r;
        if (start != start_time || state == 'Z' || state == 'X')
                return -ESRCH;
        return TAKE_FD(fd);
}

int process_of_pidfd(int pidfd, pid_t *ret)
{
        _cleanup_free_ char *text = NULL;
        uint64_t pid;
        char path[64], *line;
        int r;

        (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
        r = fd_read_file(AT_FDCWD, path, 4096, &text, NULL);
        if (r < 0)
                return -EBADF;
        line = strstr(text, "\nPid:\t");
        if (!line)
                return -EBADF;
        line += 6;
        line[strcspn(line, "\n")] = '\0';
        if (!str_to_u64(line, INT32_MAX, &pid) || pid == 0) /* "-1": gone, "0": not in our namespace */
                return -ESRCH;
        *ret = (pid_t)pid;
        return 0;
}

/* The first "/croft.TAG/" of a path is ours; below it a partition gives its own cgroups any names it likes, those of
 * its neighbours, too. */
static bool path_is_below(const char *path, const char *tail)
{
        size_t head = (size_t)(strrchr(tail, '/') + 1 - tail);

        for (; path; path = strchr(path + 1, '/'))
                if (strncmp(path, tail, head) == 0) {
                        size_t length = strlen(tail);

                        return strncmp(path, tail, length) == 0 && (path[length] == '\0' || path[length] == '/');
                }
        return false;
}

bool process_in_cgroup(pid_t pid, const char *tail)
{
        _cleanup_free_ char *text = NULL;
        char *line;

        if (read_proc(pid, "cgroup", &text) < 0)
                return false;
        line = str_has_prefix(text, "0::") ? text : strstr(text, "\n0::");
        if (!line)
                return false;
        line += *line == '\n';
        line[strcspn(line, "\n")] = '\0';
        return path_is_below(strchr(line, '/'), tail);
}

int process_wait(int pidfd, int timeout_ms)
{
        struct pollfd p = {.fd = pidfd, .events = POLLIN};
        int r;

        if (pidfd < 0)
                return 0;
        do
                r = poll(&p, 1, timeout_ms);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return -errno;
        return r == 0 ? -ETIMEDOUT : 0;
}

bool process_ended(int pidfd)
{
        return pidfd >= 0 && process_wait(pidfd, 0) == 0;
}

int process_signal(int pidfd, int signal)
{
        if (pidfd < 0 || syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0 || errno == ESRCH)
                return 0;
        return -errno;
}

bool process_reap(int pidfd, int64_t *ret)
{
        siginfo_t info = {.si_pid = 0};

        if (pidfd < 0 || waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
                return false;
        if (ret)
                *ret = (int64_t)info.si_code << 8 | (int64_t)(info.si_status & 0xff);
        return true;
}

void process_usual_oom(pid_t pid)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
        (void)fd_write_file(AT_FDCWD, path, "0"); /* to raise it is always allowed; the process may have ended */
}

int process_lower_nofile(pid_t pid, uint64_t hard, struct croft_error *err)
{
        struct rlimit limit;

        if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) < 0)
                return croft_error_set(err, errno, "read the limit of open files of process %d", (int)pid);
        if (hard >= limit.rlim_max)
                return 0;
        limit.rlim_max = hard;
        if (limit.rlim_cur > hard)
                limit.rlim_cur = hard;
        if (prlimit(pid, RLIMIT_NOFILE, &limit, NULL) < 0)
                return croft_error_set(err, errno, "lower the limit of open files of process %d", (int)pid);
        return 0;
}

static bool read_mask(const char *status, const char *name, uint64_t *ret)
{
        const char *line = strstr(status, name);

        return line && sscanf(line + strlen(name), " %" SCNx64, ret) == 1;
}

int process_signals(pid_t pid, uint64_t *caught, uint64_t *blocked)
{
        _cleanup_free_ char *text = NULL;
        int r = read_proc(pid, "status", &text);

        if (r < 0)
                return r;
        /* The first line is the name; its control bytes are escaped by the kernel, so no line of it is another's. */
        return read_mask(text, "\nSigBlk:", blocked) && read_mask(text, "\nSigCgt:", caught) ? 0 : -EBADMSG;
}

bool process_waits_for_signal(pid_t pid)
{
        static const char *const calls[] = {"128 " /* rt_sigtimedwait of x86-64 */, "177 ", "421 " /* of i386 */};
        _cleanup_free_ char *text = NULL;

        if (read_proc(pid, "syscall", &text) < 0)
                return false;
        for (size_t i = 0; i < ELEMENTS(calls); i++)
                if (str_has_prefix(text, calls[i]))
                        return true;
        return false;
}
