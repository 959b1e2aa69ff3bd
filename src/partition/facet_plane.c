/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_plane.c - puts a partition on record in the kernel before its first process is there, and off it afterwards.
 *
 * The record is found by the partition's id, not by its cgroup, when it goes: after a death of croftd the cgroup may be
 * gone already.
 */
#include "partition/facet_plane.h"

#include "partition/host.h"
#include "plane/plane.h"

static int prepare(struct partition *p, struct croft_error *err)
{
        uint64_t cgroup_id = 0;
        int r;

        if (!p->host->plane)
                return 0;
        r = cgroup_kernel_id(p->host->cgroups, p->def.id, &cgroup_id, err);
        if (r < 0)
                return r;
        return plane_add(p->host->plane, cgroup_id, p->def.id, p->def.uid_base, err);
}

static int release(struct partition *p, struct croft_error *err)
{
        return p->host->plane ? plane_remove_partition(p->host->plane, p->def.id, err) : 0;
}

const struct facet facet_plane = {
        .name = "plane",
        .prepare = prepare,
        .adopt = prepare, /* the croftd before may have had no plane, or another one */
        .release = release,
};
