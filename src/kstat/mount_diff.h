/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mount_diff.h - what has become of the mounts of a partition between two looks.
 */
#ifndef CROFT_KSTAT_MOUNT_DIFF_H
#define CROFT_KSTAT_MOUNT_DIFF_H

#include "kstat/mounts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A mount that has structures, or was refused them. */
struct mount_known {
        uint64_t key;
        int64_t created;  /* of the entry: one with the same key and another time is another mount */
        uint64_t kids[2]; /* io, mntinfo; 0: refused */
        bool collides;    /* it isn't known yet: its number is still that of a structure of another mount */
};

struct mount_diff {
        struct mount_known *kept; /* owned; room for all of kept and new */
        size_t n_kept;
        uint64_t *gone; /* owned: kids */
        size_t n_gone;
        uint64_t *gone_keys; /* owned: of mounts that the look didn't find */
        size_t n_gone_keys;
        struct mount_found *new; /* owned */
        size_t n_new;
};

/* Compares what is known (by key, each once) with a look; one that was incomplete, or that a change came into, proves
 * no mount gone.  -ENOMEM: *ret is empty. */
int mount_diff_make(
        const struct mount_known *known, size_t n_known, const struct mounts_list *list, struct mount_diff *ret);
void mount_diff_done(struct mount_diff *diff);
int mount_known_by_key(const void *a, const void *b); /* for qsort(3) */

#endif
