/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_top.c - `croft top`: asks croftd again and again, and shows the answers on the terminal or, in batch mode, in
 * lines.  What is shown is made in top_*.c.
 *
 * Invariant: on every way out but SIGKILL the terminal is as it was.
 */
#include "output.h"
#include "terminal.h"
#include "top.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l\033[?7l" /* another screen, no cursor, no wrap at the edge */
#define LEAVE "\033[m\033[?7h\033[?25h\033[?1049l"

struct top {
        struct cli *cli;
        struct top_view view;
        json_t *now, *before;
        struct top_row *rows;
        size_t n;
};

static int fetch(struct top *top, struct croft_error *err)
{
        _cleanup_free_ char *text = NULL;
        json_t *answer;
        int r = croft_client_request(top->cli->client, "GET", "/v1/stats", NULL, &text, err);

        if (r < 0)
                return r;
        answer = json_loads(text, 0, NULL);
        if (!answer)
                return croft_error_set(err, EPROTO, "the answer of croftd is no JSON.");
        free(top->rows); /* they borrow from the answers */
        top->rows = NULL;
        top->n = 0;
        json_decref(top->before);
        top->before = top->now;
        top->now = answer;
        return 0;
}

static int make_rows(struct top *top)
{
        free(top->rows);
        top->rows = NULL;
        top->n = 0;
        if (!top->now)
                return 0;
        if (top_rows(top->now, top->before, &top->rows, &top->n) < 0)
                return -ENOMEM;
        top->n = top_filter(top->rows, top->n, top->view.filter);
        top_sort(top->rows, top->n, top->view.sort, top->view.reverse);
        return 0;
}

static uint64_t now_ms(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* --- batch mode --- */

/* Whole numbers stay whole. */
static json_t *number_json(enum top_column column, double value)
{
        bool whole = column == TOP_MEMORY || column == TOP_LIMIT || column == TOP_SWAP || column == TOP_TASKS;

        return isnan(value) ? json_null() : whole ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *row_json(const struct top_row *row)
{
        json_t *object = json_pack("{s:s, s:s}", "name", row->name, "state", row->state);

        for (int i = TOP_CPU; object && i < TOP_COLUMNS; i++)
                (void)json_object_set_new(
                        object, top_column_key((enum top_column)i), number_json((enum top_column)i, row->value[i]));
        return object;
}

/* One object a line for each turn. */
static int print_json(const struct top *top)
{
        _cleanup_json_ json_t *object = json_object();
        json_t *array = json_array();

        for (size_t i = 0; i < top->n; i++)
                (void)json_array_append_new(array, row_json(&top->rows[i]));
        (void)json_object_set(object, "time_ms", json_object_get(top->now, "time_ms"));
        (void)json_object_set_new(object, "partitions", array);
        (void)json_dumpf(object, stdout, JSON_COMPACT | OUTPUT_REALS);
        (void)fputc('\n', stdout);
        return output_end(stdout);
}

static int print_csv(const struct top *top, bool header)
{
        char text[80];

        if (header) {
                csv_field(stdout, "time_ms", true);
                for (int i = 0; i < TOP_COLUMNS; i++)
                        csv_field(stdout, top_column_key((enum top_column)i), false);
                csv_end(stdout);
        }
        for (size_t k = 0; k < top->n; k++) {
                (void)snprintf(text, sizeof(text), "%.0f", top_number(top->now, "time_ms"));
                csv_field(stdout, text, true);
                csv_field(stdout, top->rows[k].name, false);
                csv_field(stdout, top->rows[k].state, false);
                for (int i = TOP_CPU; i < TOP_COLUMNS; i++) {
                        double value = top->rows[k].value[i];

                        (void)snprintf(text, sizeof(text), isnan(value) ? "" : "%.15g", value);
                        csv_field(stdout, text, false);
                }
                csv_end(stdout);
        }
        return output_end(stdout);
}

static int print_table(const struct top *top, bool header)
{
        const char *titles[TOP_COLUMNS];
        bool right[TOP_COLUMNS] = {false};
        struct table t = {
                .n_columns = TOP_COLUMNS, .titles = header ? titles : NULL, .right = right, .state_column = TOP_STATE};

        for (int i = 0; i < TOP_COLUMNS; i++) {
                titles[i] = top_column_key((enum top_column)i);
                right[i] = i >= TOP_CPU;
        }
        for (size_t k = 0; k < top->n; k++)
                for (int i = 0; i < TOP_COLUMNS; i++) {
                        char cell[80];

                        (void)table_add(&t, strdup(top_cell(cell, sizeof(cell), &top->rows[k], (enum top_column)i)));
                }
        table_print(&t, stdout, top->cli->color);
        table_done(&t);
        (void)fputc('\n', stdout);
        return output_end(stdout);
}

/* A first answer, which isn't shown since it has no rates, and then count of them; 0: without end. */
static int batch(struct top *top, unsigned long count)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int r;

        if (fetch(top, &err) < 0)
                return cli_fail(top->cli, &err, "top");
        for (unsigned long i = 0; count == 0 || i < count; i++) {
                (void)poll(NULL, 0, (int)top->view.interval_ms);
                if (fetch(top, &err) < 0)
                        return cli_fail(top->cli, &err, "top");
                if (make_rows(top) < 0) {
                        (void)croft_error_set(&err, ENOMEM, "show partitions");
                        return cli_fail(top->cli, &err, "top");
                }
                if (top->cli->format == FORMAT_JSON)
                        r = print_json(top);
                else if (top->cli->format == FORMAT_CSV)
                        r = print_csv(top, i == 0 && !top->cli->no_header);
                else
                        r = print_table(top, !top->cli->no_header);
                if (r != 0)
                        return r;
        }
        return 0;
}

/* --- the terminal --- */

static bool put(const char *bytes, size_t size)
{
        while (size > 0) {
                ssize_t n = write(STDOUT_FILENO, bytes, size);

                if (n < 0 && errno != EINTR && errno != EAGAIN)
                        return false;
                bytes += n > 0 ? n : 0;
                size -= n > 0 ? (size_t)n : 0;
        }
        return true;
}

static bool draw(struct top *top, struct screen *screen)
{
        const char *bytes;
        size_t size = 0;

        if (make_rows(top) < 0)
                return false;
        top_draw(screen, &top->view, top->now, top->before, top->rows, top->n);
        bytes = screen_update(screen, &size);
        return bytes && put(bytes, size);
}

/* A signal that ends us is returned, 0: go on. */
static int take_signals(struct terminal *t, struct screen *screen)
{
        uint16_t rows, columns;
        int signal_number;

        while ((signal_number = terminal_signal(t)) != 0) {
                if (signal_number == SIGWINCH) {
                        if (terminal_size(&rows, &columns))
                                (void)screen_resize(screen, rows, columns); /* without memory it stays as it is */
                } else if (signal_number == SIGCONT) {
                        terminal_again(t);
                        (void)put(ENTER, strlen(ENTER));
                        screen_forget(screen);
                } else if (signal_number != SIGALRM && signal_number != SIGUSR1 && signal_number != SIGUSR2) {
                        return signal_number;
                }
        }
        return 0;
}

static void take_keys(struct top *top)
{
        char bytes[256];
        ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
        size_t at = 0;
        int key;

        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
                top->view.quit = true; /* the terminal is gone */
        while (n > 0 && (key = top_key_next(bytes, (size_t)n, &at)) != TOP_KEY_NONE) {
                top_press(&top->view, key, top->rows, top->n);
                (void)make_rows(top); /* the next key sees what this one did */
        }
}

/* When croftd doesn't answer, the last figures stay and the last line says so. */
static void refresh(struct top *top)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];

        top->view.message[0] = '\0';
        if (fetch(top, &err) < 0)
                (void)snprintf(top->view.message, sizeof(top->view.message), " %s",
                        croft_error_line(&err, line, sizeof(line)));
}

/* Until a key or a signal ends it: the signal, or 0. */
static int watch(struct top *top, struct terminal *t, struct screen *screen)
{
        uint64_t next = now_ms() + (top->view.interval_ms < 500 ? top->view.interval_ms : 500); /* soon: rates */

        while (!top->view.quit) {
                struct pollfd p[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = t->signals, .events = POLLIN}};
                uint64_t now = now_ms();
                int signal_number;

                if (!draw(top, screen))
                        return 0;
                if (poll(p, ELEMENTS(p),
                            top->view.paused ? -1
                            : next > now     ? (int)(next - now)
                                             : 0) < 0 &&
                        errno != EINTR)
                        return 0;
                signal_number = take_signals(t, screen);
                if (signal_number != 0)
                        return signal_number;
                if (p[0].revents)
                        take_keys(top);
                if (!top->view.paused && now_ms() >= next) {
                        refresh(top);
                        next = now_ms() + top->view.interval_ms;
                }
        }
        return 0;
}

static int full_screen(struct top *top)
{
        struct croft_error err = CROFT_ERROR_INIT;
        uint16_t rows = 24, columns = 80;
        struct screen *screen;
        struct terminal t;
        int signal_number = 0;

        if (fetch(top, &err) < 0)
                return cli_fail(top->cli, &err, "top");
        (void)terminal_size(&rows, &columns);
        screen = screen_new(rows, columns, top->cli->color);
        if (!screen || terminal_begin(&t, true) < 0) {
                screen_free(screen);
                (void)croft_error_set(&err, ENOMEM, "show the screen");
                return cli_fail(top->cli, &err, "top");
        }
        if (put(ENTER, strlen(ENTER)))
                signal_number = watch(top, &t, screen);
        (void)put(LEAVE, strlen(LEAVE));
        screen_free(screen);
        if (signal_number)
                terminal_die(&t, signal_number);
        terminal_end(&t);
        return 0;
}

/* --- the command --- */

static int take_options(struct top *top, const struct cli_args *args, unsigned long *ret_count)
{
        const char *delay = cli_value(args, "delay"), *sort = cli_value(args, "sort"),
                   *count = cli_value(args, "count");
        const char *filter = cli_value(args, "filter");

        if (delay && (!cli_parse_seconds(delay, &top->view.interval_ms) || top->view.interval_ms < 100))
                return cli_usage(args->command, "'%s' is no number of seconds from 0.1 on", delay);
        if (sort)
                top->view.sort = top_column_find(sort);
        if (top->view.sort == TOP_COLUMNS)
                return cli_usage(args->command, "there is no column '%s'", sort);
        if (count && (count[strspn(count, "0123456789")] || strlen(count) > 9 || strtoul(count, NULL, 10) == 0))
                return cli_usage(args->command, "'%s' is no number of turns", count);
        if (filter && strlen(filter) >= sizeof(top->view.filter))
                return cli_usage(args->command, "'%s' is too long for a name", filter);
        (void)snprintf(top->view.filter, sizeof(top->view.filter), "%s", filter ? filter : "");
        top->view.reverse = cli_has(args, "reverse");
        *ret_count = count ? strtoul(count, NULL, 10) : 0;
        return 0;
}

int cli_cmd_top(struct cli *cli, const struct cli_args *args)
{
        struct top top = {.cli = cli, .view = {.sort = TOP_CPU, .interval_ms = 2000}};
        bool lines = cli_has(args, "batch") || cli->format != FORMAT_TABLE || !cli->terminal || !isatty(STDIN_FILENO);
        unsigned long count = 0;
        int r = take_options(&top, args, &count);

        if (r == 0 && cli->format == FORMAT_YAML)
                r = cli_usage(args->command, "top has no --format yaml");
        if (r == 0)
                r = cli_connect(cli);
        if (r == 0)
                r = lines ? batch(&top, count) : full_screen(&top);
        free(top.rows);
        json_decref(top.now);
        json_decref(top.before);
        return r;
}
