/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * loop.c - the machine's loop devices.  See loop.h.
 */
#include "kernel/loop.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/mount.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#define CONTROL_MAJOR 10 /* misc */
#define CONTROL_MINOR 237
#define GOING_NS 5000000 /* so often, in a second */
#define GOING_TIMES 200
#define EVERY_SEAL (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Opens a node that exists for that moment only. */
static int open_node(int nodes, mode_t type, dev_t number, int flags)
{
        char name[32];
        int fd;

        (void)snprintf(name, sizeof(name), "%x.%x", major(number), minor(number));
        if (mknodat(nodes, name, type | 0600, number) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(nodes, name, flags | O_CLOEXEC | O_NOFOLLOW);
        fd = fd < 0 ? -errno : fd;
        (void)unlinkat(nodes, name, 0);
        return fd;
}

int loop_machine_open(struct loop_machine *ret, struct croft_error *err)
{
        static const char *const options[] = {"mode=700", "size=64k", NULL};

        *ret = (struct loop_machine){.control = -EBADF, .nodes = -EBADF};
        ret->nodes = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
        if (ret->nodes < 0)
                return croft_error_prefix(err, "make a place for device nodes");
        ret->control = open_node(ret->nodes, S_IFCHR, makedev(CONTROL_MAJOR, CONTROL_MINOR), O_RDWR);
        if (ret->control < 0) {
                int r = ret->control;

                loop_machine_close(ret);
                return croft_error_set(err, r, "open loop-control (is the kernel module 'loop' there?)");
        }
        return 0;
}

void loop_machine_close(struct loop_machine *m)
{
        m->control = close_fd(m->control);
        m->nodes = close_fd(m->nodes);
}

int loop_make(const struct loop_machine *m, uint32_t number)
{
        return ioctl(m->control, LOOP_CTL_ADD, (unsigned long)number) < 0 ? -errno : 0;
}

/* One that somebody else is removing isn't found by its number any more, and is there until that is done. */
static bool is_going(uint32_t number)
{
        char path[64];
        struct stat st;

        (void)snprintf(path, sizeof(path), "/sys/block/loop%u", number);
        return stat(path, &st) == 0;
}

int loop_unmake(const struct loop_machine *m, uint32_t number)
{
        const struct timespec pause = {.tv_nsec = GOING_NS};
        int r = ioctl(m->control, LOOP_CTL_REMOVE, (unsigned long)number) < 0 ? -errno : 0;

        for (int i = 0; r == -ENODEV && i < GOING_TIMES && is_going(number); i++)
                (void)nanosleep(&pause, NULL);
        return r;
}

int loop_open(const struct loop_machine *m, uint32_t minor, int flags)
{
        return open_node(m->nodes, S_IFBLK, makedev(LOOP_MAJOR_NUMBER, minor), flags);
}

int loop_bind_nothing(int device)
{
        _cleanup_close_ int nothing = memfd_create("croft-free", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        struct loop_config config = {.info.lo_file_name = "croft-free"};

        if (nothing < 0 || fcntl(nothing, F_ADD_SEALS, EVERY_SEAL) < 0)
                return -errno;
        config.fd = (uint32_t)nothing;
        return ioctl(device, LOOP_CONFIGURE, &config) < 0 ? -errno : 0;
}

int loop_sectors(const struct loop_machine *m, uint32_t minor, uint64_t *ret)
{
        _cleanup_close_ int fd = loop_open(m, minor, O_RDONLY);
        uint64_t bytes;

        if (fd < 0)
                return fd;
        if (ioctl(fd, BLKGETSIZE64, &bytes) < 0)
                return -errno;
        *ret = bytes / 512;
        return 0;
}

/* To a device that others have open the kernel does it when the last of them closes it, and says so by a flag that can
 * be taken back (loop_clr_fd(), since Linux 5.18); of one that is ours alone nothing can be asked any more. */
bool loop_unbind_alone(int device)
{
        struct loop_info64 info;
        bool alone = ioctl(device, LOOP_CLR_FD, 0) < 0 || ioctl(device, LOOP_GET_STATUS64, &info) < 0;

        if (!alone) {
                info.lo_flags &= ~(uint32_t)LO_FLAGS_AUTOCLEAR;
                (void)ioctl(device, LOOP_SET_STATUS64, &info);
        }
        close_fd(device);
        return alone;
}

void loop_unbind_later(int device)
{
        (void)ioctl(device, LOOP_CLR_FD, 0);
        close_fd(device);
}
