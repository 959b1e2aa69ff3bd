/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * load_clock.bpf.h - one timer for all: while somebody reads a load average, what runs in that partition is looked at
 * every five seconds, as the kernel does for the machine.  It ends by itself KSTAT_LOAD_KEPT_NS after the last read.
 */
#ifndef CROFT_KSTAT_LOAD_CLOCK_BPF_H
#define CROFT_KSTAT_LOAD_CLOCK_BPF_H

#include "kstat/figures.bpf.h"

#define KSTAT_LOAD_KEPT_NS 1200000000000ULL
#define CLOCK_MONOTONIC 1

struct bpf_map;

struct kstat_clock {
        struct bpf_timer timer;
        __u64 armed; /* it runs, or is being started */
};

enum kstat_clocks { CLOCK_LOAD, CLOCK_SUMS, CLOCKS };

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, CLOCKS);
        __type(key, __u32);
        __type(value, struct kstat_clock);
} kstat_clock SEC(".maps");

static long clock_one(struct bpf_map *map, __u64 *partition, struct kstat_load *load, __u64 *ret_wanted)
{
        __u64 now = bpf_ktime_get_boot_ns(), id = *partition;
        struct kstat_objects *objects = bpf_map_lookup_elem(&kstat_objects, &id);

        (void)map;
        if (!objects || now > load->read_ns + KSTAT_LOAD_KEPT_NS)
                return 0;
        load_step(load, objects, id, now);
        *ret_wanted = 1;
        return 0;
}

static int clock_tick(void *map, __u32 *key, struct kstat_clock *clock)
{
        __u64 wanted = 0;

        (void)map;
        (void)key;
        bpf_for_each_map_elem(&kstat_loads, clock_one, &wanted, 0);
        if (wanted)
                bpf_timer_start(&clock->timer, KSTAT_LOAD_STEP_NS, 0);
        else
                __sync_lock_test_and_set(&clock->armed, 0);
        return 0;
}

FIGURE int clock_arm(void)
{
        __u32 which = CLOCK_LOAD;
        struct kstat_clock *clock = bpf_map_lookup_elem(&kstat_clock, &which);

        if (!clock || *(volatile __u64 *)&clock->armed || __sync_val_compare_and_swap(&clock->armed, 0, 1) != 0)
                return 0;
        bpf_timer_init(&clock->timer, &kstat_clock, CLOCK_MONOTONIC); /* -EBUSY but for the first time */
        bpf_timer_set_callback(&clock->timer, clock_tick);
        return bpf_timer_start(&clock->timer, KSTAT_LOAD_STEP_NS, 0);
}

#endif
