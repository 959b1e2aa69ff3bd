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

static const char before[] = "Character devices:\n  1 mem\n240 old\n\nBlock devices:\n  7 loop\n240 gone\n";

static void drivers_that_have_come_are_those_that_were_not_there(void **state)
{
        static const char after[] =
                "Character devices:\n  1 mem\n240 new\n\nBlock devices:\n  1 mem\n  7 loop\n259 blkext\n";
        struct devid_major list[4];

        (void)state;
        assert_int_equal(devid_majors_added(before, before, list, 4), 0);
        assert_int_equal(devid_majors_added("", "", list, 4), 0);
        assert_int_equal(devid_majors_added(before, after, list, 4), 3);
        assert_true(list[0].type == DEVID_CHAR && list[0].major == 240);
        assert_true(list[1].type == DEVID_BLOCK && list[1].major == 1);
        assert_true(list[2].type == DEVID_BLOCK && list[2].major == 259);
        list[1].major = 4711;
        assert_int_equal(devid_majors_added(before, after, list, 1), 3);
        assert_int_equal(list[1].major, 4711);
}

static void majors_are_written_and_found_again(void **state)
{
        static const struct devid_major list[] = {{DEVID_CHAR, 240}, {DEVID_BLOCK, 24}};
        char text[32];

        (void)state;
        devid_majors_write(list, 0, text, sizeof(text));
        assert_string_equal(text, "");
        assert_false(devid_majors_lists(text, DEVID_CHAR, 240));
        devid_majors_write(list, 2, text, sizeof(text));
        assert_string_equal(text, "char 240, block 24");
        assert_true(devid_majors_lists(text, DEVID_CHAR, 240) && devid_majors_lists(text, DEVID_BLOCK, 24));
        assert_false(devid_majors_lists(text, DEVID_CHAR, 24) || devid_majors_lists(text, DEVID_BLOCK, 240) ||
                     devid_majors_lists(text, DEVID_BLOCK, 2) || devid_majors_lists(text, DEVID_CHAR, 2400));
        devid_majors_write(list, 2, text, 18); /* whole or not at all */
        assert_string_equal(text, "char 240");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_but_those_for_local_use_are_the_machines),
                cmocka_unit_test(a_driver_may_have_taken_one),
                cmocka_unit_test(a_block_driver_is_found_by_its_name),
                cmocka_unit_test(another_form_is_refused),
                cmocka_unit_test(drivers_that_have_come_are_those_that_were_not_there),
                cmocka_unit_test(majors_are_written_and_found_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
