/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * sums.bpf.h - the sums of vminfo and sysinfo: a look at a partition's memory and queues when somebody reads them, and
 * then once a second by a timer for all, which ends by itself KSTAT_SUMS_KEPT_NS after the last read.
 *
 * Invariant: all sums of a partition are of the same looks.  One writes at a time; who comes meanwhile doesn't, and who
 * reads meanwhile is told to ask again.
 */
#ifndef CROFT_KSTAT_SUMS_BPF_H
#define CROFT_KSTAT_SUMS_BPF_H

#include "kstat/load_clock.bpf.h"
#include "kstat/memory.bpf.h"
#include "plane/maps.bpf.h"

#include <linux/errno.h>

#define SUMS_NOBODY (~0U) /* no reader: the timer */
#define SUMS_TRIES 8

struct sums_look {
        struct kstat_pages pages;
        __u32 waiting; /* for a CPU */
        __u32 blocked;
};

/* reader: CPU of the one who reads, whose place somebody else would have.  Not a function by itself: no more than eight
 * may be on the way to the last one. */
static __always_inline int sums_look(
        const struct kstat_objects *objects, __u64 partition, __u32 reader, struct sums_look *ret)
{
        struct kstat_active active = {0};

        if (partition)
                count_active(objects, &active);
        else
                count_machine(objects, &active);
        ret->blocked = active.blocked;
        ret->waiting = count_waiting(objects, partition, reader);
        return read_pages(objects, partition, &ret->pages);
}

/* Adds a look, unless another one came first. */
FIGURE int sums_add(struct kstat_sums *sums, const struct sums_look *look, __u64 now)
{
        __u64 sequence;

        if (!sums || !look)
                return 0;
        sequence = *(volatile __u64 *)&sums->sequence;
        if (sequence & 1 || __sync_val_compare_and_swap(&sums->sequence, sequence, sequence + 1) != sequence)
                return 0;
        if (now >= sums->looked_ns + KSTAT_SUMS_STEP_NS) {
                sums->looked_ns = now;
                sums->sum.updates++;
                sums->sum.freemem += look->pages.free;
                sums->sum.swap_used += look->pages.swap_used;
                sums->sum.swap_free += look->pages.swap_free;
                sums->sum.runque += look->waiting;
                sums->sum.runocc += look->waiting ? 1 : 0;
                sums->sum.waiting += look->blocked;
        }
        __sync_fetch_and_add(&sums->sequence, 1);
        return 0;
}

static long sums_one(struct bpf_map *map, __u64 *partition, struct kstat_sums *sums, __u64 *ret_wanted)
{
        __u64 now = bpf_ktime_get_boot_ns(), id = *partition;
        struct kstat_objects *objects = bpf_map_lookup_elem(&kstat_objects, &id);
        struct sums_look look = {0};

        (void)map;
        if (!objects || now > sums->read_ns + KSTAT_SUMS_KEPT_NS)
                return 0;
        if (sums_look(objects, id, SUMS_NOBODY, &look))
                sums_add(sums, &look, now);
        *ret_wanted = 1;
        return 0;
}

static int sums_tick(void *map, __u32 *key, struct kstat_clock *clock)
{
        __u64 wanted = 0;

        (void)map;
        (void)key;
        bpf_for_each_map_elem(&kstat_sums, sums_one, &wanted, 0);
        if (wanted)
                bpf_timer_start(&clock->timer, KSTAT_SUMS_STEP_NS, 0);
        else
                __sync_lock_test_and_set(&clock->armed, 0);
        return 0;
}

FIGURE int sums_arm(void)
{
        __u32 which = CLOCK_SUMS;
        struct kstat_clock *clock = bpf_map_lookup_elem(&kstat_clock, &which);

        if (!clock || *(volatile __u64 *)&clock->armed || __sync_val_compare_and_swap(&clock->armed, 0, 1) != 0)
                return 0;
        bpf_timer_init(&clock->timer, &kstat_clock, CLOCK_MONOTONIC); /* -EBUSY but for the first time */
        bpf_timer_set_callback(&clock->timer, sums_tick);
        return bpf_timer_start(&clock->timer, KSTAT_SUMS_STEP_NS, 0);
}

/* A function by itself for the sake of the stack, which counts over all that lie on the way. */
FIGURE int sums_make(__u64 partition)
{
        struct kstat_sums new = {.partition = partition};

        return map_put(&kstat_sums, &partition, &new, BPF_NOEXIST);
}

static __always_inline struct kstat_sums *sums_of(__u64 partition)
{
        struct kstat_sums *sums = bpf_map_lookup_elem(&kstat_sums, &partition);

        if (sums)
                return sums;
        sums_make(partition);
        return bpf_map_lookup_elem(&kstat_sums, &partition);
}

/* All of the same looks; 0 or -EAGAIN. */
FIGURE int sums_copy(__u64 partition, struct kstat_sum *ret)
{
        struct kstat_sums *sums = bpf_map_lookup_elem(&kstat_sums, &partition);
        __u64 sequence;

        if (!sums || !ret)
                return -EAGAIN;
        for (int i = 0; i < SUMS_TRIES; i++) {
                sequence = __sync_fetch_and_add(&sums->sequence, 0); /* with a barrier before and behind */
                *ret = sums->sum;
                if (!(sequence & 1) && __sync_fetch_and_add(&sums->sequence, 0) == sequence &&
                        sums->partition == partition)
                        return 0;
        }
        return -EAGAIN;
}

/* 0, -ENXIO: nobody counts its memory; -EAGAIN. */
FIGURE int sums_read(const struct kstat_objects *objects, __u64 partition, struct kstat_sum *ret)
{
        struct kstat_sums *sums = sums_of(partition);
        __u64 now = bpf_ktime_get_boot_ns();
        struct sums_look look = {0};

        if (!sums || !objects || !ret)
                return -ENXIO;
        if (now >= *(volatile __u64 *)&sums->looked_ns + KSTAT_SUMS_STEP_NS) {
                if (!sums_look(objects, partition, bpf_get_smp_processor_id(), &look))
                        return -ENXIO;
                sums_add(sums, &look, now);
        }
        *(volatile __u64 *)&sums->read_ns = now;
        sums_arm();
        return sums_copy(partition, ret);
}

#endif
