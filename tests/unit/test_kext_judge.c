/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kext_judge.c - which partition may be given which bytes, with which parameters.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "kext/kext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct kext_record brd = {.identity = {.name = "brd"}, .generation = 2, .state = KEXT_CURRENT};
static const struct kext_grant grants[] = {
        {.name = KEXT_ALL}, {.name = "brd", .parameters = "rd_nr,rd_size=4096"}, {.name = "dummy", .local = true}};

static int judge(const struct kext_record *record, size_t n, const char *given)
{
        return kext_judge(record, grants + 1, n, "web", given, NULL, NULL);
}

static void without_a_grant_nothing_is_given(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(kext_judge(&brd, NULL, 0, "web", "", NULL, &err), -EPERM);
        assert_string_equal(croft_error_cause(&err, 0), "'web' isn't granted 'brd'");
        assert_int_equal(judge(&brd, 1, ""), 0);
}

static void bytes_that_are_not_registered_are_not_equivalent(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(kext_judge(NULL, grants, ELEMENTS(grants), "web", "", NULL, &err), -EILSEQ);
        assert_int_equal(croft_error_exit(&err), CROFT_EXIT_NOT_EQUIVALENT);
}

static void a_grant_for_the_name_goes_before_one_for_all(void **state)
{
        const struct kext_record other = {.identity = {.name = "other"}, .state = KEXT_CURRENT};
        const struct kext_grant *grant = NULL;

        (void)state;
        assert_int_equal(kext_judge(&brd, grants, ELEMENTS(grants), "web", "", &grant, NULL), 0);
        assert_string_equal(grant->name, "brd");
        assert_int_equal(kext_judge(&other, grants, ELEMENTS(grants), "web", "", &grant, NULL), 0);
        assert_string_equal(grant->name, KEXT_ALL);
        assert_int_equal(judge(&other, 2, ""), -EPERM);
}

static void old_and_revoked_ones_are_not_given(void **state)
{
        const struct kext_grant keeps = {.name = "brd", .previous = true};
        struct kext_record record = brd;

        (void)state;
        record.state = KEXT_SUPERSEDED;
        assert_int_equal(judge(&record, 2, ""), -ESTALE);
        record.previous = true;
        assert_int_equal(judge(&record, 2, ""), -ESTALE);
        assert_int_equal(kext_judge(&record, &keeps, 1, "web", "", NULL, NULL), 0);
        record.previous = false;
        assert_int_equal(kext_judge(&record, &keeps, 1, "web", "", NULL, NULL), -ESTALE);
        record.previous = true;
        record.state = KEXT_REVOKED;
        assert_int_equal(kext_judge(&record, &keeps, 1, "web", "", NULL, NULL), -EPERM);
        record.state = 9; /* of a newer croft */
        assert_int_equal(judge(&record, 2, ""), -ESTALE);
}

static void parameters_are_those_that_are_allowed(void **state)
{
        static const char *const good[] = {
                "", " ", "rd_nr=1", "rd_nr", "rd_size=4096", "rd_nr=1 rd_size=4096", "\trd_nr=\n"};
        static const char *const bad[] = {"rd_size", "rd_size=4097", "rd_size=40960", "rd_size=409", "max_part=1",
                "rd_n=1", "rd_nr=1 max_part=1", "=1", "rd_nr\"=1\"", "rd_nr=\"1 max_part=1\"", "rd_nr=1\vmax_part=1",
                "rd_nr=1\xa0max_part=1", "rd_nr=1\rmax_part=1", "-- rd_nr=1", "rd_nrs=1", "rd-nr=1", ",",
                "rd_nr,rd_size=4096"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(good); i++)
                if (judge(&brd, 2, good[i]) != 0)
                        fail_msg("refused: '%s'", good[i]);
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                if (judge(&brd, 2, bad[i]) != -EPERM)
                        fail_msg("taken: '%s'", bad[i]);
}

static void an_object_takes_no_parameters(void **state)
{
        struct kext_record record = brd;
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        record.identity.kind = KEXT_BPF;
        assert_int_equal(judge(&record, 2, ""), 0);
        assert_int_equal(judge(&record, 2, " \n"), 0);
        assert_int_equal(kext_judge(&record, grants, ELEMENTS(grants), "web", "rd_nr=1", NULL, &err), -EPERM);
        assert_string_equal(croft_error_cause(&err, 0), "a BPF object takes no parameters");
}

static void any_grant_of_its_name_lets_it(void **state)
{
        const struct kext_grant two[] = {{.name = "brd"}, {.name = "brd", .parameters = "rd_nr", .stanza = "disks"},
                {.name = KEXT_ALL, .parameters = "max_part"}},
                                *grant = NULL;
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(kext_judge(&brd, two, 3, "web", "", &grant, &err), 0);
        assert_ptr_equal(grant, &two[0]);
        assert_int_equal(kext_judge(&brd, two, 3, "web", "rd_nr=1", &grant, &err), 0);
        assert_ptr_equal(grant, &two[1]);
        assert_int_equal(err.code, 0);
        assert_int_equal(kext_judge(&brd, two, 3, "web", "max_part=1", &grant, &err), -EPERM); /* there is its name */
        assert_string_equal(croft_error_cause(&err, 0), "the parameter 'max_part=1' isn't allowed");
        assert_int_equal(kext_judge(&brd, &two[2], 1, "web", "max_part=1", &grant, &err), 0);
}

static void what_takes_majors_is_given_to_who_is_granted_that(void **state)
{
        const struct kext_grant plain = {.name = "brd"}, major = {.name = "brd", .major = true};
        struct kext_record record = brd;
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(kext_judge(&record, &plain, 1, "web", "", NULL, NULL), 0);
        record.identity.takes_major = true;
        assert_int_equal(kext_judge(&record, &plain, 1, "web", "", NULL, &err), -EPERM);
        assert_string_equal(
                croft_error_cause(&err, 0), "'brd' takes majors of devices, and 'web' isn't granted that with it");
        assert_int_equal(kext_judge(&record, &major, 1, "web", "", NULL, NULL), 0);
}

static void what_is_needed_takes_majors_for_who_is_granted_that(void **state)
{
        const struct kext_record all[] = {
                {.identity = {.name = "mtd", .vermagic = "6.1 SMP", .takes_major = true}, .state = KEXT_CURRENT},
                {.identity = {.name = "mtdblock", .depends = "mtd", .vermagic = "6.1 SMP"}, .state = KEXT_CURRENT}};
        struct kext_grant grant = {.name = "mtdblock"};

        (void)state;
        assert_false(kext_is_needed(all, ELEMENTS(all), &grant, 1, &all[0]));
        grant.major = true;
        assert_true(kext_is_needed(all, ELEMENTS(all), &grant, 1, &all[0]));
}

static bool needed(const char *name, const struct kext_record *all, size_t n)
{
        const struct kext_grant grant = {.name = "br_netfilter"};
        struct kext_record record = {.identity = {.vermagic = "6.1 SMP"}, .state = KEXT_CURRENT};

        (void)str_copy(record.identity.name, sizeof(record.identity.name), name);
        return kext_is_needed(all, n, &grant, 1, &record);
}

static void what_a_granted_one_needs_is_granted_with_it(void **state)
{
        struct kext_record all[] = {
                {.identity = {.name = "llc", .vermagic = "6.1 SMP"}, .state = KEXT_CURRENT},
                {.identity = {.name = "stp", .depends = "llc", .vermagic = "6.1 SMP"}, .state = KEXT_CURRENT},
                {.identity = {.name = "bridge", .depends = "stp,llc", .vermagic = "6.1 SMP"}, .state = KEXT_CURRENT},
                {.identity = {.name = "br_netfilter", .depends = "bridge", .vermagic = "6.1 SMP"},
                        .state = KEXT_CURRENT},
                {.identity = {.name = "dummy", .depends = "br_netfilter", .vermagic = "6.1 SMP"},
                        .state = KEXT_CURRENT},
        };

        (void)state;
        assert_true(needed("llc", all, ELEMENTS(all)));
        assert_true(needed("bridge", all, ELEMENTS(all)));
        assert_false(needed("dummy", all, ELEMENTS(all)));
        assert_false(needed("other", all, ELEMENTS(all)));
        (void)str_copy(all[0].identity.depends, sizeof(all[0].identity.depends), "br_netfilter"); /* round and round */
        assert_true(needed("stp", all, ELEMENTS(all)));
        all[2].state = KEXT_SUPERSEDED; /* what an old one needed */
        assert_false(needed("llc", all, ELEMENTS(all)));
        all[2].state = KEXT_CURRENT;
        (void)str_copy(all[3].identity.vermagic, sizeof(all[3].identity.vermagic), "6.2 SMP"); /* for another kernel */
        assert_false(needed("bridge", all, ELEMENTS(all)));
}

static void a_list_of_parameters_is_names_and_values(void **state)
{
        static const char *const bad[] = {
                ",", "a,", ",a", "a,,b", "=1", "a=", "a b", "a=\"x\"", "a-b", "a=\n", "a.b=1"};
        char normal[KEXT_PARAMETERS_MAX + 1], large[KEXT_PARAMETERS_MAX + 2];

        (void)state;
        assert_int_equal(kext_parameters_check("", normal, NULL), 0);
        assert_string_equal(normal, "");
        assert_int_equal(kext_parameters_check("rd_nr,rd_size=4096,x=/dev/y:1", normal, NULL), 0);
        assert_string_equal(normal, "rd_nr,rd_size=4096,x=/dev/y:1");
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                if (kext_parameters_check(bad[i], normal, NULL) != -EINVAL)
                        fail_msg("taken: '%s'", bad[i]);
        memset(large, 'a', sizeof(large) - 1);
        large[sizeof(large) - 1] = '\0';
        assert_int_equal(kext_parameters_check(large, normal, NULL), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_a_grant_nothing_is_given),
                cmocka_unit_test(bytes_that_are_not_registered_are_not_equivalent),
                cmocka_unit_test(a_grant_for_the_name_goes_before_one_for_all),
                cmocka_unit_test(old_and_revoked_ones_are_not_given),
                cmocka_unit_test(parameters_are_those_that_are_allowed),
                cmocka_unit_test(an_object_takes_no_parameters),
                cmocka_unit_test(what_a_granted_one_needs_is_granted_with_it),
                cmocka_unit_test(any_grant_of_its_name_lets_it),
                cmocka_unit_test(what_takes_majors_is_given_to_who_is_granted_that),
                cmocka_unit_test(what_is_needed_takes_majors_for_who_is_granted_that),
                cmocka_unit_test(a_list_of_parameters_is_names_and_values),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
