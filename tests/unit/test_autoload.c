/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_autoload.c - what is said of a module that a partition made the kernel look for.
 */
#include "kext/autoload.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void says(const char *alias, const char *sentence)
{
        struct autoload_ask ask = {.partition = 7};
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];

        memcpy(ask.alias, alias, strnlen(alias, sizeof(ask.alias)));
        autoload_say(&ask, &err);
        assert_int_equal(err.code, EPERM);
        assert_string_equal(croft_error_line(&err, line, sizeof(line)), sentence);
}

static void the_module_is_named(void **state)
{
        (void)state;
        says("rtnl-link-dummy",
                "it made the kernel look for module 'rtnl-link-dummy', which it isn't granted (modprobe it to let all "
                "partitions use it)");
}

static void that_there_are_more_is_said(void **state)
{
        (void)state;
        says("", "it made the kernel look for more modules than are listed here");
}

/* The partition chose parts of it, and it needn't end. */
static void a_name_is_bounded_and_escaped(void **state)
{
        (void)state;
        says("fs-\033[2J\n",
                "it made the kernel look for module 'fs-\\x1b[2J\\x0a', which it isn't granted (modprobe it to let all "
                "partitions use it)");
        says("fs-456789012345678901234567890123456789012345678901234567890123",
                "it made the kernel look for module 'fs-45678901234567890123456789012345678901234567890123456', which "
                "it isn't granted (modprobe it to let all partitions use it)");
}

static void what_is_granted_and_refused_for_now_is_said(void **state)
{
        struct autoload_ask ask = {.partition = 7, .alias = "fs-xfs", .fate = AUTOLOAD_LATER};
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];

        (void)state;
        autoload_say(&ask, &err);
        assert_int_equal(err.code, EAGAIN);
        assert_string_equal(croft_error_line(&err, line, sizeof(line)),
                "it made the kernel look for module 'fs-xfs', which it didn't get just then: it has asked too often, "
                "or "
                "for too much at once, or croftd wasn't running");
}

static void names_are_as_keys(void **state)
{
        struct autoload_names names = {.n = 0};
        char longest[AUTOLOAD_ALIAS + 1];

        (void)state;
        memset(longest, '-', AUTOLOAD_ALIAS);
        longest[AUTOLOAD_ALIAS] = '\0';
        assert_int_equal(autoload_names_add(&names, "rtnl-link-dummy"), 0);
        assert_int_equal(autoload_names_add(&names, longest), 0); /* no room for its end */
        assert_int_equal(names.n, 1);
        assert_int_equal(autoload_names_add(&names, longest + 1), 0);
        assert_int_equal(names.n, 2);
        assert_true(autoload_names_has(&names, "rtnl_link_dummy"));
        assert_false(autoload_names_has(&names, "rtnl_link_dumm"));
        assert_false(autoload_names_has(&names, "rtnl-link-dummy"));
        for (size_t i = strlen("rtnl_link_dummy"); i < AUTOLOAD_ALIAS; i++)
                assert_int_equal(names.list[0][i], 0);
        autoload_names_done(&names);
}

static void what_croft_itself_needs_is_a_note(void **state)
{
        struct autoload_ask ask = {.partition = 7, .alias = "nls_\n", .fate = AUTOLOAD_LET};
        char note[AUTOLOAD_NOTE];

        (void)state;
        autoload_note(&ask, note);
        assert_string_equal(note, "the kernel looked for module 'nls_\\x0a' for what croft did for it");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_module_is_named),
                cmocka_unit_test(that_there_are_more_is_said),
                cmocka_unit_test(a_name_is_bounded_and_escaped),
                cmocka_unit_test(what_is_granted_and_refused_for_now_is_said),
                cmocka_unit_test(names_are_as_keys),
                cmocka_unit_test(what_croft_itself_needs_is_a_note),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
