/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * objects.bpf.h - what croftd tells the iterator that finds a partition's objects in the kernel.
 */
#ifndef CROFT_KSTAT_OBJECTS_BPF_H
#define CROFT_KSTAT_OBJECTS_BPF_H

#include "kstat/kstat.bpf.h"

#define KSTAT_FIND_NAME 32

struct kstat_find {
        __u64 name[KSTAT_FIND_NAME / 8];   /* of the partition's cgroup; text, NUL-filled */
        __u64 parent[KSTAT_FIND_NAME / 8]; /* of the directory that it is in */
        __u32 level;                       /* of its cgroup in the unified hierarchy */
        __u32 machine;                     /* not a partition but the roots */
};

/* What it says: struct kstat_objects, then one of these for each interface that there is by then. */
#define KSTAT_FIND_LINKS 8
struct kstat_link {
        __u32 ifindex;
        char name[16];
};

#endif
