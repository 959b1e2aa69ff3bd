/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_mounts.c - the mounts of a partition are followed from before its first program until none of it is left.
 *
 * Last in the table: what the facets before it have mounted by then was made by global (KST-32).  A statistic never
 * keeps a partition from starting; what fails is counted by mount_watch.
 */
#include "kstat/facet_mounts.h"

#include "kstat/mount_watch.h"
#include "partition/host.h"
#include "partition/property.h"

#include <string.h>

static enum mount_stats parse(const char *value)
{
        if (!value || strcmp(value, "yes") == 0)
                return MOUNT_STATS_YES;
        return strcmp(value, "latency") == 0 ? MOUNT_STATS_LATENCY : MOUNT_STATS_NO;
}

static bool is_yes(const char *value)
{
        return value && strcmp(value, "yes") == 0;
}

static int follow(struct partition *p, bool new_one)
{
        struct mount_watch_partition followed = {.id = p->def.id,
                .pid = p->run.pid,
                .last = p->run.last_mount,
                .wanted = parse(property_get(p->def.properties, "mount.stats")),
                .new_one = new_one,
                .base = is_yes(property_get(p->def.properties, "mount.base"))};

        if (!p->host->mounts || cgroup_kernel_id(p->host->cgroups, p->def.id, &followed.cgroup, NULL) < 0)
                return 0;
        (void)mount_watch_add(p->host->mounts, &followed, NULL); /* counted */
        return 0;
}

static int prepare(struct partition *p, struct croft_error *err)
{
        (void)err;
        return follow(p, true);
}

static int adopt(struct partition *p, struct croft_error *err)
{
        (void)err;
        return follow(p, false);
}

static int release(struct partition *p, struct croft_error *err)
{
        return p->host->mounts ? mount_watch_remove(p->host->mounts, p->def.id, err) : 0;
}

static int apply(struct partition *p, const char *key, const char *old, const char *value, struct croft_error *err)
{
        (void)old;
        if (p->host->mounts && strcmp(key, "mount.stats") == 0)
                mount_watch_want(p->host->mounts, p->def.id, parse(value));
        if (p->host->mounts && strcmp(key, "mount.base") == 0)
                return mount_watch_show_base(p->host->mounts, p->def.id, is_yes(value), err);
        return 0;
}

const struct facet facet_mounts = {
        .name = "mounts",
        .prepare = prepare,
        .adopt = adopt,
        .release = release,
        .apply = apply,
};
