/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstats_sampler.c - the sampler (objects.h) on the maps that the pinned programs use, so that both remember together.
 */
#include "kstat/kstats_private.h"
#include "kstat/objects.h"
#include "plane/plane.h"

int kstats_open_sampler(struct kstats *kstats, struct kstat_sampler **ret, struct croft_error *err)
{
        const struct kstat_shared shared = {
                .partitions = plane_partitions(kstats->plane),
                .objects = kstats->maps.objects,
                .loads = kstats->maps.loads,
                .times = kstats->maps.times,
                .clock = kstats->maps.clock,
                .disks = kstats->maps.disks,
                .sums = kstats->maps.sums,
                .counts = kstats->counting ? kstats->maps.counts : -1,
                .directory = plane_directory(kstats->plane),
        };

        return kstat_sampler_open(&shared, ret, err);
}
