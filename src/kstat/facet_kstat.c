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
#include "kstat/catalogue.h"
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

/* Those that global has given it; its own loopback is in the catalogue. */
static int publish_links(struct partition *p, const struct kstat_links *links, struct croft_error *err)
{
        struct kstat_def defs[KSTAT_FIND_LINKS];
        size_t n = 0;

        for (size_t i = 0; i < links->n; i++) {
                if (links->list[i].ifindex == 1)
                        continue;
                defs[n] = catalogue_link;
                defs[n].name = links->list[i].name;
                defs[n].argument = links->list[i].ifindex;
                defs[n++].subject = p->def.id;
        }
        return n > 0 ? kstats_create(p->host->kstats, defs, n, &p->def.id, 1, NULL, err) : 0;
}

static int find_objects(struct partition *p, struct kstat_links *ret, struct croft_error *err)
{
        const struct kstat_place place = {
                .partition = p->def.id, .init = p->run.pid, .tag = p->host->tag, .level = plane_level(p->host->plane)};

        return kstats_find_objects(p->host->sampler, &place, ret, err);
}

/* By now it has its first process, in all of its control groups, and its interfaces. */
static int start(struct partition *p, struct croft_error *err)
{
        struct kstat_links links = {.n = 0};
        int r;

        if (!p->host->sampler)
                return 0;
        r = find_objects(p, &links, err);
        return r < 0 ? r : publish_links(p, &links, err);
}

/* The croftd before may have had no plane, or objects of another layout. */
static int adopt(struct partition *p, struct croft_error *err)
{
        int r = prepare(p, err);

        return r == 0 && p->host->sampler ? find_objects(p, NULL, err) : r;
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
