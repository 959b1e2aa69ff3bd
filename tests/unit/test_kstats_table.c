/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kstats_table.c - croftd's copy of who sees which statistic.
 */
#include "base/cleanup.h"
#include "fault.h"
#include "kstat/catalogue.h"
#include "kstat/kstats_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void numbers_rise_whatever_the_order_they_come_in(void **state)
{
        struct kids kids = {.n = 0};
        const uint64_t order[] = {5, 1, 9, 3, 7};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(order); i++)
                assert_int_equal(kids_add(&kids, order[i]), 0);
        assert_int_equal(kids_add(&kids, 7), -EEXIST);
        for (size_t i = 0; i < kids.n; i++)
                assert_int_equal(kids.at[i], 1 + 2 * i);
        assert_true(kids_have(&kids, 9));
        assert_false(kids_have(&kids, 4));
        kids_drop(&kids, 5);
        kids_drop(&kids, 4);
        assert_int_equal(kids.n, 4);
        assert_false(kids_have(&kids, 5));
        kids_done(&kids);
}

static void merged_lists_have_each_number_once(void **state)
{
        uint64_t a[] = {1, 3, 5}, b[] = {2, 3, 9};
        const struct kids left = {.at = a, .n = 3}, right = {.at = b, .n = 3}, none = {.n = 0};
        struct kids both;
        const uint64_t expected[] = {1, 2, 3, 5, 9};

        (void)state;
        assert_int_equal(kids_merge(&left, &right, &both), 0);
        assert_int_equal(both.n, ELEMENTS(expected));
        assert_memory_equal(both.at, expected, sizeof(expected));
        kids_done(&both);
        assert_int_equal(kids_merge(&none, &none, &both), 0);
        assert_int_equal(both.n, 0);
        kids_done(&both);
}

static struct kstat_head head_of(uint64_t kid)
{
        return (struct kstat_head){.kid = kid};
}

static void both_ends_of_an_association_agree(void **state)
{
        struct kstat_table table;
        struct kstat_head head = head_of(7);

        (void)state;
        assert_int_equal(table_init(&table), 0);
        assert_non_null(table_add(&table, &head));
        assert_int_equal(table_associate(&table, 7, 101), -ENOENT);
        assert_non_null(table_add_view(&table, 101));
        assert_int_equal(table_associate(&table, 8, 101), -ENOENT);
        assert_int_equal(table_associate(&table, 7, 101), 0);
        assert_int_equal(table_associate(&table, 7, 101), -EEXIST);
        assert_true(kids_have(&table_find(&table, 7)->partitions, 101));
        assert_true(kids_have(&table_view(&table, 101)->kids, 7));
        table_dissociate(&table, 7, 101);
        assert_int_equal(table_find(&table, 7)->partitions.n, 0);
        assert_int_equal(table_view(&table, 101)->kids.n, 0);
        table_done(&table);
}

static void what_goes_goes_from_the_other_side_too(void **state)
{
        struct kstat_table table;
        struct kstat_head seven = head_of(7), eight = head_of(8);

        (void)state;
        assert_int_equal(table_init(&table), 0);
        assert_non_null(table_add(&table, &eight));
        assert_non_null(table_add(&table, &seven));
        assert_non_null(table_add_view(&table, 101));
        assert_non_null(table_add_view(&table, 102));
        assert_int_equal(table_associate(&table, 7, 101), 0);
        assert_int_equal(table_associate(&table, 7, 102), 0);
        assert_int_equal(table_associate(&table, 8, 102), 0);
        table_drop(&table, 7);
        assert_null(table_find(&table, 7));
        assert_int_equal(table_view(&table, 101)->kids.n, 0);
        assert_int_equal(table_view(&table, 102)->kids.n, 1);
        table_drop_view(&table, 102);
        assert_null(table_view(&table, 102));
        assert_int_equal(table_find(&table, 8)->partitions.n, 0);
        table_drop_view(&table, 102);
        table_drop(&table, 7);
        table_done(&table);
}

static int fill(void *context)
{
        struct kstat_table table;
        int r = table_init(&table);

        (void)context;
        for (uint64_t i = 1; r == 0 && i < 40; i++) {
                struct kstat_head head = head_of(i);

                if (!table_add(&table, &head) || !table_add_view(&table, 100 + i))
                        r = -ENOMEM;
                if (r == 0)
                        r = table_associate(&table, i, 100 + i);
                if (r == 0 && !kids_have(&table_view(&table, 100 + i)->kids, i))
                        r = -EUCLEAN;
        }
        table_done(&table);
        return r;
}

static void memory_that_runs_out_is_told(void **state)
{
        (void)state;
        fault_walk(FAULT_ALLOCATION, false, fill, NULL);
}

static void every_schema_fits_its_structure(void **state)
{
        (void)state;
        for (size_t i = 0; i < catalogue_n_schemas; i++) {
                const struct kstat_schema_info *schema = &catalogue_schemas[i];
                struct kstat_field *fields = calloc(schema->n_fields, sizeof(*fields));

                assert_non_null(fields);
                catalogue_fields(schema, fields);
                assert_int_equal(fields[schema->n_fields - 1].offset + fields[schema->n_fields - 1].size, schema->size);
                for (size_t f = 0; f < schema->n_fields; f++) {
                        assert_int_equal(fields[f].offset % 8, 0);
                        assert_true(strlen(fields[f].name) < KSTAT_NAME_SIZE);
                        for (size_t g = 0; g < f; g++)
                                assert_string_not_equal(fields[f].name, fields[g].name);
                }
                free(fields);
                assert_ptr_equal(catalogue_schema(schema->number), schema);
        }
        assert_null(catalogue_schema(0));
}

static void private_structures_have_keys_of_their_own(void **state)
{
        (void)state;
        for (size_t i = 0; i < catalogue_n_private; i++)
                for (size_t j = 0; j < i; j++)
                        assert_true(strcmp(catalogue_private[i].module, catalogue_private[j].module) != 0 ||
                                    strcmp(catalogue_private[i].name, catalogue_private[j].name) != 0 ||
                                    catalogue_private[i].instance != catalogue_private[j].instance);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_rise_whatever_the_order_they_come_in),
                cmocka_unit_test(merged_lists_have_each_number_once),
                cmocka_unit_test(both_ends_of_an_association_agree),
                cmocka_unit_test(what_goes_goes_from_the_other_side_too),
                cmocka_unit_test(memory_that_runs_out_is_told),
                cmocka_unit_test(every_schema_fits_its_structure),
                cmocka_unit_test(private_structures_have_keys_of_their_own),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
