/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * count.bpf.h - counts tasks that partitions make, what those have switched when they end, and programs that they
 * begin, where the kernel does it: no counter of the kernel's can be told apart by partition.
 *
 * These differ from our other programs: they run for everybody who forks, ends or calls execve(2).  For who isn't in a
 * partition that is one look into a map.  Nothing is decided here, and nothing fails.
 */
#ifndef CROFT_KSTAT_COUNT_BPF_H
#define CROFT_KSTAT_COUNT_BPF_H

#include "kstat/figures_maps.bpf.h"
#include "plane/caller.bpf.h"

#define FLAG_VFORK 0x4000   /* CLONE_VFORK */
#define FLAG_THREAD 0x10000 /* CLONE_THREAD */

/* What this CPU counts for the partition that the task is in; NULL: in none.  Nearly always it is in the groups that
 * its parent is in, whose ids are had for less. */
static __always_inline struct kstat_counts *counts_of(struct task_struct *task)
{
        struct task_struct *current = bpf_get_current_task_btf();
        __u64 id;

        if (task->cgroups == current->cgroups)
                id = bpf_get_current_ancestor_cgroup_id((int)partition_level);
        else
                id = cgroup_of(task);
        return bpf_map_lookup_elem(&kstat_counts, &id);
}

/* The new one is in its control group by now, which isn't its parent's when a launcher makes it there; it will run for
 * certain. */
SEC("tp_btf/task_newtask")
int kstat_newtask(__u64 *context)
{
        struct kstat_counts *counts = counts_of((struct task_struct *)context[0]);
        __u64 flags = context[1];

        if (!counts)
                return 0;
        if (flags & FLAG_THREAD)
                __sync_fetch_and_add(&counts->threads, 1);
        else if (flags & FLAG_VFORK)
                __sync_fetch_and_add(&counts->vforks, 1);
        else
                __sync_fetch_and_add(&counts->forks, 1);
        return 0;
}

/* Its last switch, from which it doesn't come back, is still to come. */
SEC("tp_btf/sched_process_exit")
int kstat_exit(__u64 *context)
{
        struct task_struct *task = (struct task_struct *)context[0];
        struct kstat_counts *counts = counts_of(task);

        if (!counts)
                return 0;
        __sync_fetch_and_add(&counts->ended.voluntary, task->nvcsw + 1);
        __sync_fetch_and_add(&counts->ended.involuntary, task->nivcsw);
        return 0;
}

SEC("tp_btf/sched_process_exec")
int kstat_exec(__u64 *context)
{
        struct kstat_counts *counts = counts_of((struct task_struct *)context[0]);

        if (counts)
                __sync_fetch_and_add(&counts->execs, 1);
        return 0;
}

#endif
