/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_net.h - see facet_net.c.
 */
#ifndef CROFT_PARTITION_FACET_NET_H
#define CROFT_PARTITION_FACET_NET_H

#include "partition/facet.h"

extern const struct facet facet_net;

#endif
