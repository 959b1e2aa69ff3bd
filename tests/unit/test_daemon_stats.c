/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_daemon_stats.c - figures out of samples, of texts of the kernel and of attributes of control groups; and as
 * JSON.
 */
#include "base/cleanup.h"
#include "daemon/stats.h"
#include "daemon/stats_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void interfaces_are_read_with_any_name(void **state)
{
        static const char text[] = "Inter-|   Receive                                                |  Transmit\n"
                                   " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets "
                                   "errs drop fifo colls "
                                   "carrier compressed\n"
                                   "    lo:     100       1    2    3    4     5          6         7      200       8 "
                                   "   9   10   11    12  "
                                   "     13         14\n"
                                   "a\"b\\c:18446744073709551615 0 0 0 0 0 0 0 1 2 3 4 0 0 0 0\n"
                                   "cut: 1 2 3\n"
                                   "  eth0: 5 0 0 0 0 0 0 0 6 0 0 0 0 0 0 0\n";
        struct stats_partition p;

        (void)state;
        stats_partition_init(&p);
        assert_int_equal(stats_parse_interfaces(text, &p), 0);
        assert_int_equal(p.n_interface, 3);
        assert_string_equal(p.interface[0].name, "lo");
        assert_int_equal(p.interface[0].receive_bytes, 100);
        assert_int_equal(p.interface[0].receive_drops, 3);
        assert_int_equal(p.interface[0].transmit_bytes, 200);
        assert_int_equal(p.interface[0].transmit_drops, 10);
        assert_string_equal(p.interface[1].name, "a\"b\\c");
        assert_string_equal(p.interface[2].name, "eth0");
        assert_int_equal(p.interface[2].transmit_bytes, 6);
        assert_false(p.more_interfaces);
        stats_partition_done(&p);
}

static void of_many_interfaces_the_first_are_taken(void **state)
{
        char text[200 * 64] = "";
        struct stats_partition p;

        (void)state;
        for (int i = 0; i < 200; i++)
                (void)snprintf(text + strlen(text), 64, "d%d: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", i);
        stats_partition_init(&p);
        assert_int_equal(stats_parse_interfaces(text, &p), 0);
        assert_int_equal(p.n_interface, STATS_INTERFACES_MAX);
        assert_true(p.more_interfaces);
        stats_partition_done(&p);
}

static void pressure_is_read_and_nonsense_left_alone(void **state)
{
        struct stats_pressure p[2];

        (void)state;
        memset(p, 0xff, sizeof(p));
        stats_parse_pressure("some avg10=12.34 avg60=0.05 avg300=100.00 total=123456789\n"
                             "full avg10=x avg60=0.00 avg300=0.00\n",
                p);
        assert_int_equal(p[0].avg[0], 1234);
        assert_int_equal(p[0].avg[1], 5);
        assert_int_equal(p[0].avg[2], 10000);
        assert_int_equal(p[0].total_us, 123456789);
        assert_true(p[1].total_us == STATS_NONE);
}

static void the_machine_is_read(void **state)
{
        struct stats s;

        (void)state;
        stats_init(&s);
        stats_parse_stat("cpu  10 1 20 400 5 2 3 4 0 0\ncpu0 5 0 0 0 0 0 0 0\ncpu1 5 0 0 0 0 0 0 0\nintr 5\n", 10000000,
                &s.machine);
        assert_int_equal(s.machine.cpus, 2);
        assert_int_equal(s.machine.user_ns, 110000000);
        assert_int_equal(s.machine.system_ns, 250000000);
        assert_int_equal(s.machine.idle_ns, 4000000000);
        stats_parse_meminfo("MemTotal:  8 kB\nMemFree: 2 kB\nMemAvailable:  4 kB\nSwapTotal: 0 kB\n", &s.machine);
        assert_int_equal(s.machine.memory_bytes, 8192);
        assert_int_equal(s.machine.available_bytes, 4096);
        assert_int_equal(s.machine.swap_bytes, 0);
        assert_true(s.machine.swap_free_bytes == STATS_NONE);
        stats_parse_loadavg("0.52 10.00 3.07 2/345 6789\n", &s.machine);
        assert_int_equal(s.machine.load[0], 52);
        assert_int_equal(s.machine.load[1], 1000);
        assert_int_equal(s.machine.load[2], 307);
        assert_int_equal(s.machine.tasks, 345);
}

static void attributes_of_both_kinds_of_control_groups_are_read(void **state)
{
        struct stats_partition v1, v2;

        (void)state;
        stats_partition_init(&v1);
        stats_partition_init(&v2);
        stats_parse_cpu_stat("usage_usec 30\nuser_usec 20\nsystem_usec 10", &v2);
        assert_int_equal(v2.time.user_ns, 20000);
        assert_int_equal(v2.time.system_ns, 10000);
        stats_parse_memory_stat("anon 4096\nfile 8192\nfile_mapped 1\npgfault 7\nanon_thp 9", &v2);
        assert_int_equal(v2.memory.anon, 4096);
        assert_int_equal(v2.memory.file, 8192);
        assert_int_equal(v2.memory.pgfault, 7);
        assert_true(v2.memory.shmem == STATS_NONE);
        stats_parse_memory_stat("cache 1\nrss 2\ntotal_cache 8192\ntotal_rss 4096\ntotal_swap 5\n", &v1);
        assert_int_equal(v1.memory.anon, 4096);
        assert_int_equal(v1.memory.file, 8192);
        assert_int_equal(v1.memory.swap_usage, 5);
        stats_parse_io_stat("8:0 rbytes=90112 wbytes=4096 rios=22 wios=1 dbytes=0 dios=0\nnone\n253:1 rbytes=1\n", &v2);
        assert_int_equal(v2.n_disk, 2);
        assert_string_equal(v2.disk[0].name, "8:0");
        assert_int_equal(v2.disk[0].read_bytes, 90112);
        assert_int_equal(v2.disk[0].writes, 1);
        stats_parse_blkio("8:0 Read 90112\n8:0 Write 4096\n8:0 Total 94208\nTotal 94208\n", false, &v1);
        stats_parse_blkio("8:0 Read 22\n8:0 Write 1\n", true, &v1);
        assert_int_equal(v1.n_disk, 1);
        assert_int_equal(v1.disk[0].read_bytes, 90112);
        assert_int_equal(v1.disk[0].reads, 22);
        assert_int_equal(v1.disk[0].written_bytes, 4096);
}

static void no_limit_is_none(void **state)
{
        (void)state;
        assert_int_equal(stats_parse_number("67108864\n"), 67108864);
        assert_true(stats_parse_number("max") == STATS_NONE);
        assert_true(stats_parse_number("9223372036854771712") == STATS_NONE);
        assert_true(stats_parse_number("") == STATS_NONE);
        assert_true(stats_parse_number("12x") == STATS_NONE);
}

static void counts_of_a_sample_are_bounded(void **state)
{
        _cleanup_free_ struct kstat_sample *sample = calloc(1, sizeof(*sample));
        struct stats_partition p;

        (void)state;
        sample->n_cpus = sample->n_disks = UINT32_MAX;
        stats_partition_init(&p);
        assert_int_equal(stats_take_sample(&p, sample), 0);
        assert_int_equal(p.n_cpu, KSTAT_CPUS_MAX);
        assert_int_equal(p.n_disk, KSTAT_SAMPLE_DISKS);
        stats_partition_done(&p);
}

static void free_memory_is_what_the_limit_leaves(void **state)
{
        struct stats_partition p;

        (void)state;
        stats_partition_init(&p);
        p.memory.usage = 30;
        p.memory.inactive_file = 5;
        p.memory.active_file = 10;
        stats_derive(&p, 1000); /* no limit */
        assert_int_equal(p.free.total, 1000);
        assert_int_equal(p.free.free, 970);
        assert_int_equal(p.free.available, 985);
        p.memory.limit = 25; /* charged above it for a moment */
        stats_derive(&p, 1000);
        assert_int_equal(p.free.free, 0);
        assert_int_equal(p.free.available, 15);
}

static void json_has_null_for_what_is_not_known(void **state)
{
        struct stats *s = malloc(sizeof(*s));
        json_t *json, *p;

        (void)state;
        stats_init(s);
        s->partition = calloc(1, sizeof(*s->partition));
        s->n = 1;
        stats_partition_init(&s->partition[0]);
        strcpy(s->partition[0].name, "web");
        s->partition[0].memory.usage = 5;
        s->partition[0].load[0] = s->partition[0].load[1] = s->partition[0].load[2] = 1024;
        s->partition[0].n_disk = 1;
        strcpy(s->partition[0].disk[0].name, "\xff");
        json = stats_json(s);
        assert_non_null(json);
        p = json_array_get(json_object_get(json, "partitions"), 0);
        assert_int_equal(json_integer_value(json_object_get(json_object_get(p, "memory"), "usage_bytes")), 5);
        assert_true(json_is_null(json_object_get(json_object_get(p, "memory"), "limit_bytes")));
        assert_true(json_real_value(json_array_get(json_object_get(p, "load"), 0)) == 0.5);
        assert_string_equal(
                json_string_value(json_object_get(json_array_get(json_object_get(p, "disks"), 0), "name")), "\\xff");
        assert_true(json_is_null(json_object_get(json_object_get(json, "machine"), "cpus")));
        json_decref(json);
        stats_free(s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(interfaces_are_read_with_any_name),
                cmocka_unit_test(of_many_interfaces_the_first_are_taken),
                cmocka_unit_test(pressure_is_read_and_nonsense_left_alone),
                cmocka_unit_test(the_machine_is_read),
                cmocka_unit_test(attributes_of_both_kinds_of_control_groups_are_read),
                cmocka_unit_test(no_limit_is_none),
                cmocka_unit_test(counts_of_a_sample_are_bounded),
                cmocka_unit_test(free_memory_is_what_the_limit_leaves),
                cmocka_unit_test(json_has_null_for_what_is_not_known),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
