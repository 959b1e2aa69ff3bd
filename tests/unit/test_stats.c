/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_stats.c - <croft/stats.h> on statistics in memory.
 */
#include "fake_kstat.h"
#include "fault.h"

#include <croft/stats.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct croft_stats *stats;
static struct croft_stat *stat;

static int set_up(void **state)
{
        (void)state;
        fake_kstat_reset();
        fake_kstat_machine();
        stat = croft_stat_new();
        return croft_stats_open("anywhere", &stats, NULL);
}

static int tear_down(void **state)
{
        (void)state;
        stat = croft_stat_free(stat);
        stats = croft_stats_close(stats);
        return fake_kstat.opened == fake_kstat.closed ? 0 : -1;
}

static void values_have_names_types_and_units(void **state)
{
        const struct croft_stat_info *info = croft_stat_info(stat);
        const struct croft_value *v;

        (void)state;
        assert_int_equal(info->id, 0);
        assert_string_equal(info->module, "");
        assert_int_equal(croft_stats_find(stats, "cpu_info", 1, "cpu_info1", stat, NULL), 0);
        assert_string_equal(info->module, "cpu_info");
        assert_string_equal(info->class_name, "misc");
        assert_int_equal(info->generation, fake_kstat.kcid);
        assert_int_equal(info->n_values, 5);
        v = croft_stat_find(stat, "clock_MHz");
        assert_int_equal(v->i, 2400);
        assert_int_equal(v->type, CROFT_VALUE_INT32);
        assert_string_equal(croft_unit_name(v->unit), "megahertz");
        v = croft_stat_value(stat, 0);
        assert_string_equal(v->name, "state");
        assert_string_equal(v->text, "on-line");
        assert_true(croft_stat_find(stat, "current_clock_Hz")->i == -2400000000);
        assert_null(croft_stat_value(stat, 5));
        assert_null(croft_stat_find(stat, "nothing"));
}

static void values_of_every_type_have_names(void **state)
{
        (void)state;
        assert_int_equal(croft_stats_find(stats, "sd", 0, "sda", stat, NULL), 0);
        assert_int_equal(croft_stat_find(stat, "nwritten")->u, 20);
        assert_int_equal(croft_stat_find(stat, "nwritten")->unit, CROFT_UNIT_BYTES);
        assert_int_equal(croft_stats_find(stats, "lock", 0, "hold", stat, NULL), 0);
        assert_string_equal(croft_stat_find(stat, "name")->text, "wait for it");
        assert_int_equal(croft_stats_find(stats, "cpu_stat", 0, "cpu_stat0", stat, NULL), 0);
        assert_int_equal(croft_stat_find(stat, "kernel")->u, 30);
        assert_int_equal(croft_stat_find(stat, "iowait")->i, -1);
        assert_int_equal(croft_stats_find(stats, "unix", 0, "blob", stat, NULL), 0);
        assert_int_equal(croft_stat_info(stat)->n_values, 0);
        assert_int_equal(croft_stat_info(stat)->size, 8);
        assert_memory_equal(croft_stat_info(stat)->data, "whatever", 8);
}

static void a_list_is_of_one_generation(void **state)
{
        struct croft_stats_list list;
        uint64_t generation, caller;

        (void)state;
        fake_kstat.caller = 9;
        assert_int_equal(croft_stats_generation(stats, &generation, &caller, NULL), 0);
        assert_int_equal(caller, 9);
        assert_int_equal(croft_stats_list(stats, &list, NULL), 0);
        assert_int_equal(list.generation, generation);
        assert_int_equal(list.n, 12);
        for (size_t i = 1; i < list.n; i++)
                assert_true(list.ids[i] > list.ids[i - 1]);
        croft_stats_list_done(&list);
        for (int i = 0; i < 100; i++)
                (void)fake_kstat_add("m", i, "n", "c", KSTAT_RAW);
        fake_kstat.moving = true; /* no two pages of one generation */
        assert_int_equal(croft_stats_list(stats, &list, NULL), -EAGAIN);
}

static void what_is_not_there_leaves_the_last_reading(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char line[200];

        (void)state;
        assert_int_equal(croft_stats_read(stats, 1, stat, &err), 0);
        assert_int_equal(croft_stats_read(stats, 4711, stat, &err), -ENXIO);
        assert_string_equal(
                croft_error_line(&err, line, sizeof(line)), "read statistic 4711: No such device or address");
        assert_int_equal(croft_stat_info(stat)->id, 1);
        assert_int_equal(croft_stats_find(stats, "cpu", 0, "nothing", stat, &err), -ENXIO);
        assert_int_equal(croft_error_exit(&err), CROFT_EXIT_NOT_FOUND);
}

static void global_may_look_into_a_partition(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct fake_stat *own = fake_kstat_add("net", 0, "ip", "net", KSTAT_NAMED);
        char line[200];

        (void)state;
        fake_kstat_number(own, "packets", KSTAT_DATA_UINT64, KSTAT_UNIT_EVENTS, 5);
        own->private = true;
        fake_kstat.other = 7;
        assert_int_equal(croft_stats_find(stats, "net", 0, "ip", stat, NULL), -ENXIO);
        croft_stats_set_partition(stats, 7);
        assert_int_equal(croft_stats_find(stats, "net", 0, "ip", stat, NULL), 0);
        croft_stats_set_partition(stats, 8);
        assert_int_equal(croft_stats_find(stats, "net", 0, "ip", stat, &err), -ESRCH);
        assert_string_equal(
                croft_error_line(&err, line, sizeof(line)), "read statistic 'net:0:ip': there is no partition 8");
        fake_kstat.caller = 3;
        assert_int_equal(croft_stats_find(stats, "net", 0, "ip", stat, NULL), -EPERM);
        croft_stats_set_partition(stats, 0);
        assert_int_equal(croft_stats_find(stats, "net", 0, "ip", stat, NULL), -ENXIO);
}

static void an_open_that_fails_says_where(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_stats *none = NULL;
        char line[200];

        (void)state;
        fake_kstat.open_error = -ENOENT;
        assert_int_equal(croft_stats_open("/nowhere", &none, &err), -ENOENT);
        assert_string_equal(
                croft_error_line(&err, line, sizeof(line)), "there are no statistics at /nowhere (is croftd running?)");
        assert_null(none);
}

static int whole_life(void *context)
{
        struct croft_stats_list list;
        struct croft_stats *reader;
        struct croft_stat *room;
        int r = croft_stats_open("anywhere", &reader, NULL);

        (void)context;
        if (r < 0)
                return r;
        room = croft_stat_new();
        r = room ? croft_stats_list(reader, &list, NULL) : -ENOMEM;
        if (r == 0) {
                for (size_t i = 0; i < list.n && r == 0; i++)
                        r = croft_stats_read(reader, list.ids[i], room, NULL);
                croft_stats_list_done(&list);
        }
        croft_stat_free(room);
        croft_stats_close(reader);
        return r;
}

static void memory_that_runs_out_is_told(void **state)
{
        (void)state;
        assert_true(fault_walk(FAULT_ALLOCATION, false, whole_life, NULL) >= 20);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(values_have_names_types_and_units, set_up, tear_down),
                cmocka_unit_test_setup_teardown(values_of_every_type_have_names, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_list_is_of_one_generation, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_not_there_leaves_the_last_reading, set_up, tear_down),
                cmocka_unit_test_setup_teardown(global_may_look_into_a_partition, set_up, tear_down),
                cmocka_unit_test_setup_teardown(an_open_that_fails_says_where, set_up, tear_down),
                cmocka_unit_test_setup_teardown(memory_that_runs_out_is_told, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
