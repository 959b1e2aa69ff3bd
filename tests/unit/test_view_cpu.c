/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view_cpu.c - the same CPUs everywhere, times of the partition's own, load, uptime, pressure.
 */
#include "view_kit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct kit k;

static int begin(void **state)
{
        (void)state;
        kit_begin(&k);
        return 0;
}

static int end(void **state)
{
        (void)state;
        kit_end(&k);
        return 0;
}

static void stat_has_its_cpus_by_their_numbers_and_its_own_times(void **state)
{
        (void)state;
        assert_string_equal(kit_read(&k, "proc/stat"), "cpu  600 0 300 199550 0 0 0 0 0 0\n"
                                                       "cpu1 100 0 50 99850 0 0 0 0 0 0\n"
                                                       "cpu2 200 0 100 99700 0 0 0 0 0 0\n"
                                                       "intr 0\n"
                                                       "ctxt 1000\n"
                                                       "btime 1000500\n"
                                                       "processes 1000\n"
                                                       "procs_running 3\n"
                                                       "procs_blocked 0\n"
                                                       "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
}

static void cpuinfo_counts_only_its_cpus_and_cores(void **state)
{
        (void)state;
        assert_string_equal(kit_read(&k, "proc/cpuinfo"),
                "processor\t: 1\nphysical id\t: 0\nsiblings\t: 1\ncpu cores\t: 1\nflags\t\t: fpu\n\n"
                "processor\t: 2\nphysical id\t: 1\nsiblings\t: 1\ncpu cores\t: 1\nflags\t\t: fpu\n\n");
        kit_pass(&k, SEC);
        k.sample.cpus[0] = 3; /* both in one package */
        assert_non_null(kit_read(&k, "proc/cpuinfo"));
        assert_int_equal(kit_number(&k, "processor\t:"), 0);
        assert_int_equal(kit_number(&k, "siblings\t:"), 2);
        assert_int_equal(kit_number(&k, "cpu cores\t:"), 2);
}

static void a_cpu_that_the_facts_do_not_know_has_a_line_of_its_own(void **state)
{
        (void)state;
        k.sample.cpus[0] = 1 << 5;
        assert_string_equal(kit_read(&k, "proc/cpuinfo"), "processor\t: 5\n\n");
}

static unsigned int count(const char *path, const char *what)
{
        const char *at = kit_read(&k, path);
        unsigned int n = 0;

        assert_non_null(at);
        for (; (at = strstr(at, what)); at += strlen(what))
                n++;
        return n;
}

static void assert_cpus(unsigned int n)
{
        assert_int_equal(count("proc/stat", "\ncpu"), n);
        assert_int_equal(count("proc/cpuinfo", "processor\t"), n);
        assert_int_equal(count("proc/schedstat", "\ncpu"), n);
        assert_int_equal(count("proc/interrupts", "CPU"), n);
        assert_int_equal(count("proc/softirqs", "CPU"), n);
        assert_int_equal(count("proc/zoneinfo", "cpu: "), n);
}

static void the_number_of_cpus_is_the_same_wherever_it_is_asked(void **state)
{
        (void)state;
        assert_cpus(2);
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/online"), "1-2\n");
        kit_pass(&k, SEC);
        k.sample.cpus[0] = 8;
        assert_cpus(1);
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/online"), "3\n");
}

static void there_is_always_one_cpu(void **state)
{
        (void)state;
        k.sample.cpus[0] = 0;
        assert_cpus(1);
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/online"), "1\n");
        kit_pass(&k, SEC);
        k.sample.configured[0] = 0;
        assert_cpus(1);
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/online"), "0\n");
}

static void all_256_cpus_can_be_shown(void **state)
{
        (void)state;
        memset(k.sample.cpus, 0xff, sizeof(k.sample.cpus));
        k.sample.n_cpus = 100000; /* of a kernel that is out of its mind */
        assert_cpus(256);
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/online"), "0-255\n");
}

static void stat_of_64_cpus_fits_into_a_page(void **state)
{
        (void)state;
        k.sample.cpus[0] = ~0ULL;
        k.sample.n_cpus = 64;
        k.sample.boottime_ns = k.sample.now_ns = 365 * 86400 * SEC; /* after a year */
        for (size_t i = 0; i < 64; i++)
                k.sample.cpu[i] = (struct kstat_sample_cpu){10000000 * SEC, 0, 10000000 * SEC};
        assert_non_null(kit_read(&k, "proc/stat"));
        assert_true(strlen(k.text) <= 4096);
}

static void loadavg_is_rounded_as_the_kernel_does(void **state)
{
        (void)state;
        k.sample.load[1] = 2038; /* 0.995 */
        k.sample.load[2] = 10 * 2048 + 102;
        assert_string_equal(kit_read(&k, "proc/loadavg"), "1.50 1.00 10.05 3/12 345\n");
}

static void uptime_is_that_of_the_partition_when_its_text_ends_and_of_its_cpus(void **state)
{
        (void)state;
        assert_string_equal(kit_read(&k, "proc/uptime"), "1000.10 1995.50\n");
}

static void processes_are_the_last_pid_if_nobody_counts_them(void **state)
{
        (void)state;
        k.sample.forks = KSTAT_NONE;
        assert_non_null(kit_read(&k, "proc/stat"));
        assert_int_equal(kit_number(&k, "processes "), 345);
        kit_pass(&k, SEC);
        k.sample.processes_last = 3; /* numbers are given from the beginning again */
        assert_non_null(kit_read(&k, "proc/stat"));
        assert_int_equal(kit_number(&k, "processes "), 345);
}

static void pressure_has_the_kernels_form(void **state)
{
        (void)state;
        k.sample.pressure[1][0] = (struct kstat_sample_pressure){{1234, 5, 0}, 0, 987654321};
        assert_string_equal(kit_read(&k, "proc/pressure/memory"),
                "some avg10=12.34 avg60=0.05 avg300=0.00 total=987654321\n"
                "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
        assert_non_null(kit_read(&k, "proc/pressure/cpu"));
        assert_int_equal(kit_number(&k, "total="), 0);
        assert_non_null(kit_read(&k, "proc/pressure/io"));
        assert_int_equal(kit_number(&k, "total="), 0);
}

static void schedstat_has_the_hosts_version_and_its_own_time(void **state)
{
        (void)state;
        assert_string_equal(kit_read(&k, "proc/schedstat"),
                "version 17\ntimestamp 100000\ncpu1 0 0 0 0 0 0 1500000000 0 0\ncpu2 0 0 0 0 0 0 3000000000 0 0\n");
}

static void tables_of_interrupts_have_a_column_for_each_cpu(void **state)
{
        (void)state;
        assert_string_equal(kit_read(&k, "proc/interrupts"), "           CPU1       CPU2       \n"
                                                             "LOC:          0          0   Local timer interrupts\n"
                                                             "RES:          0          0   Rescheduling interrupts\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(stat_has_its_cpus_by_their_numbers_and_its_own_times),
                TEST(cpuinfo_counts_only_its_cpus_and_cores),
                TEST(a_cpu_that_the_facts_do_not_know_has_a_line_of_its_own),
                TEST(the_number_of_cpus_is_the_same_wherever_it_is_asked),
                TEST(there_is_always_one_cpu),
                TEST(all_256_cpus_can_be_shown),
                TEST(stat_of_64_cpus_fits_into_a_page),
                TEST(loadavg_is_rounded_as_the_kernel_does),
                TEST(uptime_is_that_of_the_partition_when_its_text_ends_and_of_its_cpus),
                TEST(processes_are_the_last_pid_if_nobody_counts_them),
                TEST(pressure_has_the_kernels_form),
                TEST(schedstat_has_the_hosts_version_and_its_own_time),
                TEST(tables_of_interrupts_have_a_column_for_each_cpu),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
