/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_plane.h - a partition's entry in the kernel plane, as a facet.
 */
#ifndef CROFT_PARTITION_FACET_PLANE_H
#define CROFT_PARTITION_FACET_PLANE_H

#include "partition/facet.h"

/* To stand behind the facet that makes the cgroup.  Does nothing where the host has no plane. */
extern const struct facet facet_plane;

#endif
