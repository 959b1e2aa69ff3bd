/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pool_stats.c - which partitions see the statistics of which CPU.  See pool_stats.h.
 */
#include "daemon/pool_stats.h"

#include "base/cleanup.h"

#include <string.h>

#define GLOBAL 0

struct changes {
        struct kstat_change *list;
        size_t n, room;
};

static int add(struct changes *changes, const struct kstat_change *change)
{
        if (changes->n == changes->room) {
                size_t room = changes->room * 2 + 64;
                struct kstat_change *list = reallocarray(changes->list, room, sizeof(*list));

                if (!list)
                        return -ENOMEM;
                changes->list = list;
                changes->room = room;
        }
        changes->list[changes->n++] = *change;
        return 0;
}

static bool is_seen_by(const struct pool_stat *stat, uint64_t partition)
{
        for (size_t i = 0; i < stat->n_partitions; i++)
                if (stat->partitions[i] == partition)
                        return true;
        return false;
}

/* What is to be, as a question about one partition. */
struct rule {
        bool none, all;
        const struct pool_view *views;
        size_t n_views;
};

static bool should_see(const struct rule *rule, unsigned int cpu, uint64_t partition)
{
        if (rule->none || rule->all)
                return rule->all && partition == KSTAT_ALL;
        if (partition == GLOBAL)
                return true;
        for (size_t i = 0; i < rule->n_views; i++)
                if (rule->views[i].partition == partition)
                        return cpus_has(&rule->views[i].cpus, cpu);
        return false; /* KSTAT_ALL, and partitions that aren't on record any more */
}

static int associate_missing(
        const struct pool_stat *stat, const struct rule *rule, uint64_t partition, struct changes *changes)
{
        struct kstat_change change = {.what = KSTAT_ASSOCIATE, .kid = stat->kid, .partition = partition};

        if (!should_see(rule, stat->cpu, partition) || is_seen_by(stat, partition))
                return 0;
        return add(changes, &change);
}

/* First who must not see it any more: with KSTAT_ALL still there, nobody else could be added. */
static int decide_one(const struct pool_stat *stat, const struct rule *rule, struct changes *changes)
{
        int r = 0;

        for (size_t i = 0; i < stat->n_partitions && r == 0; i++) {
                struct kstat_change change = {
                        .what = KSTAT_DISSOCIATE, .kid = stat->kid, .partition = stat->partitions[i]};

                if (!should_see(rule, stat->cpu, stat->partitions[i]))
                        r = add(changes, &change);
        }
        if (r == 0)
                r = associate_missing(stat, rule, KSTAT_ALL, changes);
        if (r == 0)
                r = associate_missing(stat, rule, GLOBAL, changes);
        for (size_t i = 0; i < rule->n_views && r == 0; i++)
                r = associate_missing(stat, rule, rule->views[i].partition, changes);
        return r;
}

int pool_stats_decide(const struct pool_stat *stats, size_t n, bool pools_on, const struct cpus *online,
        const struct pool_view *views, size_t n_views, struct kstat_change **ret, size_t *ret_n)
{
        struct changes changes = {.list = NULL};

        for (size_t i = 0; i < n; i++) {
                struct rule rule = {.views = views, .n_views = n_views, .all = !pools_on};
                int r;

                rule.none = stats[i].counts && !cpus_has(online, stats[i].cpu);
                rule.all = rule.all && !rule.none;
                r = decide_one(&stats[i], &rule, &changes);
                if (r < 0) {
                        free(changes.list);
                        return r;
                }
        }
        *ret = changes.list;
        *ret_n = changes.n;
        return 0;
}

void pool_stats_free(struct pool_stat *stats, size_t n)
{
        for (size_t i = 0; stats && i < n; i++)
                free(stats[i].partitions);
        free(stats);
}

bool pool_stats_module(const char *module, bool *ret_counts)
{
        *ret_counts = strcmp(module, "cpu_info") != 0;
        return strcmp(module, "cpu_info") == 0 || strcmp(module, "cpu") == 0 || strcmp(module, "cpu_stat") == 0;
}
