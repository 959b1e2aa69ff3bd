/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cli_top.c - rows out of two answers, their order, keys, and what the screen shows at any size.
 */
#include "cli/top.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *partition(const char *name, int id, json_int_t user_ns, json_int_t memory, json_int_t received)
{
        return json_pack("{s:s, s:i, s:s, s:i, s:{s:I, s:n, s:i, s:[[I, i, i], [i, i, i]]}, s:{s:I, s:i}, s:{s:i},"
                         " s:[f, f, f], s:{s:{s:{s:f}}}, s:[], s:[{s:s, s:I, s:i}, {s:s, s:I, s:i}]}",
                "name", name, "id", id, "state", "Active", "started", 1, "cpu", "user_ns", user_ns, "nice_ns",
                "system_ns", 0, "each", user_ns, 0, 0, 0, 0, 0, "memory", "usage_bytes", memory, "limit_bytes", 1 << 20,
                "tasks", "count", 3, "load", 0.5, 0.25, 0.125, "pressure", "cpu", "some", "avg10", 12.5, "disks",
                "interfaces", "name", "lo", "receive_bytes", (json_int_t)1 << 40, "transmit_bytes", 0, "name", "eth0",
                "receive_bytes", received, "transmit_bytes", 7);
}

static json_t *answer(json_int_t now_ns, json_t *a, json_t *b)
{
        return json_pack("{s:I, s:I, s:{s:i, s:I, s:I, s:I, s:I, s:[f, f, f]}, s:[o, o]}", "now_ns", now_ns, "time_ms",
                (json_int_t)1000, "machine", "cpus", 2, "user_ns", now_ns, "system_ns", (json_int_t)0, "memory_bytes",
                (json_int_t)1 << 30, "available_bytes", (json_int_t)1 << 29, "load", 1.0, 2.0, 3.0, "partitions", a, b);
}

static json_t *stopped(const char *name)
{
        return json_pack("{s:s, s:i, s:s, s:n, s:{s:n}, s:[], s:[]}", "name", name, "id", 9, "state", "Defined",
                "started", "memory", "usage_bytes", "disks", "interfaces");
}

struct fixture {
        json_t *before, *now;
        struct top_row *rows;
        size_t n;
};

static int set_up(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));

        f->before = answer(1000000000, partition("db", 1, 5000000000, 1000, 0), partition("web", 2, 0, 3000, 100));
        f->now = answer(
                3000000000, partition("db", 1, 5100000000, 2000, 0), partition("web", 2, 3000000000, 4000, 2100));
        assert_int_equal(top_rows(f->now, f->before, &f->rows, &f->n), 0);
        *state = f;
        return 0;
}

static int tear_down(void **state)
{
        struct fixture *f = *state;

        free(f->rows);
        json_decref(f->before);
        json_decref(f->now);
        free(f);
        return 0;
}

static void rates_are_made_of_two_answers(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(f->n, 2);
        assert_true(fabs(f->rows[0].value[TOP_CPU] - 5) < 0.001);
        assert_true(fabs(f->rows[1].value[TOP_CPU] - 150) < 0.001);
        assert_true(f->rows[1].value[TOP_RECEIVE] == 1000); /* without what went through lo */
        assert_true(f->rows[1].value[TOP_READ] == 0);
        assert_true(f->rows[1].value[TOP_MEMORY] == 4000);
        assert_true(f->rows[1].value[TOP_LOAD] == 0.5);
        assert_true(f->rows[1].value[TOP_CPU_PRESSURE] == 12.5);
        assert_true(isnan(f->rows[1].value[TOP_IO_PRESSURE]));
}

static void without_a_first_answer_there_are_no_rates(void **state)
{
        struct fixture *f = *state;
        struct top_row *rows;
        size_t n;

        assert_int_equal(top_rows(f->now, NULL, &rows, &n), 0);
        assert_true(isnan(rows[0].value[TOP_CPU]));
        assert_true(rows[0].value[TOP_MEMORY] == 2000);
        free(rows);
}

static void a_counter_that_went_down_and_another_partition_of_that_name_have_no_rate(void **state)
{
        json_t *before = answer(0, partition("db", 1, 5000, 0, 50), partition("web", 2, 0, 0, 0));
        json_t *now = answer(1000000000, partition("db", 1, 10, 0, 60), partition("web", 3, 1000, 0, 0));
        struct top_row *rows;
        size_t n;

        (void)state;
        assert_int_equal(top_rows(now, before, &rows, &n), 0);
        assert_true(isnan(rows[0].value[TOP_CPU]));
        assert_true(rows[0].value[TOP_RECEIVE] == 10);
        assert_null(rows[1].before);
        assert_true(isnan(rows[1].value[TOP_CPU]));
        free(rows);
        json_decref(before);
        json_decref(now);
}

static void rows_are_ordered_by_any_column_the_unknown_last(void **state)
{
        struct top_row rows[4] = {{.name = "a", .state = "x"}, {.name = "b", .state = "x"}, {.name = "c", .state = "x"},
                {.name = "d", .state = "x"}};

        (void)state;
        for (int i = 0; i < 4; i++)
                for (int k = 0; k < TOP_COLUMNS; k++)
                        rows[i].value[k] = NAN;
        rows[1].value[TOP_CPU] = 5;
        rows[2].value[TOP_CPU] = 50;
        rows[3].value[TOP_CPU] = 5;
        top_sort(rows, 4, TOP_CPU, false);
        assert_string_equal(rows[0].name, "c");
        assert_string_equal(rows[1].name, "b");
        assert_string_equal(rows[2].name, "d");
        assert_string_equal(rows[3].name, "a");
        top_sort(rows, 4, TOP_CPU, true);
        assert_string_equal(rows[0].name, "b");
        assert_string_equal(rows[2].name, "c");
        assert_string_equal(rows[3].name, "a");
        top_sort(rows, 4, TOP_NAME, true);
        assert_string_equal(rows[0].name, "d");
        top_sort(rows, 4, TOP_STATE, false);
        assert_string_equal(rows[0].name, "a");
        assert_int_equal(top_filter(rows, 4, "C"), 1);
        assert_string_equal(rows[0].name, "c");
}

static void numbers_take_five_columns_at_most(void **state)
{
        static const struct {
                double value;
                const char *text;
        } table[] = {{0, "0"}, {999, "999"}, {1000, "1.0K"}, {10188, "9.9K"}, {10240, "10K"}, {1048576, "1.0M"},
                {67108864, "64M"}, {1023 * 1024.0, "1.0M"}, {1e15, "909T"}, {1.8e19, "16E"}, {NAN, "-"}, {-1, "-"}};
        char buf[16];

        (void)state;
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
                assert_string_equal(top_short(buf, sizeof(buf), table[i].value), table[i].text);
}

static void keys_are_read_whole(void **state)
{
        static const char bytes[] = "q\033[A\033OB\033[5~\033[1;5Cx\033[99~\033";
        static const int expected[] = {
                'q', TOP_KEY_UP, TOP_KEY_DOWN, TOP_KEY_PAGE_UP, 'x', TOP_KEY_ESCAPE, TOP_KEY_NONE, TOP_KEY_NONE};
        size_t at = 0;

        (void)state;
        for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
                assert_int_equal(top_key_next(bytes, sizeof(bytes) - 1, &at), expected[i]);
}

static void keys_do_what_help_says(void **state)
{
        struct fixture *f = *state;
        struct top_view v = {.sort = TOP_CPU, .interval_ms = 2000};

        for (const char *c = "/we\177bx"; *c; c++)
                top_press(&v, *c, f->rows, f->n);
        assert_true(v.filtering);
        assert_string_equal(v.filter, "wbx");
        top_press(&v, '\r', f->rows, f->n);
        assert_false(v.filtering);
        assert_false(v.quit);
        top_press(&v, TOP_KEY_ESCAPE, f->rows, f->n);
        assert_string_equal(v.filter, "");
        top_press(&v, TOP_KEY_DOWN, f->rows, f->n);
        assert_string_equal(v.selected, "web");
        top_press(&v, TOP_KEY_DOWN, f->rows, f->n);
        assert_string_equal(v.selected, "web");
        top_press(&v, 'm', f->rows, f->n);
        assert_int_equal(v.sort, TOP_MEMORY);
        top_press(&v, 'm', f->rows, f->n);
        assert_true(v.reverse);
        top_press(&v, '>', f->rows, f->n);
        assert_int_equal(v.sort, TOP_LIMIT);
        top_press(&v, '-', f->rows, f->n);
        assert_int_equal(v.interval_ms, 1000);
        for (int i = 0; i < 20; i++)
                top_press(&v, '-', f->rows, f->n);
        assert_int_equal(v.interval_ms, 100);
        top_press(&v, ' ', f->rows, f->n);
        assert_true(v.paused);
        top_press(&v, 'h', f->rows, f->n);
        top_press(&v, 'q', f->rows, f->n); /* any key goes back */
        assert_false(v.help || v.quit);
        top_press(&v, 'q', f->rows, f->n);
        assert_true(v.quit);
}

static bool shows(struct screen *s, const char *text)
{
        for (unsigned int row = 0; row < screen_rows(s); row++)
                if (strstr(screen_line(s, row), text))
                        return true;
        return false;
}

static void the_screen_shows_machine_table_and_one_partition(void **state)
{
        struct fixture *f = *state;
        struct top_view v = {.sort = TOP_CPU, .interval_ms = 2000, .expanded = true, .selected = "web"};
        struct screen *s = screen_new(24, 120, true);

        top_sort(f->rows, f->n, TOP_CPU, false);
        top_draw(s, &v, f->now, f->before, f->rows, f->n);
        assert_true(shows(s, "50.0% of 2   load 1.00 2.00 3.00"));
        assert_true(shows(s, "512 MiB of 1 GiB"));
        assert_non_null(strstr(screen_line(s, 4), "NAME"));
        assert_non_null(strstr(screen_line(s, 5), "web"));
        assert_non_null(strstr(screen_line(s, 5), "150.0"));
        assert_non_null(strstr(screen_line(s, 6), "db"));
        assert_true(shows(s, "0: 150.0%  1: 0.0%"));
        assert_true(shows(s, "eth0 in 1000/s out 0/s") || shows(s, "eth0 in 1.0K/s out 0/s"));
        screen_free(s);
}

static void the_selected_row_is_always_on_the_screen(void **state)
{
        json_t *array = json_array(), *now;
        struct top_view v = {.sort = TOP_NAME, .interval_ms = 2000, .selected = "p73"};
        struct screen *s = screen_new(12, 80, true);
        struct top_row *rows;
        size_t n;

        (void)state;
        for (int i = 10; i < 90; i++) {
                char name[8];

                (void)snprintf(name, sizeof(name), "p%d", i);
                json_array_append_new(array, stopped(name));
        }
        now = json_pack("{s:i, s:o}", "now_ns", 1, "partitions", array);
        assert_int_equal(top_rows(now, NULL, &rows, &n), 0);
        top_draw(s, &v, now, NULL, rows, n);
        assert_true(shows(s, "p73"));
        strcpy(v.selected, "p12");
        top_draw(s, &v, now, NULL, rows, n);
        assert_true(shows(s, "p12"));
        screen_free(s);
        free(rows);
        json_decref(now);
}

static void any_size_is_drawn(void **state)
{
        struct fixture *f = *state;
        size_t size;

        for (unsigned int rows = 1; rows < 30; rows++)
                for (unsigned int columns = 1; columns < 150; columns += 3) {
                        struct top_view v = {.sort = TOP_CPU, .expanded = columns % 2, .help = rows % 7 == 0};
                        struct screen *s = screen_new(rows, columns, true);

                        top_draw(s, &v, f->now, f->before, f->rows, f->n);
                        assert_non_null(screen_update(s, &size));
                        screen_free(s);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(rates_are_made_of_two_answers, set_up, tear_down),
                cmocka_unit_test_setup_teardown(without_a_first_answer_there_are_no_rates, set_up, tear_down),
                cmocka_unit_test(a_counter_that_went_down_and_another_partition_of_that_name_have_no_rate),
                cmocka_unit_test(rows_are_ordered_by_any_column_the_unknown_last),
                cmocka_unit_test(numbers_take_five_columns_at_most),
                cmocka_unit_test(keys_are_read_whole),
                cmocka_unit_test_setup_teardown(keys_do_what_help_says, set_up, tear_down),
                cmocka_unit_test_setup_teardown(the_screen_shows_machine_table_and_one_partition, set_up, tear_down),
                cmocka_unit_test(the_selected_row_is_always_on_the_screen),
                cmocka_unit_test_setup_teardown(any_size_is_drawn, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
