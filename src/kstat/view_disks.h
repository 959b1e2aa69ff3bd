/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_disks.h - the block devices of a partition's own, by their names inside, as they lie in the memory that the
 * warden leaves to its successor: who gives them to it writes the list, and the views show it.
 *
 * A warden that was taken over can write into it, too: the writer believes nothing that lies there, the reader bounds
 * and checks every field.  Fixed-width, because what reads may be of another build; zeros are an empty list.
 */
#ifndef CROFT_KSTAT_VIEW_DISKS_H
#define CROFT_KSTAT_VIEW_DISKS_H

#include "kstat/view_list.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Each has a list of its own: the broker writes that of the loop devices, croftd that of the exported ones. */
enum view_disks_kind { VIEW_LOOPS, VIEW_EXPORTS, VIEW_DISKS_KINDS };

#define VIEW_DISKS_MAX 256 /* what is more isn't shown */
#define VIEW_DISK_NAME_MAX 32
#define VIEW_DISK_FILE_MAX 1024 /* what is longer is cut off */

enum view_disk_flag {
        VIEW_DISK_LOOP = 1 << 0, /* has loop/ and what stands there */
        VIEW_DISK_READ_ONLY = 1 << 1,
        VIEW_DISK_ROTATIONAL = 1 << 2,
        VIEW_DISK_AUTOCLEAR = 1 << 3,
        VIEW_DISK_PARTSCAN = 1 << 4,
        VIEW_DISK_DIRECT = 1 << 5, /* direct I/O to the file */
};

struct view_disk {
        char name[VIEW_DISK_NAME_MAX]; /* inside: "loop0" */
        uint32_t major, minor;         /* the machine's: what st_rdev says (DEV-28); of 12 and 20 bits */
        uint64_t sectors;              /* of 512 bytes */
        uint32_t flags;                /* enum view_disk_flag */
        uint32_t logical_bytes;        /* of a block; 0: 512 */
        uint32_t physical_bytes;       /* 0: as logical_bytes */
        uint32_t minimum_io_bytes;     /* 0: as physical_bytes */
        uint32_t optimal_io_bytes;
        uint32_t read_ahead_kib;
        uint32_t discard_bytes; /* granularity; 0: nothing can be discarded */
        uint32_t partition; /* 0: a whole one; else named NAMEpN, and shown below NAME; `offset` is where it begins */
        uint64_t discard_max_bytes;
        uint64_t offset, sizelimit;    /* of the loop device in its file, in bytes; 0: to the end */
        char file[VIEW_DISK_FILE_MAX]; /* its path inside, as it is; " (deleted)" behind it as the kernel puts it */
};
_Static_assert(sizeof(struct view_disk) == 104 + VIEW_DISK_FILE_MAX, "struct view_disk is read by other builds");

struct view_disks {
        struct view_list head;
        struct view_disk list[VIEW_DISKS_MAX];
};
_Static_assert(sizeof(struct view_disks) == 8 + VIEW_DISKS_MAX * sizeof(struct view_disk),
        "struct view_disks is read by other builds");

/* Writes the whole list anew; of more than VIEW_DISKS_MAX only the first.  list is the writer's own. */
void view_disks_write(struct view_disks *area, const struct view_disk *list, size_t n);

/* Whether there may be another list than the one that was read under `sequence`; costs one load. */
static inline int view_disks_changed(const struct view_disks *area, uint32_t sequence)
{
        return __atomic_load_n(&area->head.sequence, __ATOMIC_ACQUIRE) != sequence;
}

/* What is listed: how many, at most max, and under which sequence number.  Names are fit to be names of files and end,
 * each is there once and each device once; what isn't so is left out.  -EAGAIN: it is being written, also after a few
 * tries; nothing but ret was changed. */
ssize_t view_disks_read(const struct view_disks *area, struct view_disk *ret, size_t max, uint32_t *ret_sequence);

#endif
