/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_module.c - which calls are about modules, and what the kernel says of those that it hasn't.
 */
#include "kernel/module.h"
#include "kernel/notify.h"

#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void calls_are_known_by_the_abi(void **state)
{
        (void)state;
        assert_int_equal(module_call_of(AUDIT_ARCH_X86_64, 175), MODULE_INIT);
        assert_int_equal(module_call_of(AUDIT_ARCH_X86_64, 313), MODULE_FINIT);
        assert_int_equal(module_call_of(AUDIT_ARCH_X86_64, NOTIFY_X32_BIT | 313), MODULE_FINIT);
        assert_int_equal(module_call_of(AUDIT_ARCH_X86_64, NOTIFY_X32_BIT | 176), MODULE_DELETE);
        assert_int_equal(module_call_of(AUDIT_ARCH_I386, 128), MODULE_INIT);
        assert_int_equal(module_call_of(AUDIT_ARCH_I386, 129), MODULE_DELETE);
        assert_int_equal(module_call_of(AUDIT_ARCH_I386, 350), MODULE_FINIT);
        assert_int_equal(module_call_of(AUDIT_ARCH_AARCH64, 273), MODULE_FINIT);
        assert_int_equal(module_call_of(AUDIT_ARCH_I386, 175), 0);
        assert_int_equal(module_call_of(0, 175), 0);
}

static void what_the_kernel_has_not_is_absent(void **state)
{
        struct module_versions versions;

        (void)state;
        assert_int_equal(module_find("no_such_module"), MODULE_ABSENT);
        module_look("no_such_module", &versions);
        assert_true(!versions.build_id[0] && !versions.srcversion[0]);
        assert_int_equal(module_size("no_such_module"), 0);
}

static void what_is_built_in_is_no_module(void **state)
{
        (void)state;
        assert_int_equal(module_find("kernel"), MODULE_BUILT_IN);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(calls_are_known_by_the_abi),
                cmocka_unit_test(what_the_kernel_has_not_is_absent),
                cmocka_unit_test(what_is_built_in_is_no_module),
        };

        return cmocka_run_group_tests_name("module", tests, NULL, NULL);
}
