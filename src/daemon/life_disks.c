/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_disks.c - has the kernel count I/O on every block device, those that come later too.
 *
 * Only where v1 rules I/O is there anything to do (cgroup_count_io()).  A follower: the kernel may have to
 * wait for a device, and nobody else is to wait with it.
 */
#include "base/log.h"
#include "daemon/life_private.h"
#include "kernel/cgroup.h"

static void count(struct life *life)
{
        struct croft_error err = CROFT_ERROR_INIT;

        if (cgroup_count_io(life->host->cgroups, &err) == 0 || life->disks_told)
                return;
        log_error(LOG_LEVEL_WARNING, &err, "partitions don't see what they read and write there");
        life->disks_told = true; /* or each device that comes would tell of the same one again */
}

void life_disks_watch(struct life *life)
{
        struct croft_error err = CROFT_ERROR_INIT;

        if (!life->host->cgroups || cgroup_tree_rule(life->host->cgroups, "io") != CGROUP_V1)
                return;
        if (follower_start(&life->disks, life, count, &err) == 0)
                follower_want(&life->disks);
        else
                log_error(LOG_LEVEL_WARNING, &err, "partitions may not see what they read from and write to disks");
}
