/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view_shown.c - which block devices a partition sees: those it has used, and its own by their names inside.
 */
#include "base/cleanup.h"
#include "kstat/view_disks.h"
#include "kstat/view_private.h"
#include "view_kit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HEAD "major minor  #blocks  name\n\n"
#define SDB "   8       16    1048576 sdb\n"

static struct kit k;
static struct view_disks area, exported;

static int begin(void **state)
{
        (void)state;
        memset(&area, 0, sizeof(area));
        memset(&exported, 0, sizeof(exported));
        kit_begin(&k);
        k.sample.n_disks = 2;
        k.sample.disks[0] = (struct kstat_sample_disk){7, 9, 3, 4096, 5, 1024};
        k.sample.disks[1] = (struct kstat_sample_disk){8, 16, 3, 4096, 5, 1024};
        return 0;
}

static int end(void **state)
{
        (void)state;
        kit_end(&k);
        return 0;
}

static void use(void)
{
        assert_int_equal(view_use_disks(k.view, VIEW_LOOPS, &area), 0);
}

static struct view_disk loop(unsigned int inside, uint32_t minor)
{
        struct view_disk disk = {.major = 7, .minor = minor, .sectors = 2 * minor, .flags = VIEW_DISK_LOOP};

        (void)snprintf(disk.name, sizeof(disk.name), "loop%u", inside);
        return disk;
}

/* (DEV-14) */
static void its_own_devices_are_there_by_their_names_inside(void **state)
{
        const struct view_disk list[] = {loop(0, 9), loop(1, 4)};

        (void)state;
        use();
        view_disks_write(&area, list, 2);
        assert_string_equal(kit_read(&k, "proc/partitions"),
                HEAD SDB "   7        9          9 loop0\n   7        4          4 loop1\n");
        assert_string_equal(kit_read(&k, "sys/block/loop0/dev"), "7:9\n");
        assert_string_equal(kit_read(&k, "sys/class/block/loop1"), "../../block/loop1");
        assert_string_equal(kit_read(&k, "sys/dev/block/7:9"), "../../block/loop0");
        assert_null(kit_read(&k, "sys/block/loop9/dev"));
        assert_null(kit_read(&k, "sys/dev/block/7:0"));
}

static void what_it_has_done_on_them_stands_beside_their_names(void **state)
{
        const struct view_disk list[] = {loop(0, 9), loop(1, 4)};

        (void)state;
        use();
        view_disks_write(&area, list, 2);
        assert_string_equal(kit_read(&k, "sys/block/loop0/stat"), "3 0 8 0 5 0 2 0 0 0 0 0 0 0 0 0 0\n");
        assert_string_equal(kit_read(&k, "sys/block/loop1/stat"), "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
        assert_string_equal(kit_read(&k, "proc/diskstats"), "   8      16 sdb 3 0 8 0 5 0 2 0 0 0 0 0 0 0 0 0 0\n"
                                                            "   7       9 loop0 3 0 8 0 5 0 2 0 0 0 0 0 0 0 0 0 0\n");
}

static void one_that_is_unbound_is_gone_though_it_was_used(void **state)
{
        const struct view_disk disk = loop(0, 9);
        struct view_entry before;

        (void)state;
        use();
        view_disks_write(&area, &disk, 1);
        for (size_t i = 0; i < view_tree_count(); i++)
                if (strcmp(view_tree_path(i), "sys/block") == 0)
                        assert_int_equal(view_lookup(k.view, view_tree_node(i), &k.sample, "loop0", &before), 0);
        view_disks_write(&area, NULL, 0);
        assert_string_equal(kit_read(&k, "proc/partitions"), HEAD SDB);
        assert_null(kit_read(&k, "sys/block/loop0/dev"));
        assert_null(kit_read(&k, "sys/block/loop9/dev"));
        assert_null(kit_read(&k, "sys/dev/block/7:9"));
        assert_int_equal(view_kind(k.view, before.node, &k.sample), -ENOENT);
        assert_null(strstr(kit_read(&k, "proc/diskstats"), "loop"));
        kit_pass(&k, SEC); /* the kernel may still count what was done on it */
        assert_null(strstr(kit_read(&k, "proc/diskstats"), "loop"));
        assert_null(kit_read(&k, "sys/dev/block/7:9"));
}

static void what_was_shown_of_another_device_of_that_number_is_forgotten(void **state)
{
        const struct view_disk first = loop(0, 9), second = loop(1, 9);

        (void)state;
        use();
        view_disks_write(&area, &first, 1);
        assert_non_null(kit_read(&k, "proc/diskstats"));
        view_disks_write(&area, NULL, 0);
        assert_non_null(kit_read(&k, "proc/diskstats"));
        view_disks_write(&area, &second, 1);
        kit_pass(&k, SEC);
        k.sample.disks[0] = (struct kstat_sample_disk){7, 9, 1, 512, 0, 0};
        assert_string_equal(kit_read(&k, "sys/block/loop1/stat"), "1 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
}

static void devices_that_come_and_go_do_not_use_up_the_room_for_figures(void **state)
{
        (void)state;
        use();
        for (uint32_t i = 100; i < 100 + 2 * KSTAT_SAMPLE_DISKS; i++) {
                const struct view_disk disk = loop(0, i);

                view_disks_write(&area, &disk, 1);
                kit_pass(&k, SEC);
                k.sample.disks[0] = (struct kstat_sample_disk){7, i, 1, 512, 0, 0};
                assert_string_equal(kit_read(&k, "sys/block/loop0/stat"), "1 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
        }
}

static void the_machines_loop_device_takes_no_name_of_its_own_ones(void **state)
{
        const struct view_disk disk = loop(0, 4);

        (void)state;
        k.sample.disks[0].minor = 0; /* the machine's loop0 has its files, say */
        assert_string_equal(kit_read(&k, "sys/block/loop0/dev"), "7:0\n");
        use();
        view_disks_write(&area, &disk, 1);
        assert_string_equal(kit_read(&k, "sys/block/loop0/dev"), "7:4\n");
        assert_null(kit_read(&k, "sys/dev/block/7:0"));
}

/* Facts are of the time when they were collected: there may have been a loop device of that number then. */
static void what_the_host_had_by_that_number_does_not_matter(void **state)
{
        struct view_disk disk = loop(3, 16);

        (void)state;
        disk.major = 8; /* of which the kit's facts know that it is sdb */
        use();
        view_disks_write(&area, &disk, 1);
        assert_string_equal(kit_read(&k, "proc/partitions"), HEAD "   8       16         16 loop3\n");
        assert_string_equal(kit_read(&k, "sys/block/loop3/size"), "32\n");
}

static void who_meets_a_writer_shows_what_it_had(void **state)
{
        const struct view_disk disk = loop(0, 9), other = loop(1, 4);

        (void)state;
        use();
        view_disks_write(&area, &disk, 1);
        assert_string_equal(kit_read(&k, "sys/block/loop0/dev"), "7:9\n");
        view_disks_write(&area, &other, 1);
        area.head.sequence++;
        assert_string_equal(kit_read(&k, "sys/block/loop0/dev"), "7:9\n");
        area.head.sequence++;
        assert_null(kit_read(&k, "sys/block/loop0/dev"));
        assert_string_equal(kit_read(&k, "sys/block/loop1/dev"), "7:4\n");
}

static void a_list_of_its_own_goes_on_with_its_next_warden(void **state)
{
        const struct view_disk disk = loop(0, 9);

        (void)state;
        use();
        view_disks_write(&area, &disk, 1);
        assert_string_equal(kit_read(&k, "sys/block/loop0/dev"), "7:9\n");
        kit_successor(&k);
        use();
        assert_true(view_has_disks(k.view, VIEW_LOOPS));
        assert_string_equal(kit_read(&k, "sys/block/loop0/dev"), "7:9\n");
}

static void directories_keep_their_order_when_a_device_is_used(void **state)
{
        const struct view_disk list[] = {loop(0, 4), loop(1, 9), loop(2, 5)};
        struct view_entry entry;

        (void)state;
        use();
        view_disks_write(&area, list, 3);
        for (int round = 0; round < 2; round++) {
                assert_int_equal(view_list(k.view, view_tree_node(3), &k.sample, 1, &entry), 1);
                assert_string_equal(entry.name, "loop0");
                assert_int_equal(view_list(k.view, view_tree_node(3), &k.sample, 3, &entry), 1);
                assert_string_equal(entry.name, "loop2");
                assert_int_equal(view_list(k.view, view_tree_node(3), &k.sample, 4, &entry), 0);
                kit_pass(&k, SEC);
                k.sample.disks[0].minor = 5;
        }
}

static void its_own_devices_stand_as_they_are_counted_inside(void **state)
{
        const struct view_disk list[] = {loop(10, 4), loop(2, 5), loop(0, 6)};

        (void)state;
        use();
        view_disks_write(&area, list, 3);
        assert_string_equal(kit_read(&k, "proc/partitions"), HEAD SDB
                "   7        6          6 loop0\n   7        5          5 loop2\n   7        4          4 loop10\n");
}

static void nodes_that_tell_of_disks_are_known(void **state)
{
        struct view_entry entry;
        uint64_t cpus = view_tree_node(0), disks = view_tree_node(3);

        (void)state;
        for (size_t i = 0; i < view_count(); i++)
                assert_int_equal(view_tells_disks(i + 1), strcmp(view_path(i), "proc/partitions") == 0);
        assert_string_equal(view_tree_path(3), "sys/block");
        assert_false(view_tells_disks(cpus));
        assert_true(view_tells_disks(disks));
        assert_int_equal(view_lookup(k.view, cpus, &k.sample, "cpu1", &entry), 0);
        assert_false(view_tells_disks(entry.node));
        assert_int_equal(view_lookup(k.view, disks, &k.sample, "sdb", &entry), 0);
        assert_true(view_tells_disks(entry.node));
        assert_int_equal(view_lookup(k.view, entry.node, &k.sample, "queue", &entry), 0);
        assert_int_equal(view_lookup(k.view, entry.node, &k.sample, "rotational", &entry), 0);
        assert_true(view_tells_disks(entry.node));
        assert_false(view_tells_disks(0));
        assert_false(view_tells_disks(UINT64_MAX));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* --- exported ones --- */

static void use_exports(void)
{
        assert_int_equal(view_use_disks(k.view, VIEW_EXPORTS, &exported), 0);
}

static struct view_disk export(const char *name, uint32_t minor)
{
        struct view_disk disk = {.major = 8, .minor = minor, .sectors = 2048};

        (void)snprintf(disk.name, sizeof(disk.name), "%s", name);
        return disk;
}

/* (KST-43) */
static void an_exported_disk_is_there_by_its_name_inside(void **state)
{
        const struct view_disk list[] = {export("mapper!data", 16), export("spare", 48)};

        (void)state;
        use_exports();
        view_disks_write(&exported, list, 2);
        assert_string_equal(kit_read(&k, "proc/partitions"),
                HEAD "   8       16       1024 mapper!data\n   8       48       1024 spare\n");
        assert_string_equal(kit_read(&k, "sys/block/mapper!data/stat"), "3 0 8 0 5 0 2 0 0 0 0 0 0 0 0 0 0\n");
        assert_string_equal(
                kit_read(&k, "sys/block/mapper!data/uevent"), "MAJOR=8\nMINOR=16\nDEVNAME=mapper/data\nDEVTYPE=disk\n");
        assert_string_equal(kit_read(&k, "sys/dev/block/8:48"), "../../block/spare");
        assert_null(kit_read(&k, "sys/block/sdb/dev"));
        assert_non_null(strstr(kit_read(&k, "proc/diskstats"), "   8      16 mapper!data 3 0 8 0 5 0 2 0"));
        assert_null(strstr(kit_read(&k, "proc/diskstats"), "spare"));
}

static void one_that_is_taken_back_is_gone(void **state)
{
        const struct view_disk disk = export("spare", 48);

        (void)state;
        use_exports();
        view_disks_write(&exported, &disk, 1);
        assert_string_equal(kit_read(&k, "sys/block/spare/dev"), "8:48\n");
        view_disks_write(&exported, NULL, 0);
        assert_null(kit_read(&k, "sys/block/spare/dev"));
        assert_null(kit_read(&k, "sys/dev/block/8:48"));
}

static void it_may_have_the_name_of_another_that_is_used(void **state)
{
        const struct view_disk disk = export("sdb", 48);

        (void)state;
        use_exports();
        view_disks_write(&exported, &disk, 1);
        assert_string_equal(kit_read(&k, "sys/block/sdb/dev"), "8:48\n");
        assert_string_equal(kit_read(&k, "sys/block/disk8-16/dev"), "8:16\n");
}

static void those_with_the_number_or_name_of_a_loop_device_of_its_own_are_left_out(void **state)
{
        const struct view_disk mine = loop(0, 4), list[] = {export("loop0", 48), export("other", 64)};

        (void)state;
        use();
        use_exports();
        view_disks_write(&area, &mine, 1);
        view_disks_write(&exported, list, 2);
        assert_string_equal(kit_read(&k, "sys/block/loop0/dev"), "7:4\n");
        assert_null(kit_read(&k, "sys/dev/block/8:48"));
        assert_string_equal(kit_read(&k, "sys/block/other/dev"), "8:64\n");
}

static void without_loop_devices_of_its_own_the_machines_show_as_before(void **state)
{
        (void)state;
        use_exports();
        assert_string_equal(kit_read(&k, "sys/block/loop9/dev"), "7:9\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(its_own_devices_are_there_by_their_names_inside),
                TEST(what_it_has_done_on_them_stands_beside_their_names),
                TEST(one_that_is_unbound_is_gone_though_it_was_used),
                TEST(what_was_shown_of_another_device_of_that_number_is_forgotten),
                TEST(devices_that_come_and_go_do_not_use_up_the_room_for_figures),
                TEST(the_machines_loop_device_takes_no_name_of_its_own_ones),
                TEST(what_the_host_had_by_that_number_does_not_matter),
                TEST(who_meets_a_writer_shows_what_it_had),
                TEST(a_list_of_its_own_goes_on_with_its_next_warden),
                TEST(directories_keep_their_order_when_a_device_is_used),
                TEST(its_own_devices_stand_as_they_are_counted_inside),
                TEST(nodes_that_tell_of_disks_are_known),
                TEST(an_exported_disk_is_there_by_its_name_inside),
                TEST(one_that_is_taken_back_is_gone),
                TEST(it_may_have_the_name_of_another_that_is_used),
                TEST(those_with_the_number_or_name_of_a_loop_device_of_its_own_are_left_out),
                TEST(without_loop_devices_of_its_own_the_machines_show_as_before),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
