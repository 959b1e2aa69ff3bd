/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_describe.h - what the machine's sysfs says of a whole disk, for the list of a partition's own (view_disks.h).
 *
 * directory: the disk's in sysfs, borrowed.  Name and number are the caller's to fill in.
 */
#ifndef CROFT_KSTAT_VIEW_DESCRIBE_H
#define CROFT_KSTAT_VIEW_DESCRIBE_H

#include "kstat/view_disks.h"

#include <stdbool.h>

/* Anything that isn't told there is 0. */
void view_describe(int directory, struct view_disk *ret);
/* Of a loop device also what it is bound to; false: to nothing (any more). */
bool view_describe_loop(int directory, struct view_disk *ret);

#endif
