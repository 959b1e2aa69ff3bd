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
#define PARTITIONS 5 /* ids 1 to 5 */

/* seen[kid][who]: who is 0 for global, 1 to PARTITIONS, or ALL. */
#define ALL (PARTITIONS + 1)
struct model {
        bool seen[2 * CPUS][ALL + 1]; /* kid 2*cpu describes, kid 2*cpu+1 counts */
};

static uint64_t id_of(unsigned int who)
{
        return who == ALL ? KSTAT_ALL : who;
}

static struct pool_stat *stats_of(const struct model *m)
{
        struct pool_stat *stats = calloc(2 * CPUS, sizeof(*stats));

        for (unsigned int kid = 0; kid < 2 * CPUS; kid++) {
                stats[kid] = (struct pool_stat){.kid = 100 + kid, .cpu = kid / 2, .counts = kid % 2};
                stats[kid].partitions = calloc(ALL + 1, sizeof(uint64_t));
                for (unsigned int who = 0; who <= ALL; who++)
                        if (m->seen[kid][who])
                                stats[kid].partitions[stats[kid].n_partitions++] = id_of(who);
        }
        return stats;
}

struct wish {
        bool on;
        unsigned int online;                  /* bits */
        unsigned int cpus_of[PARTITIONS + 1]; /* bits; 0: not on record */
};

static bool expected(const struct wish *wish, unsigned int kid, unsigned int who)
{
        if (kid % 2 && !(wish->online >> kid / 2 & 1))
                return false;
        if (!wish->on)
                return who == ALL;
        if (who == ALL || who == 0)
                return who == 0;
        return wish->cpus_of[who] >> kid / 2 & 1;
}

/* Decides, carries out in the order given, compares.  Returns how many changes there were. */
static size_t lead_to(struct model *m, const struct wish *wish)
{
        struct pool_stat *stats = stats_of(m);
        struct pool_view views[PARTITIONS];
        struct kstat_change *changes = NULL;
        struct cpus online = {.bits = {wish->online}};
        size_t n = 0, n_views = 0;

        for (unsigned int who = 1; who <= PARTITIONS; who++)
                if (wish->cpus_of[who])
                        views[n_views++] = (struct pool_view){.partition = who, .cpus = {.bits = {wish->cpus_of[who]}}};
        assert_int_equal(pool_stats_decide(stats, 2 * CPUS, wish->on, &online, views, n_views, &changes, &n), 0);
        for (size_t i = 0; i < n; i++) {
                unsigned int who = changes[i].partition == KSTAT_ALL ? ALL : (unsigned int)changes[i].partition;
                bool *seen = &m->seen[changes[i].kid - 100][who];

                assert_int_equal(*seen, changes[i].what == KSTAT_DISSOCIATE); /* none is superfluous */
                if (changes[i].what == KSTAT_ASSOCIATE && who != ALL)
                        assert_false(m->seen[changes[i].kid - 100][ALL]); /* or it would be a collision */
                *seen = changes[i].what == KSTAT_ASSOCIATE;
        }
        for (unsigned int kid = 0; kid < 2 * CPUS; kid++)
                for (unsigned int who = 0; who <= ALL; who++)
                        assert_int_equal(m->seen[kid][who], expected(wish, kid, who));
        free(changes);
        pool_stats_free(stats, 2 * CPUS);
        return n;
}

static void without_pools_all_see_all(void **state)
{
        struct model m = {.seen = {{false}}};
        struct wish off = {.online = 15, .cpus_of = {0, 15, 15}};

        (void)state;
        assert_int_equal(lead_to(&m, &off), 2 * CPUS);
        assert_int_equal(lead_to(&m, &off), 0);
}

static void with_pools_each_sees_its_own(void **state)
{
        struct model m = {.seen = {{false}}};
        struct wish off = {.online = 15, .cpus_of = {0, 15, 15}};
        struct wish on = {.on = true, .online = 15, .cpus_of = {0, 1, 14, 14}};

        (void)state;
        (void)lead_to(&m, &off);
        (void)lead_to(&m, &on);
        assert_true(m.seen[0][1] && !m.seen[0][2] && m.seen[2][2] && m.seen[2][3] && !m.seen[2][1]);
        assert_int_equal(lead_to(&m, &on), 0);
        (void)lead_to(&m, &off);
}

static void a_binding_changes_what_that_partition_sees_and_nothing_else(void **state)
{
        struct model m = {.seen = {{false}}};
        struct wish before = {.on = true, .online = 15, .cpus_of = {0, 1, 2, 12}}, after = before;

        (void)state;
        (void)lead_to(&m, &before);
        after.cpus_of[1] = 2;
        assert_int_equal(lead_to(&m, &after), 4); /* two kinds of structures, one CPU away and one to it */
}

static void a_cpu_that_goes_offline_keeps_what_describes_it(void **state)
{
        struct model m = {.seen = {{false}}};
        struct wish all = {.on = true, .online = 15, .cpus_of = {0, 3, 12}}, less = all;

        (void)state;
        (void)lead_to(&m, &all);
        less.online = 13;
        assert_int_equal(lead_to(&m, &less), 2); /* its counters: for global and for the one in its pool */
        assert_true(m.seen[2][1] && m.seen[2][0] && !m.seen[3][1] && !m.seen[3][0]);
        assert_int_equal(lead_to(&m, &all), 2);
}

static void without_pools_too(void **state)
{
        struct model m = {.seen = {{false}}};
        struct wish all = {.online = 15}, less = {.online = 14};

        (void)state;
        (void)lead_to(&m, &all);
        assert_int_equal(lead_to(&m, &less), 1);
        assert_true(m.seen[0][ALL] && !m.seen[1][ALL]);
        assert_int_equal(lead_to(&m, &all), 1);
}

static void partitions_that_are_gone_are_taken_out(void **state)
{
        struct model m = {.seen = {{false}}};
        struct wish with = {.on = true, .online = 15, .cpus_of = {0, 3, 12}},
                    without = {.on = true, .online = 15, .cpus_of = {0, 3}};

        (void)state;
        (void)lead_to(&m, &with);
        assert_int_equal(lead_to(&m, &without), 4);
}

/* From any state, a wrong one too, to any wish: a croftd that died may have left anything. */
static void every_state_leads_to_every_wish(void **state)
{
        unsigned int seed = 1;

        (void)state;
        for (int i = 0; i < 20000; i++) {
                struct wish wish = {.on = rand_r(&seed) & 1, .online = (unsigned int)rand_r(&seed) & 15};
                struct model m = {.seen = {{false}}};

                for (unsigned int who = 1; who <= PARTITIONS; who++)
                        wish.cpus_of[who] = rand_r(&seed) & 1 ? (unsigned int)rand_r(&seed) & 15 : 0;
                for (unsigned int kid = 0; kid < 2 * CPUS; kid++)
                        for (unsigned int who = 0; who <= ALL; who++)
                                m.seen[kid][who] = (rand_r(&seed) & 3) == 0;
                (void)lead_to(&m, &wish);
                assert_int_equal(lead_to(&m, &wish), 0);
        }
}

static void modules_of_cpus_are_known(void **state)
{
        bool counts;

        (void)state;
        assert_true(pool_stats_module("cpu_info", &counts) && !counts);
        assert_true(pool_stats_module("cpu", &counts) && counts);
        assert_true(pool_stats_module("cpu_stat", &counts) && counts);
        assert_false(pool_stats_module("cpus", &counts));
        assert_false(pool_stats_module("", &counts));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_pools_all_see_all),
                cmocka_unit_test(with_pools_each_sees_its_own),
                cmocka_unit_test(a_binding_changes_what_that_partition_sees_and_nothing_else),
                cmocka_unit_test(a_cpu_that_goes_offline_keeps_what_describes_it),
                cmocka_unit_test(without_pools_too),
                cmocka_unit_test(partitions_that_are_gone_are_taken_out),
                cmocka_unit_test(every_state_leads_to_every_wish),
                cmocka_unit_test(modules_of_cpus_are_known),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
