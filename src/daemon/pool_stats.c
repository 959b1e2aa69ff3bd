/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pool_stats.c - which partitions see the statistics of which CPU.  See pool_stats.h.
 */
#include "daemon/pool_stats.h"

#include "base/cleanup.h"

#include <string.h>

#define GLOBAL 0

/* A growing array of elements of one size. */
struct array {
        char *at;
        size_t size, n, room;
};

static int append(struct array *array, const void *element)
{
        if (array->n == array->room) {
                size_t room = array->room * 2 + 64;
                char *at = reallocarray(array->at, room, array->size);

                if (!at)
                        return -ENOMEM;
                array->at = at;
                array->room = room;
        }
        memcpy(array->at + array->n++ * array->size, element, array->size);
        return 0;
}

/* Gives the array away, or ends it. */
static int give(struct array *array, int r, void *ret, size_t *ret_n)
{
        if (r < 0) {
                free(array->at);
                return r;
        }
        memcpy(ret, &array->at, sizeof(array->at)); /* whatever it is a pointer to */
        *ret_n = array->n;
        return 0;
}

/* --- the rule --- */

/* The CPUs of which there is anything to see. */
static const struct cpus *there_are(const struct pool_rule *rule, const struct pool_stat_kind *kind)
{
        return kind->counts ? &rule->online : &rule->present;
}

/* Is that CPU one of the partition's? */
static bool has_cpu(const struct pool_rule *rule, uint64_t partition, unsigned int cpu)
{
        size_t from = 0, to = rule->n_views;

        if (partition == GLOBAL)
                return true;
        while (from < to) {
                size_t middle = from + (to - from) / 2;

                if (rule->views[middle].partition < partition)
                        from = middle + 1;
                else
                        to = middle;
        }
        if (from == rule->n_views || rule->views[from].partition != partition)
                return false; /* not on record any more */
        return !rule->on || cpus_has(&rule->views[from].cpus, cpu);
}

static bool should_see(const struct pool_rule *rule, const struct pool_stat *stat, uint64_t partition)
{
        const struct pool_stat_kind *kind = &rule->kinds[stat->kind];

        if (!cpus_has(there_are(rule, kind), stat->cpu))
                return false;
        if (!kind->shared)
                return partition == stat->subject && has_cpu(rule, partition, stat->cpu);
        if (partition == KSTAT_ALL || !rule->on)
                return partition == KSTAT_ALL && !rule->on;
        return has_cpu(rule, partition, stat->cpu);
}

static bool is_seen_by(const struct pool_stat *stat, uint64_t partition)
{
        for (size_t i = 0; i < stat->n_partitions; i++)
                if (stat->partitions[i] == partition)
                        return true;
        return false;
}

/* --- what changes --- */

static int associate(
        const struct pool_rule *rule, const struct pool_stat *stat, uint64_t partition, struct array *changes)
{
        struct kstat_change change = {.what = KSTAT_ASSOCIATE, .kid = stat->kid, .partition = partition};

        if (!should_see(rule, stat, partition) || is_seen_by(stat, partition))
                return 0;
        return append(changes, &change);
}

/* First who must not see it any more: with KSTAT_ALL still there, nobody else could be added. */
static int decide_one(const struct pool_rule *rule, const struct pool_stat *stat, struct array *changes)
{
        int r = 0;

        for (size_t i = 0; i < stat->n_partitions && r == 0; i++) {
                struct kstat_change change = {
                        .what = KSTAT_DISSOCIATE, .kid = stat->kid, .partition = stat->partitions[i]};

                if (!should_see(rule, stat, stat->partitions[i]))
                        r = append(changes, &change);
        }
        if (r == 0 && !rule->kinds[stat->kind].shared)
                return associate(rule, stat, stat->subject, changes);
        if (r == 0)
                r = associate(rule, stat, KSTAT_ALL, changes);
        if (r == 0)
                r = associate(rule, stat, GLOBAL, changes);
        for (size_t i = 0; i < rule->n_views && r == 0; i++)
                r = associate(rule, stat, rule->views[i].partition, changes);
        return r;
}

int pool_stats_decide(
        const struct pool_rule *rule, const struct pool_stat *stats, size_t n, struct kstat_change **ret, size_t *ret_n)
{
        struct array changes = {.size = sizeof(**ret)};
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++)
                r = decide_one(rule, &stats[i], &changes);
        return give(&changes, r, ret, ret_n);
}

/* --- what is missing, and what is too much --- */

static int compare(const void *a, const void *b)
{
        const struct pool_missing *x = a, *y = b;

        if (x->subject != y->subject)
                return x->subject < y->subject ? -1 : 1;
        if (x->kind != y->kind)
                return x->kind < y->kind ? -1 : 1;
        return x->cpu < y->cpu ? -1 : x->cpu > y->cpu;
}

/* Of all CPUs, for one subject; there: what there is, sorted. */
static int missing_for(const struct pool_rule *rule, const struct array *there, uint64_t subject, struct array *missing)
{
        int r = 0;

        for (size_t kind = 0; kind < rule->n_kinds && r == 0; kind++) {
                const struct cpus *cpus = there_are(rule, &rule->kinds[kind]);

                if (rule->kinds[kind].shared && subject != GLOBAL)
                        continue;
                for (unsigned int cpu = 0; cpus_next(cpus, &cpu) && r == 0; cpu++) {
                        struct pool_missing wanted = {.kind = kind, .cpu = cpu, .subject = subject};

                        if (has_cpu(rule, subject, cpu) &&
                                (there->n == 0 || !bsearch(&wanted, there->at, there->n, there->size, compare)))
                                r = append(missing, &wanted);
                }
        }
        return r;
}

int pool_stats_missing(
        const struct pool_rule *rule, const struct pool_stat *stats, size_t n, struct pool_missing **ret, size_t *ret_n)
{
        struct array missing = {.size = sizeof(**ret)}, there = {.size = sizeof(**ret)};
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++) {
                struct pool_missing one = {.kind = stats[i].kind, .cpu = stats[i].cpu, .subject = stats[i].subject};

                r = append(&there, &one);
        }
        if (there.n > 0)
                qsort(there.at, there.n, there.size, compare);
        if (r == 0)
                r = missing_for(rule, &there, GLOBAL, &missing);
        for (size_t i = 0; i < rule->n_views && r == 0; i++)
                r = missing_for(rule, &there, rule->views[i].partition, &missing);
        free(there.at);
        return give(&missing, r, ret, ret_n);
}

static bool anybody_should_see(const struct pool_rule *rule, const struct pool_stat *stat)
{
        bool any = should_see(rule, stat, KSTAT_ALL) || should_see(rule, stat, GLOBAL);

        if (!rule->kinds[stat->kind].shared)
                return should_see(rule, stat, stat->subject);
        for (size_t i = 0; i < rule->n_views && !any; i++)
                any = should_see(rule, stat, rule->views[i].partition);
        return any;
}

int pool_stats_unseen(
        const struct pool_rule *rule, const struct pool_stat *stats, size_t n, uint64_t **ret, size_t *ret_n)
{
        struct array kids = {.size = sizeof(**ret)};
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++)
                if (!anybody_should_see(rule, &stats[i]))
                        r = append(&kids, &stats[i].kid);
        return give(&kids, r, ret, ret_n);
}

void pool_stats_free(struct pool_stat *stats, size_t n)
{
        for (size_t i = 0; stats && i < n; i++)
                free(stats[i].partitions);
        free(stats);
}
