/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/cleanup.h"
#include "kstat/own_disks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MAX 4

static const struct own_disk old[] = {{8, 16, 100, "data"}, {7, 3, 0, "loop0"}};

static struct own_disk named(const char *name)
{
        struct own_disk disk = {.major = 8, .minor = 16};

        own_disk_name(&disk, name);
        return disk;
}

static void a_name_that_can_be_a_key_is_kept(void **state)
{
        (void)state;
        assert_string_equal(named("sdb").name, "sdb");
        assert_string_equal(named("mapper/vg-root").name, "mapper/vg-root");
        assert_string_equal(named("a-name-of-just-thirty-one-bytes").name, "a-name-of-just-thirty-one-bytes");
}

static void a_name_that_cannot_gives_way_to_the_number(void **state)
{
        (void)state;
        assert_string_equal(named("").name, "disk8-16");
        assert_string_equal(named("a-name-of-just-thirty-two-bytes-").name, "disk8-16");
        assert_string_equal(named("pci-0000:00:1f.2").name, "disk8-16");
        assert_string_equal(named("two words").name, "disk8-16");
        assert_string_equal(named("l\303\244nge").name, "disk8-16");
}

static void what_is_the_same_stays(void **state)
{
        struct own_disk wanted[] = {old[1], old[0]};
        bool gone[MAX], new[MAX];

        (void)state;
        own_disks_compare(old, 2, wanted, 2, gone, new);
        assert_false(gone[0] || gone[1] || new[0] || new[1]);
}

static void what_is_not_wanted_goes_and_what_was_not_there_comes(void **state)
{
        struct own_disk wanted[] = {old[0], {7, 4, 0, "loop1"}};
        bool gone[MAX], new[MAX];

        (void)state;
        own_disks_compare(old, 2, wanted, 2, gone, new);
        assert_false(gone[0]);
        assert_true(gone[1]);
        assert_false(new[0]);
        assert_true(new[1]);
}

static void one_of_another_name_or_identity_is_another(void **state)
{
        struct own_disk wanted[] = {{8, 16, 101, "data"}, {7, 3, 0, "loop5"}};
        bool gone[MAX], new[MAX];

        (void)state;
        own_disks_compare(old, 2, wanted, 2, gone, new);
        assert_true(gone[0] && gone[1] && new[0] && new[1]);
}

static void a_disk_that_is_wanted_twice_is_there_once(void **state)
{
        struct own_disk wanted[] = {{8, 32, 0, "one"}, {8, 32, 0, "two"}};
        bool new[MAX];

        (void)state;
        own_disks_compare(NULL, 0, wanted, 2, NULL, new);
        assert_true(new[0]);
        assert_false(new[1]);
        assert_string_equal(wanted[0].name, "one");
}

static void of_two_of_one_name_the_second_gets_its_number(void **state)
{
        struct own_disk wanted[] = {{8, 32, 0, "sda"}, {8, 0, 0, "sda"}};
        bool new[MAX];

        (void)state;
        own_disks_compare(NULL, 0, wanted, 2, NULL, new);
        assert_true(new[0] && new[1]);
        assert_string_equal(wanted[0].name, "sda");
        assert_string_equal(wanted[1].name, "disk8-0");
}

static void without_any_nothing_changes(void **state)
{
        bool gone[MAX], new[MAX];

        (void)state;
        own_disks_compare(NULL, 0, NULL, 0, gone, new);
        own_disks_compare(old, 2, NULL, 0, gone, new);
        assert_true(gone[0] && gone[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_name_that_can_be_a_key_is_kept),
                cmocka_unit_test(a_name_that_cannot_gives_way_to_the_number),
                cmocka_unit_test(what_is_the_same_stays),
                cmocka_unit_test(what_is_not_wanted_goes_and_what_was_not_there_comes),
                cmocka_unit_test(one_of_another_name_or_identity_is_another),
                cmocka_unit_test(a_disk_that_is_wanted_twice_is_there_once),
                cmocka_unit_test(of_two_of_one_name_the_second_gets_its_number),
                cmocka_unit_test(without_any_nothing_changes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
