/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cpus.c - sets of CPUs: what is a list, its normal form, arithmetic.
 */
#include "base/cleanup.h"
#include "kernel/cpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *text, const char *normal)
{
        _cleanup_free_ char *got = NULL;
        struct cpus cpus;

        if (!normal) {
                if (cpus_parse(text, &cpus))
                        fail_msg("'%s' was taken", text);
                return;
        }
        if (!cpus_parse(text, &cpus))
                fail_msg("'%s' was refused", text);
        got = cpus_format(&cpus);
        assert_string_equal(got, normal);
}

static void lists_have_a_normal_form(void **state)
{
        (void)state;
        expect("", "");
        expect("0", "0");
        expect("3,1,2,0-1", "0-3");
        expect("0-1,1-2,5,7", "0-2,5,7");
        expect("63,64", "63-64");
        expect("8191,0,5-6", "0,5-6,8191");
        expect("0-8191", "0-8191");
}

static void what_is_no_list_is_refused(void **state)
{
        static const char *const wrong[] = {"a", "1,", ",1", "1,,2", "3-1", "1-", "-1", "8192", "0-8192", "99999999999",
                "1 2", " 1", "1\n", "0x1", "1-2-3"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(wrong); i++)
                expect(wrong[i], NULL);
}

static void a_refused_list_leaves_the_set_alone(void **state)
{
        struct cpus cpus;

        (void)state;
        assert_true(cpus_parse("7", &cpus));
        assert_false(cpus_parse("1,x", &cpus));
        assert_true(cpus_has(&cpus, 7));
        assert_int_equal(cpus_count(&cpus), 1);
}

static void sets_are_joined_cut_and_compared(void **state)
{
        struct cpus a, b, both, either, only, none;

        (void)state;
        assert_true(cpus_parse("0-3,100", &a) && cpus_parse("2-5", &b) && cpus_parse("", &none));
        both = cpus_and(&a, &b);
        either = cpus_or(&a, &b);
        only = cpus_without(&a, &b);
        assert_int_equal(cpus_count(&both), 2);
        assert_int_equal(cpus_count(&either), 7);
        assert_true(cpus_has(&only, 0) && cpus_has(&only, 1) && cpus_has(&only, 100) && cpus_count(&only) == 3);
        assert_true(cpus_intersect(&a, &b));
        assert_false(cpus_intersect(&only, &b));
        assert_false(cpus_intersect(&none, &a));
        assert_true(cpus_is_empty(&none) && !cpus_is_empty(&only));
        assert_true(cpus_equal(&a, &a) && !cpus_equal(&a, &b));
}

static void numbers_beyond_the_largest_are_in_no_set(void **state)
{
        struct cpus all;

        (void)state;
        assert_true(cpus_parse("0-8191", &all));
        assert_true(cpus_has(&all, CPUS_MAX - 1));
        assert_false(cpus_has(&all, CPUS_MAX));
        cpus_add(&all, CPUS_MAX);
        assert_int_equal(cpus_count(&all), CPUS_MAX);
}

static void this_machine_has_cpus_and_some_run(void **state)
{
        struct cpus present, online;

        (void)state;
        assert_int_equal(cpus_read("present", &present, NULL), 0);
        assert_int_equal(cpus_read("online", &online, NULL), 0);
        assert_false(cpus_is_empty(&online));
        online = cpus_without(&online, &present);
        assert_true(cpus_is_empty(&online));
        assert_int_equal(cpus_read("imagined", &present, NULL), -ENOENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lists_have_a_normal_form),
                cmocka_unit_test(what_is_no_list_is_refused),
                cmocka_unit_test(a_refused_list_leaves_the_set_alone),
                cmocka_unit_test(sets_are_joined_cut_and_compared),
                cmocka_unit_test(numbers_beyond_the_largest_are_in_no_set),
                cmocka_unit_test(this_machine_has_cpus_and_some_run),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
