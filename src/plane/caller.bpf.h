/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * caller.bpf.h - who runs a program: the partition of the current task, from what the kernel knows at this moment.
 *
 * A program that is run by the process that asks (BPF_PROG_RUN) so answers for the one that uses a descriptor, whoever
 * opened it (C-1, C-2).  No entry for the task doesn't mean allow: global is only who is in the initial user namespace;
 * anybody else without an entry is refused (C-5).
 */
#ifndef CROFT_PLANE_CALLER_BPF_H
#define CROFT_PLANE_CALLER_BPF_H

#include "plane/partitions.bpf.h"

#include <linux/errno.h>

#include <bpf/bpf_core_read.h>

#include "plane/kernel.bpf.h"

/* *ret: the partition, 0: global.  -EPERM: neither. */
static __always_inline int find_caller(__u64 *ret)
{
        /* 0 above the level; no cgroup has that id */
        __u64 cgroup = bpf_get_current_ancestor_cgroup_id((int)partition_level);
        struct plane_partition *partition = bpf_map_lookup_elem(&partitions, &cgroup);
        struct task_struct *task;

        if (partition) {
                *ret = partition->id;
                return 0;
        }
        task = bpf_get_current_task_btf();
        *ret = 0;
        return task->cred->user_ns->level != 0 ? -EPERM : 0;
}

/* Of a task that isn't the current one: the control group that a partition's would be, 0: it isn't as deep. */
static __always_inline __u64 cgroup_of(struct task_struct *task)
{
        struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);
        struct cgroup *above = NULL;

        if (!cgroup || BPF_CORE_READ(cgroup, level) < (int)partition_level)
                return 0;
        bpf_core_read(&above, sizeof(above), (void *)&cgroup->ancestors[0] + sizeof(above) * partition_level);
        return above ? BPF_CORE_READ(above, kn, id) : 0;
}

#endif
