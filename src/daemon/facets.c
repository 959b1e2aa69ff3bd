/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facets.c - the one table of all subsystems, in the order of start; stop runs it backward.
 */
#include "base/cleanup.h"
#include "daemon/facet_disks.h"
#include "daemon/facet_pool.h"
#include "daemon/facet_warden.h"
#include "daemon/life_private.h"
#include "devid/facet_devid.h"
#include "devid/facet_exports.h"
#include "kstat/facet_kstat.h"
#include "kstat/facet_mounts.h"
#include "partition/facet_cgroup.h"
#include "partition/facet_net.h"
#include "partition/facet_plane.h"

/* What facet_launch hands over must be there by then; what it needn't wait for comes after it. */
const struct facet *const facets[] = {&facet_spawn, &facet_cgroup, &facet_sample, &facet_launch, &facet_birth,
        &facet_plane, &facet_kext, &facet_devid, &facet_kstat, &facet_disks, &facet_pool, &facet_warden, &facet_exports,
        &facet_net, &facet_mounts, &facet_disks_later};
const size_t n_facets = ELEMENTS(facets);
