/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_kstat.c - makes the structures of a partition before its first process is there, and ends them when none is
 * left (KST-41).
 *
 * A host without a kernel plane has no statistics of its own for partitions; they run nonetheless.
 */
#include "kstat/facet_kstat.h"

#include "kstat/kstat.h"
#include "partition/host.h"

static int prepare(struct partition *p, struct croft_error *err)
{
        return p->host->kstats ? kstats_add_partition(p->host->kstats, p->def.id, err) : 0;
}

static int release(struct partition *p, struct croft_error *err)
{
        return p->host->kstats ? kstats_remove_partition(p->host->kstats, p->def.id, err) : 0;
}

const struct facet facet_kstat = {
        .name = "kstat",
        .prepare = prepare,
        .adopt = prepare, /* the croftd before may have had no plane, or objects of another layout */
        .release = release,
};
