/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view_counts.c - what the kernel counts for the whole machine has its form and nothing of the machine.
 */
#include "view_kit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct kit k;

static void counts_of_the_machine_are_zero_in_the_right_form(void **state)
{
        (void)state;
        kit_begin(&k);
        assert_string_equal(kit_read(&k, "proc/sys/kernel/pty/nr"), "0\n");
        assert_string_equal(kit_read(&k, "proc/sys/fs/aio-nr"), "0\n");
        assert_string_equal(kit_read(&k, "proc/sys/fs/file-nr"), "0\t0\t9223372036854775807\n");
        assert_string_equal(kit_read(&k, "proc/sys/fs/inode-nr"), "0\t0\n");
        assert_string_equal(kit_read(&k, "proc/sys/fs/inode-state"), "0\t0\t0\t0\t0\t0\t0\n");
        assert_string_equal(kit_read(&k, "proc/sys/fs/dentry-state"), "0\t0\t45\t0\t0\t0\n");
        kit_end(&k);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(counts_of_the_machine_are_zero_in_the_right_form)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
