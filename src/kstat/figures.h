/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * figures.h - what programs with figures remember from one read to the next: layout of their maps.
 */
#ifndef CROFT_KSTAT_FIGURES_H
#define CROFT_KSTAT_FIGURES_H

#include "kstat/sample.bpf.h"

#include <linux/types.h>

/* `kstat_loads`: load averages as far as they have been worked out. */
struct kstat_load {
        __u64 stepped_ns; /* CLOCK_BOOTTIME; a multiple of the step behind the partition's beginning */
        __u64 read_ns;    /* when somebody last asked */
        __u64 cpu_ns;     /* CPU time it had used at stepped_ns */
        __u32 load[3];    /* 1/2048 */
        __u32 reserved;
};

/* `kstat_times`: the most that was ever told of a partition on a CPU.  For those that are
 * made from other figures and might step back else. */
struct kstat_time_key {
        __u64 partition;
        __u64 cpu;
};
struct kstat_time {
        __u64 user_ns, nice_ns, system_ns, idle_ns;
};
#define KSTAT_TIMES_MAX 262144

/* `kstat_disks`: block devices that a partition has used, and the most that was ever told of each.  Places are given
 * from the first on and never taken back; one of device 0:0 is free.  croftd makes the entry. */
struct kstat_disks {
        struct kstat_sample_disk disk[KSTAT_SAMPLE_DISKS];
};

/* `kstat_own_disks`: the whole disks that a partition was given, or made, and what it has done on each since then: the
 * kernel's figure less `base`, and never less than `most`, which is what was ever told.  Made by program
 * `kstat_disk_begin`; an entry is there before its structure and goes before it. */
#define KSTAT_OWN_DISKS_MAX 16384
struct kstat_own_disk_key {
        __u64 partition;
        __u32 major, minor;
};
struct kstat_own_disk {
        struct kstat_own_disk_key key; /* again: memory of an entry may become another's while it is looked at */
        __u64 identity;                /* croftd's: which disk had the number then */
        struct kstat_sample_disk base, most;
};
_Static_assert(sizeof(struct kstat_own_disk) == 104, "layout");

/* The context of `kstat_disk_begin`, for croftd alone.  0, -ENXIO: nothing is known of that partition, -ENOSPC. */
struct kstat_disk_begin {
        struct kstat_own_disk_key key;
        __u64 identity;
};

/* `kstat_sums`: what vminfo and sysinfo of illumos add up.  Its kernel looks once a second; here, while somebody reads
 * them, and `updates` says how often: what programs work out is the mean of that many looks. */
struct kstat_sum {
        __u64 updates;
        __u64 freemem, swap_used, swap_free; /* pages */
        __u64 runque, runocc, waiting;       /* tasks; runocc: looks at which there were any in runque */
};
struct kstat_sums {
        __u64 partition; /* whose; an element may be given to another while somebody reads */
        __u64 sequence;  /* odd while it is being written */
        __u64 read_ns;   /* CLOCK_BOOTTIME; when somebody last asked */
        __u64 looked_ns; /* likewise; the last look */
        struct kstat_sum sum;
};
#define KSTAT_SUMS_STEP_NS 1000000000ULL
#define KSTAT_SUMS_KEPT_NS 60000000000ULL

/* Context switches: because a task had to wait for something, and because another one was to run. */
struct kstat_switches {
        __u64 voluntary, involuntary;
};

/* `kstat_counts`, by the id of a partition's cgroup, on each CPU: tasks that were made there, programs that were
 * begun, and switches of tasks that have ended. */
struct kstat_counts {
        __u64 forks, vforks, threads, execs;
        struct kstat_switches ended;
        /* Of the first CPU, for all: */
        struct kstat_switches told; /* the most that was ever told of the partition */
        __u64 rests_ns;             /* CLOCK_MONOTONIC; its tasks aren't gone through again until then */
};

#define KSTAT_LOAD_STEP_NS 5000000000ULL
#define KSTAT_LOAD_ONE 2048

#endif
