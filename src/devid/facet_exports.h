/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_exports.h - devices of the host in partitions, as a facet.
 */
#ifndef CROFT_DEVID_FACET_EXPORTS_H
#define CROFT_DEVID_FACET_EXPORTS_H

#include "partition/facet.h"

extern const struct facet facet_exports;

#endif
