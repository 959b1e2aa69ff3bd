/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cpu_info.c - what /proc/cpuinfo says of a CPU.
 */
#include "base/cleanup.h"
#include "kstat/cpu_info.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char two[] = "processor\t: 0\n"
                          "vendor_id\t: GenuineIntel\n"
                          "cpu family\t: 6\n"
                          "model\t\t: 85\n"
                          "model name\t: Intel(R) Xeon(R) Processor @ 2.60GHz\n"
                          "stepping\t: 7\n"
                          "cpu MHz\t\t: 2599.998\n"
                          "physical id\t: 0\n"
                          "core id\t\t: 3\n"
                          "flags\t\t: fpu vme\n"
                          "\n"
                          "processor\t: 10\n"
                          "vendor_id\t: AuthenticAMD\n"
                          "model\t\t: 1\n"
                          "cpu MHz\t\t: 3000\n";

static void a_cpu_has_what_its_own_block_says(void **state)
{
        struct kstat_data_cpu_info info;

        (void)state;
        cpu_info_parse(two, 0, true, &info);
        assert_string_equal(info.state, "on-line");
        assert_string_equal(info.vendor_id, "GenuineIntel");
        assert_string_equal(info.brand, "Intel(R) Xeon(R) Processor @ 2.60GHz");
        assert_int_equal(info.family, 6);
        assert_int_equal(info.model, 85);
        assert_int_equal(info.stepping, 7);
        assert_int_equal(info.clock_MHz, 2599);
        assert_int_equal(info.current_clock_Hz, 2599998000);
        assert_int_equal(info.chip_id, 0);
        assert_int_equal(info.core_id, 3);
        cpu_info_parse(two, 10, true, &info);
        assert_string_equal(info.vendor_id, "AuthenticAMD");
        assert_int_equal(info.family, 0);
        assert_int_equal(info.current_clock_Hz, 3000000000);
        assert_int_equal(info.core_id, -1);
}

static void one_that_is_not_described_is_empty(void **state)
{
        struct kstat_data_cpu_info info, empty = {.chip_id = -1, .core_id = -1, .state = "off-line"};

        (void)state;
        cpu_info_parse(two, 1, false, &info);
        assert_memory_equal(&info, &empty, sizeof(info));
        cpu_info_parse("", 0, false, &info);
        assert_memory_equal(&info, &empty, sizeof(info));
}

static void long_and_odd_values_stay_within_their_room(void **state)
{
        struct kstat_data_cpu_info info;
        char text[600];

        (void)state;
        (void)snprintf(text, sizeof(text),
                "processor : 0\nvendor_id : %040d\nmodel name : %0300d\ncpu family : 99999999999999\nmodel\nstepping "
                ":\n",
                7, 7);
        cpu_info_parse(text, 0, true, &info);
        assert_int_equal(strlen(info.vendor_id), sizeof(info.vendor_id) - 1);
        assert_int_equal(strlen(info.brand), sizeof(info.brand) - 1);
        assert_int_equal(info.family, 0);
        assert_int_equal(info.model, 0);
        assert_int_equal(info.stepping, 0);
}

static void this_machines_first_cpu_can_be_read(void **state)
{
        struct kstat_data_cpu_info info;

        (void)state;
        cpu_info_read(0, true, &info);
        assert_string_equal(info.state, "on-line");
        assert_true(strlen(info.cpu_type) > 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_cpu_has_what_its_own_block_says),
                cmocka_unit_test(one_that_is_not_described_is_empty),
                cmocka_unit_test(long_and_odd_values_stay_within_their_room),
                cmocka_unit_test(this_machines_first_cpu_can_be_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
