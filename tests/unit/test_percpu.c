/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_percpu.c - per-CPU variables in type information that the test makes.
 */
#include "kstat/percpu.h"

#include "kernel/types.h"

#include <bpf/btf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct place {
        const char *name;
        uint32_t offset;
};

/* Type information with one section of variables. */
static struct btf *make_btf(const char *section, const struct place *places, size_t n)
{
        struct btf *btf = btf__new_empty();
        int type, variables[8];

        assert_non_null(btf);
        type = btf__add_int(btf, "long", 8, BTF_INT_SIGNED);
        for (size_t i = 0; i < n; i++) {
                variables[i] = btf__add_var(btf, places[i].name, BTF_VAR_GLOBAL_ALLOCATED, type);
                assert_true(variables[i] > 0);
        }
        assert_true(btf__add_datasec(btf, section, 4096) > 0);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(btf__add_datasec_var_info(btf, variables[i], places[i].offset, 8), 0);
        return btf;
}

static struct kstat_percpu find(const char *section, const struct place *places, size_t n)
{
        struct btf *btf = make_btf(section, places, n);
        struct kernel_types *types = NULL;
        struct kstat_percpu ret;
        uint32_t size;
        const void *raw = btf__raw_data(btf, &size);
        void *bytes = malloc(size);

        assert_non_null(bytes);
        memcpy(bytes, raw, size);
        btf__free(btf);
        assert_int_equal(kernel_types_new(bytes, size, &types, NULL), 0);
        kstat_percpu_find(types, &ret);
        (void)kernel_types_unref(types);
        return ret;
}

static void distances_are_from_the_anchor_in_both_directions(void **state)
{
        static const struct place places[] = {
                {"irq_stat", 64}, {"kernel_cpustat", 1024}, {"kstat", 1120}, {"root_cpuacct_cpuusage", 2048}};
        struct kstat_percpu got = find(".data..percpu", places, 4);

        (void)state;
        assert_int_equal(got.irq_stat, -960);
        assert_int_equal(got.kstat, 96);
        assert_int_equal(got.root_cpuacct_cpuusage, 1024);
}

static void what_the_kernel_has_not_is_0(void **state)
{
        static const struct place places[] = {{"kernel_cpustat", 1024}, {"kstat", 1120}};
        struct kstat_percpu got = find(".data..percpu", places, 2);

        (void)state;
        assert_int_equal(got.kstat, 96);
        assert_int_equal(got.irq_stat, 0);
        assert_int_equal(got.mce_poll_count, 0);
}

static void without_an_anchor_nothing_is_known(void **state)
{
        static const struct place places[] = {{"irq_stat", 64}, {"kstat", 1120}};
        static const struct kstat_percpu none;
        struct kstat_percpu got = find(".data..percpu", places, 2);

        (void)state;
        assert_memory_equal(&got, &none, sizeof(got));
}

static void variables_elsewhere_do_not_count(void **state)
{
        static const struct place places[] = {{"kernel_cpustat", 1024}, {"kstat", 1120}};
        static const struct kstat_percpu none;
        struct kstat_percpu got = find(".data", places, 2);

        (void)state;
        assert_memory_equal(&got, &none, sizeof(got));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(distances_are_from_the_anchor_in_both_directions),
                cmocka_unit_test(what_the_kernel_has_not_is_0),
                cmocka_unit_test(without_an_anchor_nothing_is_known),
                cmocka_unit_test(variables_elsewhere_do_not_count),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
