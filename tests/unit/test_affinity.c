/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_affinity.c - on which CPUs processes of ours may run while they work for one another.
 */
#include "kernel/affinity.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static pid_t child;

static int set_up(void **state)
{
        (void)state;
        child = fork();
        if (child == 0) {
                (void)pause();
                _exit(0);
        }
        return child < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
        (void)state;
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
        return 0;
}

static int cpus(pid_t pid)
{
        cpu_set_t set;

        assert_int_equal(sched_getaffinity(pid, sizeof(set), &set), 0);
        return CPU_COUNT(&set);
}

static void it_is_kept_off_our_cpu_and_let_go_again(void **state)
{
        cpu_set_t ours;
        int before = cpus(child), cpu = sched_getcpu();

        (void)state;
        assert_true(cpu >= 0);
        CPU_ZERO(&ours);
        CPU_SET((size_t)cpu, &ours);
        assert_int_equal(sched_setaffinity(0, sizeof(ours), &ours), 0); /* so that ours stays ours */
        if (before == sysconf(_SC_NPROCESSORS_ONLN) && before > 1) {
                cpu_set_t set;

                assert_true(affinity_keep_off_ours(child));
                assert_int_equal(sched_getaffinity(child, sizeof(set), &set), 0);
                assert_false(CPU_ISSET((size_t)cpu, &set));
                assert_int_equal(CPU_COUNT(&set), before - 1);
                affinity_let_run(child);
        } else { /* somebody has bound us, or there is one CPU */
                assert_false(affinity_keep_off_ours(child));
        }
        assert_int_equal(cpus(child), before);
        (void)memset(&ours, 0xff, sizeof(ours));
        (void)sched_setaffinity(0, sizeof(ours), &ours);
}

static void one_that_is_bound_stays_where_it_is(void **state)
{
        cpu_set_t one;

        (void)state;
        if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
                assert_false(affinity_keep_off_ours(child));
                return;
        }
        assert_int_equal(sched_getaffinity(child, sizeof(one), &one), 0);
        for (size_t cpu = 0, seen = 0; cpu < CPU_SETSIZE; cpu++)
                if (CPU_ISSET(cpu, &one) && seen++ > 0)
                        CPU_CLR(cpu, &one);
        assert_int_equal(sched_setaffinity(child, sizeof(one), &one), 0);
        assert_false(affinity_keep_off_ours(child));
        assert_int_equal(cpus(child), 1);
}

static void bind(pid_t pid, int cpu)
{
        cpu_set_t one;

        CPU_ZERO(&one);
        CPU_SET((size_t)cpu, &one);
        assert_int_equal(sched_setaffinity(pid, sizeof(one), &one), 0);
}

/* What a warden and PID 1 do: it inherits the CPU, the warden leaves it. */
static void who_stays_and_who_leaves_are_apart(void **state)
{
        int before = cpus(0), cpu;
        cpu_set_t set;

        (void)state;
        assert_int_equal(affinity_is_free(0), before == sysconf(_SC_NPROCESSORS_ONLN) && before > 1);
        if (!affinity_is_free(0))
                return; /* bound by somebody: nothing is done then */
        cpu = affinity_stay(-1);
        assert_int_equal(cpu, sched_getcpu());
        assert_int_equal(cpus(0), 1);
        assert_false(affinity_is_free(0));
        affinity_keep_off(cpu);
        assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
        assert_false(CPU_ISSET((size_t)cpu, &set));
        assert_int_not_equal(sched_getcpu(), cpu);
        assert_int_equal(affinity_stay(cpu), cpu);
        assert_int_equal(sched_getcpu(), cpu);
        affinity_let_run(0);
        assert_int_equal(cpus(0), before);
}

static void we_leave_the_cpu_of_one_that_is_bound(void **state)
{
        cpu_set_t set;

        (void)state;
        if (!affinity_is_free(0))
                return;
        assert_false(affinity_keep_off_that_of(child)); /* it runs anywhere, as we do */
        bind(child, 1);
        assert_true(affinity_keep_off_that_of(child));
        assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
        assert_false(CPU_ISSET(1, &set));
        assert_false(affinity_keep_off_that_of(child)); /* not free any more */
        affinity_let_run(0);
        bind(0, 0);
        assert_false(affinity_keep_off_that_of(child));
        assert_int_equal(cpus(0), 1);
        affinity_let_run(0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(it_is_kept_off_our_cpu_and_let_go_again, set_up, tear_down),
                cmocka_unit_test_setup_teardown(one_that_is_bound_stays_where_it_is, set_up, tear_down),
                cmocka_unit_test(who_stays_and_who_leaves_are_apart),
                cmocka_unit_test_setup_teardown(we_leave_the_cpu_of_one_that_is_bound, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
