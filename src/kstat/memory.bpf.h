/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * memory.bpf.h - what a partition uses of memory, from its memory cgroup.
 *
 * Usage and limits are live.  The kernel brings the rest together from its CPUs every two seconds at the latest; what
 * has been counted on the CPUs since is added here, so that only what cgroups *below* the partition's counted in the
 * last two seconds can be missing.
 *
 * Where a figure is in the kernel's arrays depends on its version.  Until 6.9 states are numbered by their enum; since
 * then (commit ff48c71c26aa), and events since 6.1 (commit 8278f1c7b4a3), arrays hold a chosen list in a fixed order,
 * of which a kernel leaves out what it wasn't configured for.  The list is here; if the length isn't what it should be
 * on the running kernel, the figures are left 0 rather than taken from the wrong places.
 */
#ifndef CROFT_KSTAT_MEMORY_BPF_H
#define CROFT_KSTAT_MEMORY_BPF_H

#include "kstat/figures.bpf.h"

/* Bytes in a page; whoever loads the program may set another. */
const volatile __u32 memory_page = 4096;

/* Counts on this many CPUs are added up; on larger machines what the kernel has brought together has to do. */
#define MEMORY_CPUS_MAX 64

/* In the kernel's order.  T: taken into a field of the sample, counted in P: pages, K: KiB, 1: bytes; S: passed over.
 */
#define MEMORY_STATES(T, S)                                                                                            \
        T(node_stat_item, NR_INACTIVE_ANON, inactive_anon, P)                                                          \
        T(node_stat_item, NR_ACTIVE_ANON, active_anon, P)                                                              \
        T(node_stat_item, NR_INACTIVE_FILE, inactive_file, P)                                                          \
        T(node_stat_item, NR_ACTIVE_FILE, active_file, P)                                                              \
        T(node_stat_item, NR_UNEVICTABLE, unevictable, P)                                                              \
        T(node_stat_item, NR_SLAB_RECLAIMABLE_B, slab_reclaimable, 1)                                                  \
        T(node_stat_item, NR_SLAB_UNRECLAIMABLE_B, slab_unreclaimable, 1)                                              \
        S(node_stat_item, WORKINGSET_REFAULT_ANON)                                                                     \
        S(node_stat_item, WORKINGSET_REFAULT_FILE)                                                                     \
        S(node_stat_item, WORKINGSET_ACTIVATE_ANON)                                                                    \
        S(node_stat_item, WORKINGSET_ACTIVATE_FILE)                                                                    \
        S(node_stat_item, WORKINGSET_RESTORE_ANON)                                                                     \
        S(node_stat_item, WORKINGSET_RESTORE_FILE)                                                                     \
        S(node_stat_item, WORKINGSET_NODERECLAIM)                                                                      \
        T(node_stat_item, NR_ANON_MAPPED, anon, P)                                                                     \
        T(node_stat_item, NR_FILE_MAPPED, file_mapped, P)                                                              \
        T(node_stat_item, NR_FILE_PAGES, file, P)                                                                      \
        T(node_stat_item, NR_FILE_DIRTY, file_dirty, P)                                                                \
        T(node_stat_item, NR_WRITEBACK, file_writeback, P)                                                             \
        T(node_stat_item, NR_SHMEM, shmem, P)                                                                          \
        S(node_stat_item, NR_SHMEM_THPS)                                                                               \
        S(node_stat_item, NR_FILE_THPS)                                                                                \
        T(node_stat_item, NR_ANON_THPS, anon_thp, P)                                                                   \
        T(node_stat_item, NR_KERNEL_STACK_KB, kernel_stack, K)                                                         \
        T(node_stat_item, NR_PAGETABLE, page_tables, P)                                                                \
        S(node_stat_item, NR_SECONDARY_PAGETABLE)                                                                      \
        S(node_stat_item, NR_SWAPCACHE)                                                                                \
        S(node_stat_item, PGPROMOTE_SUCCESS)                                                                           \
        S(node_stat_item, PGDEMOTE_KSWAPD)                                                                             \
        S(node_stat_item, PGDEMOTE_DIRECT)                                                                             \
        S(node_stat_item, PGDEMOTE_KHUGEPAGED)                                                                         \
        S(node_stat_item, PGDEMOTE_PROACTIVE)                                                                          \
        S(node_stat_item, NR_HUGETLB)                                                                                  \
        S(memcg_stat_item, MEMCG_SWAP)                                                                                 \
        S(memcg_stat_item, MEMCG_SOCK)                                                                                 \
        T(memcg_stat_item, MEMCG_PERCPU_B, percpu, 1)                                                                  \
        T(memcg_stat_item, MEMCG_VMALLOC, vmalloc, P)

/* Behind the last one that is taken: these only count. */
#define MEMORY_STATES_BEHIND(S)                                                                                        \
        S(memcg_stat_item, MEMCG_KMEM)                                                                                 \
        S(memcg_stat_item, MEMCG_ZSWAP_B)                                                                              \
        S(memcg_stat_item, MEMCG_ZSWAPPED)

#define MEMORY_EVENTS(T, S)                                                                                            \
        T(vm_event_item, PGPGIN, pgpgin, 1)                                                                            \
        T(vm_event_item, PGPGOUT, pgpgout, 1)                                                                          \
        T(vm_event_item, PSWPIN, pswpin, 1)                                                                            \
        T(vm_event_item, PSWPOUT, pswpout, 1)                                                                          \
        T(vm_event_item, PGSCAN_KSWAPD, pgscan, 1)                                                                     \
        T(vm_event_item, PGSCAN_DIRECT, pgscan, 1)                                                                     \
        T(vm_event_item, PGSCAN_KHUGEPAGED, pgscan, 1)                                                                 \
        T(vm_event_item, PGSCAN_PROACTIVE, pgscan, 1)                                                                  \
        T(vm_event_item, PGSTEAL_KSWAPD, pgsteal, 1)                                                                   \
        T(vm_event_item, PGSTEAL_DIRECT, pgsteal, 1)                                                                   \
        T(vm_event_item, PGSTEAL_KHUGEPAGED, pgsteal, 1)                                                               \
        T(vm_event_item, PGSTEAL_PROACTIVE, pgsteal, 1)                                                                \
        T(vm_event_item, PGFAULT, pgfault, 1)                                                                          \
        T(vm_event_item, PGMAJFAULT, pgmajfault, 1)

#define MEMORY_EVENTS_BEHIND(S)                                                                                        \
        S(vm_event_item, PGREFILL)                                                                                     \
        S(vm_event_item, PGACTIVATE)                                                                                   \
        S(vm_event_item, PGDEACTIVATE)                                                                                 \
        S(vm_event_item, PGLAZYFREE)                                                                                   \
        S(vm_event_item, PGLAZYFREED)                                                                                  \
        S(vm_event_item, SWPIN_ZERO)                                                                                   \
        S(vm_event_item, SWPOUT_ZERO)                                                                                  \
        S(vm_event_item, ZSWPIN)                                                                                       \
        S(vm_event_item, ZSWPOUT)                                                                                      \
        S(vm_event_item, ZSWPWB)                                                                                       \
        S(vm_event_item, THP_FAULT_ALLOC)                                                                              \
        S(vm_event_item, THP_COLLAPSE_ALLOC)                                                                           \
        S(vm_event_item, THP_SWPOUT)                                                                                   \
        S(vm_event_item, THP_SWPOUT_FALLBACK)                                                                          \
        S(vm_event_item, NUMA_PAGE_MIGRATE)                                                                            \
        S(vm_event_item, NUMA_PTE_UPDATES)                                                                             \
        S(vm_event_item, NUMA_HINT_FAULTS)

/* Of the last ones, how many may be missing from the list though the kernel has such events. */
#define MEMORY_EVENTS_NEW 12

struct memory_reader {
        __u64 vmstats;
        __u64 percpu; /* of struct memcg_vmstats_percpu */
        __u64 cpu;    /* only what this one has counted, of the partition's own cgroup; KSTAT_NONE: all */
        bool plain;   /* states are numbered by their enum */
        bool states, events;
};

/* 1 or 0 as it is: a comparison would be a branch each, which the kernel removes one by one when it loads the program.
 */
/* barrier_var() here and below keeps the compiler from holding all those constants on the stack at once. */
#define MEMORY_COUNT_S(kind, item)                                                                                     \
        n += bpf_core_enum_value_exists(enum kind, item);                                                              \
        barrier_var(n);
#define MEMORY_COUNT_T(kind, item, field, unit) MEMORY_COUNT_S(kind, item)

/* PSWPIN and PSWPOUT came into the list with SWPIN_ZERO (6.13), or later. */
static __always_inline bool swaps_listed(void)
{
        return bpf_core_enum_value_exists(enum vm_event_item, SWPIN_ZERO);
}

/* PGPGIN and PGPGOUT are for v1 only, and so, since 6.11, is a soft limit. */
static __always_inline bool pages_listed(void)
{
        struct mem_cgroup *memcg = NULL;

        return bpf_core_field_exists(memcg->soft_limit);
}

#define MEMORY_LISTED(item)                                                                                            \
        (item == PSWPIN || item == PSWPOUT ? swaps_listed() : item == PGPGIN || item == PGPGOUT ? pages_listed() : true)

/* 1: there is one, 0: none. */
FIGURE int memory_begin(__u64 at, struct memory_reader *ret)
{
        struct mem_cgroup *memcg = (void *)at;
        struct memcg_vmstats *v = at ? BPF_CORE_READ(memcg, vmstats) : NULL;
        __u32 have = bpf_core_field_size(v->state) / sizeof(long);
        __u32 n = 0;

        if (!ret || !at)
                return 0;
        ret->vmstats = (__u64)v;
        ret->percpu = (__u64)BPF_CORE_READ(memcg, vmstats_percpu);
        ret->plain = have == bpf_core_enum_value(enum memcg_stat_item, MEMCG_NR_STAT);
        MEMORY_STATES(MEMORY_COUNT_T, MEMORY_COUNT_S)
        MEMORY_STATES_BEHIND(MEMORY_COUNT_S)
        ret->states = v && (ret->plain || have == n);
        /* What comes behind the last that is taken grew over time (THP_SWPOUT, NUMA_...); at least five are old. */
        have = bpf_core_field_size(v->events) / sizeof(long);
        n = (swaps_listed() ? 0 : -2) - (pages_listed() ? 0 : 2);
        MEMORY_EVENTS(MEMORY_COUNT_T, MEMORY_COUNT_S)
        MEMORY_EVENTS_BEHIND(MEMORY_COUNT_S)
        ret->events = v && have <= n && have + MEMORY_EVENTS_NEW >= n;
        return 1;
}

/* What one CPU has counted; since: since it was last brought together. */
FIGURE __s64 memory_count_cpu(__u64 percpu, __u32 cpu, bool event, __u32 index, bool since)
{
        struct memcg_vmstats_percpu *p = (void *)(percpu + cpu_offset_of(cpu));
        __s64 now = 0, then = 0;

        if (event) {
                bpf_core_read(&now, sizeof(now), &p->events[0] + index);
                bpf_core_read(&then, sizeof(then), &p->events_prev[0] + index);
        } else {
                bpf_core_read(&now, sizeof(now), &p->state[0] + index);
                bpf_core_read(&then, sizeof(then), &p->state_prev[0] + index);
        }
        return since ? now - then : now;
}

/* What all CPUs have counted since it was last brought together. */
FIGURE __s64 memory_count_since(__u64 percpu, bool event, __u32 index)
{
        __u32 n = count_cpus();
        __s64 sum = 0;

        if (n > MEMORY_CPUS_MAX)
                return 0;
        FOR_EACH_CPU(cpu, n)
        sum += memory_count_cpu(percpu, cpu, event, index, true);
        return sum;
}

/* What has been brought together and what the CPUs have counted since, with everything below, as of its last flush. */
FIGURE __u64 memory_count(const struct memory_reader *reader, bool event, __u32 index)
{
        struct memcg_vmstats *v;
        __s64 value = 0;

        if (!reader)
                return 0;
        if (reader->cpu != KSTAT_NONE) {
                value = memory_count_cpu(reader->percpu, reader->cpu, event, index, false);
                return value < 0 ? 0 : value;
        }
        v = (struct memcg_vmstats *)reader->vmstats;
        if (event)
                bpf_core_read(&value, sizeof(value), &v->events[0] + index);
        else
                bpf_core_read(&value, sizeof(value), &v->state[0] + index);
        value += memory_count_since(reader->percpu, event, index);
        return value < 0 ? 0 : value;
}

#define MEMORY_UNIT_P memory_page
#define MEMORY_UNIT_K 1024
#define MEMORY_UNIT_1 1
/* What becomes of a figure is said by MEMORY_ADD(field, value) where the lists are used. */
#define MEMORY_STATE_T(kind, item, field, unit)                                                                        \
        barrier_var(at);                                                                                               \
        if (bpf_core_enum_value_exists(enum kind, item)) {                                                             \
                MEMORY_ADD(field,                                                                                      \
                        memory_count(reader, false, reader->plain ? bpf_core_enum_value(enum kind, item) : at) *       \
                                MEMORY_UNIT_##unit);                                                                   \
                at++;                                                                                                  \
        }
#define MEMORY_STATE_S(kind, item)                                                                                     \
        barrier_var(at);                                                                                               \
        at += bpf_core_enum_value_exists(enum kind, item);
#define MEMORY_EVENT_T(kind, item, field, unit)                                                                        \
        barrier_var(at);                                                                                               \
        if (bpf_core_enum_value_exists(enum kind, item) && ((item != PSWPIN && item != PSWPOUT) || swaps_listed())) {  \
                MEMORY_ADD(field, memory_count(reader, true, at));                                                     \
                at++;                                                                                                  \
        }
#define MEMORY_EVENT_S(kind, item) MEMORY_STATE_S(kind, item)

#define MEMORY_ADD(field, value) ret->field += (value)

/* The middle of struct kstat_sample_memory, and its end: the stack has no room for all of it. */
struct memory_states {
        __u64 anon, file, shmem, file_mapped, file_dirty, file_writeback;
        __u64 inactive_anon, active_anon, inactive_file, active_file, unevictable;
        __u64 slab_reclaimable, slab_unreclaimable, kernel_stack, page_tables, percpu, vmalloc, anon_thp;
};
struct memory_counts { /* of events */
        __u64 pgfault, pgmajfault, pgpgin, pgpgout, pswpin, pswpout;
        __u64 pgscan, pgsteal;
};
struct memory_events {
        struct memory_counts counts;
        __u64 oom_kills;
        __u64 reserved[5];
};
#define MEMORY_AT(field) __builtin_offsetof(struct kstat_sample_memory, field)
_Static_assert(
        MEMORY_AT(anon) == 32 && MEMORY_AT(anon_thp) - MEMORY_AT(anon) == sizeof(struct memory_states) - 8 &&
                MEMORY_AT(pgfault) == MEMORY_AT(anon_thp) + 8 &&
                sizeof(struct kstat_sample_memory) == 32 + sizeof(struct memory_states) + sizeof(struct memory_events),
        "layout");

FIGURE int read_states(const struct memory_reader *reader, struct memory_states *ret)
{
        __u32 at = 0;

        if (!reader || !ret || !reader->states)
                return 0;
        MEMORY_STATES(MEMORY_STATE_T, MEMORY_STATE_S)
        return 0;
}

FIGURE int read_events(const struct memory_reader *reader, struct memory_counts *ret)
{
        __u32 at = 0;

        if (!reader || !ret || !reader->events)
                return 0;
        MEMORY_EVENTS(MEMORY_EVENT_T, MEMORY_EVENT_S)
        return 0;
}

#undef MEMORY_ADD

FIGURE __u64 tighter_limit(__u64 best, __u64 at)
{
        struct page_counter *counter = (void *)at;
        __u64 max = BPF_CORE_READ(counter, max);

        /* PAGE_COUNTER_MAX is LONG_MAX in pages */
        return max < (1ULL << 62) / memory_page && max * memory_page < best ? max * memory_page : best;
}

/* The tightest limit from a counter to the root, in bytes; KSTAT_NONE: none. */
FIGURE __u64 tightest(__u64 at)
{
        struct page_counter *counter = (void *)at;
        __u64 best = KSTAT_NONE;

        for (int i = 0; i < 32; i++) {
                if (!counter)
                        break;
                best = tighter_limit(best, (__u64)counter);
                counter = BPF_CORE_READ(counter, parent);
        }
        return best;
}

/* The beginning of struct kstat_sample_memory. */
struct kstat_limits {
        __u64 usage, memory, swap_usage, swap; /* bytes; KSTAT_NONE: no limit */
};

FIGURE int read_memory_limits(const struct kstat_objects *objects, __u64 at, struct kstat_limits *ret)
{
        struct mem_cgroup *memcg = (void *)at;
        __s64 usage, swap;

        if (!objects || !ret)
                return 0;
        usage = BPF_CORE_READ(memcg, memory.usage.counter);
        swap = BPF_CORE_READ(memcg, swap.usage.counter);
        ret->memory = tightest((__u64)&memcg->memory);
        ret->swap = tightest((__u64)&memcg->swap);
        if (objects->v1 & 1u << KSTAT_CSS_MEMORY) { /* memory and swap in one */
                swap -= usage;
                if (ret->swap != KSTAT_NONE)
                        ret->swap -= ret->memory < ret->swap ? ret->memory : ret->swap;
        }
        ret->usage = (usage < 0 ? 0 : usage) * memory_page;
        ret->swap_usage = (swap < 0 ? 0 : swap) * memory_page;
        return 0;
}

FIGURE __u64 oom_kills(__u64 at)
{
        struct mem_cgroup *memcg = (void *)at;
        __u64 kills = 0;

        if (bpf_core_enum_value_exists(enum memcg_memory_event, MEMCG_OOM_KILL))
                bpf_core_read(&kills, sizeof(kills),
                        &memcg->memory_events[0] + bpf_core_enum_value(enum memcg_memory_event, MEMCG_OOM_KILL));
        return kills;
}

/* --- the machine's --- */

FIGURE __u64 zone_pages(__u64 at, bool free)
{
        struct zone *zone = (void *)at;
        __s64 n = free ? BPF_CORE_READ(zone, vm_stat[0].counter) : BPF_CORE_READ(zone, managed_pages.counter);

        return n < 0 ? 0 : n;
}

/* Pages of one node: managed, or free. */
FIGURE __u64 node_pages(__u64 node, bool free)
{
        struct pglist_data *pgdat = (void *)node;
        __u64 size = bpf_core_type_size(struct zone), sum = 0;
        __u64 n = size ? bpf_core_field_size(pgdat->node_zones) / size : 0;

        for (__u32 i = 0; i < 8; i++) {
                if (i >= n)
                        break;
                sum += zone_pages((__u64)&pgdat->node_zones + i * size, free);
        }
        return sum;
}

/* Node i, 0: there is none. */
FIGURE __u64 node_of(__u64 at, __u32 i)
{
        struct mem_cgroup *memcg = (void *)at;
        struct mem_cgroup_per_node *info = NULL;
        struct pglist_data *pgdat;

        bpf_core_read(&info, sizeof(info), &memcg->nodeinfo[0] + i);
        pgdat = info ? BPF_CORE_READ(info, lruvec.pgdat) : NULL;
        return pgdat && BPF_CORE_READ(pgdat, node_id) == (int)i ? (__u64)pgdat : 0;
}

/* Pages of the machine, managed by the allocator (MemTotal), or free; 0: not known.  Any memory cgroup leads there. */
FIGURE __u64 machine_pages(const struct kstat_objects *objects, bool free)
{
        __u64 memcg = object_css(objects, KSTAT_CSS_MEMORY), sum = 0;

        for (__u32 i = 0; i < 64; i++) {
                __u64 node = memcg ? node_of(memcg, i) : 0;

                if (!node)
                        break;
                sum += node_pages(node, free);
        }
        return sum;
}

/* Memory in pages: the limit, or what the machine has if that is less, and what is left of it. */
struct kstat_pages {
        __u64 total, free;
        __u64 swap_used; /* of a partition; the kernel says nowhere how much of the machine's is */
        __u64 swap_free;
};

/* Bytes of swap that the machine has; set before loading. */
const volatile __u64 swap_bytes = 0;

/* 1; 0: nobody counts its memory. */
FIGURE int read_pages(const struct kstat_objects *objects, __u64 partition, struct kstat_pages *ret)
{
        __u64 memcg = object_css(objects, KSTAT_CSS_MEMORY), used, swap;
        __u64 machine = machine_pages(objects, false);
        struct kstat_limits limits = {0};

        if (!memcg || !machine || !ret)
                return 0;
        read_memory_limits(objects, memcg, &limits);
        ret->total = limits.memory / memory_page;
        ret->total = ret->total < machine ? ret->total : machine;
        used = partition ? limits.usage / memory_page : machine - machine_pages(objects, true);
        ret->free = ret->total > used ? ret->total - used : 0;
        if (!partition)
                return 1;
        swap = (limits.swap < swap_bytes ? limits.swap : swap_bytes) / memory_page;
        ret->swap_used = limits.swap_usage / memory_page;
        ret->swap_free = swap > ret->swap_used ? swap - ret->swap_used : 0;
        return 1;
}

#endif
