/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kext_requests.c - by which names the kernel asks for modules, out of what depmod(8) has written.
 */
#include "base/fd.h"
#include "kext/kext.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/croft-requests-XXXXXX";

static void collect(void *context, const char *alias)
{
        char *all = context;

        (void)strcat(strcat(all, alias), " ");
}

/* What the kernel may ask for to get that module; text: of modules.alias, NULL: there is none. */
static void asks(const char *text, const char *module, const char *expected)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct kext_requests *r = NULL;
        char path[64], all[1024] = "";

        (void)snprintf(path, sizeof(path), "%s/modules.alias", directory);
        (void)unlink(path);
        if (text) {
                FILE *f = fopen(path, "we");

                assert_non_null(f);
                assert_true(fputs(text, f) >= 0);
                assert_int_equal(fclose(f), 0);
        }
        assert_int_equal(kext_requests_read(directory, &r, &err), 0);
        kext_requests_each(r, module, collect, all);
        assert_string_equal(all, expected);
        r = kext_requests_free(r);
        assert_null(r);
}

static void a_module_is_asked_for_by_its_aliases(void **state)
{
        (void)state;
        asks("# Aliases extracted from modules themselves.\n"
             "alias rtnl-link-t-dummy t_dummy\n"
             "alias fs-t-xfs t_xfs\n"
             "alias net-t-38 t_dummy\n",
                "t_dummy", "t_dummy rtnl_link_t_dummy net_t_38 ");
}

static void and_by_its_name(void **state)
{
        (void)state;
        asks("alias fs-t-xfs t_xfs\n", "t_dummy", "t_dummy ");
        asks(NULL, "t_dummy", "t_dummy ");
}

static void what_udev_looks_for_is_left_out(void **state)
{
        (void)state;
        asks("alias pci:v00008086d* t_one\nalias char-major-10-* t_one\nalias devname:t-one t_one\nalias t?[a] t_one\n"
             "alias char-major-10-200 t_one\n",
                "t_one", "t_one char_major_10_200 ");
}

static void odd_lines_are_nothing(void **state)
{
        (void)state;
        asks("alias\nalias a\n\n   \nAlias b t_one\nalias  c  t_one\nalias d t/one\nalias e t_one f\n"
             "alias 56789012345678901234567890123456789012345678901234567890 t_one\n"
             "alias 5678901234567890123456789012345678901234567890123456789 t_one",
                "t_one", "t_one c e 5678901234567890123456789012345678901234567890123456789 ");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_module_is_asked_for_by_its_aliases),
                cmocka_unit_test(and_by_its_name),
                cmocka_unit_test(what_udev_looks_for_is_left_out),
                cmocka_unit_test(odd_lines_are_nothing),
        };
        int r;

        if (!mkdtemp(directory))
                return 1;
        r = cmocka_run_group_tests(tests, NULL, NULL);
        (void)fd_remove_tree(AT_FDCWD, directory, NULL);
        return r;
}
