/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup_io.c - has a v1 kernel count I/O for each control group.
 *
 * There blk-throttle counts (blkio.throttle.io_service_bytes and its like).  Up to 6.9 it did so for every device;
 * since then (a3166c51702b, "blk-throttle: delay initialization until configuration") it does on a device only once a
 * limit has been asked for, in any group.  "No limit" is one, so that is asked for in croft.<tag>: nothing is slowed
 * down, and what was counted for whom shows in each group's own file.
 */
#include "kernel/cgroup.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/cgroup_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NO_LIMIT_FILE "blkio.throttle.read_bps_device"
#define SMALL_FILE 64

/* The first word of a small file of that disk.  False: it has none. */
static bool read_word(int disks_fd, const char *disk, const char *file, char (*ret)[SMALL_FILE])
{
        _cleanup_free_ char *text = NULL;
        char path[NAME_MAX + 16];

        (void)snprintf(path, sizeof(path), "%s/%s", disk, file);
        if (fd_read_file(disks_fd, path, SMALL_FILE - 1, &text, NULL) < 0)
                return false;
        (void)snprintf(*ret, sizeof(*ret), "%.*s", (int)strcspn(text, " \n"), text);
        return (*ret)[0] != '\0';
}

/* A device without a size isn't in use: loop devices without a file, and so on. */
static bool is_in_use(int disks_fd, const char *disk)
{
        char size[SMALL_FILE];

        return read_word(disks_fd, disk, "size", &size) && strcmp(size, "0") != 0;
}

static int count_on(int group_fd, int disks_fd, const char *disk)
{
        char device[SMALL_FILE], text[SMALL_FILE + 4];
        int r;

        if (!is_in_use(disks_fd, disk) || !read_word(disks_fd, disk, "dev", &device))
                return 0;
        (void)snprintf(text, sizeof(text), "%s 0", device);
        r = fd_write_file(group_fd, NO_LIMIT_FILE, text);
        return is_in_use(disks_fd, disk) ? r : 0; /* it has just gone: ENODEV, ENXIO, ENOMEM */
}

int cgroup_count_io(const struct cgroup_tree *tree, struct croft_error *err)
{
        int by = tree->by[CGROUP_IO], fd, first = 0;
        _cleanup_closedir_ DIR *disks = NULL;
        const struct dirent *entry;

        if (by < 0 || tree->h[by].v2 || faccessat(tree->h[by].fd, NO_LIMIT_FILE, W_OK, 0) < 0)
                return 0;
        fd = open("/sys/block", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        disks = fd < 0 ? NULL : fdopendir(fd);
        if (!disks) {
                first = -errno;
                close_fd(fd);
                return croft_error_set(err, first, "open /sys/block");
        }
        while ((entry = readdir(disks))) {
                int r = entry->d_name[0] == '.' ? 0 : count_on(tree->h[by].fd, dirfd(disks), entry->d_name);

                if (r < 0 && first == 0)
                        first = croft_error_set(err, r, "have the kernel count I/O on '%s'", entry->d_name);
        }
        return first;
}
