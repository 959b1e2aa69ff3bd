/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_pool.c - pools of CPUs: what a table may be, what it means for a partition, which change is refused and why.
 */
#include "base/cleanup.h"
#include "partition/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Four CPUs, of which 3 is offline. */
static const struct pool_machine machine = {.has = {{15}}, .online = {{7}}};

static struct cpus list(const char *text)
{
        struct cpus cpus;

        assert_true(cpus_parse(text, &cpus));
        return cpus;
}

static int create(struct pools *pools, const char *name, const char *cpus, struct croft_error *err)
{
        struct cpus set = list(cpus);

        return pools_create(pools, name, &set, &machine, err);
}

static int set(struct pools *pools, const char *name, const char *cpus, struct croft_error *err)
{
        struct cpus set = list(cpus);

        return pools_set(pools, name, &set, &machine, err);
}

static void expect_cpus(const struct pools *pools, const char *name, const char *expected)
{
        _cleanup_free_ char *got = NULL;
        struct cpus cpus;

        assert_true(pools_cpus(pools, name, &machine, &cpus));
        got = cpus_format(&cpus);
        assert_string_equal(got, expected);
}

/* "CPUS", "CPUS all" or the errno's name. */
static void expect_place(const struct pools *pools, struct pool_user user, const char *expected)
{
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_free_ char *text = NULL;
        struct cpus cpus;
        char got[64];
        bool all;
        int r;

        user.partition = "web";
        r = pools_place(pools, &machine, &user, &cpus, &all, &err);
        text = r == 0 ? cpus_format(&cpus) : NULL;
        (void)snprintf(got, sizeof(got), "%s%s", r < 0 ? croft_error_name(-r) : text, r == 0 && all ? " all" : "");
        assert_string_equal(got, expected);
        assert_int_equal(err.code, -r);
}

static void default_has_what_the_others_leave(void **state)
{
        _cleanup_(pools_done) struct pools pools = {.list = NULL};

        (void)state;
        assert_false(pools_are_on(&pools));
        expect_cpus(&pools, "default", "0-3");
        assert_int_equal(create(&pools, "fast", "1-2", NULL), 0);
        assert_int_equal(create(&pools, "a", "3", NULL), 0);
        assert_true(pools_are_on(&pools));
        expect_cpus(&pools, "default", "0");
        expect_cpus(&pools, "fast", "1-2");
        assert_int_equal(pools_remove(&pools, "fast", NULL), 0);
        expect_cpus(&pools, "default", "0-2");
        assert_int_equal(create(&pools, "b", "0-2", NULL), 0);
        expect_cpus(&pools, "default", "");
}

static void a_table_stays_sorted_and_is_copied_whole(void **state)
{
        _cleanup_(pools_done) struct pools pools = {.list = NULL}, copy = {.list = NULL};

        (void)state;
        assert_int_equal(create(&pools, "b", "1", NULL), 0);
        assert_int_equal(create(&pools, "c", "2", NULL), 0);
        assert_int_equal(create(&pools, "a", "0", NULL), 0);
        assert_int_equal(pools_copy(&pools, &copy), 0);
        assert_int_equal(pools_remove(&pools, "b", NULL), 0);
        assert_int_equal(pools.n, 2);
        assert_string_equal(pools.list[0].name, "a");
        assert_string_equal(pools.list[1].name, "c");
        assert_int_equal(copy.n, 3);
        assert_non_null(pools_find(&copy, "b"));
        assert_null(pools_find(&pools, "b"));
        assert_null(pools_find(&pools, "default"));
}

static void a_wrong_pool_is_refused_and_nothing_changed(void **state)
{
        _cleanup_(pools_done) struct pools pools = {.list = NULL};
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(create(&pools, "fast", "1-2", NULL), 0);
        assert_int_equal(create(&pools, "Fast", "0", &err), -EINVAL);
        assert_int_equal(create(&pools, "", "0", &err), -EINVAL);
        assert_int_equal(create(&pools, "fast", "0", &err), -EEXIST);
        assert_int_equal(create(&pools, "default", "0", &err), -EEXIST);
        assert_int_equal(create(&pools, "far", "0,4", &err), -EINVAL);
        assert_string_equal(croft_error_cause(&err, 0), "there is no CPU 4 here for croft to give; there are 0-3");
        assert_int_equal(create(&pools, "thief", "0,2-3", &err), -EEXIST);
        assert_string_equal(croft_error_cause(&err, 0), "CPU 2 belongs to the pool 'fast'; `croft pool set` moves it");
        assert_int_equal(set(&pools, "slow", "0", &err), -ENOENT);
        assert_int_equal(set(&pools, "fast", "0,8191", &err), -EINVAL);
        assert_int_equal(set(&pools, "default", "0", &err), -EPERM);
        assert_int_equal(pools_remove(&pools, "default", &err), -EPERM);
        assert_int_equal(pools_remove(&pools, "slow", &err), -ENOENT);
        assert_int_equal(pools.n, 1);
        expect_cpus(&pools, "fast", "1-2");
}

static void set_moves_cpus_out_of_other_pools(void **state)
{
        _cleanup_(pools_done) struct pools pools = {.list = NULL};

        (void)state;
        assert_int_equal(create(&pools, "a", "0-1", NULL), 0);
        assert_int_equal(create(&pools, "b", "2", NULL), 0);
        assert_int_equal(set(&pools, "b", "1-2", NULL), 0);
        expect_cpus(&pools, "a", "0");
        expect_cpus(&pools, "b", "1-2");
        expect_cpus(&pools, "default", "3");
        assert_int_equal(set(&pools, "b", "3", NULL), 0);
        expect_cpus(&pools, "a", "0");
        expect_cpus(&pools, "default", "1-2");
}

static void there_is_an_end_to_the_number_of_pools(void **state)
{
        _cleanup_(pools_done) struct pools pools = {.list = NULL};
        char name[16];

        (void)state;
        for (int i = 0; i < POOLS_MAX; i++) {
                (void)snprintf(name, sizeof(name), "p%d", i);
                assert_int_equal(create(&pools, name, "", NULL), 0);
        }
        assert_int_equal(create(&pools, "last", "", NULL), -ENOSPC);
}

static void a_place_is_pool_and_cpu_set_together(void **state)
{
        _cleanup_(pools_done) struct pools pools = {.list = NULL};

        (void)state;
        expect_place(&pools, (struct pool_user){.pool = "default"}, "0-3 all");
        expect_place(&pools, (struct pool_user){.pool = "default", .cpu_set = "1,3"}, "1,3");
        expect_place(&pools, (struct pool_user){.pool = "default", .cpu_set = "0,9"}, "EINVAL");
        assert_int_equal(create(&pools, "a", "0-1", NULL), 0);
        assert_int_equal(create(&pools, "none", "", NULL), 0);
        expect_place(&pools, (struct pool_user){.pool = "default"}, "2-3");
        expect_place(&pools, (struct pool_user){.pool = "a"}, "0-1");
        expect_place(&pools, (struct pool_user){.pool = "a", .cpu_set = "1-2"}, "1");
        expect_place(&pools, (struct pool_user){.pool = "a", .cpu_set = "2-3"}, "EINVAL");
        expect_place(&pools, (struct pool_user){.pool = "none"}, "ENOSPC");
        expect_place(&pools, (struct pool_user){.pool = "gone"}, "ENOENT");
}

static void who_runs_needs_a_cpu_that_is_online(void **state)
{
        _cleanup_(pools_done) struct pools pools = {.list = NULL};

        (void)state;
        assert_int_equal(create(&pools, "off", "3", NULL), 0);
        assert_int_equal(create(&pools, "half", "2", NULL), 0);
        expect_place(&pools, (struct pool_user){.pool = "off"}, "3");
        expect_place(&pools, (struct pool_user){.pool = "off", .running = true}, "ENOSPC");
        assert_int_equal(set(&pools, "half", "2-3", NULL), 0);
        expect_place(&pools, (struct pool_user){.pool = "half", .running = true}, "2-3");
        expect_place(&pools, (struct pool_user){.pool = "half", .cpu_set = "3", .running = true}, "ENOSPC");
}

static void an_empty_intersection_names_both(void **state)
{
        _cleanup_(pools_done) struct pools pools = {.list = NULL};
        struct pool_user user = {.partition = "web", .pool = "a", .cpu_set = "2-3"};
        struct croft_error err = CROFT_ERROR_INIT;
        struct cpus cpus;
        bool all;

        (void)state;
        assert_int_equal(create(&pools, "a", "0-1", NULL), 0);
        assert_int_equal(pools_place(&pools, &machine, &user, &cpus, &all, &err), -EINVAL);
        assert_string_equal(
                croft_error_cause(&err, 0), "cpu.set 2-3 and the pool 'a', which has CPU 0-1, have none in common");
}

/* --- what may follow what --- */

static int check(const struct pools *now, const struct pools *next, struct pool_user user, struct croft_error *err)
{
        user.partition = "web";
        return pools_check(now, next, &machine, &user, 1, err);
}

static void a_pool_that_is_used_stays(void **state)
{
        _cleanup_(pools_done) struct pools now = {.list = NULL}, next = {.list = NULL};
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(create(&now, "a", "0", NULL), 0);
        assert_int_equal(check(&now, &next, (struct pool_user){.pool = "a"}, &err), -EBUSY);
        assert_string_equal(croft_error_cause(&err, 0), "'web' is bound to the pool 'a'");
        assert_int_equal(check(&now, &next, (struct pool_user){.pool = "default"}, NULL), 0);
}

static void nobody_is_left_without_a_cpu(void **state)
{
        _cleanup_(pools_done) struct pools now = {.list = NULL}, next = {.list = NULL};
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(create(&now, "a", "0-1", NULL), 0);
        assert_int_equal(create(&next, "a", "", NULL), 0);
        assert_int_equal(check(&now, &next, (struct pool_user){.pool = "a"}, &err), -EBUSY);
        assert_string_equal(croft_error_cause(&err, 0), "'web' would be left without a CPU");
        assert_int_equal(set(&next, "a", "0", NULL), 0);
        assert_int_equal(check(&now, &next, (struct pool_user){.pool = "a", .running = true}, NULL), 0);
        assert_int_equal(
                check(&now, &next, (struct pool_user){.pool = "a", .cpu_set = "1", .running = true}, NULL), -EBUSY);
        assert_int_equal(set(&next, "a", "3", NULL), 0); /* offline */
        assert_int_equal(check(&now, &next, (struct pool_user){.pool = "a", .running = true}, NULL), -EBUSY);
        assert_int_equal(check(&now, &next, (struct pool_user){.pool = "a"}, NULL), 0);
}

static void the_rest_may_be_taken_from_who_does_not_run(void **state)
{
        _cleanup_(pools_done) struct pools now = {.list = NULL}, next = {.list = NULL};

        (void)state;
        assert_int_equal(create(&next, "all", "0-3", NULL), 0);
        assert_int_equal(check(&now, &next, (struct pool_user){.pool = "default"}, NULL), 0);
        assert_int_equal(check(&now, &next, (struct pool_user){.pool = "default", .running = true}, NULL), -EBUSY);
}

static void who_has_no_place_anyway_is_in_nobodys_way(void **state)
{
        _cleanup_(pools_done) struct pools now = {.list = NULL}, next = {.list = NULL};

        (void)state;
        assert_int_equal(create(&now, "off", "3", NULL), 0);
        assert_int_equal(pools_copy(&now, &next), 0);
        assert_int_equal(create(&next, "other", "0", NULL), 0);
        assert_int_equal(check(&now, &next, (struct pool_user){.pool = "off", .running = true}, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(default_has_what_the_others_leave),
                cmocka_unit_test(a_table_stays_sorted_and_is_copied_whole),
                cmocka_unit_test(a_wrong_pool_is_refused_and_nothing_changed),
                cmocka_unit_test(set_moves_cpus_out_of_other_pools),
                cmocka_unit_test(there_is_an_end_to_the_number_of_pools),
                cmocka_unit_test(a_place_is_pool_and_cpu_set_together),
                cmocka_unit_test(who_runs_needs_a_cpu_that_is_online),
                cmocka_unit_test(an_empty_intersection_names_both),
                cmocka_unit_test(a_pool_that_is_used_stays),
                cmocka_unit_test(nobody_is_left_without_a_cpu),
                cmocka_unit_test(the_rest_may_be_taken_from_who_does_not_run),
                cmocka_unit_test(who_has_no_place_anyway_is_in_nobodys_way),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
