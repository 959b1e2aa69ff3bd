/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * top_view.c - what `croft top` shows, and what keys do.  See top.h.
 *
 * Invariant: any size of screen is drawn without a write outside; what has no room is left out, the least important
 * column first.
 */
#include "output.h"
#include "text.h"
#include "top.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define BAR_WIDTH 10
#define NAME_WIDTH_MAX 40
#define DETAIL_ROWS 9 /* of the expanded partition, its title line included */

/* How a column is shown.  rank: the higher, the sooner it is left out. */
static const struct {
        const char *title;
        unsigned int width, rank;
} shown[TOP_COLUMNS] = {
        [TOP_NAME] = {"NAME", 16, 0},
        [TOP_STATE] = {"STATE", 9, 2},
        [TOP_CPU] = {"CPU%", 6, 0},
        [TOP_MEMORY] = {"MEM", 5, 1},
        [TOP_LIMIT] = {"LIMIT", 5, 7},
        [TOP_SWAP] = {"SWAP", 5, 9},
        [TOP_READ] = {"READ/s", 6, 5},
        [TOP_WRITE] = {"WRIT/s", 6, 5},
        [TOP_RECEIVE] = {"RX/s", 5, 6},
        [TOP_TRANSMIT] = {"TX/s", 5, 6},
        [TOP_LOAD] = {"LOAD", 6, 4},
        [TOP_CPU_PRESSURE] = {"P.CPU", 5, 8},
        [TOP_MEMORY_PRESSURE] = {"P.MEM", 5, 8},
        [TOP_IO_PRESSURE] = {"P.IO", 5, 8},
        [TOP_TASKS] = {"TASKS", 6, 3},
};
#define BAR_RANK 10

/* --- layout --- */

/* What of the table is shown, and how wide names are: they get the room that is left. */
struct layout {
        unsigned int rank, name_width;
};

static struct layout fitting(unsigned int columns)
{
        unsigned int rank, width = 0;

        for (rank = BAR_RANK; rank > 0; rank--) {
                width = rank >= BAR_RANK ? BAR_WIDTH + 1 : 0;
                for (int i = 0; i < TOP_COLUMNS; i++)
                        width += shown[i].rank <= rank ? shown[i].width + 1 : 0;
                if (width <= columns + 1)
                        break;
        }
        width = rank > 0 && width <= columns ? shown[TOP_NAME].width + columns - width : shown[TOP_NAME].width;
        return (struct layout){rank, width > NAME_WIDTH_MAX ? NAME_WIDTH_MAX : width};
}

static unsigned int width_of(struct layout layout, int column)
{
        return column == TOP_NAME ? layout.name_width : shown[column].width;
}

static void put_right(struct screen *s, unsigned int row, unsigned int column, unsigned int width,
        enum screen_style style, const char *text)
{
        size_t length = strlen(text);

        (void)screen_put(
                s, row, column + (length < width ? width - (unsigned int)length : 0), column + width, style, text);
}

/* [|||||     ] */
static unsigned int put_bar(struct screen *s, unsigned int row, unsigned int column, unsigned int width, double part)
{
        enum screen_style style = part >= 0.9 ? SCREEN_RED : part >= 0.6 ? SCREEN_YELLOW : SCREEN_GREEN;
        unsigned int inner = width > 2 ? width - 2 : 0, full = 0;

        if (!isnan(part) && part > 0)
                full = part >= 1 ? inner : (unsigned int)(part * inner + 0.5);
        (void)screen_put(s, row, column, 0, SCREEN_DIM, "[");
        for (unsigned int i = 0; i < inner; i++)
                (void)screen_put(s, row, column + 1 + i, 0, style, i < full ? "|" : " ");
        return screen_put(s, row, column + 1 + inner, 0, SCREEN_DIM, "]");
}

/* --- the machine --- */

/* "12.5", "-" for what isn't known. */
struct number {
        char text[24];
};
static struct number number(double value, int digits)
{
        struct number n = {"-"};

        if (!isnan(value))
                (void)snprintf(n.text, sizeof(n.text), "%.*f", digits, value);
        return n;
}

static const char *bytes_of(char *buf, size_t size, double value)
{
        if (isnan(value) || value < 0)
                return strcpy(buf, "?");
        return text_bytes(buf, size, (uint64_t)value);
}

static void draw_first(struct screen *s, const struct top_view *view, const json_t *now)
{
        const json_t *all = json_object_get(now, "partitions");
        time_t t = (time_t)(top_number(now, "time_ms") / 1000);
        char line[200], uptime[48], right[64], clock[16] = "";
        size_t active = 0;
        struct tm tm;

        for (size_t i = 0; i < json_array_size(all); i++) {
                const char *state = json_string_value(json_object_get(json_array_get(all, i), "state"));

                active += state && strcmp(state, "Active") == 0;
        }
        if (localtime_r(&t, &tm))
                (void)strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
        text_duration(uptime, sizeof(uptime), floor(top_number(now, "machine.uptime_ns") / 1e9));
        (void)snprintf(line, sizeof(line), " croft top  %s  up %s  %zu partitions, %zu active", clock, uptime,
                json_array_size(all), active);
        (void)screen_put(s, 0, 0, 0, SCREEN_BOLD, line);
        (void)snprintf(right, sizeof(right), view->paused ? "  PAUSED " : "  every %g s ", view->interval_ms / 1000.0);
        if (view->paused ? strlen(right) < screen_columns(s) : strlen(line) + strlen(right) <= screen_columns(s))
                (void)screen_put(s, 0, screen_columns(s) - (unsigned int)strlen(right), 0,
                        view->paused ? SCREEN_REVERSE : SCREEN_PLAIN, right);
}

static void draw_cpu(struct screen *s, const json_t *now, const json_t *before)
{
        double seconds = (top_number(now, "now_ns") - top_number(before, "now_ns")) / 1e9;
        double cpus = top_number(now, "machine.cpus"), load1 = NAN, load5 = NAN, load15 = NAN;
        double busy =
                top_rate(now, before, seconds, "machine.user_ns") + top_rate(now, before, seconds, "machine.system_ns");
        double part = busy > 1e9 * cpus ? 1 : busy / 1e9 / cpus; /* ticks and clock differ a little */
        const json_t *load = output_at(now, "machine.load");
        unsigned int at = screen_put(s, 1, 1, 0, SCREEN_BOLD, "CPU ");
        char line[160];

        if (json_array_size(load) == 3) {
                load1 = json_number_value(json_array_get(load, 0));
                load5 = json_number_value(json_array_get(load, 1));
                load15 = json_number_value(json_array_get(load, 2));
        }
        at = put_bar(s, 1, at, 22, part);
        (void)snprintf(line, sizeof(line), isnan(part) ? "     - of %.0f" : " %5.1f%% of %.0f",
                isnan(part) ? cpus : part * 100, cpus);
        at = screen_put(s, 1, at, 0, SCREEN_PLAIN, line);
        (void)snprintf(line, sizeof(line), "   load %s %s %s   tasks %s, %s running", number(load1, 2).text,
                number(load5, 2).text, number(load15, 2).text, number(top_number(now, "machine.tasks"), 0).text,
                number(top_number(now, "machine.tasks_running"), 0).text);
        (void)screen_put(s, 1, at, 0, SCREEN_PLAIN, line);
}

static void draw_memory(struct screen *s, const json_t *now)
{
        double total = top_number(now, "machine.memory_bytes"),
               used = total - top_number(now, "machine.available_bytes");
        double swap = top_number(now, "machine.swap_bytes"),
               swapped = swap - top_number(now, "machine.swap_free_bytes");
        unsigned int at = screen_put(s, 2, 1, 0, SCREEN_BOLD, "Mem ");
        char line[160], a[24], b[24], c[24], d[24];

        at = put_bar(s, 2, at, 22, used / total);
        (void)snprintf(line, sizeof(line), " %s of %s   swap %s of %s   pressure cpu %s  memory %s  io %s",
                bytes_of(a, sizeof(a), used), bytes_of(b, sizeof(b), total), bytes_of(c, sizeof(c), swapped),
                bytes_of(d, sizeof(d), swap), number(top_number(now, "machine.pressure.cpu.some.avg10"), 1).text,
                number(top_number(now, "machine.pressure.memory.some.avg10"), 1).text,
                number(top_number(now, "machine.pressure.io.some.avg10"), 1).text);
        (void)screen_put(s, 2, at, 0, SCREEN_PLAIN, line);
}

/* --- the table --- */

static void draw_titles(struct screen *s, unsigned int row, const struct top_view *view, struct layout layout)
{
        unsigned int at = 0;

        for (unsigned int i = 0; i < screen_columns(s); i++)
                (void)screen_put(s, row, i, 0, SCREEN_REVERSE, " ");
        for (int i = 0; i < TOP_COLUMNS; i++) {
                /* The column in order is in bold, that is: not in reverse. */
                enum screen_style style = (enum top_column)i == view->sort ? SCREEN_BOLD : SCREEN_REVERSE;

                if (shown[i].rank > layout.rank)
                        continue;
                if (i <= TOP_STATE)
                        (void)screen_put(s, row, at, at + width_of(layout, i), style, shown[i].title);
                else
                        put_right(s, row, at, width_of(layout, i), style, shown[i].title);
                at += width_of(layout, i) + 1 + (i == TOP_CPU && layout.rank >= BAR_RANK ? BAR_WIDTH + 1 : 0);
        }
}

static enum screen_style style_of(const struct top_row *row, int column)
{
        double value = row->value[column];

        if (column == TOP_STATE && strcmp(row->state, "Active") == 0)
                return SCREEN_GREEN;
        if (column == TOP_STATE)
                return strcmp(row->state, "Broken") == 0 ? SCREEN_RED : SCREEN_DIM;
        if (column >= TOP_CPU_PRESSURE && column <= TOP_IO_PRESSURE)
                return value >= 40 ? SCREEN_RED : value >= 10 ? SCREEN_YELLOW : SCREEN_PLAIN;
        if (column == TOP_MEMORY && value / row->value[TOP_LIMIT] >= 0.9)
                return SCREEN_RED;
        return SCREEN_PLAIN;
}

static void draw_row(struct screen *s, unsigned int y, const struct top_row *row, struct layout layout, bool selected)
{
        unsigned int at = 0;

        for (int i = 0; i < TOP_COLUMNS; i++) {
                enum screen_style style = selected && i == TOP_NAME ? SCREEN_REVERSE : style_of(row, i);
                char cell[80];

                if (shown[i].rank > layout.rank)
                        continue;
                (void)top_cell(cell, sizeof(cell), row, (enum top_column)i);
                if (i <= TOP_STATE)
                        (void)screen_put(s, y, at, at + width_of(layout, i), style, cell);
                else
                        put_right(s, y, at, width_of(layout, i), style, cell);
                at += width_of(layout, i) + 1;
                if (i == TOP_CPU && layout.rank >= BAR_RANK) {
                        if (!isnan(row->value[TOP_CPU]))
                                (void)put_bar(s, y, at, BAR_WIDTH, row->value[TOP_CPU] / 100);
                        at += BAR_WIDTH + 1;
                }
        }
}

static size_t selected_index(const struct top_view *view, const struct top_row *rows, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(rows[i].name, view->selected) == 0)
                        return i;
        return 0;
}

static void draw_table(struct screen *s, unsigned int from, unsigned int to, struct top_view *view,
        const struct top_row *rows, size_t n)
{
        struct layout layout = fitting(screen_columns(s));
        unsigned int room = to > from + 1 ? to - from - 1 : 0;
        size_t at = selected_index(view, rows, n);

        if (from >= to)
                return;
        draw_titles(s, from, view, layout);
        if (at < view->first)
                view->first = at;
        if (room > 0 && at >= view->first + room)
                view->first = at - room + 1;
        if (view->first > 0 && view->first + room > n)
                view->first = n > room ? n - room : 0;
        for (size_t i = view->first; i < n && i - view->first < room; i++)
                draw_row(s, from + 1 + (unsigned int)(i - view->first), &rows[i], layout, i == at);
}

/* --- one partition --- */

static void draw_cpus(struct screen *s, unsigned int row, const struct top_row *r, double seconds)
{
        const json_t *now = output_at(r->now, "cpu.each"), *was = r->before ? output_at(r->before, "cpu.each") : NULL;
        unsigned int at = screen_put(s, row, 1, 0, SCREEN_BOLD, "CPUs  ");
        char line[48];

        if (json_array_size(now) == 0)
                (void)screen_put(s, row, at, 0, SCREEN_DIM, "only their sum is known here");
        for (size_t i = 0; i < json_array_size(now); i++) {
                double sum = 0;

                for (size_t k = 0; k < 3; k++)
                        sum += json_number_value(json_array_get(json_array_get(now, i), k)) -
                               json_number_value(json_array_get(json_array_get(was, i), k));
                (void)snprintf(
                        line, sizeof(line), was && seconds > 0 ? "%zu: %.1f%%  " : "%zu: -  ", i, sum / 1e7 / seconds);
                at = screen_put(s, row, at, 0, SCREEN_PLAIN, line);
        }
}

static void draw_pressure(struct screen *s, unsigned int row, const json_t *p)
{
        static const char *const what[] = {"cpu", "memory", "io"};
        unsigned int at = screen_put(s, row, 1, 0, SCREEN_BOLD, "Wait  ");
        char line[96], some[64], full[64];

        for (size_t i = 0; i < ELEMENTS(what); i++) {
                (void)snprintf(some, sizeof(some), "pressure.%s.some.avg10", what[i]);
                (void)snprintf(full, sizeof(full), "pressure.%s.full.avg10", what[i]);
                (void)snprintf(line, sizeof(line), "%s: some %s%% all %s%%   ", what[i],
                        number(top_number(p, some), 1).text, number(top_number(p, full), 1).text);
                at = screen_put(s, row, at, 0, SCREEN_PLAIN, line);
        }
}

/* Disks or interfaces, one behind the other: name, in, out. */
static void draw_devices(struct screen *s, unsigned int row, const struct top_row *r, double seconds, const char *list,
        const char *const keys[2])
{
        const json_t *now = json_object_get(r->now, list), *was = r->before ? json_object_get(r->before, list) : NULL;
        unsigned int at = screen_put(s, row, 1, 0, SCREEN_BOLD, strcmp(list, "disks") == 0 ? "Disks " : "Net   ");

        for (size_t i = 0; i < json_array_size(now); i++) {
                const json_t *one = json_array_get(now, i), *old = json_array_get(was, i);
                const char *name = json_string_value(json_object_get(one, "name"));
                const char *before = json_string_value(json_object_get(old, "name"));
                char line[96], in[16], out[16];

                if (!name || !before || strcmp(name, before) != 0)
                        old = NULL; /* the list has changed: no rate this once */
                top_short(in, sizeof(in), top_rate(one, old, seconds, keys[0]));
                top_short(out, sizeof(out), top_rate(one, old, seconds, keys[1]));
                (void)snprintf(line, sizeof(line), "%.40s in %s/s out %s/s   ", name ? name : "?", in, out);
                at = screen_put(s, row, at, 0, SCREEN_PLAIN, line);
        }
}

static void draw_detail_memory(struct screen *s, unsigned int row, const json_t *p)
{
        static const char *const what[] = {"anon", "file", "shmem", "kernel_stack", "page_tables", "slab_reclaimable"};
        unsigned int at = screen_put(s, row, 1, 0, SCREEN_BOLD, "Mem   ");
        char line[64], path[64], value[16];

        for (size_t i = 0; i < ELEMENTS(what); i++) {
                (void)snprintf(path, sizeof(path), "memory.%s_bytes", what[i]);
                (void)snprintf(
                        line, sizeof(line), "%s %s   ", what[i], top_short(value, sizeof(value), top_number(p, path)));
                at = screen_put(s, row, at, 0, SCREEN_PLAIN, line);
        }
}

static void draw_tasks(struct screen *s, unsigned int row, const json_t *p)
{
        static const struct {
                const char *path, *what;
        } parts[] = {{"tasks.count", " tasks: "}, {"tasks.running", " running, "},
                {"tasks.blocked", " waiting for a disk, "}, {"tasks.limit", " allowed"}};
        const json_t *load = json_object_get(p, "load");
        unsigned int at = screen_put(s, row, 1, 0, SCREEN_BOLD, "Runs  ");
        char line[80];

        for (size_t i = 0; i < ELEMENTS(parts); i++) {
                at = screen_put(s, row, at, 0, SCREEN_PLAIN, number(top_number(p, parts[i].path), 0).text);
                at = screen_put(s, row, at, 0, SCREEN_PLAIN, parts[i].what);
        }
        if (json_array_size(load) != 3)
                return;
        (void)snprintf(line, sizeof(line), "   load %.2f %.2f %.2f", json_number_value(json_array_get(load, 0)),
                json_number_value(json_array_get(load, 1)), json_number_value(json_array_get(load, 2)));
        (void)screen_put(s, row, at, 0, SCREEN_PLAIN, line);
}

static void draw_detail(struct screen *s, unsigned int from, const struct top_row *r, double seconds)
{
        static const char *const disk[] = {"read_bytes", "written_bytes"};
        static const char *const net[] = {"receive_bytes", "transmit_bytes"};
        char line[200];

        for (unsigned int i = 0; i < screen_columns(s); i++)
                (void)screen_put(s, from, i, 0, SCREEN_REVERSE, " ");
        (void)snprintf(line, sizeof(line), " %s, %s", r->name, r->state);
        (void)screen_put(s, from, 0, 0, SCREEN_REVERSE, line);
        draw_cpus(s, from + 1, r, seconds);
        draw_detail_memory(s, from + 2, r->now);
        draw_pressure(s, from + 3, r->now);
        draw_devices(s, from + 4, r, seconds, "disks", disk);
        draw_devices(s, from + 5, r, seconds, "interfaces", net);
        draw_tasks(s, from + 6, r->now);
}

/* --- all --- */

static void draw_help(struct screen *s)
{
        static const char *const lines[] = {"arrows, page keys   choose a partition",
                "Enter               show more of it", "< >                 order by the column to the left or right",
                "c m n t l           order by cpu, memory, name, tasks, load",
                "r                   the other way round",
                "/                   only names with this in them; Esc: all again",
                "space               halt and go on", "+ -                 slower, faster", "q                   quit",
                "", "any key goes back"};

        for (unsigned int i = 0; i < ELEMENTS(lines); i++)
                (void)screen_put(s, 2 + i, 2, 0, SCREEN_PLAIN, lines[i]);
        (void)screen_put(s, 0, 1, 0, SCREEN_BOLD, "croft top: keys");
}

static void draw_last(struct screen *s, const struct top_view *view, size_t n, size_t all)
{
        unsigned int row = screen_rows(s) - 1;
        char line[400];

        if (view->message[0]) {
                (void)screen_put(s, row, 0, 0, SCREEN_RED, view->message);
                return;
        }
        if (view->filtering || view->filter[0])
                (void)snprintf(line, sizeof(line), " name has: %s%s   (%zu of %zu)", view->filter,
                        view->filtering ? "_" : "", n, all);
        else
                (void)snprintf(line, sizeof(line),
                        " q quit  Enter more  < > order: %s  r reverse  / filter  space halt  h help",
                        top_column_key(view->sort));
        (void)screen_put(s, row, 0, 0, view->filtering ? SCREEN_BOLD : SCREEN_DIM, line);
}

void top_draw(struct screen *s, struct top_view *view, const json_t *now, const json_t *before,
        const struct top_row *rows, size_t n)
{
        double seconds = now && before ? (top_number(now, "now_ns") - top_number(before, "now_ns")) / 1e9 : 0;
        unsigned int last = screen_rows(s) - 1, end = last;

        screen_clear(s);
        if (view->help) {
                draw_help(s);
                return;
        }
        if (now) {
                draw_first(s, view, now);
                draw_cpu(s, now, before);
                draw_memory(s, now);
        }
        /* The table keeps at least a few lines: a small screen has no room for more of one. */
        if (view->expanded && n > 0 && last > 4 + 3 + DETAIL_ROWS)
                end = last - DETAIL_ROWS + 1;
        draw_table(s, 4, end, view, rows, n);
        if (end < last)
                draw_detail(s, end, &rows[selected_index(view, rows, n)], seconds);
        /* Over whatever was there: on two rows, too. */
        for (unsigned int i = 0; i < screen_columns(s); i++)
                (void)screen_put(s, last, i, 0, SCREEN_PLAIN, " ");
        draw_last(s, view, n, json_array_size(json_object_get(now, "partitions")));
}
