/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_warden.h - the facets that make a partition's processes, by its warden.
 */
#ifndef CROFT_DAEMON_FACET_WARDEN_H
#define CROFT_DAEMON_FACET_WARDEN_H

#include "partition/facet.h"

/* In this order, with what may take a while between them; release ends the warden, and is the same for all that have
 * one. */
extern const struct facet facet_spawn;
extern const struct facet facet_launch;
extern const struct facet facet_birth;
extern const struct facet facet_warden;

#endif
