/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup_remove.c - the removal of a cgroup with all that a partition has made inside.
 *
 * The names in there are the partition's: they are only used below the descriptor of their directory and no link is
 * followed.  Depth, passes and time are bounded.
 */
#include "kernel/cgroup_tree.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define DEPTH_MAX 64
#define PATIENCE_MS 500

struct removal {
        int64_t deadline_ms;
};

static int remove_one(struct removal *removal, int dir_fd, const char *name, unsigned int depth);

/* Removes the directories in fd, as far as it goes; the rmdir of fd itself will tell. */
static int remove_children(struct removal *removal, int fd, unsigned int depth)
{
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;

        if (!dir) {
                int r = -errno;

                close_fd(copy);
                return r;
        }
        while ((entry = readdir(dir))) {
                int r;

                if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                r = remove_one(removal, fd, entry->d_name, depth + 1);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A process that is on its way out pins its cgroup for a moment, and v1 has no event for its end: short naps. */
static bool nap(const struct removal *removal, unsigned int tries)
{
        struct timespec t = {.tv_nsec = 1000000L << (tries < 5 ? tries : 5)};

        if (now_ms() >= removal->deadline_ms)
                return false;
        (void)nanosleep(&t, NULL); /* a signal only shortens it */
        return true;
}

static int remove_one(struct removal *removal, int dir_fd, const char *name, unsigned int depth)
{
        if (depth > DEPTH_MAX)
                return -ELOOP;
        for (unsigned int tries = 0;; tries++) {
                _cleanup_close_ int fd = -EBADF;
                int r;

                if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                        return 0;
                if (errno != EBUSY && errno != ENOTEMPTY)
                        return -errno;
                fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fd < 0)
                        return errno == ENOENT ? 0 : -errno;
                r = remove_children(removal, fd, depth);
                if (r < 0)
                        return r;
                if (unlinkat(dir_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                        return 0;
                if (errno != EBUSY && errno != ENOTEMPTY)
                        return -errno;
                if (!nap(removal, tries))
                        return -EBUSY;
        }
}

int cgroup_remove_below(int dir_fd, const char *name, struct croft_error *err)
{
        struct removal removal = {.deadline_ms = now_ms() + PATIENCE_MS};
        _cleanup_close_ int fd = -EBADF;
        int r = remove_one(&removal, dir_fd, name, 0);
        pid_t pid;

        if (r == 0)
                return 0;
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        pid = r == -EBUSY && fd >= 0 ? cgroup_first_process(fd) : 0;
        if (pid > 0)
                return croft_error_set(err, EBUSY, "process %d is still in it.", (int)pid);
        return croft_error_set(err, r, "rmdir '%s'", name);
}
