/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_plane_kept.c - what a program was made from, as a number.  Notes and programs: test_plane_life.sh.
 */
#include "plane/plane_bpf.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint64_t stamp(const char *object, const char *constants)
{
        return plane_kept_stamp(plane_kept_stamp(plane_kept_begin(-1), object, 4), constants, 4);
}

static void the_same_has_the_same_stamp(void **state)
{
        (void)state;
        assert_true(stamp("code", "1234") == stamp("code", "1234"));
}

static void each_part_counts(void **state)
{
        (void)state;
        assert_true(stamp("code", "1234") != stamp("cod3", "1234"));
        assert_true(stamp("code", "1234") != stamp("code", "1235"));
        assert_true(stamp("code", "1234") != stamp("1234", "code"));
}

static void what_is_no_program_is_not_kept(void **state)
{
        (void)state;
        assert_false(plane_kept_is(AT_FDCWD, "nothing", -EBADF, 0));
        assert_false(plane_kept_is(AT_FDCWD, "nothing", 0, 0)); /* standard input */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_same_has_the_same_stamp),
                cmocka_unit_test(each_part_counts),
                cmocka_unit_test(what_is_no_program_is_not_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
