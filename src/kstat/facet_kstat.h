/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_kstat.h - a partition's share of the statistics.
 */
#ifndef CROFT_KSTAT_FACET_KSTAT_H
#define CROFT_KSTAT_FACET_KSTAT_H

#include "partition/facet.h"

extern const struct facet facet_sample, facet_kstat;

#endif
