/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_mibs.c - counters of IP in type information that the test makes.
 */
#include "kstat/mibs.h"

#include "kernel/types.h"

#include <bpf/btf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What an enumeration without a name says that has these, numbered from 0 on. */
static struct kstat_mibs find(const char *const *names, size_t n)
{
        struct btf *btf = btf__new_empty();
        struct kernel_types *types = NULL;
        struct kstat_mibs ret;
        uint32_t size;
        const void *raw;
        void *bytes;

        assert_non_null(btf);
        assert_true(btf__add_enum(btf, NULL, 4) > 0);
        assert_int_equal(btf__add_enum_value(btf, "OTHER", 0), 0);
        assert_true(btf__add_enum(btf, NULL, 4) > 0);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(btf__add_enum_value(btf, names[i], (int64_t)i), 0);
        raw = btf__raw_data(btf, &size);
        bytes = malloc(size);
        assert_non_null(bytes);
        memcpy(bytes, raw, size);
        btf__free(btf);
        assert_int_equal(kernel_types_new(bytes, size, &types, NULL), 0);
        kstat_mibs_find(types, &ret);
        (void)kernel_types_unref(types);
        return ret;
}

static void counters_are_where_the_kernel_says(void **state)
{
        static const char *const names[] = {
                "IPSTATS_MIB_NUM", "IPSTATS_MIB_INDELIVERS", "IPSTATS_MIB_OUTPKTS", "IPSTATS_MIB_INPKTS"};
        struct kstat_mibs got = find(names, 4);

        (void)state;
        assert_int_equal(got.inDelivers, 1);
        assert_int_equal(got.outRequests, 2);
        assert_int_equal(got.inReceives, 3);
}

static void requests_are_what_it_calls_so(void **state)
{
        static const char *const names[] = {"IPSTATS_MIB_NUM", "IPSTATS_MIB_OUTREQUESTS", "IPSTATS_MIB_OUTPKTS"};

        (void)state;
        assert_int_equal(find(names, 3).outRequests, 1);
}

static void what_it_does_not_say_is_where_it_was(void **state)
{
        static const char *const other[] = {"SOMETHING", "IPSTATS_MIB_INPKTS"};
        struct kstat_mibs got = find(other, 2);

        (void)state;
        assert_int_equal(got.inReceives, 1);
        assert_int_equal(got.outRequests, 5);
        assert_int_equal(got.outNoRoutes, 15);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(counters_are_where_the_kernel_says),
                cmocka_unit_test(requests_are_what_it_calls_so),
                cmocka_unit_test(what_it_does_not_say_is_where_it_was)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
