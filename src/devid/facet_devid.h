/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_devid.h - a partition's share of the table of device numbers.
 */
#ifndef CROFT_DEVID_FACET_DEVID_H
#define CROFT_DEVID_FACET_DEVID_H

#include "partition/facet.h"

extern const struct facet facet_devid;

#endif
