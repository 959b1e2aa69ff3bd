/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * devid_maps.bpf.h - the maps of the table of device numbers, of special files and of exported devices.
 */
#ifndef CROFT_DEVID_DEVID_MAPS_BPF_H
#define CROFT_DEVID_DEVID_MAPS_BPF_H

#include "devid/exports.bpf.h"

#include "plane/plane.bpf.h"
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, DEVID_FAMILIES_MAX);
        __type(key, struct devid_name);
        __type(value, struct devid_family);
} devid_families SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, DEVID_NUMBERS_MAX);
        __type(key, struct devid_node);
        __type(value, struct devid_number);
} devid_numbers SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, DEVID_NUMBERS_MAX);
        __type(key, struct devid_instance_key);
        __type(value, struct devid_instance);
} devid_instances SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX * 4);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, struct devid_grant_key);
        __type(value, struct devid_grant);
} devid_grants SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, DEVID_NUMBERS_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, struct devid_node);
        __type(value, struct devid_special);
} devid_specials SEC(".maps");

/* Wakes croftd: a special file is wanted, or a number drains.  What is in it says nothing more. */
struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, 4096);
} devid_wake SEC(".maps");

/* croftd alone writes it. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, DEVID_EXPORTS_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, struct devid_export_key);
        __type(value, struct devid_export);
} devid_exports SEC(".maps");

/* The layout of all; pinned last. */
struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, __u32);
} devid_state SEC(".maps");

#endif
