/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * own_disks.bpf.h - disks that a partition was given by croftd, or has made: what its processes have done on each since
 * then, by the same counters as disks.bpf.h.
 *
 * Nothing is done for a disk but when somebody reads: it is looked for among the devices that the kernel knows of the
 * partition's control group, where one that was never used isn't.
 */
#ifndef CROFT_KSTAT_OWN_DISKS_BPF_H
#define CROFT_KSTAT_OWN_DISKS_BPF_H

#include "kstat/disks.bpf.h"
#include "kstat/illumos.h"
#include "kstat/source_kit.bpf.h"
#include "plane/maps.bpf.h"

#define OWN_DISK_STEPS_MAX 16384 /* devices that are looked at: the newest comes first */

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, KSTAT_OWN_DISKS_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, struct kstat_own_disk_key);
        __type(value, struct kstat_own_disk);
} kstat_own_disks SEC(".maps");

struct disk_walk {
        __u64 at, owner; /* struct blkcg_gq to look at, struct blkcg that it is to be of */
        __u64 found;     /* 0: not yet */
        __u32 major, minor;
};

static __always_inline bool is_disk(const struct disk_walk *w)
{
        struct blkcg_gq *group = (struct blkcg_gq *)w->at;
        struct request_queue *queue = BPF_CORE_READ(group, q);
        struct gendisk *disk = BPF_CORE_READ(queue, disk);

        return disk && BPF_CORE_READ(disk, first_minor) == (int)w->minor &&
               BPF_CORE_READ(disk, major) == (int)w->major && BPF_CORE_READ(disk, queue) == queue &&
               (__u64)BPF_CORE_READ(group, blkcg) == w->owner;
}

static long disk_step(__u32 i, void *context)
{
        struct disk_walk *w = context;

        (void)i;
        if (!w->at)
                return 1;
        if (is_disk(w)) {
                w->found = w->at;
                return 1;
        }
        w->at = disk_next(w->at);
        return 0;
}

/* What the partition's group has done on that disk in all; zeros: it was never used, or has gone. */
FIGURE int disk_find(
        const struct kstat_objects *objects, const struct kstat_own_disk_key *key, struct kstat_sample_disk *ret)
{
        struct blkcg *owner = (struct blkcg *)object_css(objects, KSTAT_CSS_IO);
        struct disk_walk w = {.owner = (__u64)owner};

        if (!owner || !key || !ret)
                return -ENXIO;
        w.major = key->major;
        w.minor = key->minor;
        w.at = (__u64)BPF_CORE_READ(owner, blkg_list.first);
        if (w.at)
                w.at -= bpf_core_field_offset(struct blkcg_gq, blkcg_node);
        bpf_loop(OWN_DISK_STEPS_MAX, disk_step, &w, 0);
        if (w.found)
                disk_figures(w.found, disk_way(objects, key->partition), ret);
        return 0;
}

static __always_inline bool is_own(const struct kstat_own_disk *own, const struct kstat_own_disk_key *key)
{
        const volatile struct kstat_own_disk_key *is = &own->key;

        return is->partition == key->partition && is->major == key->major && is->minor == key->minor;
}

#define OWN_DISK_RAISE(own, now, field)                                                                                \
        raise_to(&(own)->most.field, (now)->field > (own)->base.field ? (now)->field - (own)->base.field : 0)

/* Its record says which disk by its argument: the major in the upper half. */
SOURCE source_own_disk(const struct source *s, struct kstat_call *call)
{
        typedef struct illumos_io data;
        struct kstat_own_disk_key key = {
                .partition = s->partition, .major = s->argument >> 32, .minor = (__u32)s->argument};
        struct kstat_own_disk *own = bpf_map_lookup_elem(&kstat_own_disks, &key);
        struct kstat_sample_disk now = {0};
        int r = own ? disk_find(s->objects, &key, &now) : -ENXIO;

        if (r < 0)
                return r;
        if (!is_own(own, &key))
                return -EAGAIN; /* it is taken back just now */
        OWN_DISK_RAISE(own, &now, read_bytes);
        OWN_DISK_RAISE(own, &now, written_bytes);
        OWN_DISK_RAISE(own, &now, reads);
        OWN_DISK_RAISE(own, &now, writes);
        PUT(nread, own->most.read_bytes);
        PUT(nwritten, own->most.written_bytes);
        PUT(reads, (__u32)own->most.reads);
        PUT(writes, (__u32)own->most.writes);
        return 0;
}

SEC("syscall")
int kstat_disk_begin(struct kstat_disk_begin *begin)
{
        __u64 partition = begin->key.partition;
        struct kstat_own_disk own = {.key = begin->key, .identity = begin->identity};
        struct kstat_objects *objects = bpf_map_lookup_elem(&kstat_objects, &partition);
        int r = objects ? disk_find(objects, &own.key, &own.base) : -ENXIO;

        if (r < 0)
                return r;
        return map_put(&kstat_own_disks, &own.key, &own, BPF_ANY) < 0 ? -ENOSPC : 0;
}

#endif
