/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_disks.c - tells the partition's views which loop devices it has (kstat/view_disks.h), by what the machine's
 * sysfs says of them.  The list is kept here, so that a change costs no look at the others.
 */
#include "warden/broker.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "kstat/view_describe.h"
#include "kstat/views_memory.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>

/* false: there is no such device (any more). */
static bool describe(const struct loops_device *device, struct view_disk *ret)
{
        _cleanup_close_ int d = -EBADF;
        char path[64];

        (void)snprintf(path, sizeof(path), "/sys/block/loop%u", device->number);
        d = fd_open2(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, 0);
        if (d < 0 || !view_describe_loop(d, ret))
                return false;
        ret->major = LOOP_MAJOR_NUMBER;
        ret->minor = device->minor;
        ret->flags |= (device->flags & DEVID_AUTO ? VIEW_DISK_AUTOCLEAR : 0) |
                      (device->flags & DEVID_SCANNED ? VIEW_DISK_PARTSCAN : 0);
        ret->partition = device->part;
        if (device->part) { /* what it is bound to is no file of the partition's */
                ret->flags &= ~(uint32_t)(VIEW_DISK_LOOP | VIEW_DISK_DIRECT);
                ret->sizelimit = 0;
                memset(ret->file, 0, sizeof(ret->file));
        }
        loops_name(device, ret->name, sizeof(ret->name));
        return true;
}

static void drop(struct broker *b, uint32_t minor)
{
        for (size_t i = 0; i < b->n_disks; i++)
                if (b->disks[i].minor == minor) {
                        b->n_disks--;
                        memmove(b->disks + i, b->disks + i + 1, (b->n_disks - i) * sizeof(*b->disks));
                        return;
                }
}

static void add(struct broker *b, const struct loops_device *device)
{
        size_t at = 0;

        if (b->n_disks == VIEW_DISKS_MAX || !describe(device, &b->disks[b->n_disks]))
                return;
        while (at < b->n_disks && b->disks[at].minor < device->minor)
                at++;
        if (at < b->n_disks) {
                struct view_disk new = b->disks[b->n_disks];

                memmove(b->disks + at + 1, b->disks + at, (b->n_disks - at) * sizeof(*b->disks));
                b->disks[at] = new;
        }
        b->n_disks++;
}

static void tell(struct broker *b)
{
        if (b->shown)
                view_disks_write(b->shown, b->disks, b->n_disks);
}

void broker_show(struct broker *b, const struct loops_device *device)
{
        if (!b->disks)
                return;
        drop(b, device->minor);
        add(b, device);
        tell(b);
}

void broker_hide(struct broker *b, const struct loops_device *device)
{
        drop(b, device->minor);
        tell(b);
}

static void add_bound(const struct loops_device *device, void *context)
{
        if (!device->is_free)
                add(context, device);
}

/* Without that memory, or without room, the devices work and aren't shown. */
void broker_show_all(struct broker *b)
{
        if (!b->shown && b->memory >= 0)
                (void)views_disks_map(b->memory, VIEW_LOOPS, &b->shown, NULL);
        if (!b->disks)
                b->disks = calloc(VIEW_DISKS_MAX, sizeof(*b->disks));
        if (!b->disks)
                return;
        b->n_disks = 0;
        loops_each(&b->loops, add_bound, b);
        tell(b);
}

void broker_disks_done(struct broker *b)
{
        free(TAKE(b->disks));
        b->n_disks = 0;
        b->shown = views_disks_unmap(b->shown);
}
