/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_pool_stats.c - makes the statistics of CPUs in the kernel what the table of pools says: reads what is, lets
 * pool_stats.c decide, and carries that out.
 *
 * Invariant: what a partition sees changes in the one kstats_apply(); before it only structures are made that nobody
 * sees, after it only such are ended.  A croftd that dies in between leaves nothing but those, which the next one drops
 * when it takes the maps over.
 */
#include "base/cleanup.h"
#include "daemon/life_private.h"
#include "kstat/catalogue.h"
#include "kstat/cpu_info.h"

#include <string.h>

/* What there is of each CPU. */
static const struct pool_stat_kind kinds[] = {
        {"cpu_info", .shared = true},
        {"cpu", .counts = true},
        {"cpu_stat", .counts = true},
};

struct listing {
        struct pool_stat *list;
        size_t n, room, kind;
};

static void listing_done(struct listing *listing)
{
        pool_stats_free(listing->list, listing->n);
}

static int take(const struct kstat_info *info, void *context)
{
        struct listing *l = context;
        uint64_t *partitions;

        if (info->head.key.instance < 0)
                return 0;
        if (l->n == l->room) {
                size_t room = l->room * 2 + 64;
                struct pool_stat *list = reallocarray(l->list, room, sizeof(*list));

                if (!list)
                        return -ENOMEM;
                l->list = list;
                l->room = room;
        }
        partitions = calloc(info->n_partitions + 1, sizeof(*partitions));
        if (!partitions)
                return -ENOMEM;
        if (info->n_partitions > 0)
                memcpy(partitions, info->partitions, info->n_partitions * sizeof(*partitions));
        l->list[l->n++] = (struct pool_stat){.kid = info->head.kid,
                .kind = l->kind,
                .cpu = (unsigned int)info->head.key.instance,
                .subject = info->subject,
                .partitions = partitions,
                .n_partitions = info->n_partitions};
        return 0;
}

static int list_stats(struct life *life, struct listing *ret, struct croft_error *err)
{
        _cleanup_(listing_done) struct listing l = {.n = 0};

        for (l.kind = 0; l.kind < ELEMENTS(kinds); l.kind++) {
                int r = kstats_each(life->host->kstats, kinds[l.kind].module, NULL, KSTAT_ALL, take, &l, err);

                if (r < 0)
                        return croft_error_set(err, r, "list the statistics of CPUs");
        }
        *ret = l;
        l = (struct listing){.n = 0};
        return 0;
}

/* --- the rule --- */

static int compare_views(const void *a, const void *b)
{
        const struct pool_view *x = a, *y = b;

        return x->partition < y->partition ? -1 : x->partition > y->partition;
}

/* The CPUs of the pool of each partition that is placed; of u these properties count. */
static int make_views(struct life *life, const struct pools *pools, const struct unit *u,
        const struct property *properties, struct pool_view **ret, size_t *ret_n, struct croft_error *err)
{
        _cleanup_(seats_done) struct seats seats = {.list = NULL};
        _cleanup_free_ struct pool_view *views = NULL;
        struct pool_machine machine;
        size_t n = 0;
        int r;

        r = life_pool_machine(life, &machine, err);
        if (r == 0)
                r = life_pool_seats(life, &seats, err);
        if (r < 0)
                return r;
        views = calloc(seats.n + 1, sizeof(*views));
        if (!views)
                return croft_error_set(err, ENOMEM, "look at the partitions");
        for (size_t i = 0; i < seats.n; i++) {
                const struct seat *seat = &seats.list[i];
                const char *pool = seat->u == u ? property_get(properties, "pool") : seat->user.pool;

                views[n].partition = seat->u->p.def.id;
                if (seat->user.running && pools_cpus(pools, pool, &machine, &views[n].cpus))
                        n++;
        }
        qsort(views, n, sizeof(*views), compare_views);
        *ret = TAKE(views);
        *ret_n = n;
        return 0;
}

/* --- structures of one CPU --- */

#define DEFS_MAX 8 /* of one kind */

struct defs {
        struct kstat_def def[DEFS_MAX];
        char names[DEFS_MAX][KSTAT_NAME_SIZE];
        struct kstat_data_cpu_info info;
        size_t n;
};

/* Those of a kind, about the subject. */
static void fill_defs(const struct pool_stat_kind *kind, unsigned int cpu, uint64_t subject, struct defs *ret)
{
        const struct kstat_def *table = kind->shared ? &catalogue_cpu_info : catalogue_cpu;
        size_t n_table = kind->shared ? 1 : catalogue_n_cpu;

        ret->n = 0;
        for (size_t i = 0; i < n_table && ret->n < DEFS_MAX; i++) {
                struct kstat_def *def = &ret->def[ret->n];

                if (strcmp(table[i].module, kind->module) != 0)
                        continue;
                catalogue_name(&table[i], (int32_t)cpu, &ret->names[ret->n]);
                *def = table[i];
                def->name = ret->names[ret->n];
                def->instance = (int32_t)cpu;
                def->argument = cpu;
                def->subject = subject;
                def->data = kind->shared ? &ret->info : NULL;
                ret->n++;
        }
}

/* --- the three acts --- */

/* The structures of a kind for a CPU, seen by nobody yet. */
static int make_cpu(
        struct life *life, const struct pool_rule *rule, const struct pool_missing *missing, struct croft_error *err)
{
        const struct pool_stat_kind *kind = &rule->kinds[missing->kind];
        struct defs defs;

        if (kind->shared)
                cpu_info_read(missing->cpu, cpus_has(&rule->online, missing->cpu), &defs.info);
        fill_defs(kind, missing->cpu, missing->subject, &defs);
        return kstats_create(life->host->kstats, defs.def, defs.n, NULL, 0, NULL, err);
}

static int make_missing(
        struct life *life, const struct pool_rule *rule, const struct listing *l, struct croft_error *err)
{
        _cleanup_free_ struct pool_missing *missing = NULL;
        size_t n = 0;
        int r = pool_stats_missing(rule, l->list, l->n, &missing, &n);

        if (r < 0)
                return croft_error_set(err, r, "make statistics of CPUs");
        for (size_t i = 0; i < n && r == 0; i++)
                r = make_cpu(life, rule, &missing[i], err);
        return r;
}

static int apply(struct life *life, const struct pool_rule *rule, const struct listing *l, struct croft_error *err)
{
        _cleanup_free_ struct kstat_change *changes = NULL;
        size_t n = 0;
        int r = pool_stats_decide(rule, l->list, l->n, &changes, &n);

        if (r < 0)
                return croft_error_set(err, r, "associate statistics of CPUs");
        return n > 0 ? kstats_apply(life->host->kstats, changes, n, err) : 0;
}

static void end_unseen(struct life *life, const struct pool_rule *rule, const struct listing *l)
{
        _cleanup_free_ uint64_t *kids = NULL;
        size_t n = 0;

        if (pool_stats_unseen(rule, l->list, l->n, &kids, &n) == 0 && n > 0)
                (void)kstats_delete(life->host->kstats, kids, n, NULL); /* nobody sees them; tried again next time */
}

int life_pool_publish(struct life *life, const struct pools *pools, const struct unit *u,
        const struct property *properties, struct croft_error *err)
{
        _cleanup_(listing_done) struct listing before = {.n = 0}, made = {.n = 0};
        _cleanup_free_ struct pool_view *views = NULL;
        struct pool_rule rule = {.on = pools_are_on(pools), .kinds = kinds, .n_kinds = ELEMENTS(kinds)};
        int r;

        if (!life->host->kstats)
                return 0;
        r = make_views(life, pools, u, properties, &views, &rule.n_views, err);
        rule.views = views;
        if (r == 0)
                r = cpus_read("present", &rule.present, err);
        if (r == 0)
                r = cpus_read("online", &rule.online, err);
        if (r == 0)
                r = list_stats(life, &before, err);
        if (r == 0)
                r = make_missing(life, &rule, &before, err);
        if (r == 0)
                r = list_stats(life, &made, err);
        if (r == 0)
                r = apply(life, &rule, &made, err);
        if (r == 0)
                end_unseen(life, &rule, &made);
        return r;
}

/* --- a new partition --- */

/* What its CPUs do for it, all at one instant. */
static int create_counts(struct life *life, uint64_t id, const struct cpus *cpus, struct croft_error *err)
{
        _cleanup_free_ struct defs *defs = NULL;
        _cleanup_free_ struct kstat_def *all = NULL;
        size_t n = 0, n_all = 0, n_cpus = cpus_count(cpus);

        defs = calloc(n_cpus * ELEMENTS(kinds) + 1, sizeof(*defs));
        all = calloc(n_cpus * ELEMENTS(kinds) * DEFS_MAX + 1, sizeof(*all));
        if (!defs || !all)
                return croft_error_set(err, ENOMEM, "make statistics of CPUs");
        for (size_t kind = 0; kind < ELEMENTS(kinds); kind++)
                for (unsigned int cpu = 0; !kinds[kind].shared && cpus_next(cpus, &cpu); cpu++) {
                        fill_defs(&kinds[kind], cpu, id, &defs[n]);
                        memcpy(all + n_all, defs[n].def, defs[n].n * sizeof(*all));
                        n_all += defs[n++].n;
                }
        return n_all > 0 ? kstats_create(life->host->kstats, all, n_all, &id, 1, NULL, err) : 0;
}

/* What its CPUs are, where not everybody sees all. */
static int share_cpus(struct life *life, uint64_t id, const struct cpus *cpus, struct croft_error *err)
{
        _cleanup_(listing_done) struct listing l = {.n = 0};
        _cleanup_free_ struct kstat_change *changes = NULL;
        size_t n = 0;
        int r = kstats_each(life->host->kstats, catalogue_cpu_info.module, NULL, 0, take, &l, err);

        changes = r < 0 ? NULL : calloc(l.n + 1, sizeof(*changes));
        if (!changes)
                return r < 0 ? r : croft_error_set(err, ENOMEM, "associate statistics of CPUs");
        for (size_t i = 0; i < l.n; i++)
                if (cpus_has(cpus, l.list[i].cpu))
                        changes[n++] =
                                (struct kstat_change){.what = KSTAT_ASSOCIATE, .kid = l.list[i].kid, .partition = id};
        return n > 0 ? kstats_apply(life->host->kstats, changes, n, err) : 0;
}

int life_pool_publish_new(struct life *life, const struct pools *pools, const struct pool_machine *machine,
        const struct unit *u, struct croft_error *err)
{
        const char *pool = property_get(u->p.def.properties, "pool");
        struct cpus mine = machine->has, online;
        int r;

        if (!life->host->kstats)
                return 0;
        if (pools_are_on(pools) && !pools_cpus(pools, pool ? pool : POOL_DEFAULT, machine, &mine))
                return 0;
        r = cpus_read("online", &online, err);
        if (r == 0 && pools_are_on(pools))
                r = share_cpus(life, u->p.def.id, &mine, err);
        if (pools_are_on(pools))
                online = cpus_and(&online, &mine);
        return r == 0 ? create_counts(life, u->p.def.id, &online, err) : r;
}

void life_pool_describe(struct life *life)
{
        _cleanup_(listing_done) struct listing l = {.n = 0};
        struct cpus online;

        if (!life->host->kstats || cpus_read("online", &online, NULL) < 0 || list_stats(life, &l, NULL) < 0)
                return;
        for (size_t i = 0; i < l.n; i++) {
                struct kstat_data_cpu_info info;

                if (!kinds[l.list[i].kind].shared)
                        continue;
                cpu_info_read(l.list[i].cpu, cpus_has(&online, l.list[i].cpu), &info);
                (void)kstats_store(life->host->kstats, l.list[i].kid, &info, sizeof(info), NULL);
        }
}
