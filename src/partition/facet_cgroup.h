/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_cgroup.h - see facet_cgroup.c.
 */
#ifndef CROFT_PARTITION_FACET_CGROUP_H
#define CROFT_PARTITION_FACET_CGROUP_H

#include "partition/facet.h"

extern const struct facet facet_cgroup;

/* The part of the prepared facet that PID 1 isn't born into: cgroups of v1 with their limits, for cgroup_join_v1(). */
int facet_cgroup_prepare_v1(struct partition *p, struct croft_error *err);

#endif
