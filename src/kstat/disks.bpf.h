/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * disks.bpf.h - what a partition's processes have read from and written to each block device, as the kernel counts it
 * for their control group.  Rules for functions and addresses are those of figures.bpf.h.
 *
 * v2: counters of the io controller itself, with all cgroups below as of their last flush.  v1: those of blk-throttle
 * (blkio.throttle.io_*); since 6.10 it counts on a device only once it was asked to (cgroup_count_io() of croftd).
 * The machine: what each device has done for everybody.
 *
 * A device has its place in the partition's entry of kstat_disks from its first figure to the end of the partition: the
 * first KSTAT_SAMPLE_DISKS ones are told, later ones are not.  Figures there only rise, whatever becomes of the
 * kernel's: those end with the device, start anew when it comes back, and v1 lets the administrator reset them.
 */
#ifndef CROFT_KSTAT_DISKS_BPF_H
#define CROFT_KSTAT_DISKS_BPF_H

#include "kstat/figures.bpf.h"

#define DISK_GROUPS_MAX 256 /* devices that the kernel may know of a control group, used ones or not */
#define DISK_POLICIES_MAX 8 /* BLKCG_MAX_POLS is 6 today */
#define DISK_SECTOR 512     /* the kernel's, whatever the device's */

enum disk_way {
        DISK_IOSTAT,
        DISK_THROTTLE,
        DISK_MACHINE,
};

/* --- v2 --- */

/* What a counter has gone up by since `last` was noted. */
FIGURE __u64 disk_since(__u64 last, __u64 counter)
{
        __u64 before = 0, now = 0;

        bpf_probe_read_kernel(&before, sizeof(before), (void *)last); /* first: both only rise */
        bpf_probe_read_kernel(&now, sizeof(now), (void *)counter);
        return now > before ? now - before : 0;
}

#define DISK_SINCE(set, what) disk_since((__u64) & (set)->last.what, (__u64) & (set)->cur.what)

/* What one CPU has counted since it was brought together last.  at: of its iostat_cpu. */
FIGURE int disk_iostat_on(__u64 at, struct kstat_sample_disk *ret)
{
        struct blkg_iostat_set *set = (void *)at;

        if (!ret)
                return 0;
        ret->read_bytes += DISK_SINCE(set, bytes[BLKG_IOSTAT_READ]);
        ret->written_bytes += DISK_SINCE(set, bytes[BLKG_IOSTAT_WRITE]);
        ret->reads += DISK_SINCE(set, ios[BLKG_IOSTAT_READ]);
        ret->writes += DISK_SINCE(set, ios[BLKG_IOSTAT_WRITE]);
        return 0;
}

/* What has been brought together is read first: what is moved there meanwhile is told later, never twice. */
FIGURE int disk_iostat(__u64 at, struct kstat_sample_disk *ret)
{
        struct blkcg_gq *group = (void *)at;
        __u64 each = (__u64)BPF_CORE_READ(group, iostat_cpu);
        __u32 n = each ? count_cpus() : 0;

        if (!ret)
                return 0;
        ret->read_bytes = BPF_CORE_READ(group, iostat.cur.bytes[BLKG_IOSTAT_READ]);
        ret->written_bytes = BPF_CORE_READ(group, iostat.cur.bytes[BLKG_IOSTAT_WRITE]);
        ret->reads = BPF_CORE_READ(group, iostat.cur.ios[BLKG_IOSTAT_READ]);
        ret->writes = BPF_CORE_READ(group, iostat.cur.ios[BLKG_IOSTAT_WRITE]);
        FOR_EACH_CPU(cpu, n)
        disk_iostat_on(each + cpu_offset_of(cpu), ret);
        return 0;
}

/* --- v1 --- */

/* Which of the group's policies is blk-throttle isn't said anywhere: its number is in a variable of the kernel (see
 * cpu_data).  But it alone points to that data, which the device's queue has for it. */
FIGURE __u64 disk_policy(__u64 at, __u32 i, __u64 data)
{
        struct blkcg_gq *group = (void *)at;
        __u64 policy = 0;

        bpf_core_read(&policy, sizeof(policy), &group->pd[0] + i);
        if (!policy || BPF_CORE_READ((struct throtl_grp *)policy, pd.blkg) != group ||
                (__u64)BPF_CORE_READ((struct throtl_grp *)policy, td) != data)
                return 0;
        return policy;
}

/* 0: blk-throttle has nothing to do with this device. */
FIGURE __u64 disk_throttle_group(__u64 at)
{
        struct blkcg_gq *group = (void *)at;
        __u32 n = bpf_core_field_size(group->pd) / sizeof(__u64);
        __u64 data = (__u64)BPF_CORE_READ(group, q, td), found = 0;

        for (__u32 i = 0; i < DISK_POLICIES_MAX; i++) {
                if (i >= n || !data || found)
                        break;
                found = disk_policy(at, i, data);
        }
        return found;
}

FIGURE __s64 disk_counter_on(__u64 at)
{
        __s32 one = 0;

        bpf_probe_read_kernel(&one, sizeof(one), (void *)at);
        return one;
}

/* Of a percpu_counter.  A part that is being added to the sum would be counted twice: the kernel holds the lock from
 * before the one to after the other, and then nothing is said this time. */
FIGURE __u64 disk_counter(__u64 at)
{
        struct percpu_counter *counter = (void *)at;
        __s64 sum = BPF_CORE_READ(counter, count);
        __u64 each = (__u64)BPF_CORE_READ(counter, counters);
        __u32 locked = 0, n = each ? count_cpus() : 0;

        bpf_probe_read_kernel(&locked, sizeof(locked), &counter->lock);
        if (locked)
                return 0;

        FOR_EACH_CPU(cpu, n)
        sum += disk_counter_on(each + cpu_offset_of(cpu));
        return sum < 0 ? 0 : sum;
}

FIGURE int disk_throttle(__u64 at, struct kstat_sample_disk *ret)
{
        struct throtl_grp *group = (struct throtl_grp *)disk_throttle_group(at);

        if (!group || !ret)
                return 0;
        ret->read_bytes = disk_counter((__u64)&group->stat_bytes.cpu_cnt[BLKG_RWSTAT_READ]);
        ret->written_bytes = disk_counter((__u64)&group->stat_bytes.cpu_cnt[BLKG_RWSTAT_WRITE]);
        ret->reads = disk_counter((__u64)&group->stat_ios.cpu_cnt[BLKG_RWSTAT_READ]);
        ret->writes = disk_counter((__u64)&group->stat_ios.cpu_cnt[BLKG_RWSTAT_WRITE]);
        return 0;
}

/* --- the machine --- */

FIGURE int disk_machine_on(__u64 at, struct kstat_sample_disk *ret)
{
        struct disk_stats *stats = (void *)at;

        if (!ret)
                return 0;
        ret->read_bytes += BPF_CORE_READ(stats, sectors[STAT_READ]) * DISK_SECTOR;
        ret->written_bytes += BPF_CORE_READ(stats, sectors[STAT_WRITE]) * DISK_SECTOR;
        ret->reads += BPF_CORE_READ(stats, ios[STAT_READ]);
        ret->writes += BPF_CORE_READ(stats, ios[STAT_WRITE]);
        return 0;
}

FIGURE int disk_machine(__u64 at, struct kstat_sample_disk *ret)
{
        __u64 each = (__u64)BPF_CORE_READ((struct blkcg_gq *)at, q, disk, part0, bd_stats);
        __u32 n = each ? count_cpus() : 0;

        FOR_EACH_CPU(cpu, n)
        disk_machine_on(each + cpu_offset_of(cpu), ret);
        return 0;
}

/* --- what is told of them --- */

/* Which device it is; the parts of a kstat_sample_disk taken as one number. */
static __always_inline __u64 *disk_device(struct kstat_sample_disk *disk)
{
        return (__u64 *)(void *)disk;
}
_Static_assert(__builtin_offsetof(struct kstat_sample_disk, reads) == sizeof(__u64), "layout");

/* Raises place i to `one`; false: it is another device's. */
FIGURE int disk_raise(struct kstat_disks *disks, __u32 i, const struct kstat_sample_disk *one)
{
        struct kstat_sample_disk *at;
        __u64 device, seen;

        if (!disks || !one || i >= KSTAT_SAMPLE_DISKS)
                return 0;
        at = &disks->disk[i];
        device = *(const __u64 *)(const void *)one;
        seen = *(volatile __u64 *)disk_device(at);
        if (!seen)
                seen = __sync_val_compare_and_swap(disk_device(at), 0, device);
        if (seen && seen != device)
                return 0;
        raise_to(&at->read_bytes, one->read_bytes);
        raise_to(&at->written_bytes, one->written_bytes);
        raise_to(&at->reads, one->reads);
        raise_to(&at->writes, one->writes);
        return 1;
}

FIGURE int disk_remember(struct kstat_disks *disks, const struct kstat_sample_disk *one)
{
        if (!disks || !one || !(one->reads | one->read_bytes | one->writes | one->written_bytes))
                return 0; /* not used: it doesn't show */
        for (__u32 i = 0; i < KSTAT_SAMPLE_DISKS; i++)
                if (disk_raise(disks, i, one))
                        break;
        return 0;
}

static __always_inline int disk_figures(__u64 at, __u32 way, struct kstat_sample_disk *ret)
{
        if (way == DISK_IOSTAT)
                return disk_iostat(at, ret);
        if (way == DISK_THROTTLE)
                return disk_throttle(at, ret);
        return disk_machine(at, ret);
}

static __always_inline __u32 disk_way(const struct kstat_objects *objects, __u64 partition)
{
        bool v1 = objects && objects->v1 & 1u << KSTAT_CSS_IO;

        return !partition ? DISK_MACHINE : v1 ? DISK_THROTTLE : DISK_IOSTAT;
}

/* One device of the group `owner` (struct blkcg).  Nothing is locked: what doesn't point back is on its way out. */
static __always_inline int disk_read(__u64 at, __u64 owner, __u32 way, struct kstat_disks *disks)
{
        struct blkcg_gq *group = (void *)at;
        struct request_queue *queue = BPF_CORE_READ(group, q);
        struct gendisk *disk = BPF_CORE_READ(queue, disk);
        struct kstat_sample_disk one = {0};

        if (!disks || !disk || BPF_CORE_READ(disk, queue) != queue || (__u64)BPF_CORE_READ(group, blkcg) != owner)
                return 0;
        one.major = BPF_CORE_READ(disk, major);
        one.minor = BPF_CORE_READ(disk, first_minor);
        disk_figures(at, way, &one);
        return disk_remember(disks, &one);
}

/* The group that follows in the list of all that belong to its owner. */
static __always_inline __u64 disk_next(__u64 at)
{
        struct blkcg_gq *group = (void *)at;
        __u64 next = (__u64)BPF_CORE_READ(group, blkcg_node.next);

        return next ? next - bpf_core_field_offset(struct blkcg_gq, blkcg_node) : 0;
}

/* Reads a group and returns the one that follows. */
FIGURE __u64 disk_visit(__u64 at, __u64 owner, __u32 way, struct kstat_disks *disks)
{
        disk_read(at, owner, way, disks);
        return disk_next(at);
}

/* Brings the partition's entry (0: the machine's) up to date; NULL: it has none. */
static __always_inline struct kstat_disks *disks_read(const struct kstat_objects *objects, __u64 partition)
{
        struct kstat_disks *disks = bpf_map_lookup_elem(&kstat_disks, &partition);
        struct blkcg *owner = (struct blkcg *)object_css(objects, KSTAT_CSS_IO);
        __u32 way = disk_way(objects, partition);
        __u64 at = owner && disks ? (__u64)BPF_CORE_READ(owner, blkg_list.first) : 0;

        if (at)
                at -= bpf_core_field_offset(struct blkcg_gq, blkcg_node);
        for (int i = 0; i < DISK_GROUPS_MAX; i++) {
                if (!at)
                        break;
                at = disk_visit(at, (__u64)owner, way, disks);
        }
        return disks;
}

/* No branch for each: 6.1 walks all the rest once more for each of them. */
FIGURE __u32 disks_count(const struct kstat_disks *disks)
{
        __u32 n = 0;

        if (!disks)
                return 0;
        for (int i = 0; i < KSTAT_SAMPLE_DISKS; i++) {
                __u64 number = disks->disk[i].major | disks->disk[i].minor;

                n += (number + 0xffffffff) >> 32; /* 32 bits: 1 unless it is 0 */
        }
        return n;
}

/* Negative: there are none to add up. */
FIGURE int disks_sum(const struct kstat_disks *disks, struct kstat_sample_disk *ret)
{
        if (!disks || !ret)
                return -1;
        for (int i = 0; i < KSTAT_SAMPLE_DISKS; i++) {
                ret->reads += disks->disk[i].reads;
                ret->read_bytes += disks->disk[i].read_bytes;
                ret->writes += disks->disk[i].writes;
                ret->written_bytes += disks->disk[i].written_bytes;
        }
        return 0;
}

#endif
