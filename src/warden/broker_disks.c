/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_disks.c - tells the partition's views which loop devices it has (kstat/view_disks.h), by what the machine's
 * sysfs says of them.  The list is kept here, so that a change costs no look at the others.
 */
#include "warden/broker.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "warden/views_memory.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>

#define ATTRIBUTE_MAX 4096

static char *read_text(int directory, const char *file)
{
        char *text;

        if (fd_read_file(directory, file, ATTRIBUTE_MAX, &text, NULL) < 0)
                return NULL;
        text[strcspn(text, "\n")] = '\0';
        return text;
}

static uint64_t read_number(int directory, const char *file)
{
        _cleanup_free_ char *text = read_text(directory, file);
        uint64_t number = 0;

        return text && str_to_u64(text, UINT64_MAX, &number) ? number : 0;
}

static uint32_t read_flag(int directory, const char *file, enum view_disk_flag flag)
{
        return read_number(directory, file) ? flag : 0;
}

/* false: there is no such device (any more). */
static bool describe(const struct loops_device *device, struct view_disk *ret)
{
        _cleanup_free_ char *file = NULL;
        _cleanup_close_ int d = -EBADF;
        char path[64];

        (void)snprintf(path, sizeof(path), "/sys/block/loop%u", device->number);
        d = fd_open2(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, 0);
        file = d < 0 ? NULL : read_text(d, "loop/backing_file");
        if (!file)
                return false;
        *ret = (struct view_disk){.major = LOOP_MAJOR_NUMBER,
                .minor = device->minor,
                .sectors = read_number(d, "size"),
                .flags = VIEW_DISK_LOOP | read_flag(d, "ro", VIEW_DISK_READ_ONLY) |
                         read_flag(d, "queue/rotational", VIEW_DISK_ROTATIONAL) |
                         read_flag(d, "loop/dio", VIEW_DISK_DIRECT) |
                         (device->flags & DEVID_AUTO ? VIEW_DISK_AUTOCLEAR : 0),
                .logical_bytes = (uint32_t)read_number(d, "queue/logical_block_size"),
                .physical_bytes = (uint32_t)read_number(d, "queue/physical_block_size"),
                .minimum_io_bytes = (uint32_t)read_number(d, "queue/minimum_io_size"),
                .optimal_io_bytes = (uint32_t)read_number(d, "queue/optimal_io_size"),
                .read_ahead_kib = (uint32_t)read_number(d, "queue/read_ahead_kb"),
                .discard_bytes = (uint32_t)read_number(d, "queue/discard_granularity"),
                .discard_max_bytes = read_number(d, "queue/discard_max_bytes"),
                .offset = read_number(d, "loop/offset"),
                .sizelimit = read_number(d, "loop/sizelimit")};
        (void)snprintf(ret->name, sizeof(ret->name), "loop%u", device->inside);
        (void)str_copy(ret->file, sizeof(ret->file), file);
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
                (void)views_disks_map(b->memory, &b->shown, NULL);
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
