/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_pool.h - see facet_pool.c.
 */
#ifndef CROFT_DAEMON_FACET_POOL_H
#define CROFT_DAEMON_FACET_POOL_H

#include "partition/facet.h"

extern const struct facet facet_pool;

#endif
