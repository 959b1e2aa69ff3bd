/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_warden.h - the facet that makes a partition's processes, by its warden.
 */
#ifndef CROFT_DAEMON_FACET_WARDEN_H
#define CROFT_DAEMON_FACET_WARDEN_H

#include "partition/facet.h"

/* Stands before what may take a while; release ends the warden, and is the same for both. */
extern const struct facet facet_spawn;
extern const struct facet facet_warden;

#endif
