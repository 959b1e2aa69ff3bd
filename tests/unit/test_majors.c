/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_majors.c - which majors are the machine's.
 */
#include "devid/majors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool has(const __u64 words[DEVID_WORDS], unsigned int n)
{
        return words[n / 64] >> n % 64 & 1;
}

static void all_but_those_for_local_use_are_the_machines(void **state)
{
        struct devid_majors majors;
        unsigned int free_ones = 0;

        (void)state;
        assert_true(devid_majors_read("Character devices:\n  1 mem\n\nBlock devices:\n  7 loop\n", &majors));
        for (unsigned int n = 0; n < DEVID_FAMILY_MAX; n++)
                free_ones += !has(majors.of_char, n);
        assert_int_equal(free_ones, 12);
        assert_false(has(majors.of_char, 60) || has(majors.of_block, 63) || has(majors.of_char, 127));
        assert_true(has(majors.of_char, 240) && has(majors.of_block, 7) && has(majors.of_char, 64));
}

static void a_driver_may_have_taken_one(void **state)
{
        struct devid_majors majors;

        (void)state;
        assert_true(devid_majors_read(
                "Character devices:\n 61 odd\n511 ptmx\n99999 beyond\n\nBlock devices:\n120 md\n259 blkext\n",
                &majors));
        assert_true(has(majors.of_char, 61) && has(majors.of_block, 120));
        assert_false(has(majors.of_block, 61) || has(majors.of_char, 120));
}

static void another_form_is_refused(void **state)
{
        static const char *const texts[] = {"", "  1 mem\n", "Character devices:\n  1 mem\n",
                "Character devices:\nmem 1\n\nBlock devices:\n", "Character devices:\n  1\n\nBlock devices:\n"};
        struct devid_majors majors;

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
                assert_false(devid_majors_read(texts[i], &majors));
}

static void a_block_driver_is_found_by_its_name(void **state)
{
        static const char text[] = "Character devices:\n 10 misc\n 43 zram\n\nBlock devices:\n  7 loop\n 43 nbd\n253 "
                                   "device-mapper\n254 zram\n99999 beyond\n";
        uint32_t major = 0;

        (void)state;
        assert_true(devid_majors_find(text, "nbd", &major));
        assert_int_equal(major, 43);
        assert_true(devid_majors_find(text, "device-mapper", &major));
        assert_int_equal(major, 253);
        assert_true(devid_majors_find(text, "zram", &major)); /* not the one of character devices */
        assert_int_equal(major, 254);
        assert_false(devid_majors_find(text, "misc", &major) || devid_majors_find(text, "device", &major) ||
                     devid_majors_find(text, "mapper", &major) || devid_majors_find(text, "beyond", &major) ||
                     devid_majors_find("", "loop", &major) || devid_majors_find("Block devices:", "loop", &major));
        assert_int_equal(major, 254);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_but_those_for_local_use_are_the_machines),
                cmocka_unit_test(a_driver_may_have_taken_one),
                cmocka_unit_test(a_block_driver_is_found_by_its_name),
                cmocka_unit_test(another_form_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
