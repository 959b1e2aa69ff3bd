/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * plane.bpf.c - who asks: the partition of a process, from what the kernel knows about it at the time of the call.
 *
 * `whoami` is run by the process that asks (BPF_PROG_RUN), so that a descriptor handed from one partition to another
 * answers for the one that uses it (C-1, C-2).  It differs from our other programs: no entry for the task doesn't mean
 * allow.  Global is only who is in the initial user namespace; anybody else without an entry is refused (C-5).
 */
#include "plane/plane.bpf.h"

#include <linux/bpf.h>
#include <linux/errno.h>

#include <bpf/bpf_helpers.h>

#include "plane/kernel.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set before loading. */
const volatile __u32 partition_level = 0;

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct plane_info);
} info SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64);
        __type(value, struct plane_partition);
} partitions SEC(".maps");

SEC("syscall")
int whoami(struct plane_whoami *answer)
{
        /* 0 above the level; no cgroup has that id */
        __u64 cgroup = bpf_get_current_ancestor_cgroup_id((int)partition_level);
        struct plane_partition *partition = bpf_map_lookup_elem(&partitions, &cgroup);
        struct task_struct *task;

        if (partition) {
                answer->id = partition->id;
                return 0;
        }
        task = bpf_get_current_task_btf();
        if (task->cred->user_ns->level != 0)
                return -EPERM;
        answer->id = 0;
        return 0;
}
