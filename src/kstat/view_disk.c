/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_disk.c - the block devices that the partition's processes have used, with its own reads and writes; and the
 * tables that a partition has nothing in.
 *
 * Sizes and times that the kernel doesn't keep for each cgroup are 0: merged requests, milliseconds.
 */
#include "base/cleanup.h"
#include "kstat/view_private.h"

#include <stdio.h>

#define SECTOR 512
#define KIB 1024

void view_disk_name(const struct view *v, const struct kstat_sample_disk *disk, char *ret, size_t size)
{
        const struct facts_disk *known = facts_disk_find(v->facts, disk->major, disk->minor);

        if (known)
                (void)snprintf(ret, size, "%.*s", (int)known->name.size, known->name.text);
        else if (disk->major == 7)
                (void)snprintf(ret, size, "loop%u", disk->minor);
        else /* came after the facts were collected */
                (void)snprintf(ret, size, "disk%u-%u", disk->major, disk->minor);
}

uint64_t view_disk_bytes(const struct view *v, const struct kstat_sample_disk *disk)
{
        const struct facts_disk *known = facts_disk_find(v->facts, disk->major, disk->minor);

        return known ? known->size_bytes : 0;
}

/* The eleven, four and two columns of diskstats and of "stat" in sysfs. */
void view_disk_stat(const struct kstat_sample_disk *disk, struct text *t)
{
        text_number(t, disk->reads, 0);
        text_str(t, " 0");
        text_next(t, disk->read_bytes / SECTOR);
        text_str(t, " 0");
        text_next(t, disk->writes);
        text_str(t, " 0");
        text_next(t, disk->written_bytes / SECTOR);
        text_str(t, " 0 0 0 0 0 0 0 0 0 0\n");
}

int view_diskstats(struct view *v, struct text *t)
{
        char name[VIEW_NAME_SIZE];

        for (uint32_t i = 0; i < v->n_disks; i++) {
                view_disk_name(v, &v->disks[i], name, sizeof(name));
                text_number(t, v->disks[i].major, 4);
                text_number(t, v->disks[i].minor, 8);
                text_char(t, ' ');
                text_str(t, name);
                text_char(t, ' ');
                view_disk_stat(&v->disks[i], t);
        }
        return 0;
}

/* The same set as in diskstats and sysfs. */
int view_partitions(struct view *v, struct text *t)
{
        char name[VIEW_NAME_SIZE];

        text_str(t, "major minor  #blocks  name\n\n");
        for (uint32_t i = 0; i < v->n_disks; i++) {
                if (!view_disk_bytes(v, &v->disks[i]))
                        continue;
                view_disk_name(v, &v->disks[i], name, sizeof(name));
                text_number(t, v->disks[i].major, 4);
                text_number(t, v->disks[i].minor, 9);
                text_number(t, view_disk_bytes(v, &v->disks[i]) / KIB, 11);
                text_char(t, ' ');
                text_str(t, name);
                text_char(t, '\n');
        }
        return 0;
}

/* --- devices: what every partition has, and the drivers of its disks --- */

static void put_driver(struct text *t, uint32_t major, const char *name, size_t size)
{
        text_number(t, major, 3);
        text_char(t, ' ');
        text_put(t, name, size);
        text_char(t, '\n');
}

int view_devices(struct view *v, struct text *t)
{
        text_str(t, "Character devices:\n  1 mem\n  4 tty\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n 10 misc\n"
                    "128 ptm\n136 pts\n\nBlock devices:\n");
        for (uint32_t i = 0; i < v->n_disks; i++) {
                const struct facts_disk *known = facts_disk_find(v->facts, v->disks[i].major, v->disks[i].minor);
                bool again = false;

                for (uint32_t k = 0; k < i; k++)
                        again = again || v->disks[k].major == v->disks[i].major;
                if (known && !again)
                        put_driver(t, known->major, known->driver.text, known->driver.size);
        }
        return 0;
}

int view_modules(struct view *v, struct text *t)
{
        (void)v, (void)t; /* none is its own */
        return 0;
}
