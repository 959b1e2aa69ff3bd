/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * plane.bpf.h - what lies in the kernel plane: the layout that programs, croftd and its successors share.
 *
 * The objects are pinned and outlive croftd.  Whoever changes a structure here raises PLANE_LAYOUT and says in
 * plane_bpf.c what becomes of the older ones.
 */
#ifndef CROFT_PLANE_PLANE_BPF_H
#define CROFT_PLANE_PLANE_BPF_H

#include <linux/types.h>

#define PLANE_LAYOUT 1
#define PLANE_MAGIC 0x666f7263 /* "crof" */
#define PLANE_PARTITIONS_MAX 4096

/* The only entry of map `info`: which layout the other objects have, and for whom they were made. */
struct plane_info {
        __u32 magic;
        __u32 layout;
        __u32 level; /* depth of a partition's cgroup below the root of the unified hierarchy */
        __u32 reserved;
        char tag[16]; /* the instance; NUL-filled */
};
_Static_assert(sizeof(struct plane_info) == 32, "layout");

/* Map `partitions`: the kernel's id of a partition's unified cgroup (__u64) leads to this. */
struct plane_partition {
        __u64 id; /* pid64; never 0 */
        __u32 uid_base;
        __u32 flags; /* none yet */
};
_Static_assert(sizeof(struct plane_partition) == 16, "layout");

/* The context of program `whoami`: filled in when it returns 0. */
struct plane_whoami {
        __u64 id; /* the caller's partition, 0: global */
};
_Static_assert(sizeof(struct plane_whoami) == 8, "layout");

#endif
