/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_init_command.c - the `init` property as an argument vector.
 */
#include "base/str.h"
#include "partition/init_command.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *text, const char *const *words)
{
        char **v = NULL;
        size_t n = 0;

        assert_int_equal(init_command(text, true, &v), 0);
        for (; words[n]; n++) {
                assert_non_null(v[n]);
                assert_string_equal(v[n], words[n]);
        }
        assert_null(v[n]);
        strv_free(v);
}

#define EXPECT(text, ...) expect(text, (const char *const[]){__VA_ARGS__, NULL})

static void auto_prefers_the_init_of_the_root(void **state)
{
        char **v = NULL;

        (void)state;
        EXPECT("auto", "/sbin/init");
        assert_int_equal(init_command("auto", false, &v), 0);
        assert_string_equal(v[0], "/run/croft/bin/croft-init");
        assert_null(v[1]);
        strv_free(v);
}

static void croft_is_our_own_init_with_its_arguments(void **state)
{
        (void)state;
        EXPECT("croft", "/run/croft/bin/croft-init");
        EXPECT("croft sleep  7", "/run/croft/bin/croft-init", "sleep", "7");
}

static void quotes_keep_blanks(void **state)
{
        (void)state;
        EXPECT("/bin/sh -c 'echo \"a b\"; exit'", "/bin/sh", "-c", "echo \"a b\"; exit");
        EXPECT("/bin/a \"x y\"z '' \\'", "/bin/a", "x yz", "", "'");
        EXPECT("/bin/a 'back\\slash'", "/bin/a", "back\\slash");
}

static void open_quotes_are_refused(void **state)
{
        char **v = NULL;

        (void)state;
        assert_int_equal(init_command("/bin/a 'b", false, &v), -EINVAL);
        assert_int_equal(init_command("/bin/a \"b", false, &v), -EINVAL);
        assert_int_equal(init_command("/bin/a \\", false, &v), -EINVAL);
        assert_int_equal(init_command("  ", false, &v), -EINVAL);
        assert_null(v);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(auto_prefers_the_init_of_the_root),
                cmocka_unit_test(croft_is_our_own_init_with_its_arguments),
                cmocka_unit_test(quotes_keep_blanks),
                cmocka_unit_test(open_quotes_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
