/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_cgroup.h - see facet_cgroup.c.
 */
#ifndef CROFT_PARTITION_FACET_CGROUP_H
#define CROFT_PARTITION_FACET_CGROUP_H

#include "partition/facet.h"

extern const struct facet facet_cgroup;

#endif
