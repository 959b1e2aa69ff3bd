/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_machine.c - families of a new table, and drivers, as far as no kernel is asked.
 */
#include "devid/devid.h"
#include "devid/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_device_has_room_for_the_partitions_that_its_driver_wants(void **state)
{
        (void)state;
        assert_int_equal(machine_shift(0), 0);
        assert_int_equal(machine_shift(1), 1);
        assert_int_equal(machine_shift(15), 4);
        assert_int_equal(machine_shift(16), 5);
        assert_int_equal(machine_shift(255), 8);
        assert_int_equal(machine_shift(1ULL << 40), 8);
}

static void drivers_have_modules_and_others_have_none(void **state)
{
        (void)state;
        assert_string_equal(machine_module_of(DEVID_DMS), "dm-mod");
        assert_true(machine_is_driver(DEVID_ZRAMS) && machine_is_driver(DEVID_NBDS) && machine_is_driver(DEVID_CUSES));
        assert_null(machine_module_of(DEVID_LOOPS));
        assert_false(machine_is_driver(DEVID_CHAR_MAJORS) || machine_is_driver("c60") || machine_is_driver(""));
}

static void until_a_driver_was_looked_at_it_has_no_number_for_anybody(void **state)
{
        static struct devid_family families[MACHINE_FAMILIES];

        (void)state;
        machine_families(families);
        for (size_t i = 0; i < MACHINE_FAMILIES; i++) {
                const struct devid_family *f = &families[i];

                assert_true(strlen(f->name) > 0 && f->count > 0 && f->count <= DEVID_FAMILY_MAX);
                assert_int_equal(f->majors, !(f->flags & DEVID_FAMILY_DRAINS));
                assert_int_equal(machine_is_driver(f->name), (f->flags & DEVID_FAMILY_DRIVER) != 0);
                if (!(f->flags & DEVID_FAMILY_DRIVER))
                        continue;
                assert_true(f->flags & DEVID_FAMILY_ABSENT);
                for (size_t w = 0; w < DEVID_WORDS; w++)
                        assert_true(f->host[w] == ~0ULL);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_device_has_room_for_the_partitions_that_its_driver_wants),
                cmocka_unit_test(drivers_have_modules_and_others_have_none),
                cmocka_unit_test(until_a_driver_was_looked_at_it_has_no_number_for_anybody),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
