/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_kstat.c - makes the link by which a warden reads the partition's figures (facet_sample), and the structures of
 * the partition before its first program runs; finds what the kernel keeps of it once it has a process; ends all when
 * none is left (KST-41).
 *
 * A host without a kernel plane has no statistics of its own for partitions; they run nonetheless.
 */
#include "kstat/facet_kstat.h"

#include "base/cleanup.h"
#include "kstat/kstat.h"
#include "kstat/objects.h"
#include "partition/host.h"
#include "plane/plane.h"

/* --- the sample ---------------------------------------------------------------------------------------------------
 */

static void set_sample(struct partition *p, int link)
{
        int old;

        (void)pthread_mutex_lock(&p->lock);
        old = p->run.sample;
        p->run.sample = link;
        (void)pthread_mutex_unlock(&p->lock);
        close_fd(old);
}

static int open_sample(struct partition *p, struct croft_error *err)
{
        _cleanup_close_ int cgroup = -EBADF;
        int link;

        if (!p->host->sampler)
                return 0;
        cgroup = cgroup_open(p->host->cgroups, p->def.id, err);
        link = cgroup < 0 ? cgroup : kstats_open_sample(p->host->sampler, cgroup, err);
        if (link < 0)
                return link;
        set_sample(p, link);
        return 0;
}

static int close_sample(struct partition *p, struct croft_error *err)
{
        (void)err;
        set_sample(p, -EBADF);
        return 0;
}

/* --- the structures -----------------------------------------------------------------------------------------------
 */

static int prepare(struct partition *p, struct croft_error *err)
{
        return p->host->kstats ? kstats_add_partition(p->host->kstats, p->def.id, err) : 0;
}

/* By now it has its first process, in all of its control groups. */
static int start(struct partition *p, struct croft_error *err)
{
        const struct kstat_place place = {.partition = p->def.id,
                .init = p->run.pid,
                .tag = p->host->tag,
                .level = p->host->sampler ? plane_level(p->host->plane) : 0};

        return p->host->sampler ? kstats_find_objects(p->host->sampler, &place, err) : 0;
}

/* The croftd before may have had no plane, or objects of another layout. */
static int adopt(struct partition *p, struct croft_error *err)
{
        int r = prepare(p, err);

        return r == 0 ? start(p, err) : r;
}

static int release(struct partition *p, struct croft_error *err)
{
        if (p->host->sampler)
                (void)kstats_forget_objects(p->host->sampler, p->def.id, NULL); /* ids are never given again */
        return p->host->kstats ? kstats_remove_partition(p->host->kstats, p->def.id, err) : 0;
}

const struct facet facet_sample = {
        .name = "sample",
        .prepare = open_sample,
        .adopt = open_sample,
        .release = close_sample,
};

const struct facet facet_kstat = {
        .name = "kstat",
        .prepare = prepare,
        .start = start,
        .adopt = adopt,
        .release = release,
};
