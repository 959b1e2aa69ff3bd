/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devid_private.h - between the files of croftd's side of the table of device numbers.
 */
#ifndef CROFT_DEVID_DEVID_PRIVATE_H
#define CROFT_DEVID_DEVID_PRIVATE_H

#include "devid/devid.h"

struct devid {
        struct plane *plane; /* borrowed */
        int program, gate, families, numbers, instances, grants, exports, state;
};

/* Calls f for each group that the partition has, until it fails: the majors first, or their minors. */
typedef int (*devid_number_function)(struct devid *d, const struct devid_number *number, void *context);
int devid_each_of(struct devid *d, uint64_t partition, bool majors_last, devid_number_function f, void *context);

#endif
