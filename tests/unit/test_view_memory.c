/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view_memory.c - meminfo and its kin show the partition's memory, and numbers that agree.
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

static uint64_t kb(const char *label)
{
        assert_non_null(kit_read(&k, "proc/meminfo"));
        return kit_number(&k, label);
}

static void meminfo_has_the_host_kernels_lines_in_its_order_and_form(void **state)
{
        (void)state;
        assert_string_equal(kit_read(&k, "proc/meminfo"), "MemTotal:        2097152 kB\n"
                                                          "MemFree:         1572864 kB\n"
                                                          "MemAvailable:    1779712 kB\n"
                                                          "Buffers:               0 kB\n"
                                                          "Cached:           204800 kB\n"
                                                          "SwapCached:            0 kB\n"
                                                          "Active(file):     102400 kB\n"
                                                          "Inactive(file):    94208 kB\n"
                                                          "SwapTotal:       1048576 kB\n"
                                                          "SwapFree:         946176 kB\n"
                                                          "AnonPages:        262144 kB\n"
                                                          "Shmem:              8192 kB\n"
                                                          "SReclaimable:      10240 kB\n"
                                                          "CommitLimit:     2097152 kB\n"
                                                          "HardwareCorrupted:     0 kB\n"
                                                          "VmallocTotal:   34359738367 kB\n"
                                                          "HugePages_Total:       0\n"
                                                          "Hugepagesize:       2048 kB\n"
                                                          "SomethingNew:          0 kB\n");
}

static void memory_without_a_limit_is_the_machines(void **state)
{
        (void)state;
        k.sample.memory.limit = KSTAT_NONE;
        assert_int_equal(kb("MemTotal:"), 16 * GIB / 1024);
        kit_pass(&k, SEC);
        k.sample.memory.limit = 64 * GIB;
        assert_int_equal(kb("MemTotal:"), 16 * GIB / 1024);
}

static void the_total_is_never_zero(void **state)
{
        (void)state;
        k.sample.memory.limit = 0;
        assert_int_equal(kb("MemTotal:"), 4);
        assert_int_equal(kb("MemFree:"), 0);
}

static void usage_above_the_limit_leaves_nothing_free_and_no_wrapped_number(void **state)
{
        (void)state;
        k.sample.memory.usage = 3 * GIB;
        assert_int_equal(kb("MemFree:"), 0);
        assert_true(kb("MemAvailable:") <= kb("MemTotal:"));
}

static void what_is_cached_is_not_counted_as_used(void **state)
{
        uint64_t before = kb("MemAvailable:");

        (void)state;
        kit_pass(&k, SEC);
        k.sample.memory.usage += GIB;
        k.sample.memory.file += GIB;
        k.sample.memory.inactive_file += GIB;
        assert_int_equal(kb("MemAvailable:"), before);
        /* as older programs reckon it */
        assert_int_equal(
                kb("MemTotal:") - kb("MemFree:") - kb("Cached:") - kb("SReclaimable:"), (512 - 210) * MIB / 1024);
}

static void caches_that_lag_behind_the_usage_never_exceed_it(void **state)
{
        (void)state;
        k.sample.memory.usage = 100 * MIB;
        assert_int_equal(kb("Cached:"), 100 * MIB / 1024);
        assert_int_equal(kb("SReclaimable:"), 0);
        assert_int_equal(kb("MemFree:") + kb("Cached:"), kb("MemTotal:"));
        assert_true(kb("MemAvailable:") <= kb("MemTotal:"));
}

static void shared_memory_is_the_partitions_and_not_available(void **state)
{
        (void)state;
        k.sample.memory.shmem = k.sample.memory.file;
        k.sample.memory.active_file = k.sample.memory.inactive_file = 0;
        assert_int_equal(kb("Shmem:"), 200 * MIB / 1024);
        assert_int_equal(kb("MemAvailable:"), (1536 + 10) * MIB / 1024);
}

static void what_the_kernel_does_not_tell_is_zero(void **state)
{
        (void)state;
        k.sample.memory.shmem = k.sample.memory.swap_usage = k.sample.memory.slab_reclaimable = KSTAT_NONE;
        assert_int_equal(kb("Shmem:"), 0);
        assert_int_equal(kb("SReclaimable:"), 0);
        assert_int_equal(kb("SwapFree:"), kb("SwapTotal:"));
}

static void swap_is_the_limit_the_machines_or_what_is_in_use(void **state)
{
        (void)state;
        k.sample.memory.swap_limit = KSTAT_NONE;
        assert_int_equal(kb("SwapTotal:"), 4 * GIB / 1024);
        kit_pass(&k, SEC);
        k.sample.memory.swap_limit = 0;
        k.sample.memory.swap_usage = 0;
        assert_int_equal(kb("SwapTotal:"), 0);
        assert_string_equal(kit_read(&k, "proc/swaps"), "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
        kit_pass(&k, SEC);
        k.sample.memory.swap_usage = 5 * GIB;
        assert_int_equal(kb("SwapTotal:"), 5 * GIB / 1024);
        assert_int_equal(kb("SwapFree:"), 0);
}

static void memory_and_swap_that_the_machine_gets_are_seen(void **state)
{
        const struct view_machine machine = {.memory_bytes = 32 * GIB, .swap_bytes = 8 * GIB, .page_bytes = 4096};

        (void)state;
        k.sample.memory.limit = k.sample.memory.swap_limit = KSTAT_NONE;
        view_set_machine(k.view, &machine);
        assert_int_equal(kb("MemTotal:"), 32 * GIB / 1024);
        assert_int_equal(kb("SwapTotal:"), 8 * GIB / 1024);
}

static void swaps_agrees_with_meminfo(void **state)
{
        (void)state;
        assert_non_null(kit_read(&k, "proc/swaps"));
        assert_int_equal(kit_number(&k, "virtual\t\t"), 1 * GIB / 1024);
        assert_int_equal(kit_number(&k, "1048576\t\t"), 100 * MIB / 1024);
}

static void vmstat_counts_pages_and_events_of_the_partition(void **state)
{
        (void)state;
        k.sample.memory.kernel_stack = 64 * 1024;
        k.sample.n_disks = 1;
        k.sample.disks[0] = (struct kstat_sample_disk){8, 0, 1, 10240, 1, 2048};
        assert_string_equal(kit_read(&k, "proc/vmstat"), "nr_free_pages 393216\nnr_kernel_stack 64\npgpgin 10\npgpgout "
                                                         "2\npgfault 777\noom_kill 0\nnr_of_tomorrow 0\n");
}

static void events_of_memory_never_decrease(void **state)
{
        (void)state;
        assert_non_null(kit_read(&k, "proc/vmstat"));
        kit_pass(&k, SEC);
        k.sample.memory.pgfault = 5;
        assert_non_null(kit_read(&k, "proc/vmstat"));
        assert_int_equal(kit_number(&k, "pgfault "), 777);
        kit_pass(&k, SEC);
        k.sample.memory.pgfault = KSTAT_NONE;
        assert_non_null(kit_read(&k, "proc/vmstat"));
        assert_int_equal(kit_number(&k, "pgfault "), 777);
}

static void free_blocks_and_the_zone_make_up_the_free_memory(void **state)
{
        uint64_t pages = 0;
        const char *at;

        (void)state;
        k.sample.memory.usage += 4096 * 5;
        at = kit_read(&k, "proc/buddyinfo");
        assert_non_null(at);
        at = strstr(at, "Normal") + strlen("Normal");
        for (unsigned int order = 0; order < 11; order++) {
                char *stop;

                pages += strtoull(at, &stop, 10) << order;
                at = stop;
        }
        assert_int_equal(pages, 1536 * MIB / 4096 - 5);
        assert_non_null(kit_read(&k, "proc/zoneinfo"));
        assert_int_equal(kit_number(&k, "pages free"), pages);
        assert_int_equal(kit_number(&k, "managed"), 2 * GIB / 4096);
}

static void the_memory_node_agrees_with_meminfo(void **state)
{
        uint64_t free = kb("MemFree:");

        (void)state;
        assert_non_null(kit_read(&k, "sys/devices/system/node/node0/meminfo"));
        assert_int_equal(kit_number(&k, "Node 0 MemFree:"), free);
        assert_int_equal(kit_number(&k, "Node 0 FilePages:"), 200 * MIB / 1024);
}

static void slabs_are_those_of_the_partition(void **state)
{
        (void)state;
        assert_non_null(kit_read(&k, "proc/slabinfo"));
        assert_int_equal(kit_number(&k, "\npartition"), 10 * MIB / 4096);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(meminfo_has_the_host_kernels_lines_in_its_order_and_form),
                TEST(memory_without_a_limit_is_the_machines),
                TEST(the_total_is_never_zero),
                TEST(usage_above_the_limit_leaves_nothing_free_and_no_wrapped_number),
                TEST(what_is_cached_is_not_counted_as_used),
                TEST(caches_that_lag_behind_the_usage_never_exceed_it),
                TEST(shared_memory_is_the_partitions_and_not_available),
                TEST(what_the_kernel_does_not_tell_is_zero),
                TEST(swap_is_the_limit_the_machines_or_what_is_in_use),
                TEST(memory_and_swap_that_the_machine_gets_are_seen),
                TEST(swaps_agrees_with_meminfo),
                TEST(vmstat_counts_pages_and_events_of_the_partition),
                TEST(events_of_memory_never_decrease),
                TEST(free_blocks_and_the_zone_make_up_the_free_memory),
                TEST(the_memory_node_agrees_with_meminfo),
                TEST(slabs_are_those_of_the_partition),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
