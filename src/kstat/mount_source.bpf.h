/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * mount_source.bpf.h - the maps of mounts, and the sources that fill `mount:N:io` and `mount:N:mntinfo` from them.
 *
 * Invariant: no value of a mount is given away that isn't in its namespace any more, or isn't the one that the
 * structure was made for.
 */
#ifndef CROFT_KSTAT_MOUNT_SOURCE_BPF_H
#define CROFT_KSTAT_MOUNT_SOURCE_BPF_H

#include "kstat/mount.bpf.h"

#include <linux/bpf.h>
#include <linux/errno.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "kstat/mount_kernel.bpf.h"
#include "plane/plane.bpf.h"

#define MOUNT_SNAPSHOT_TRIES 64

#ifndef barrier
#define barrier() asm volatile("" ::: "memory")
#endif

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, MOUNTS_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64);
        __type(value, struct mount_entry);
} kstat_mounts SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, MOUNTS_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64);
        __type(value, struct kstat_data_mntinfo);
} kstat_mount_text SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64);
        __type(value, struct mount_timers);
} kstat_timers SEC(".maps");

static __always_inline __u64 mount_key(const struct mount___m *mount)
{
        __u64 id = 0;
        int small = 0;

        if (bpf_core_field_exists(mount->mnt_id_unique)) {
                bpf_core_read(&id, sizeof(id), &mount->mnt_id_unique);
                return id;
        }
        bpf_core_read(&small, sizeof(small), &mount->mnt_id);
        return (__u32)small;
}

/* Is that mount in that namespace now?  What is freed has lost its namespace before. */
static __always_inline int mount_is_there(const struct mount_entry *entry, __u64 key)
{
        const struct mount___m *mount = (const struct mount___m *)entry->address;
        struct mnt_namespace___m *ns = NULL;

        if (bpf_core_read(&ns, sizeof(ns), &mount->mnt_ns) < 0)
                return 0;
        return (__u64)ns == entry->ns && mount_key(mount) == key;
}

/* The entry that the structure, made at crtime, tells about; NULL: that mount is gone. */
static __always_inline struct mount_entry *mount_of_record(__u64 key, __s64 crtime)
{
        struct mount_entry *entry = bpf_map_lookup_elem(&kstat_mounts, &key);

        if (!entry || entry->created > crtime || !mount_is_there(entry, key))
                return NULL;
        return entry;
}

/* The context can be written at constant places only: unrolled. */
static __always_inline void mount_copy_words(__u64 *to, const __u64 *from, int n)
{
#pragma unroll
        for (int i = 0; i < KSTAT_SMALL_DATA / 8; i++)
                if (i < n)
                        to[i] = from[i];
}

/* The values, if nobody was at them meanwhile.  Not static: the verifier walks it once, not for each try. */
__noinline int mount_copy(const struct mount_entry *entry, struct kstat_data_mount_io *ret)
{
        __u64 end;

        if (!entry || !ret)
                return 0;
        end = *(const volatile __u64 *)&entry->end;
        barrier();
        *ret = entry->io;
        barrier();
        return *(const volatile __u64 *)&entry->begin == end;
}

/* All values of one instant; -EAGAIN: calls came too fast, or the entry was given to another mount meanwhile. */
static __noinline int mount_snapshot(__u64 key, __s64 crtime, struct kstat_data_mount_io *ret)
{
        struct mount_entry *entry = mount_of_record(key, crtime);

        if (!entry || !ret)
                return -ENXIO;
        for (int i = 0; i < MOUNT_SNAPSHOT_TRIES; i++)
                if (mount_copy(entry, ret))
                        return mount_of_record(key, crtime) == entry ? 0 : -EAGAIN;
        return -EAGAIN;
}

static __always_inline int source_mount_io(struct kstat_call *call, const struct kstat_record *record)
{
        struct kstat_data_mount_io io = {};
        int r = mount_snapshot(record->argument, call->head.crtime, &io);

        if (r == 0)
                mount_copy_words((__u64 *)(void *)call->data, (const __u64 *)(const void *)&io, sizeof(io) / 8);
        return r;
}

static __always_inline int source_mntinfo(struct kstat_call *call, const struct kstat_record *record)
{
        __u64 key = record->argument;
        struct kstat_data_mntinfo *text;

        if (!mount_of_record(key, call->head.crtime))
                return -ENXIO;
        text = bpf_map_lookup_elem(&kstat_mount_text, &key);
        if (!text)
                return -ENXIO;
        mount_copy_words((__u64 *)(void *)call->data, (const __u64 *)(const void *)text, sizeof(*text) / 8);
        /* replaced by another element meanwhile? */
        return bpf_map_lookup_elem(&kstat_mount_text, &key) == text ? 0 : -EAGAIN;
}

__noinline __attribute__((unused)) int mount_copy_timer(
        const struct mount_timers *timers, __u64 kind, struct mount_timer *ret)
{
        __u64 end;

        if (!timers || !ret)
                return 0;
        end = *(const volatile __u64 *)&timers->end;
        barrier();
        *ret = kind == MOUNT_TIMER_READ ? timers->timer[MOUNT_TIMER_READ] : timers->timer[MOUNT_TIMER_WRITE];
        barrier();
        return *(const volatile __u64 *)&timers->begin == end;
}

/* All values of one instant; 0: none was timed yet; -EAGAIN: calls came too fast. */
static __noinline __attribute__((unused)) int mount_timer_snapshot(__u64 partition, __u64 kind, struct mount_timer *ret)
{
        struct mount_timers *timers = bpf_map_lookup_elem(&kstat_timers, &partition);

        if (!timers || !ret)
                return 0;
        for (int i = 0; i < MOUNT_SNAPSHOT_TRIES; i++)
                if (mount_copy_timer(timers, kind, ret))
                        return bpf_map_lookup_elem(&kstat_timers, &partition) == timers ? 0 : -EAGAIN;
        return -EAGAIN;
}

#endif
