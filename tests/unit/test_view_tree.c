/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view_tree.c - the directories of /sys: what is listed can be looked up and read, and what isn't the partition's
 * is not there.
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
        k.sample.n_disks = 1;
        k.sample.disks[0] = (struct kstat_sample_disk){8, 0, 3, 4096, 5, 1024};
        return 0;
}

static int end(void **state)
{
        (void)state;
        kit_end(&k);
        return 0;
}

static void masks_of_cpus_follow_the_sample(void **state)
{
        (void)state;
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/online"), "1-2\n");
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/offline"), "3\n");
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/possible"), "1-3\n");
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/present"), "1-3\n");
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/isolated"), "\n");
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/kernel_max"), "255\n");
        assert_string_equal(kit_read(&k, "sys/devices/system/node/node0/cpulist"), "1-2\n");
        assert_string_equal(kit_read(&k, "sys/devices/system/node/node0/cpumap"), "06\n");
}

static void only_cpus_in_force_have_more_than_a_name(void **state)
{
        struct view_entry entry, file;

        (void)state;
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/cpu0/online"), "0\n"); /* so that there is no gap */
        assert_null(kit_read(&k, "sys/devices/system/cpu/cpu3/online"));
        assert_int_equal(view_lookup(k.view, view_tree_node(0), &k.sample, "cpu0", &entry), 0);
        assert_int_equal(view_list(k.view, entry.node, &k.sample, 0, &file), 1);
        assert_string_equal(file.name, "online");
        assert_int_equal(view_list(k.view, entry.node, &k.sample, 1, &file), 0);
        assert_null(kit_read(&k, "sys/devices/system/cpu/cpu0/topology/core_siblings"));
        assert_null(kit_read(&k, "sys/devices/system/cpu/cpu3/topology/core_siblings")); /* offline */
        assert_non_null(kit_read(&k, "sys/devices/system/cpu/cpu1/topology/core_siblings"));
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/cpu1/online"), "1\n");
        assert_null(kit_read(&k, "sys/devices/system/cpu/cpu01/online"));
}

static void siblings_are_only_those_of_the_partition(void **state)
{
        (void)state;
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/cpu1/topology/core_siblings"), "02\n");
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/cpu2/topology/core_siblings"), "04\n");
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/cpu2/cache/index0/shared_cpu_list"), "1-2\n");
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/cpu2/cache/index0/size"), "32K\n");
}

static void a_number_from_before_is_void_when_its_cpu_is_lost(void **state)
{
        struct view_entry cpu, file;

        (void)state;
        assert_int_equal(view_lookup(k.view, view_tree_node(0), &k.sample, "cpu2", &cpu), 0);
        assert_int_equal(view_lookup(k.view, cpu.node, &k.sample, "online", &file), 0);
        kit_pass(&k, SEC);
        k.sample.cpus[0] = 2;
        assert_int_equal(view_kind(k.view, cpu.node, &k.sample), -ENOENT);
        assert_int_equal(view_list(k.view, cpu.node, &k.sample, 0, &file), -ENOENT);
        assert_int_equal(view_read(k.view, file.node, &k.sample, k.text, sizeof(k.text)), -ENOENT);
        kit_pass(&k, SEC);
        k.sample.cpus[0] = 6; /* and is the same again when it is back (KST-40) */
        assert_int_equal(view_kind(k.view, cpu.node, &k.sample), VIEW_DIRECTORY);
}

/* Everything below a directory can be looked up by its name, has the kind that was said, and can be read. */
static unsigned int walk(uint64_t directory)
{
        struct view_entry entry, again;
        unsigned int n = 0;

        for (size_t i = 0;; i++, n++) {
                int r = view_list(k.view, directory, &k.sample, i, &entry);

                assert_in_range(r, 0, 1);
                if (r == 0)
                        return n;
                assert_int_equal(view_lookup(k.view, directory, &k.sample, entry.name, &again), 0);
                assert_true(again.node == entry.node);
                assert_int_equal(view_kind(k.view, entry.node, &k.sample), entry.kind);
                if (entry.kind == VIEW_DIRECTORY) {
                        assert_int_equal(view_read(k.view, entry.node, &k.sample, k.text, 1000), -EISDIR);
                        n += walk(entry.node);
                        continue;
                }
                assert_true(view_read(k.view, entry.node, &k.sample, k.text, sizeof(k.text)) > 0);
                assert_int_equal(view_list(k.view, entry.node, &k.sample, 0, &again), -ENOTDIR);
        }
}

static void what_is_listed_can_be_looked_up_and_read(void **state)
{
        static const struct view_module module = {.name = "dummy"};
        static struct view_modules modules;

        (void)state;
        view_modules_write(&modules, &module, 1);
        view_use_modules(k.view, &modules);
        for (size_t i = 0; i < view_tree_count(); i++) {
                assert_int_equal(view_kind(k.view, view_tree_node(i), &k.sample), VIEW_DIRECTORY);
                assert_true(walk(view_tree_node(i)) > 0);
        }
}

static void what_is_listed_of_its_own_disks_can_be_looked_up_and_read(void **state)
{
        static struct view_disk list[VIEW_DISKS_MAX];
        static struct view_disks area;

        (void)state;
        for (unsigned int i = 0; i < VIEW_DISKS_MAX; i++) {
                list[i] = (struct view_disk){.major = 7, .minor = i, .flags = i % 2 ? VIEW_DISK_LOOP : 0};
                (void)snprintf(list[i].name, sizeof(list[i].name), "loop%u", i);
        }
        view_disks_write(&area, list, VIEW_DISKS_MAX);
        assert_int_equal(view_use_disks(k.view, VIEW_LOOPS, &area), 0);
        assert_true(walk(view_tree_node(3)) > VIEW_DISKS_MAX * 20);
        assert_int_equal(walk(view_tree_node(4)), VIEW_DISKS_MAX + 1);
        assert_int_equal(walk(view_tree_node(5)), VIEW_DISKS_MAX + 1);
}

/* (DEV-14) */
static void partitions_stand_below_their_disk_and_beside_it_as_links(void **state)
{
        const struct view_disk list[] = {
                {.name = "loop3", .major = 7, .minor = 9, .sectors = 100, .flags = VIEW_DISK_LOOP},
                {.name = "loop3p1", .major = 7, .minor = 11, .partition = 1, .sectors = 10, .offset = 512 * 20},
                {.name = "loop3p12", .major = 7, .minor = 10, .partition = 12, .sectors = 20, .offset = 512 * 40},
                {.name = "loop4", .major = 7, .minor = 12, .sectors = 100},
                {.name = "loop5p1", .major = 7, .minor = 13, .partition = 1} /* of no disk */};
        static struct view_disks area;
        struct view_entry disk, entry;

        (void)state;
        view_disks_write(&area, list, sizeof(list) / sizeof(list[0]));
        assert_int_equal(view_use_disks(k.view, VIEW_LOOPS, &area), 0);
        assert_true(walk(view_tree_node(3)) > 0);
        assert_string_equal(kit_read(&k, "sys/block/loop3/loop3p12/start"), "40\n");
        assert_string_equal(kit_read(&k, "sys/block/loop3/loop3p12/size"), "20\n");
        assert_string_equal(kit_read(&k, "sys/block/loop3/loop3p1/partition"), "1\n");
        assert_string_equal(kit_read(&k, "sys/block/loop3/loop3p1/dev"), "7:11\n");
        assert_string_equal(kit_read(&k, "sys/block/loop3/loop3p1/uevent"),
                "MAJOR=7\nMINOR=11\nDEVNAME=loop3p1\nDEVTYPE=partition\nPARTN=1\n");
        assert_string_equal(kit_read(&k, "sys/block/loop3/loop3p1/subsystem"), "../../../class/block");
        assert_string_equal(kit_read(&k, "sys/class/block/loop3p1"), "../../block/loop3/loop3p1");
        assert_string_equal(kit_read(&k, "sys/dev/block/7:10"), "../../block/loop3/loop3p12");
        assert_string_equal(kit_read(&k, "sys/class/block/loop4"), "../../block/loop4");
        assert_null(kit_read(&k, "sys/block/loop3p1/dev"));
        assert_null(kit_read(&k, "sys/block/loop4/loop3p1/dev"));
        assert_null(kit_read(&k, "sys/class/block/loop5p1"));
        assert_null(kit_read(&k, "sys/block/loop3/loop3p1/queue/rotational"));
        /* Its number names it no more when it has gone. */
        assert_int_equal(view_lookup(k.view, view_tree_node(3), &k.sample, "loop3", &disk), 0);
        assert_int_equal(view_lookup(k.view, disk.node, &k.sample, "loop3p1", &entry), 0);
        view_disks_write(&area, list, 1);
        assert_int_equal(view_kind(k.view, entry.node, &k.sample), -ENOENT);
        assert_int_equal(view_kind(k.view, disk.node, &k.sample), VIEW_DIRECTORY);
}

static void two_files_of_one_directory_make_one_directory(void **state)
{
        struct view_entry cpu, cache, entry;
        unsigned int n = 0, n_cache = 0;

        (void)state;
        assert_int_equal(view_lookup(k.view, view_tree_node(0), &k.sample, "cpu1", &cpu), 0);
        for (size_t i = 0; view_list(k.view, cpu.node, &k.sample, i, &entry) == 1; i++, n++)
                if (strcmp(entry.name, "cache") == 0)
                        n_cache++;
        assert_int_equal(n_cache, 1);
        assert_int_equal(n, 4); /* cache, topology, online, node0 */
        assert_int_equal(view_lookup(k.view, cpu.node, &k.sample, "cache", &cache), 0);
        assert_int_equal(view_lookup(k.view, cache.node, &k.sample, "index0", &entry), 0);
        assert_int_equal(view_list(k.view, entry.node, &k.sample, 1, &cache), 1);
        assert_string_equal(cache.name, "size");
        assert_int_equal(view_list(k.view, entry.node, &k.sample, 2, &cache), 0);
}

static void the_node_has_its_cpus_as_links(void **state)
{
        (void)state;
        assert_string_equal(kit_read(&k, "sys/devices/system/node/node0/cpu2"), "../../cpu/cpu2");
        assert_null(kit_read(&k, "sys/devices/system/node/node0/cpu0"));
        assert_string_equal(kit_read(&k, "sys/devices/system/cpu/cpu2/node0"), "../../node/node0");
}

static void there_are_as_many_blocks_of_memory_as_it_has(void **state)
{
        (void)state;
        assert_string_equal(kit_read(&k, "sys/devices/system/memory/block_size_bytes"), "8000000\n");
        assert_string_equal(kit_read(&k, "sys/devices/system/memory/memory15/state"), "online\n");
        assert_null(kit_read(&k, "sys/devices/system/memory/memory16/state"));
}

static void invented_numbers_name_nothing(void **state)
{
        uint64_t node = 88172645463325252;
        struct view_entry entry;

        (void)state;
        assert_int_equal(view_kind(k.view, 0, &k.sample), -ENOENT);
        assert_int_equal(view_kind(k.view, view_count() + 1, &k.sample), -ENOENT);
        assert_int_equal(view_kind(k.view, UINT64_MAX, &k.sample), -ENOENT);
        assert_int_equal(view_list(k.view, 1, &k.sample, 0, &entry), -ENOTDIR); /* meminfo */
        for (int i = 0; i < 100000; i++) {
                node ^= node << 13, node ^= node >> 7, node ^= node << 17;
                (void)view_read(k.view, node, &k.sample, k.text, sizeof(k.text));
                (void)view_read(k.view, 1ULL << 62 | (node & 0x0f000f00000fff), &k.sample, k.text, sizeof(k.text));
                (void)view_list(k.view, 1ULL << 62 | (node & 0x0f000f00000fff), &k.sample, node >> 60, &entry);
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(masks_of_cpus_follow_the_sample),
                TEST(only_cpus_in_force_have_more_than_a_name),
                TEST(siblings_are_only_those_of_the_partition),
                TEST(a_number_from_before_is_void_when_its_cpu_is_lost),
                TEST(what_is_listed_can_be_looked_up_and_read),
                TEST(what_is_listed_of_its_own_disks_can_be_looked_up_and_read),
                TEST(partitions_stand_below_their_disk_and_beside_it_as_links),
                TEST(two_files_of_one_directory_make_one_directory),
                TEST(the_node_has_its_cpus_as_links),
                TEST(there_are_as_many_blocks_of_memory_as_it_has),
                TEST(invented_numbers_name_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
