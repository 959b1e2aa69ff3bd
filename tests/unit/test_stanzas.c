/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_stanzas.c - names of stanzas in a property; what files of them may say is in test_devexports.c and test_kexts.c.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "partition/stanzas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void names_are_brought_into_one_form(void **state)
{
        static const char *const good[][2] = {{"a", "a"}, {" a , b-1.x ", "a,b-1.x"}, {"b,a", "b,a"}};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(good); i++) {
                _cleanup_free_ char *normal = NULL, *again = NULL;

                assert_int_equal(property_check_stanzas(good[i][0], &normal, NULL), 0);
                assert_string_equal(normal, good[i][1]);
                assert_int_equal(property_check_stanzas(normal, &again, NULL), 0);
                assert_string_equal(again, normal);
        }
}

static void what_is_no_list_of_names_is_refused(void **state)
{
        static const char *const bad[] = {
                "", ",", " ", "a,a", "a b", "-a", "a:1", "a,\n", "/etc", "abcdefghijklmnopqrstuvwxyz0123456"};
        char many[256] = "x";

        (void)state;
        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                char *untouched = NULL;

                if (property_check_stanzas(bad[i], &untouched, NULL) != -EINVAL || untouched)
                        fail_msg("taken: '%s'", bad[i]);
        }
        for (int i = 0; i < STANZAS_NAMED_MAX; i++)
                (void)snprintf(many + strlen(many), sizeof(many) - strlen(many), ",s%d", i);
        assert_int_equal(property_check_stanzas(many, &(char *){NULL}, NULL), -EINVAL);
}

static void each_name_is_found(void **state)
{
        const char *at = "a,bc";
        char name[STANZAS_NAME_MAX + 1];

        (void)state;
        assert_true(stanzas_next_name(&at, name));
        assert_string_equal(name, "a");
        assert_true(stanzas_next_name(&at, name));
        assert_string_equal(name, "bc");
        assert_false(stanzas_next_name(&at, name));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_brought_into_one_form),
                cmocka_unit_test(what_is_no_list_of_names_is_refused),
                cmocka_unit_test(each_name_is_found),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
