/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pool_stats.h - which partitions see the statistics of which CPU (KST-7, KST-34, KST-35).  A pure decision.
 *
 * Pools off: all see all CPUs.  Pools on: each CPU's structures are associated with global and with exactly the
 * partitions bound to its pool.  A CPU that is offline keeps what describes it (cpu_info); its counters (cpu, cpu_stat)
 * are associated with nobody until it is back.
 */
#ifndef CROFT_DAEMON_POOL_STATS_H
#define CROFT_DAEMON_POOL_STATS_H

#include "kernel/cpus.h"
#include "kstat/kstat.h"

#include <stdbool.h>

/* One structure as it is now. */
struct pool_stat {
        uint64_t kid;
        unsigned int cpu;
        bool counts;          /* usage counters: there while the CPU is online */
        uint64_t *partitions; /* owned, rising */
        size_t n_partitions;
};
void pool_stats_free(struct pool_stat *stats, size_t n);

/* A partition that is on record, and the CPUs of its pool. */
struct pool_view {
        uint64_t partition;
        struct cpus cpus;
};

/* The changes that lead from what is to what should be, for one kstats_apply(); none when it is so already.  A new
 * array (caller frees); -ENOMEM. */
int pool_stats_decide(const struct pool_stat *stats, size_t n, bool pools_on, const struct cpus *online,
        const struct pool_view *views, size_t n_views, struct kstat_change **ret, size_t *ret_n);

/* Is that module about a CPU (its instance)?  *ret_counts as in struct pool_stat. */
bool pool_stats_module(const char *module, bool *ret_counts);

#endif
