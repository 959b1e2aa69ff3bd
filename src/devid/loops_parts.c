/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * loops_parts.c - parts of loop devices.  See loops.h.
 *
 * Each is a device of its own, of the partition's numbers, bound to the whole one; what the table says of it is what
 * holds of any loop device.  The kernel's own partitions would have numbers that the kernel gives out and takes back by
 * itself, also when the host reads a table anew: nobody could tell in time whose one is.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "devid/loops_private.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

/* --- which ones there are --- */

struct part_search {
        const struct loops_device *of;
        uint32_t part; /* that one; of all: LOOPS_PART_MAX + 1 */
        struct loops_device *ret;
        size_t n;
};

static int note_part(const struct loops *l, const struct devid_call *call, void *context)
{
        struct part_search *s = context;
        struct loops_device device;
        bool all = s->part > LOOPS_PART_MAX;

        (void)l;
        loops_describe(call, &device);
        if (device.is_free || !(device.flags & DEVID_MADE) || device.inside != s->of->inside ||
                (all ? !device.part : device.part != s->part))
                return 0;
        s->ret[s->n++] = device;
        return !all || s->n == LOOPS_PARTS_MAX;
}

size_t loops_parts(const struct loops *l, const struct loops_device *whole, struct loops_device ret[LOOPS_PARTS_MAX])
{
        struct part_search s = {.of = whole, .part = LOOPS_PART_MAX + 1, .ret = ret};

        if (!whole->part && !whole->is_free)
                (void)loops_walk(l, note_part, &s);
        return s.n;
}

int loops_find_part(const struct loops *l, const struct loops_device *of, uint32_t part, struct loops_device *ret)
{
        struct part_search s = {.of = of, .part = part, .ret = ret};

        return part <= LOOPS_PART_MAX && !of->is_free && loops_walk(l, note_part, &s) == 1 ? 0 : -ENXIO;
}

int loops_get_part(const struct loops *l, const struct loops_device *device, struct loops_part *ret)
{
        _cleanup_close_ int fd = loop_open(l->machine, device->minor, O_RDONLY);
        struct loop_info64 info;

        if (fd < 0)
                return fd;
        if (ioctl(fd, LOOP_GET_STATUS64, &info) < 0)
                return -errno;
        *ret = (struct loops_part){.part = device->part,
                .start = info.lo_offset / LOOPS_SECTOR,
                .sectors = info.lo_sizelimit / LOOPS_SECTOR};
        return 0;
}

/* What it is bound to (fd, which the caller closes) and how; *ret_access is how it is to be opened for that.  The whole
 * one's own memory of what was read from it is passed by: it would be a second copy, of the file's. */
static int configure_part(const struct loops *l, const struct loops_device *whole, const struct loops_part *part,
        struct loop_config *ret, int *ret_access)
{
        int block = LOOPS_SECTOR, read_only = 0, fd = loop_open(l->machine, whole->minor, O_RDWR);

        if (fd < 0)
                return fd;
        if (ioctl(fd, BLKSSZGET, &block) < 0 || ioctl(fd, BLKROGET, &read_only) < 0) {
                int r = -errno;

                close_fd(fd);
                return r;
        }
        *ret_access = read_only ? O_RDONLY : O_RDWR;
        *ret = (struct loop_config){.fd = (uint32_t)fd,
                .block_size = (uint32_t)block,
                .info = {.lo_offset = part->start * LOOPS_SECTOR,
                        .lo_sizelimit = part->sectors * LOOPS_SECTOR,
                        .lo_flags = LO_FLAGS_DIRECT_IO | (read_only ? LO_FLAGS_READ_ONLY : 0)}};
        loops_name(whole, (char *)ret->info.lo_file_name, sizeof(ret->info.lo_file_name));
        return 0;
}

int loops_rebind_part(const struct loops *l, const struct loops_device *device, const struct loops_part *part)
{
        struct loops_device whole;
        struct loop_config config;
        int fd = -EBADF, access, r = loops_find_part(l, device, 0, &whole);

        if (r == 0)
                r = configure_part(l, &whole, part, &config, &access);
        if (r < 0)
                return r;
        r = loops_bind_to(l, device, &config, access, &fd);
        close_fd((int)config.fd);
        close_fd(fd);
        return r;
}

/* May the whole one have that part, beside all others? */
static int check_part(const struct loops *l, const struct loops_device *whole, const struct loops_part *part)
{
        struct loops_device devices[LOOPS_PARTS_MAX];
        size_t n = loops_parts(l, whole, devices);
        struct loops_part other;
        uint64_t sectors = 0;
        int r = loop_sectors(l->machine, whole->minor, &sectors);

        if (r < 0)
                return r;
        if (part->part < 1 || part->part > LOOPS_PART_MAX || part->sectors == 0 || part->start >= sectors ||
                part->sectors > sectors - part->start)
                return -EINVAL;
        for (size_t i = 0; i < n; i++) {
                if (devices[i].part == part->part)
                        continue;
                r = loops_get_part(l, &devices[i], &other);
                if (r < 0)
                        return r;
                if (part->start < other.start + other.sectors && other.start < part->start + part->sectors)
                        return -EBUSY;
        }
        return n < LOOPS_PARTS_MAX ? 0 : -ENOSPC;
}

int loops_resize_part(const struct loops *l, const struct loops_device *whole, const struct loops_part *part,
        struct loops_device *ret)
{
        _cleanup_close_ int fd = -EBADF;
        struct loop_info64 info;
        int r = loops_find_part(l, whole, part->part, ret);

        if (r == 0)
                r = check_part(l, whole, part);
        if (r < 0)
                return r;
        fd = loop_open(l->machine, ret->minor, O_RDONLY);
        if (fd < 0)
                return fd;
        if (ioctl(fd, LOOP_GET_STATUS64, &info) < 0)
                return -errno;
        if (info.lo_offset != part->start * LOOPS_SECTOR)
                return -ENXIO;
        info.lo_sizelimit = part->sectors * LOOPS_SECTOR;
        return ioctl(fd, LOOP_SET_STATUS64, &info) < 0 ? -errno : 0;
}

/* --- making, and moving its end --- */

int loops_add_part(const struct loops *l, const struct loops_device *whole, const struct loops_part *part,
        struct loops_device *ret)
{
        const struct loops_device wanted = {.inside = whole->inside, .part = part->part};
        struct loop_config config;
        struct loops_device there;
        int fd = -EBADF, access = O_RDONLY;
        int r = loops_find_part(l, whole, part->part, &there) == 0 ? -EBUSY : check_part(l, whole, part);

        if (r == 0)
                r = configure_part(l, whole, part, &config, &access);
        if (r < 0)
                return r;
        r = loops_bind_as(l, &wanted, &config, access, ret, &fd);
        close_fd((int)config.fd);
        close_fd(fd);
        return r;
}

/* --- in use --- */

/* Asked first: to look whether it is open, it has to be closed to new openers, who would be refused meanwhile. */
bool loops_is_mounted_itself(const struct loops *l, const struct loops_device *device)
{
        _cleanup_close_ int fd = loop_open(l->machine, device->minor, O_RDONLY | O_EXCL);

        return fd == -EBUSY;
}

static bool has_mounted_part(const struct loops *l, const struct loops_device *whole)
{
        struct loops_device parts[LOOPS_PARTS_MAX];
        size_t n = loops_parts(l, whole, parts);

        for (size_t i = 0; i < n; i++)
                if (loops_is_mounted_itself(l, &parts[i]))
                        return true;
        return false;
}

bool loops_is_mounted(const struct loops *l, const struct loops_device *device)
{
        return loops_is_mounted_itself(l, device) || has_mounted_part(l, device);
}

bool loops_is_taken(const struct loops *l, const struct loops_device *device)
{
        struct loops_device whole;

        if (!device->part)
                return has_mounted_part(l, device);
        return loops_find_part(l, device, 0, &whole) == 0 && loops_is_mounted_itself(l, &whole);
}
