/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view_disk.c - the disks that the partition used, with its own reads and writes, and those that are its own.
 */
#include "kstat/view_disks.h"
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

/* --- devices of its own --- */

static struct view_disks area;

static void show(const struct view_disk *disk)
{
        memset(&area, 0, sizeof(area));
        view_disks_write(&area, disk, 1);
        assert_int_equal(view_use_disks(k.view, VIEW_LOOPS, &area), 0);
        k.sample.n_disks = 0;
        kit_pass(&k, SEC);
}

static char dump[8192];

/* Everything below a directory, "path: content" in the order of listing. */
static void put_all(uint64_t directory, const char *path)
{
        struct view_entry entry;
        char name[128];

        for (size_t i = 0; view_list(k.view, directory, &k.sample, i, &entry) == 1; i++) {
                ssize_t n;

                (void)snprintf(name, sizeof(name), "%s%s", path, entry.name);
                if (entry.kind == VIEW_DIRECTORY) {
                        (void)strcat(strcat(dump, name), "/\n");
                        (void)strcat(name, "/");
                        put_all(entry.node, name);
                        continue;
                }
                n = view_read(k.view, entry.node, &k.sample, k.text, sizeof(k.text) - 1);
                assert_true(n > 0);
                k.text[n] = '\0';
                (void)strcat(strcat(strcat(dump, name), entry.kind == VIEW_LINK ? " -> " : ": "), k.text);
                if (entry.kind == VIEW_LINK)
                        (void)strcat(dump, "\n");
        }
}

static const struct view_disk loop3 = {.name = "loop3",
        .major = 7,
        .minor = 23,
        .sectors = 40960,
        .flags = VIEW_DISK_LOOP | VIEW_DISK_READ_ONLY | VIEW_DISK_AUTOCLEAR | VIEW_DISK_DIRECT,
        .logical_bytes = 1024,
        .physical_bytes = 4096,
        .optimal_io_bytes = 65536,
        .read_ahead_kib = 128,
        .discard_bytes = 4096,
        .discard_max_bytes = 4294966784,
        .offset = 1048576,
        .sizelimit = 20971520,
        .file = "/srv/an image (deleted)"};

static void a_loop_device_of_its_own_has_all_that_tools_read(void **state)
{
        (void)state;
        show(&loop3);
        dump[0] = '\0';
        put_all(view_tree_node(3), "");
        assert_string_equal(dump, "loop3/\n"
                                  "loop3/queue/\n"
                                  "loop3/queue/rotational: 0\n"
                                  "loop3/queue/logical_block_size: 1024\n"
                                  "loop3/queue/physical_block_size: 4096\n"
                                  "loop3/queue/hw_sector_size: 1024\n"
                                  "loop3/queue/minimum_io_size: 4096\n"
                                  "loop3/queue/optimal_io_size: 65536\n"
                                  "loop3/queue/read_ahead_kb: 128\n"
                                  "loop3/queue/discard_granularity: 4096\n"
                                  "loop3/queue/discard_max_bytes: 4294966784\n"
                                  "loop3/queue/discard_max_hw_bytes: 4294966784\n"
                                  "loop3/queue/discard_zeroes_data: 0\n"
                                  "loop3/queue/write_same_max_bytes: 0\n"
                                  "loop3/queue/chunk_sectors: 0\n"
                                  "loop3/queue/dax: 0\n"
                                  "loop3/queue/scheduler: [none]\n"
                                  "loop3/queue/zoned: none\n"
                                  "loop3/loop/\n"
                                  "loop3/loop/backing_file: /srv/an image (deleted)\n"
                                  "loop3/loop/offset: 1048576\n"
                                  "loop3/loop/sizelimit: 20971520\n"
                                  "loop3/loop/autoclear: 1\n"
                                  "loop3/loop/partscan: 0\n"
                                  "loop3/loop/dio: 1\n"
                                  "loop3/holders/\n"
                                  "loop3/slaves/\n"
                                  "loop3/dev: 7:23\n"
                                  "loop3/uevent: MAJOR=7\nMINOR=23\nDEVNAME=loop3\nDEVTYPE=disk\n"
                                  "loop3/size: 40960\n"
                                  "loop3/stat: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
                                  "loop3/inflight:        0        0\n"
                                  "loop3/ro: 1\n"
                                  "loop3/removable: 0\n"
                                  "loop3/hidden: 0\n"
                                  "loop3/range: 1\n"
                                  "loop3/ext_range: 256\n"
                                  "loop3/alignment_offset: 0\n"
                                  "loop3/discard_alignment: 0\n"
                                  "loop3/capability: 0\n"
                                  "loop3/subsystem -> ../../class/block\n");
}

static void a_device_of_its_own_is_found_by_name_and_by_number(void **state)
{
        (void)state;
        show(&loop3);
        dump[0] = '\0';
        put_all(view_tree_node(4), "class/");
        put_all(view_tree_node(5), "dev/");
        assert_string_equal(dump, "class/loop3 -> ../../block/loop3\ndev/7:23 -> ../../block/loop3\n");
        assert_string_equal(
                kit_read(&k, "proc/partitions"), "major minor  #blocks  name\n\n   7       23      20480 loop3\n");
        assert_non_null(strstr(kit_read(&k, "proc/devices"), "\nBlock devices:\n  7 loop\n"));
}

static void what_was_left_open_of_a_device_is_what_the_kernel_supposes(void **state)
{
        const struct view_disk disk = {
                .name = "loop0", .major = 7, .minor = 9, .flags = VIEW_DISK_ROTATIONAL | VIEW_DISK_PARTSCAN};

        (void)state;
        show(&disk);
        assert_string_equal(kit_read(&k, "sys/block/loop0/queue/rotational"), "1\n");
        assert_string_equal(kit_read(&k, "sys/block/loop0/queue/logical_block_size"), "512\n");
        assert_string_equal(kit_read(&k, "sys/block/loop0/queue/physical_block_size"), "512\n");
        assert_string_equal(kit_read(&k, "sys/block/loop0/queue/minimum_io_size"), "512\n");
        assert_string_equal(kit_read(&k, "sys/block/loop0/queue/optimal_io_size"), "0\n");
        assert_string_equal(kit_read(&k, "sys/block/loop0/queue/discard_max_bytes"), "0\n");
        assert_string_equal(kit_read(&k, "sys/block/loop0/size"), "0\n");
        assert_string_equal(kit_read(&k, "proc/partitions"), "major minor  #blocks  name\n\n");
        assert_null(kit_read(&k, "sys/block/loop0/loop/offset")); /* it isn't said to be one */
        assert_null(kit_read(&k, "sys/block/loop0/loop"));
}

static void of_the_machines_disks_only_what_is_known_is_told(void **state)
{
        (void)state;
        assert_null(kit_read(&k, "sys/block/sdb/queue/minimum_io_size"));
        assert_null(kit_read(&k, "sys/block/sdb/ext_range"));
        assert_null(kit_read(&k, "sys/block/sdb/loop/offset"));
        assert_null(kit_read(&k, "sys/block/sdb/subsystem"));
        assert_string_equal(kit_read(&k, "sys/block/sdb/uevent"), "MAJOR=8\nMINOR=16\nDEVNAME=sdb\nDEVTYPE=disk\n");
        assert_string_equal(kit_read(&k, "sys/block/sdb/ro"), "0\n");
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
                TEST(a_loop_device_of_its_own_has_all_that_tools_read),
                TEST(a_device_of_its_own_is_found_by_name_and_by_number),
                TEST(what_was_left_open_of_a_device_is_what_the_kernel_supposes),
                TEST(of_the_machines_disks_only_what_is_known_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
