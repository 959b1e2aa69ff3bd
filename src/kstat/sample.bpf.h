/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * sample.bpf.h - all that one partition's /proc shows of it, at one instant: what a read of its sample iterator gives.
 *
 * croftd makes one link of the iterator for each partition (its cgroup is fixed in the link) and hands it to the
 * partition's warden: whoever holds it can read that partition's figures and nothing else.  A new read is
 * bpf(BPF_ITER_CREATE) on the link, read, close.
 */
#ifndef CROFT_KSTAT_SAMPLE_BPF_H
#define CROFT_KSTAT_SAMPLE_BPF_H

#include <linux/types.h>

#define KSTAT_SAMPLE_VERSION 1
#define KSTAT_CPUS_MAX 256
#define KSTAT_SAMPLE_DISKS 16
#define KSTAT_NONE (~0ULL) /* no limit; not known here */

struct kstat_sample_cpu {
        __u64 user_ns, nice_ns, system_ns; /* of the partition's processes on this CPU; never decrease */
};

/* What the partition's processes did on a whole block device; the first KSTAT_SAMPLE_DISKS that they used, in that
 * order.  Nothing ever decreases. */
struct kstat_sample_disk {
        __u32 major, minor;
        __u64 reads, read_bytes, writes, written_bytes;
};

struct kstat_sample_pressure {
        __u32 avg[3]; /* 10, 60, 300 s; 1/100 of a percent */
        __u32 reserved;
        __u64 total_us;
};

/* From the memory cgroup (bytes, or events since its beginning). */
struct kstat_sample_memory {
        __u64 usage, limit, swap_usage, swap_limit; /* limit: the tightest from here to the root */
        __u64 anon, file, shmem, file_mapped, file_dirty, file_writeback;
        __u64 inactive_anon, active_anon, inactive_file, active_file, unevictable;
        __u64 slab_reclaimable, slab_unreclaimable, kernel_stack, page_tables, percpu, vmalloc, anon_thp;
        __u64 pgfault, pgmajfault, pgpgin, pgpgout, pswpin, pswpout;
        __u64 pgscan, pgsteal, oom_kills;
        __u64 reserved[5];
};

struct kstat_sample {
        __u32 version;                   /* KSTAT_SAMPLE_VERSION */
        __u32 size;                      /* of all that follows from version on, cpus[] included */
        __u64 now_ns;                    /* CLOCK_MONOTONIC of the host */
        __u64 boottime_ns;               /* CLOCK_BOOTTIME of the host */
        __u64 start_ns;                  /* CLOCK_BOOTTIME of the host when the partition's clocks began */
        __u64 cpus[KSTAT_CPUS_MAX / 64]; /* that it may run on, in force: pool, cpu.set and the host's online ones */
        __u64 configured[KSTAT_CPUS_MAX / 64]; /* likewise, offline ones included */
        __u32 quota_us, period_us;             /* cpu.max; quota 0: none */
        __u32 threads;                         /* in it now */
        __u32 running;                         /* on a CPU or waiting for one */
        __u32 blocked;                         /* waiting for I/O */
        __u32 processes_last;                  /* pid given last in its pid namespace; 0: not known */
        __u64 forks;                           /* KSTAT_NONE: not known */
        __u64 switches;                        /* context switches; KSTAT_NONE: not known */
        __u32 load[3];                         /* 1, 5, 15 minutes; 1/2048, as the kernel's avenrun */
        __u32 n_disks;
        struct kstat_sample_pressure pressure[3][2]; /* cpu, memory, io; some, full */
        struct kstat_sample_memory memory;
        struct kstat_sample_disk disks[KSTAT_SAMPLE_DISKS];
        __u32 n_cpus; /* possible ones: entries of cpus_used */
        __u32 reserved;
        struct kstat_sample_cpu cpu[KSTAT_CPUS_MAX]; /* only the first n_cpus are written */
};

#endif
