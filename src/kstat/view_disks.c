/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_disks.c - a list of block devices in memory that several processes share.  See view_disks.h.
 */
#include "kstat/view_disks.h"

#include <stdbool.h>
#include <string.h>

#define MAJOR_MAX 0xfffu /* dev_t of the kernel */
#define MINOR_MAX 0xfffffu

_Static_assert(sizeof(struct view_disk) % sizeof(uint64_t) == 0, "copied by words");
_Static_assert(offsetof(struct view_disks, list) % sizeof(uint64_t) == 0, "copied by words");

void view_disks_write(struct view_disks *area, const struct view_disk *list, size_t n)
{
        view_list_write(&area->head, list, sizeof(*list), n, VIEW_DISKS_MAX);
}

/* Nothing that would be another file, or another line where names are listed. */
static bool is_name(const char *name)
{
        for (const char *at = name; *at; at++)
                if (*at <= ' ' || *at == '/' || *at == 0x7f)
                        return false;
        return name[0] && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool is_like(const struct view_disk *a, const struct view_disk *b)
{
        return strcmp(a->name, b->name) == 0 || (a->major == b->major && a->minor == b->minor);
}

/* Makes a device as it was found fit to be shown beside those before it. */
static bool accept(struct view_disk *disk, const struct view_disk *before, size_t n)
{
        disk->name[sizeof(disk->name) - 1] = '\0';
        disk->file[sizeof(disk->file) - 1] = '\0';
        if (!is_name(disk->name) || disk->major > MAJOR_MAX || disk->minor > MINOR_MAX)
                return false;
        for (size_t i = 0; i < n; i++)
                if (is_like(disk, &before[i]))
                        return false;
        return true;
}

ssize_t view_disks_read(const struct view_disks *area, struct view_disk *ret, size_t max, uint32_t *ret_sequence)
{
        size_t n = 0, kept = 0;
        int r = view_list_read(
                &area->head, ret, sizeof(*ret), max < VIEW_DISKS_MAX ? max : VIEW_DISKS_MAX, &n, ret_sequence);

        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                struct view_disk disk = ret[i];

                if (accept(&disk, ret, kept))
                        ret[kept++] = disk;
        }
        return (ssize_t)kept;
}
