/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pool_stats.h - which partitions see the statistics of which CPU (KST-7, KST-34, KST-35).  Pure decisions.
 *
 * What a CPU is (cpu_info) is one structure for all.  What was used of it (cpu, cpu_stat) is a structure of each
 * partition under the same keys, and one of global.  Pools off: all see all CPUs.  Pools on: a partition sees those of
 * its pool, global all.  A CPU that is offline keeps what it is; its counters are seen by nobody until it is back.
 *
 * A change is made in three acts: what is missing is made, seen by nobody; all associations change in one call; what
 * nobody sees then is ended.
 */
#ifndef CROFT_DAEMON_POOL_STATS_H
#define CROFT_DAEMON_POOL_STATS_H

#include "kernel/cpus.h"
#include "kstat/kstat.h"

#include <stdbool.h>

/* A kind of structure, of which there is one for each CPU, or for each CPU and partition. */
struct pool_stat_kind {
        const char *module; /* the instance is the CPU */
        bool shared;        /* one for all; else each partition and global have their own (its subject) */
        bool counts;        /* there while the CPU is online; else while it is present */
};

/* One structure as it is now. */
struct pool_stat {
        uint64_t kid;
        size_t kind;
        unsigned int cpu;
        uint64_t subject;
        uint64_t *partitions; /* owned, rising */
        size_t n_partitions;
};
void pool_stats_free(struct pool_stat *stats, size_t n);

/* A partition that is on record, and the CPUs of its pool. */
struct pool_view {
        uint64_t partition;
        struct cpus cpus;
};

/* How it is to be. */
struct pool_rule {
        bool on; /* there are pools */
        struct cpus present, online;
        const struct pool_view *views; /* rising */
        size_t n_views;
        const struct pool_stat_kind *kinds;
        size_t n_kinds;
};

/* One that is to be made. */
struct pool_missing {
        size_t kind;
        unsigned int cpu;
        uint64_t subject;
};

/* All return 0 with a new array (caller frees), or -ENOMEM. */
int pool_stats_missing(const struct pool_rule *rule, const struct pool_stat *stats, size_t n, struct pool_missing **ret,
        size_t *ret_n);
/* The changes that lead from what is to what should be, for one kstats_apply(); none when it is so already. */
int pool_stats_decide(const struct pool_rule *rule, const struct pool_stat *stats, size_t n, struct kstat_change **ret,
        size_t *ret_n);
/* The kids of those that nobody is to see. */
int pool_stats_unseen(
        const struct pool_rule *rule, const struct pool_stat *stats, size_t n, uint64_t **ret, size_t *ret_n);

#endif
