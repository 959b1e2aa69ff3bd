/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_open.c - which process of the partition's has a device open, as far as /proc says?
 *
 * Only a guess that saves closing a device to find out (loops_unbind()): descriptors that are under way in a socket
 * aren't found, nor such as were opened by a node of another name.  A file system of the partition's that doesn't
 * answer keeps nobody: links of /proc are read, and what is behind one of a likely name is known to the kernel.
 */
#include "warden/broker.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 8 /* of control groups */
#define LOOKS_MAX                                                                                                      \
        20000 /* at descriptors, processes and control groups; of what a partition has beyond nothing is known */
#define PROCS_MAX 262144

struct search {
        const struct broker *b;
        const struct loops_device *device;
        unsigned int looks;
        pid_t found;
};

/* "/dev/loop0", "/dev/loop0p1" */
static bool is_likely(const char *target)
{
        const char *name = strrchr(target, '/');

        return name && strncmp(name, "/loop", 5) == 0;
}

static bool leads_there(const struct search *s, int fds, const char *number)
{
        char target[PATH_MAX];
        struct loops_device device;
        struct statx found;
        struct stat st;
        ssize_t n = readlinkat(fds, number, target, sizeof(target) - 1);

        if (n < 0)
                return false;
        target[n] = '\0';
        /* Nothing is asked of the file system, which may be the partition's own. */
        if (!is_likely(target) || statx(fds, number, AT_STATX_DONT_SYNC, STATX_TYPE, &found) < 0)
                return false;
        st = (struct stat){.st_mode = found.stx_mode, .st_rdev = makedev(found.stx_rdev_major, found.stx_rdev_minor)};
        return loops_find(&s->b->loops, &st, &device) == 0 && !device.is_free && device.inside == s->device->inside;
}

static bool is_open_in(struct search *s, const char *process)
{
        struct dirent *entry;
        char path[64];
        bool found = false;
        DIR *dir;

        if (s->looks++ >= LOOKS_MAX)
                return false;
        (void)snprintf(path, sizeof(path), "/proc/%.20s/fd", process);
        dir = opendir(path);
        while (dir && !found && s->looks < LOOKS_MAX && (entry = readdir(dir))) {
                s->looks++;
                found = entry->d_name[0] != '.' && leads_there(s, dirfd(dir), entry->d_name);
        }
        if (dir)
                (void)closedir(dir);
        if (found)
                s->found = (pid_t)strtol(process, NULL, 10);
        return found;
}

static bool is_open_below(struct search *s, int group, unsigned int depth)
{
        _cleanup_free_ char *processes = NULL;
        struct dirent *entry;
        bool found = false;
        DIR *dir;
        int own;

        if (s->looks++ >= LOOKS_MAX)
                return false;
        if (fd_read_file(group, "cgroup.procs", PROCS_MAX, &processes, NULL) == 0)
                for (char *at = processes, *line; !found && (line = strsep(&at, "\n"));)
                        found = *line && is_open_in(s, line);
        own = found || depth == DEPTH_MAX ? -EBADF : fd_open2(group, ".", O_RDONLY | O_DIRECTORY, 0, 0);
        dir = own < 0 ? NULL : fdopendir(own);
        if (!dir)
                close_fd(own);
        while (dir && !found && (entry = readdir(dir))) {
                _cleanup_close_ int child = -EBADF;

                if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
                        continue;
                child = fd_open2(group, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, 0);
                found = child >= 0 && is_open_below(s, child, depth + 1);
        }
        if (dir)
                (void)closedir(dir);
        return found;
}

pid_t broker_find_holder(const struct broker *b, const struct loops_device *device)
{
        struct search s = {.b = b, .device = device};

        (void)is_open_below(&s, b->cgroup, 0);
        return s.found;
}
