/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * own_disks.h - structures disk:0:NAME of the whole disks that a partition was given, or has made (KST-43): there as
 * long as the disk is its own, with what its processes have done on it meanwhile.
 *
 * Who knows which disks these are says so each time that it may have changed; what was the same before goes on.
 */
#ifndef CROFT_KSTAT_OWN_DISKS_H
#define CROFT_KSTAT_OWN_DISKS_H

#include "kstat/kstat.h"

#include <stdbool.h>

#define OWN_DISKS_MODULE "disk"

struct own_disk {
        uint32_t major, minor;
        uint64_t identity;          /* another one: another disk, that has the number of the one before */
        char name[KSTAT_NAME_SIZE]; /* own_disk_name() */
};

/* The name of the structure: that one, or where it can't be (too long, or with what separates keys) "diskMAJOR-MINOR".
 */
void own_disk_name(struct own_disk *disk, const char *name);

/* Which of those there were aren't wanted any more, and which of the wanted ones are new.  Of two that are wanted under
 * one number the first counts, of two under one name the second gets another.  Pure. */
void own_disks_compare(
        const struct own_disk *old, size_t n_old, struct own_disk *wanted, size_t n_wanted, bool *gone, bool *new);

/* From now on the partition has those disks (the array is changed), and structures for them; what is gone is gone, and
 * what is new begins at 0, all at one instant if there is room for all.  Calls for one partition are serialised by the
 * caller. -ENOSPC: some found no room, and were counted; -ENXIO: the partition isn't known here. */
int kstats_follow_disks(
        struct kstats *kstats, uint64_t partition, struct own_disk *disks, size_t n, struct croft_error *err);
/* It hasn't that disk any more, and what is said next is of another one. */
int kstats_drop_disk(
        struct kstats *kstats, uint64_t partition, uint32_t major, uint32_t minor, struct croft_error *err);
/* All that is remembered of the partition's. */
void kstats_forget_disks(struct kstats *kstats, uint64_t partition);

#endif
