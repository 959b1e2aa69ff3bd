/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_process.c - which CPUs a process of ours may run on while it is told something.
 */
#include "daemon/process.h"

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

                assert_true(process_keep_off(child));
                assert_int_equal(sched_getaffinity(child, sizeof(set), &set), 0);
                assert_false(CPU_ISSET((size_t)cpu, &set));
                assert_int_equal(CPU_COUNT(&set), before - 1);
                process_let_run(child);
        } else { /* somebody has bound us, or there is one CPU */
                assert_false(process_keep_off(child));
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
                assert_false(process_keep_off(child));
                return;
        }
        assert_int_equal(sched_getaffinity(child, sizeof(one), &one), 0);
        for (size_t cpu = 0, seen = 0; cpu < CPU_SETSIZE; cpu++)
                if (CPU_ISSET(cpu, &one) && seen++ > 0)
                        CPU_CLR(cpu, &one);
        assert_int_equal(sched_setaffinity(child, sizeof(one), &one), 0);
        assert_false(process_keep_off(child));
        assert_int_equal(cpus(child), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(it_is_kept_off_our_cpu_and_let_go_again, set_up, tear_down),
                cmocka_unit_test_setup_teardown(one_that_is_bound_stays_where_it_is, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
