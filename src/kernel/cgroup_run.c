/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup_run.c - what is done to the processes of a partition as a whole: kill, wait, freeze, count.
 *
 * All in the unified hierarchy, whose core has these on every host; waiting is by the kernel's notification on
 * cgroup.events after a few looks in the first three milliseconds.
 */
#include "kernel/cgroup.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/cgroup_tree.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

/* Passes of the fallback: each ends all processes there are, so that forks must outrun it so many times. */
#define KILL_PASSES_MAX 1000
#define KILL_DEPTH_MAX 64
/* Looks at an event after 50, 100, ... µs, before the wait is left to the kernel's notification. */
#define QUICK_LOOKS 6

/* The value of "key value" in a flat file; false: not there. */
static bool flat_value(const char *text, const char *key, uint64_t *ret)
{
        size_t length = strlen(key);

        while (text) {
                if (strncmp(text, key, length) == 0 && text[length] == ' ') {
                        *ret = strtoull(text + length + 1, NULL, 10);
                        return true;
                }
                text = strchr(text, '\n');
                text += text ? 1 : 0;
        }
        return false;
}

/* Waits until `key` of cgroup.events has the value. */
static int wait_event(int dir_fd, const char *key, uint64_t value, unsigned int timeout_ms)
{
        _cleanup_close_ int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
        int64_t end = now_ms() + timeout_ms, now;
        unsigned int looks = 0;
        struct timespec t;

        if (fd < 0)
                return -errno;
        for (;;) {
                struct pollfd p = {.fd = fd, .events = POLLPRI};
                char text[128];
                uint64_t is;
                ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

                if (n < 0)
                        return -errno;
                text[n] = '\0';
                if (!flat_value(text, key, &is))
                        return -EBADMSG;
                if (is == value)
                        return 0;
                now = now_ms();
                if (now >= end)
                        return -ETIMEDOUT;
                /* The read above armed it: a change since then ends the poll at once.  But the kernel holds a second
                 * notification back until 10 ms after the first, and most waits are over in less than one. */
                if (looks < QUICK_LOOKS) {
                        t = (struct timespec){.tv_nsec = 50000L << looks++};
                } else {
                        t = (struct timespec){.tv_sec = (time_t)((end - now) / 1000),
                                .tv_nsec = (long)((end - now) % 1000) * 1000000};
                }
                if (ppoll(&p, 1, &t, NULL) < 0 && errno != EINTR)
                        return -errno;
        }
}

/* Is the error that of a directory that has gone? */
static bool is_gone(int r)
{
        return r == -ENOENT || r == -ENODEV;
}

int cgroup_wait_empty(struct cgroup_tree *tree, uint64_t id, unsigned int timeout_ms, struct croft_error *err)
{
        _cleanup_close_ int fd = cgroup_directory(tree, 0, id);
        int r = fd < 0 ? fd : wait_event(fd, "populated", 0, timeout_ms);

        if (r == 0 || is_gone(r))
                return 0;
        if (r == -ETIMEDOUT)
                return croft_error_set(err, ETIMEDOUT, "processes of partition %" PRIu64 " still run.", id);
        return croft_error_set(err, r, "wait for the end of the processes of partition %" PRIu64, id);
}

int cgroup_freeze(struct cgroup_tree *tree, uint64_t id, bool frozen, unsigned int timeout_ms, struct croft_error *err)
{
        _cleanup_close_ int fd = cgroup_open(tree, id, err);
        int r;

        if (fd < 0)
                return fd;
        r = fd_write_file(fd, "cgroup.freeze", frozen ? "1" : "0");
        if (r == 0)
                r = wait_event(fd, "frozen", frozen, timeout_ms);
        if (r == 0)
                return 0;
        if (frozen)
                (void)fd_write_file(fd, "cgroup.freeze", "0"); /* half frozen would be neither state */
        if (r == -ETIMEDOUT)
                return croft_error_set(err, ETIMEDOUT,
                        frozen ? "a process can't be stopped now (it waits in the kernel)." : "processes stay frozen.");
        return croft_error_set(err, r, frozen ? "freeze partition %" PRIu64 : "thaw partition %" PRIu64, id);
}

/* Sends SIGKILL to all processes listed in the cgroup.  The numbers can't be reused between read and kill in the
 * usual case, since the cgroup is frozen; without the freezer they could, as everywhere before pidfds. */
static int kill_listed(int fd)
{
        _cleanup_fclose_ FILE *f = NULL;
        int procs = openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
        long pid;

        f = procs < 0 ? NULL : fdopen(procs, "r");
        if (!f) {
                int r = -errno;

                close_fd(procs);
                return is_gone(r) ? 0 : r;
        }
        while (fscanf(f, "%ld", &pid) == 1)
                if (pid > 0)
                        (void)kill((pid_t)pid, SIGKILL); /* ESRCH: it has gone by itself */
        return 0;
}

static int kill_below(int fd, unsigned int depth)
{
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = kill_listed(fd);
        _cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;

        if (!dir) {
                close_fd(copy);
                return r;
        }
        while (r == 0 && depth < KILL_DEPTH_MAX && (entry = readdir(dir))) {
                _cleanup_close_ int child = -EBADF;

                if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
                        continue;
                child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (child >= 0)
                        r = kill_below(child, depth + 1);
        }
        return r;
}

/* Before 5.14: frozen, so that nothing forks, then one by one until none is left. */
static int kill_one_by_one(int fd)
{
        int r = fd_write_file(fd, "cgroup.freeze", "1");

        for (unsigned int pass = 0; pass < KILL_PASSES_MAX; pass++) {
                r = kill_below(fd, 0);
                if (r == 0)
                        r = wait_event(fd, "populated", 0, 10);
                if (r != -ETIMEDOUT)
                        break;
        }
        (void)fd_write_file(fd, "cgroup.freeze", "0"); /* the directory may be used again */
        return r;
}

int cgroup_kill(struct cgroup_tree *tree, uint64_t id, struct croft_error *err)
{
        _cleanup_close_ int fd = cgroup_directory(tree, 0, id);
        int r = fd < 0 ? fd : fd_write_file(fd, "cgroup.kill", "1");

        if (fd < 0 && is_gone(r))
                return 0;
        if (r == -ENOENT)
                r = kill_one_by_one(fd);
        if (r < 0 && !is_gone(r))
                return croft_error_set(err, r, "kill the processes of partition %" PRIu64, id);
        return 0;
}

/* Reads the number of a controller's file, whichever hierarchy rules it; UINT64_MAX: not accounted. */
static uint64_t accounted(
        struct cgroup_tree *tree, uint64_t id, enum cgroup_controller c, const char *v1, const char *v2)
{
        _cleanup_close_ int fd = tree->by[c] < 0 ? -EBADF : cgroup_directory(tree, (size_t)tree->by[c], id);
        uint64_t value;

        if (fd < 0 || cgroup_read_u64(fd, tree->h[tree->by[c]].v2 ? v2 : v1, &value) < 0)
                return UINT64_MAX;
        return value;
}

int cgroup_usage(struct cgroup_tree *tree, uint64_t id, struct cgroup_usage *ret, struct croft_error *err)
{
        _cleanup_close_ int fd = cgroup_open(tree, id, err);
        _cleanup_free_ char *stat = NULL, *events = NULL;
        uint64_t frozen = 0;
        int r;

        if (fd < 0)
                return fd;
        r = cgroup_read(fd, "cpu.stat", &stat);
        if (r == 0)
                r = cgroup_read(fd, "cgroup.events", &events);
        if (r < 0)
                return croft_error_set(err, r, "read the usage of partition %" PRIu64, id);
        *ret = (struct cgroup_usage){0};
        (void)flat_value(stat, "usage_usec", &ret->cpu_us);
        (void)flat_value(events, "frozen", &frozen);
        ret->frozen = frozen != 0;
        ret->memory_bytes = accounted(tree, id, CGROUP_MEMORY, "memory.usage_in_bytes", "memory.current");
        ret->processes = accounted(tree, id, CGROUP_PIDS, "pids.current", "pids.current");
        return 0;
}

int cgroup_text(
        struct cgroup_tree *tree, uint64_t id, const char *controller, const char *v1, const char *v2, char **ret)
{
        _cleanup_close_ int fd = -EBADF;
        const char *file;
        int h = controller ? -1 : 0;

        for (size_t c = 0; controller && c < CGROUP_CONTROLLERS; c++)
                if (strcmp(cgroup_controllers[c].name, controller) == 0)
                        h = tree->by[c];
        file = h < 0 ? NULL : tree->h[h].v2 ? v2 : v1;
        if (!file)
                return -EOPNOTSUPP;
        fd = cgroup_directory(tree, (size_t)h, id);
        return fd < 0 ? fd : cgroup_read(fd, file, ret);
}
