/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * figures_maps.bpf.h - the maps that every program with figures works on.  One set of them serves all: whoever loads a
 * second object reuses the descriptors of the first.
 */
#ifndef CROFT_KSTAT_FIGURES_MAPS_BPF_H
#define CROFT_KSTAT_FIGURES_MAPS_BPF_H

#include "kstat/figures.h"
#include "kstat/kstat.bpf.h"
#include "plane/plane.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX + 1);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64); /* partition */
        __type(value, struct kstat_objects);
} kstat_objects SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX + 1);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64); /* partition */
        __type(value, struct kstat_load);
} kstat_loads SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, KSTAT_TIMES_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, struct kstat_time_key);
        __type(value, struct kstat_time);
} kstat_times SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX + 1);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64); /* partition */
        __type(value, struct kstat_disks);
} kstat_disks SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX + 1);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64); /* partition */
        __type(value, struct kstat_sums);
} kstat_sums SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64); /* cgroup */
        __type(value, struct kstat_counts);
} kstat_counts SEC(".maps");

#endif
