/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * partitions.bpf.h - for programs: which control group is which partition's.  The map is the plane's; programs beside
 * it reuse it.
 */
#ifndef CROFT_PLANE_PARTITIONS_BPF_H
#define CROFT_PLANE_PARTITIONS_BPF_H

#include "plane/plane.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* Depth of a partition's cgroup; set before loading. */
const volatile __u32 partition_level = 0;

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64);
        __type(value, struct plane_partition);
} partitions SEC(".maps");

#endif
