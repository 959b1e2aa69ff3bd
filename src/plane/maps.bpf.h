/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * maps.bpf.h - what becomes of a change to a map.
 *
 * Until 6.4 the kernel's functions behind bpf_map_update_elem() and bpf_map_delete_elem() return an int, of which a
 * program gets 64 bits whose upper half is 0 (d7ba4cc900bf, "bpf: return long from bpf_map_ops funcs"): -EEXIST isn't
 * below 0 there.  Whoever looks at the result takes it from here.
 */
#ifndef CROFT_PLANE_MAPS_BPF_H
#define CROFT_PLANE_MAPS_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* 0 or a negative errno. */
static __always_inline int map_put(void *map, const void *key, const void *value, __u64 flags)
{
        return (int)bpf_map_update_elem(map, key, value, flags);
}

static __always_inline int map_drop(void *map, const void *key)
{
        return (int)bpf_map_delete_elem(map, key);
}

#endif
