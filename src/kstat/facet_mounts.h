/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_mounts.h - a partition's share of the statistics of mounts.
 */
#ifndef CROFT_KSTAT_FACET_MOUNTS_H
#define CROFT_KSTAT_FACET_MOUNTS_H

#include "partition/facet.h"

extern const struct facet facet_mounts;

#endif
