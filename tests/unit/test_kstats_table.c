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

static struct kstat_entry entry_of(uint64_t kid, uint64_t subject)
{
        return (struct kstat_entry){.head.kid = kid, .subject = subject};
}

static void who_sees_an_entry_is_noted_once(void **state)
{
        struct kstat_entry entry = entry_of(7, 0);
        struct kstat_table table;

        (void)state;
        assert_int_equal(table_init(&table), 0);
        assert_non_null(table_add(&table, &entry));
        assert_int_equal(table_associate(&table, 7, 101), -ENOENT);
        assert_non_null(table_add_view(&table, 101));
        assert_int_equal(table_associate(&table, 8, 101), -ENOENT);
        assert_int_equal(table_associate(&table, 7, 101), 0);
        assert_int_equal(table_associate(&table, 7, 101), -EEXIST);
        assert_true(kids_have(&table_find(&table, 7)->partitions, 101));
        table_dissociate(&table, 7, 101);
        assert_int_equal(table_find(&table, 7)->partitions.n, 0);
        table_done(&table);
}

static void entries_are_found_whatever_came_and_went(void **state)
{
        const uint64_t gone[] = {1, 2, 4, 50, 51, 99, 1000};
        struct kstat_table table;

        (void)state;
        assert_int_equal(table_init(&table), 0);
        for (uint64_t kid = 99; kid > 0; kid--) {
                struct kstat_entry entry = entry_of(kid, kid % 3);

                assert_non_null(table_add(&table, &entry));
        }
        table_drop(&table, gone, ELEMENTS(gone));
        table_drop(&table, gone, ELEMENTS(gone));
        table_drop(&table, NULL, 0);
        assert_int_equal(table.n_entries, 93);
        for (uint64_t kid = 1; kid < 100; kid++) {
                bool expected = true;

                for (size_t i = 0; i < ELEMENTS(gone); i++)
                        expected = expected && kid != gone[i];
                assert_int_equal(table_find(&table, kid) != NULL, expected);
                assert_int_equal(kids_have(table_subject(&table, kid % 3), kid), expected);
        }
        table_done(&table);
}

static void a_subject_goes_with_its_last_structure(void **state)
{
        struct kstat_entry seven = entry_of(7, 101), eight = entry_of(8, 101);
        const uint64_t kids[] = {7, 8};
        struct kstat_table table;

        (void)state;
        assert_int_equal(table_init(&table), 0);
        assert_null(table_subject(&table, 101));
        assert_non_null(table_add(&table, &eight));
        assert_non_null(table_add(&table, &seven));
        assert_int_equal(table_subject(&table, 101)->n, 2);
        table_drop(&table, kids, 1);
        assert_int_equal(table_subject(&table, 101)->n, 1);
        table_drop(&table, kids, 2);
        assert_null(table_subject(&table, 101));
        assert_int_equal(table.n_subjects, 0);
        table_done(&table);
}

static void a_view_that_goes_sees_nothing(void **state)
{
        struct kstat_entry seven = entry_of(7, 0), eight = entry_of(8, 0);
        const uint64_t kids[] = {7, 8};
        struct kstat_table table;
        struct kid_change change;
        __u64 next_page = 1;

        (void)state;
        assert_int_equal(table_init(&table), 0);
        assert_non_null(table_add(&table, &seven));
        assert_non_null(table_add(&table, &eight));
        assert_non_null(table_add_view(&table, 102));
        assert_int_equal(table_associate(&table, 7, 102), 0);
        assert_int_equal(table_associate(&table, 8, 102), 0);
        assert_int_equal(kid_list_change(&table_view(&table, 102)->list, (struct kid_numbers){kids, 2},
                                 (struct kid_numbers){0}, &next_page, &change),
                0);
        kid_change_keep(&change, &table_view(&table, 102)->list);
        table_drop_view(&table, 102);
        assert_null(table_view(&table, 102));
        assert_int_equal(table_find(&table, 8)->partitions.n, 0);
        table_drop_view(&table, 102);
        table_done(&table);
}

static int fill(void *context)
{
        struct kstat_table table;
        int r = table_init(&table);

        (void)context;
        for (uint64_t i = 1; r == 0 && i < 40; i++) {
                struct kstat_entry entry = entry_of(i, 200 + i);

                if (!table_add(&table, &entry) || !table_add_view(&table, 100 + i))
                        r = -ENOMEM;
                if (r == 0)
                        r = table_associate(&table, i, 100 + i);
                if (r == 0 && !kids_have(&table_find(&table, i)->partitions, 100 + i))
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
                cmocka_unit_test(who_sees_an_entry_is_noted_once),
                cmocka_unit_test(entries_are_found_whatever_came_and_went),
                cmocka_unit_test(a_subject_goes_with_its_last_structure),
                cmocka_unit_test(a_view_that_goes_sees_nothing),
                cmocka_unit_test(memory_that_runs_out_is_told),
                cmocka_unit_test(every_schema_fits_its_structure),
                cmocka_unit_test(private_structures_have_keys_of_their_own),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
