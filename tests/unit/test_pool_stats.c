/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_pool_stats.c - who sees the statistics of which CPU: pools off and on, CPUs online and offline, partitions that
 * come, go and are bound elsewhere.  What is decided is carried out on a model and compared with the rule.
 */
#include "base/cleanup.h"
#include "daemon/pool_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CPUS 4
#define PARTITIONS 5 /* ids 1 to 5; 0 is global */
#define ALL (PARTITIONS + 1)
#define STATS_MAX 256

enum { INFO, COUNTS, KINDS };
static const struct pool_stat_kind kinds[KINDS] = {
        [INFO] = {"cpu_info", .shared = true}, [COUNTS] = {"cpu", .counts = true}};

/* What is in the kernel. */
struct model {
        struct pool_stat stats[STATS_MAX];
        size_t n;
        uint64_t next_kid;
};

static void model_done(struct model *m)
{
        for (size_t i = 0; i < m->n; i++)
                free(m->stats[i].partitions);
}

static void add_stat(struct model *m, size_t kind, unsigned int cpu, uint64_t subject)
{
        assert_true(m->n < STATS_MAX);
        m->stats[m->n++] = (struct pool_stat){.kid = ++m->next_kid,
                .kind = kind,
                .cpu = cpu,
                .subject = subject,
                .partitions = calloc(ALL + 2, sizeof(uint64_t))};
}

static uint64_t id_of(unsigned int who)
{
        return who == ALL ? KSTAT_ALL : who;
}

static size_t find_partition(const struct pool_stat *stat, uint64_t partition)
{
        size_t i = 0;

        while (i < stat->n_partitions && stat->partitions[i] != partition)
                i++;
        return i;
}

static bool is_seen(const struct pool_stat *stat, uint64_t partition)
{
        return find_partition(stat, partition) < stat->n_partitions;
}

struct wish {
        bool on;
        unsigned int present, online;         /* bits */
        unsigned int cpus_of[PARTITIONS + 1]; /* bits; 0: not on record */
};

/* Should `who` see something of that kind for the CPU? */
static bool expected(const struct wish *wish, size_t kind, unsigned int cpu, unsigned int who)
{
        if (!((kind == COUNTS ? wish->online : wish->present) >> cpu & 1))
                return false;
        if (who == 0)
                return true;
        return wish->cpus_of[who] && (!wish->on || wish->cpus_of[who] >> cpu & 1);
}

static unsigned int seen(const struct model *m, size_t kind, unsigned int cpu, unsigned int who)
{
        unsigned int n = 0;

        for (size_t i = 0; i < m->n; i++)
                if (m->stats[i].kind == kind && m->stats[i].cpu == cpu)
                        n += is_seen(&m->stats[i], who) || is_seen(&m->stats[i], KSTAT_ALL);
        return n;
}

static void check(const struct model *m, const struct wish *wish)
{
        for (size_t kind = 0; kind < KINDS; kind++)
                for (unsigned int cpu = 0; cpu < CPUS; cpu++)
                        for (unsigned int who = 0; who <= PARTITIONS; who++)
                                if (who == 0 || wish->cpus_of[who])
                                        assert_int_equal(seen(m, kind, cpu, who), expected(wish, kind, cpu, who));
        for (size_t i = 0; i < m->n; i++)
                for (unsigned int who = 0; who <= ALL; who++) {
                        if (!is_seen(&m->stats[i], id_of(who)))
                                continue;
                        /* Nobody sees another's, nor is anything seen by one that isn't on record. */
                        assert_true(m->stats[i].kind == INFO || m->stats[i].subject == who);
                        assert_true(who == 0 || who == ALL || wish->cpus_of[who]);
                        assert_true(who != ALL || (!wish->on && m->stats[i].kind == INFO));
                }
}

static struct pool_rule rule_of(const struct wish *wish, struct pool_view views[PARTITIONS])
{
        struct pool_rule rule = {.on = wish->on,
                .present = {.bits = {wish->present}},
                .online = {.bits = {wish->online}},
                .views = views,
                .kinds = kinds,
                .n_kinds = KINDS};

        for (unsigned int who = 1; who <= PARTITIONS; who++)
                if (wish->cpus_of[who])
                        views[rule.n_views++] =
                                (struct pool_view){.partition = who, .cpus = {.bits = {wish->cpus_of[who]}}};
        return rule;
}

static void make_missing(struct model *m, const struct pool_rule *rule)
{
        _cleanup_free_ struct pool_missing *missing = NULL;
        size_t n = 0;

        assert_int_equal(pool_stats_missing(rule, m->stats, m->n, &missing, &n), 0);
        for (size_t i = 0; i < n; i++)
                add_stat(m, missing[i].kind, missing[i].cpu, missing[i].subject);
}

/* In the order given; returns how many there were. */
static size_t apply(struct model *m, const struct pool_rule *rule)
{
        _cleanup_free_ struct kstat_change *changes = NULL;
        size_t n = 0;

        assert_int_equal(pool_stats_decide(rule, m->stats, m->n, &changes, &n), 0);
        for (size_t i = 0; i < n; i++) {
                struct pool_stat *stat = m->stats;
                size_t at;

                while (stat->kid != changes[i].kid)
                        stat++;
                at = find_partition(stat, changes[i].partition);
                /* None is superfluous, and none collides with what all see. */
                assert_int_equal(at < stat->n_partitions, changes[i].what == KSTAT_DISSOCIATE);
                if (changes[i].what == KSTAT_DISSOCIATE) {
                        stat->partitions[at] = stat->partitions[--stat->n_partitions];
                } else {
                        assert_false(is_seen(stat, KSTAT_ALL));
                        stat->partitions[stat->n_partitions++] = changes[i].partition;
                }
        }
        return n;
}

static void end_unseen(struct model *m, const struct pool_rule *rule)
{
        _cleanup_free_ uint64_t *kids = NULL;
        size_t n = 0;

        assert_int_equal(pool_stats_unseen(rule, m->stats, m->n, &kids, &n), 0);
        for (size_t i = 0; i < n; i++) {
                size_t at = 0;

                while (m->stats[at].kid != kids[i])
                        at++;
                assert_int_equal(m->stats[at].n_partitions, 0);
                free(m->stats[at].partitions);
                m->stats[at] = m->stats[--m->n];
        }
}

/* All three acts.  Returns how many associations changed. */
static size_t lead_to(struct model *m, const struct wish *wish)
{
        struct pool_view views[PARTITIONS];
        struct pool_rule rule = rule_of(wish, views);
        size_t n;

        make_missing(m, &rule);
        n = apply(m, &rule);
        check(m, wish); /* what is ended afterwards was seen by nobody */
        end_unseen(m, &rule);
        check(m, wish);
        for (size_t i = 0; i < m->n; i++)
                assert_true(m->stats[i].n_partitions > 0);
        return n;
}

static const struct wish off = {.present = 15, .online = 15, .cpus_of = {0, 15, 15}},
                         on = {.on = true, .present = 15, .online = 15, .cpus_of = {0, 1, 14, 14}};

static void without_pools_all_see_all(void **state)
{
        _cleanup_(model_done) struct model m = {.n = 0};

        (void)state;
        (void)lead_to(&m, &off);
        assert_int_equal(m.n, CPUS * (1 + 3)); /* one for all; one of global and of each of the two */
        assert_int_equal(lead_to(&m, &off), 0);
}

static void with_pools_each_sees_its_own(void **state)
{
        _cleanup_(model_done) struct model m = {.n = 0};

        (void)state;
        (void)lead_to(&m, &off);
        (void)lead_to(&m, &on);
        assert_true(seen(&m, COUNTS, 0, 1) && !seen(&m, COUNTS, 1, 1) && seen(&m, INFO, 0, 1) && !seen(&m, INFO, 1, 1));
        assert_int_equal(lead_to(&m, &on), 0);
        (void)lead_to(&m, &off);
        (void)lead_to(&m, &on);
}

static void a_binding_changes_what_that_partition_sees_and_nothing_else(void **state)
{
        _cleanup_(model_done) struct model m = {.n = 0};
        struct wish after = on;

        (void)state;
        (void)lead_to(&m, &on);
        after.cpus_of[1] = 2;
        assert_int_equal(lead_to(&m, &after), 4); /* two kinds, one CPU away and one to it */
}

/* What is made first is seen by nobody: no instant with both. */
static void what_is_missing_is_made_before_anything_is_seen(void **state)
{
        _cleanup_(model_done) struct model m = {.n = 0};
        struct pool_view views[PARTITIONS];
        struct wish after = on;
        struct pool_rule rule;

        (void)state;
        (void)lead_to(&m, &on);
        after.cpus_of[1] = 2;
        rule = rule_of(&after, views);
        make_missing(&m, &rule);
        check(&m, &on);
}

static void a_cpu_that_goes_offline_keeps_what_describes_it(void **state)
{
        _cleanup_(model_done) struct model m = {.n = 0};
        struct wish less = on;

        (void)state;
        (void)lead_to(&m, &on);
        less.online = 14;
        assert_int_equal(lead_to(&m, &less), 2); /* its counters: of global and of the one in its pool */
        assert_true(seen(&m, INFO, 0, 1) && !seen(&m, COUNTS, 0, 1) && seen(&m, INFO, 0, 0) && !seen(&m, COUNTS, 0, 0));
        assert_int_equal(lead_to(&m, &on), 2);
        less.present = 14;
        (void)lead_to(&m, &less);
        assert_false(seen(&m, INFO, 0, 0));
}

static void without_pools_too(void **state)
{
        _cleanup_(model_done) struct model m = {.n = 0};
        struct wish less = off;

        (void)state;
        (void)lead_to(&m, &off);
        less.online = 13;
        assert_int_equal(lead_to(&m, &less), 3);
        assert_int_equal(lead_to(&m, &off), 3);
}

static void partitions_that_are_gone_are_taken_out(void **state)
{
        _cleanup_(model_done) struct model m = {.n = 0};
        struct wish without = on;

        (void)state;
        (void)lead_to(&m, &on);
        without.cpus_of[2] = 0;
        assert_int_equal(lead_to(&m, &without), 6);
        for (size_t i = 0; i < m.n; i++)
                assert_int_not_equal(m.stats[i].subject, 2);
}

/* From any state to any wish: a croftd that died may have left anything. */
static void every_state_leads_to_every_wish(void **state)
{
        unsigned int seed = 1;

        (void)state;
        for (int i = 0; i < 5000; i++) {
                _cleanup_(model_done) struct model m = {.n = 0};
                struct wish wish = {.on = rand_r(&seed) & 1, .present = (unsigned int)rand_r(&seed) & 15};

                wish.online = (unsigned int)rand_r(&seed) & wish.present;
                for (unsigned int who = 1; who <= PARTITIONS; who++)
                        wish.cpus_of[who] = rand_r(&seed) & 1 ? (unsigned int)rand_r(&seed) & 15 : 0;
                for (unsigned int cpu = 0; cpu < CPUS; cpu++)
                        for (unsigned int who = 0; who <= PARTITIONS; who++) {
                                if (rand_r(&seed) & 1)
                                        add_stat(&m, who ? COUNTS : (size_t)(rand_r(&seed) & 1), cpu, who);
                                for (unsigned int by = 0; m.n > 0 && by <= ALL; by++)
                                        if ((rand_r(&seed) & 7) == 0 && !is_seen(&m.stats[m.n - 1], id_of(by)))
                                                m.stats[m.n - 1].partitions[m.stats[m.n - 1].n_partitions++] =
                                                        id_of(by);
                        }
                (void)lead_to(&m, &wish);
                assert_int_equal(lead_to(&m, &wish), 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_pools_all_see_all),
                cmocka_unit_test(with_pools_each_sees_its_own),
                cmocka_unit_test(a_binding_changes_what_that_partition_sees_and_nothing_else),
                cmocka_unit_test(what_is_missing_is_made_before_anything_is_seen),
                cmocka_unit_test(a_cpu_that_goes_offline_keeps_what_describes_it),
                cmocka_unit_test(without_pools_too),
                cmocka_unit_test(partitions_that_are_gone_are_taken_out),
                cmocka_unit_test(every_state_leads_to_every_wish),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
