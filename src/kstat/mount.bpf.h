/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * mount.bpf.h - mounts of partitions: the layout that programs and croftd share.
 *
 * `kstat_mounts` has an entry for each mount that is counted: made by the scan of a partition's mount tables, or by the
 * first call on a file of the mount, whichever is first, so that nothing done before croftd has heard of the mount is
 * lost.  Its key is the kernel's unique mount id where there is one (6.8), else the mount id; where that is given
 * again, the entry's `created` tells the old mount from the new one.
 *
 * The kernel's mount table is the truth: an entry whose mount is no longer in the namespace answers -ENXIO, from the
 * moment that umount(2) returns, long before croftd has taken the structures away.
 */
#ifndef CROFT_KSTAT_MOUNT_BPF_H
#define CROFT_KSTAT_MOUNT_BPF_H

#include "kstat/catalogue.bpf.h"
#include "kstat/kstat.bpf.h"

#define MOUNTS_LAYOUT 2
#define MOUNTS_MAX 65536
#define MOUNTS_PER_PARTITION (KSTAT_PER_PARTITION_MAX / 2) /* each has two structures */
#define MOUNT_NAMESPACES_MAX 4096                          /* that one look at a partition takes in */
#define MOUNT_BUCKETS 12

enum mount_flag {
        MOUNT_BASE = 0x1, /* was there before init: made by global (KST-32) */
};

struct mount_entry {
        __u64 address; /* struct mount; only ever read by bpf_probe_read_kernel() */
        __u64 ns;      /* struct mnt_namespace, likewise */
        __u64 cgroup;  /* of the partition; only its processes are counted (KST-33) */
        __u64 partition;
        __s64 created; /* CLOCK_MONOTONIC */
        __u32 mnt_id;
        __u32 flags;
        /* Calls that have begun to change io, and that have ended.  A reader that finds `end` (read first) equal to
         * `begin` (read last) has values of one instant. */
        __u64 begin, end;
        struct kstat_data_mount_io io;
};
_Static_assert(sizeof(struct kstat_data_mount_io) == (6 + MOUNT_BUCKETS) * 8, "buckets");

/* `mount_owners`, by partition: made by croftd, counted in by programs only. */
struct mount_owner {
        __u64 cgroup;
        __u64 made;    /* entries, ever */
        __u64 dropped; /* of those, by programs; `mount_forgotten` (__u64): by croftd */
        __u64 refused; /* mounts that aren't counted since there are too many */
        __u64 last; /* key of the last mount that global made for it before its first program, where keys rise and are
                       never given again; 0: not known */
};
_Static_assert(sizeof(struct mount_owner) == 40, "layout");

/* `kstat_timers`, by partition: how long its calls on counted mounts took, while they are timed; made by the first.  A
 * call is an event, and it counts once it has ended.  Times are of CLOCK_MONOTONIC.  begin, end: as above. */
enum mount_timer_kind { MOUNT_TIMER_READ, MOUNT_TIMER_WRITE, MOUNT_TIMERS };
struct mount_timer {
        __u64 events;
        __u64 elapsed, shortest, longest;
        __u64 start, stop; /* of the call that ended last; of several at once, of one of them */
        __u64 writing;     /* these two; one at a time */
};
struct mount_timers {
        __u64 begin, end;
        struct mount_timer timer[MOUNT_TIMERS];
};

enum mount_stats { MOUNT_STATS_NO = 0, MOUNT_STATS_YES, MOUNT_STATS_LATENCY };

/* `info`, its only entry: what the other pins are. */
struct mounts_info {
        __u32 layout;     /* MOUNTS_LAYOUT */
        __u32 level;      /* as plane_info */
        __u32 partitions; /* the kernel's ids of the maps of others that the programs use */
        __u32 entries;
        __u32 mode; /* enum mount_stats: what the links that are pinned do */
        __u32 reserved;
        __u64 digest; /* of the program text that they come from */
};
_Static_assert(sizeof(struct mounts_info) == 32, "layout");

enum mount_event_what { MOUNT_EVENT_CHANGED = 1, MOUNT_EVENT_ENDING /* a namespace, in a moment */ };

/* In the ring `mount_events`: have a look at that partition. */
struct mount_event {
        __u64 partition;
        __u32 what;
        __u32 reserved;
};

/* What a scan found; `mount_found`, the first `found` of them. */
struct mount_found {
        __u64 key;
        __u64 ns;
        __u32 mnt_id;
        __u32 flags;
        __s64 created; /* of the entry, 0: there is no room for one */
};
_Static_assert(sizeof(struct mount_found) == 32, "layout");

/* What a scan is to do, and how it went: the program's variables. */
struct mount_scan {
        __u64 partition;
        __u64 cgroup;
        __u64 serial; /* another at each scan */
        __u64 last;   /* as in struct mount_owner */
        __u32 base;   /* what is found now was made by global */
        __u32 found;
        __u32 lost; /* there is more than can be told; the scan ended there */
        __u32 namespaces;
        __u32 changed; /* a table changed meanwhile: scan again */
        __u32 steps;
};

#endif
