/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_disks.h - which disks are a partition's own, for its statistics: those that are exported to it and its loop
 * devices.
 */
#ifndef CROFT_DAEMON_FACET_DISKS_H
#define CROFT_DAEMON_FACET_DISKS_H

#include "partition/facet.h"

#include <stdint.h>

/* Before init runs, once it is known where the partition is counted; and what comes behind the facet of exports. */
extern const struct facet facet_disks, facet_disks_later;

/* Something of it may have changed.  Whoever calls needn't be the owner of the partition.  A statistic never keeps a
 * device from coming or going: what fails is logged. */
void disks_follow(struct partition *p);
/* Its loop device of that minor isn't bound any more; if it is, it was bound anew. */
void disks_unbound(struct partition *p, uint32_t minor);

#endif
