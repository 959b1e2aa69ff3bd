/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_loop.c - ioctl(2) of loop devices and of loop-control, as loop(4) says, for the devices of one partition.
 *
 * What a program has open before it binds is the free device (devid/loops.h); that descriptor of its becomes the bound
 * device's, and the other way round when it unbinds.  Inside, loop-control is a node that any program may open and that
 * leads nowhere: all that it is asked for is answered here.
 */
#include "warden/broker_parts.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>

/* Which are kept in the table, and never told to the kernel. */
#define OUR_FLAGS ((uint32_t)(LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN))
/* What a new descriptor has of the old one. */
#define KEPT_FLAGS (O_ACCMODE | O_DIRECT | O_NONBLOCK | O_DSYNC)

/* --- loop-control --- */

static int control(struct broker *b, struct asker *a, uint32_t command)
{
        _cleanup_close_ int fd = asker_fd(a, a->call->args[0]);
        uint32_t inside = (uint32_t)a->call->args[2];
        struct stat st;
        int r;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != LOOPS_CONTROL)
                return -ENOTTY;
        if (command == LOOP_CTL_GET_FREE) {
                r = loops_get_free(&b->loops, &inside);
                if (r == -ENOSPC && broker_forget_all(b)) /* what is to be removed counts */
                        r = loops_get_free(&b->loops, &inside);
        } else
                r = command == LOOP_CTL_ADD ? loops_add(&b->loops, inside) : loops_remove(&b->loops, inside);
        a->value = inside;
        return r;
}

/* --- binding --- */

int broker_check_file(int fd)
{
        static const long kinds[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC,
                OVERLAYFS_SUPER_MAGIC, FUSE_SUPER_MAGIC, F2FS_SUPER_MAGIC, MSDOS_SUPER_MAGIC, ISOFS_SUPER_MAGIC,
                SQUASHFS_MAGIC, EROFS_SUPER_MAGIC_V1, NFS_SUPER_MAGIC, RAMFS_MAGIC};
        struct statfs fs;
        struct stat st;

        if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        for (size_t i = 0; i < ELEMENTS(kinds); i++)
                if (fs.f_type == kinds[i])
                        return 0;
        return -EINVAL;
}

/* Which device it has open there; *ret is closed by the caller. */
static int find_device(const struct broker *b, const struct asker *a, int *ret, struct loops_device *device)
{
        struct stat st;
        int fd = asker_fd(a, a->call->args[0]), r;

        if (fd < 0)
                return fd;
        *ret = fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        r = loops_find(&b->loops, &st, device);
        if (r == 0 && device->is_free && !loops_is_current(&b->loops, device, &st))
                return -EBUSY; /* its number has been taken since it was opened */
        return r;
}

/* The same, of a whole one that is bound.  What a part is asked for would be done to the whole one: nobody does. */
static int find_bound(const struct broker *b, const struct asker *a, int *ret, struct loops_device *device)
{
        int r = find_device(b, a, ret, device);

        if (r == -EBUSY || (r == 0 && device->is_free))
                return -ENXIO;
        return r == 0 && device->part ? -EINVAL : r;
}

static uint32_t flags_of(uint32_t lo_flags)
{
        return (lo_flags & LO_FLAGS_AUTOCLEAR ? (uint32_t)DEVID_AUTO : 0) |
               (lo_flags & LO_FLAGS_PARTSCAN ? (uint32_t)DEVID_SCANNED : 0);
}

static int bind(struct broker *b, struct asker *a, struct loop_config *config)
{
        _cleanup_close_ int fd = -EBADF, file = -EBADF, bound = -EBADF;
        uint32_t our_flags = flags_of(config->info.lo_flags);
        struct loops_device device;
        uint32_t inside;
        int flags, r = find_device(b, a, &fd, &device);

        if (r < 0)
                return r;
        if (!device.is_free)
                return -EBUSY;
        flags = fcntl(fd, F_GETFL);
        file = asker_fd(a, config->fd);
        r = flags < 0 ? -errno : file < 0 ? file : broker_check_file(file);
        if (r < 0)
                return r;
        config->fd = (uint32_t)file;
        config->info.lo_flags &= ~OUR_FLAGS;
        inside = device.inside;
        r = loops_bind(&b->loops, inside, config, flags & KEPT_FLAGS, our_flags, &device, &bound);
        if (r == -ENOSPC && broker_forget_all(b)) /* what is to be removed counts */
                r = loops_bind(&b->loops, inside, config, flags & KEPT_FLAGS, our_flags, &device, &bound);
        if (r < 0)
                return r;
        r = asker_replace_fd(a, a->call->args[0], bound);
        if (r == 0) {
                if (our_flags & DEVID_AUTO)
                        broker_auto_begin(b, &device);
                broker_show(b, &device);
                broker_tell(b, device.minor, true);
                if (our_flags & DEVID_SCANNED)
                        (void)broker_parts_scan(b, a, &device); /* it is bound nevertheless, as the kernel has it */
                return 0;
        }
        bound = close_fd(bound);
        (void)broker_unbind(b, &device);
        return r;
}

static int configure(struct broker *b, struct asker *a)
{
        struct loop_config config;
        int r = asker_read(a, a->call->args[2], &config, sizeof(config));

        return r < 0 ? r : bind(b, a, &config);
}

static int set_fd(struct broker *b, struct asker *a)
{
        struct loop_config config = {.fd = (uint32_t)a->call->args[2]};

        return bind(b, a, &config);
}

/* The caller's descriptor goes first, so that it isn't the one that keeps the device. */
static int clear_fd(struct broker *b, struct asker *a)
{
        _cleanup_close_ int fd = -EBADF, nothing = -EBADF;
        struct loops_device device;
        int flags, r = find_bound(b, a, &fd, &device);

        if (r < 0)
                return r;
        flags = fcntl(fd, F_GETFL);
        r = nothing = flags < 0 ? -errno : loops_open_free(&b->loops, flags & KEPT_FLAGS);
        if (r >= 0)
                r = asker_replace_fd(a, a->call->args[0], nothing);
        if (r < 0)
                return r;
        fd = close_fd(fd);
        r = broker_unbind(b, &device);
        if (r == -EBUSY) { /* as the kernel: when the last one closes it */
                device.flags |= DEVID_AUTO;
                r = loops_mark(&b->loops, &device, device.flags);
                broker_show(b, &device);
                broker_auto_begin(b, &device);
        }
        return r;
}

/* --- status --- */

/* The kernel would let us. */
static bool may_change(const struct broker *b, const struct asker *a, int fd)
{
        return (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY || asker_is_root(b, a);
}

static int set_status(struct broker *b, struct asker *a)
{
        _cleanup_close_ int fd = -EBADF;
        struct loops_device device;
        struct loop_info64 info;
        uint32_t flags;
        bool scan;
        int r = find_bound(b, a, &fd, &device);

        if (r == 0)
                r = asker_read(a, a->call->args[2], &info, sizeof(info));
        if (r < 0)
                return r;
        if (!may_change(b, a, fd))
                return -EPERM;
        flags = flags_of(info.lo_flags);
        info.lo_flags &= ~OUR_FLAGS;
        if (ioctl(fd, LOOP_SET_STATUS64, &info) < 0)
                return -errno;
        if (flags & DEVID_AUTO)
                broker_auto_begin(b, &device);
        scan = flags & ~device.flags & DEVID_SCANNED; /* which can't be taken back */
        device.flags = (device.flags & ~(uint32_t)DEVID_AUTO) | flags;
        r = loops_mark(&b->loops, &device, device.flags);
        broker_show(b, &device);
        if (r == 0 && scan)
                (void)broker_parts_scan(b, a, &device);
        return r;
}

/* What the kernel does itself; it shows. */
static int change(struct broker *b, struct asker *a, uint32_t command)
{
        _cleanup_close_ int fd = -EBADF;
        struct loops_device device;
        int r = find_bound(b, a, &fd, &device);

        if (r < 0)
                return r;
        if (!may_change(b, a, fd))
                return -EPERM;
        if (ioctl(fd, command, (unsigned long)a->call->args[2]) < 0)
                return -errno;
        broker_show(b, &device);
        return 0;
}

/* Of a part what holds of the whole one. */
static int get_status(struct broker *b, struct asker *a)
{
        _cleanup_close_ int fd = -EBADF;
        struct loops_device device;
        struct loop_info64 info;
        int r = find_device(b, a, &fd, &device);

        if (r == 0 && device.part) {
                r = loops_find_part(&b->loops, &device, 0, &device);
                fd = close_fd(fd);
                if (r == 0)
                        r = fd = loop_open(&b->machine, device.minor, O_RDONLY);
        }
        r = r == -EBUSY || (r >= 0 && device.is_free) ? -ENXIO : r;
        if (r < 0)
                return r;
        if (ioctl(fd, LOOP_GET_STATUS64, &info) < 0)
                return -errno;
        info.lo_number = device.inside;
        info.lo_flags |= (device.flags & DEVID_AUTO ? (uint32_t)LO_FLAGS_AUTOCLEAR : 0) |
                         (device.flags & DEVID_SCANNED ? (uint32_t)LO_FLAGS_PARTSCAN : 0);
        return asker_write(a, a->call->args[2], &info, sizeof(info));
}

/* Of before Linux 2.6, or for one file instead of another without unbinding: nobody asks for these. */
static int refuse(struct broker *b, struct asker *a)
{
        _cleanup_close_ int fd = -EBADF;
        struct loops_device device;
        int r = find_bound(b, a, &fd, &device);

        return r < 0 ? r : -EINVAL;
}

/* BLKPG, BLKRRPART: of other devices what the kernel says to who isn't the machine's root. */
static int change_parts(struct broker *b, struct asker *a, uint32_t command)
{
        _cleanup_close_ int fd = -EBADF;
        struct loops_device device;
        struct stat st;
        int r = find_bound(b, a, &fd, &device);

        if (r == -ENOTTY)
                return fstat(fd, &st) == 0 && S_ISBLK(st.st_mode) ? -EACCES : -ENOTTY;
        if (r < 0)
                return r;
        if (!asker_is_root(b, a))
                return -EACCES;
        if (command == BLKPG)
                return broker_parts_change(b, a, &device);
        if (!(device.flags & DEVID_SCANNED))
                return -EINVAL;
        return loops_is_taken(&b->loops, &device) ? -EBUSY : broker_parts_scan(b, a, &device);
}

int broker_loop(struct broker *b, struct asker *a)
{
        uint32_t command = (uint32_t)a->call->args[1];

        switch (command) {
        case LOOP_CTL_GET_FREE:
        case LOOP_CTL_ADD:
        case LOOP_CTL_REMOVE:
                return control(b, a, command);
        case BLKPG:
        case BLKRRPART:
                return change_parts(b, a, command);
        case LOOP_CONFIGURE:
                return configure(b, a);
        case LOOP_SET_FD:
                return set_fd(b, a);
        case LOOP_CLR_FD:
                return clear_fd(b, a);
        case LOOP_SET_STATUS64:
                return set_status(b, a);
        case LOOP_GET_STATUS64:
                return get_status(b, a);
        case LOOP_SET_CAPACITY:
        case LOOP_SET_DIRECT_IO:
        case LOOP_SET_BLOCK_SIZE:
                return change(b, a, command);
        case LOOP_SET_STATUS:
        case LOOP_GET_STATUS:
        case LOOP_CHANGE_FD:
                return refuse(b, a);
        default:
                return -ENOTTY;
        }
}
