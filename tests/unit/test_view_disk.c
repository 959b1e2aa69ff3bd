/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view_disk.c - the disks that the partition used, with its own reads and writes.
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
        k.sample.n_disks = 2;
        k.sample.disks[0] = (struct kstat_sample_disk){8, 16, 3, 4096, 5, 1024};
        k.sample.disks[1] = (struct kstat_sample_disk){253, 7, 1, 512, 0, 0};
        return 0;
}

static int end(void **state)
{
        (void)state;
        kit_end(&k);
        return 0;
}

static void diskstats_has_its_own_io_and_all_columns(void **state)
{
        (void)state;
        assert_string_equal(kit_read(&k, "proc/diskstats"),
                "   8      16 sdb 3 0 8 0 5 0 2 0 0 0 0 0 0 0 0 0 0\n"
                " 253       7 disk253-7 1 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
}

static void io_counters_never_decrease_and_a_used_disk_stays(void **state)
{
        (void)state;
        assert_non_null(kit_read(&k, "proc/diskstats"));
        kit_pass(&k, SEC);
        k.sample.n_disks = 1;
        k.sample.disks[0] = (struct kstat_sample_disk){8, 16, 4, 0, 5, 1024};
        assert_string_equal(kit_read(&k, "proc/diskstats"),
                "   8      16 sdb 4 0 8 0 5 0 2 0 0 0 0 0 0 0 0 0 0\n"
                " 253       7 disk253-7 1 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
}

static void more_disks_than_there_is_room_for_harm_nothing(void **state)
{
        (void)state;
        k.sample.n_disks = 4000000000u;
        for (size_t i = 0; i < KSTAT_SAMPLE_DISKS; i++)
                k.sample.disks[i] = (struct kstat_sample_disk){7, (uint32_t)i, 1, 1, 1, 1};
        assert_non_null(kit_read(&k, "proc/diskstats"));
        assert_non_null(strstr(k.text, " loop15 "));
        kit_pass(&k, SEC);
        k.sample.disks[0].minor = 99;
        assert_non_null(kit_read(&k, "proc/diskstats"));
        assert_null(strstr(k.text, "loop99"));
}

static void the_same_disks_are_in_partitions_and_sysfs(void **state)
{
        (void)state;
        assert_string_equal(
                kit_read(&k, "proc/partitions"), "major minor  #blocks  name\n\n   8       16    1048576 sdb\n");
        assert_string_equal(kit_read(&k, "sys/block/sdb/dev"), "8:16\n");
        assert_string_equal(kit_read(&k, "sys/block/sdb/size"), "2097152\n");
        assert_string_equal(kit_read(&k, "sys/block/sdb/stat"), "3 0 8 0 5 0 2 0 0 0 0 0 0 0 0 0 0\n");
        assert_string_equal(kit_read(&k, "sys/block/sdb/queue/rotational"), "0\n");
        assert_string_equal(kit_read(&k, "sys/class/block/sdb"), "../../block/sdb");
        assert_string_equal(kit_read(&k, "sys/dev/block/8:16"), "../../block/sdb");
        assert_null(kit_read(&k, "sys/block/sda/dev")); /* the host's, never used by the partition */
}

static void devices_names_a_driver_once(void **state)
{
        (void)state;
        k.sample.disks[1] = (struct kstat_sample_disk){8, 0, 1, 512, 0, 0};
        assert_non_null(kit_read(&k, "proc/devices"));
        assert_non_null(strstr(k.text, "\nBlock devices:\n  8 sd\n"));
        assert_int_equal(strlen(strstr(k.text, "Block devices:")), strlen("Block devices:\n  8 sd\n"));
}

static void no_module_is_the_partitions(void **state)
{
        (void)state;
        assert_string_equal(kit_read(&k, "proc/modules"), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(diskstats_has_its_own_io_and_all_columns),
                TEST(io_counters_never_decrease_and_a_used_disk_stays),
                TEST(more_disks_than_there_is_room_for_harm_nothing),
                TEST(the_same_disks_are_in_partitions_and_sysfs),
                TEST(devices_names_a_driver_once),
                TEST(no_module_is_the_partitions),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
