/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * top_rows.c - two answers of /v1/stats become rows: rates, order, choice.  See top.h.
 *
 * Invariant: a counter that has gone down (the partition was started again) gives no rate, never a negative one.
 */
#include "output.h"
#include "top.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static const struct {
        const char *key, *path; /* path: of a plain number; NULL: made below */
} columns[TOP_COLUMNS] = {
        [TOP_NAME] = {"name", NULL},
        [TOP_STATE] = {"state", NULL},
        [TOP_CPU] = {"cpu", NULL},
        [TOP_MEMORY] = {"memory", "memory.usage_bytes"},
        [TOP_LIMIT] = {"limit", "memory.limit_bytes"},
        [TOP_SWAP] = {"swap", "memory.swap_usage_bytes"},
        [TOP_READ] = {"read", NULL},
        [TOP_WRITE] = {"write", NULL},
        [TOP_RECEIVE] = {"receive", NULL},
        [TOP_TRANSMIT] = {"transmit", NULL},
        [TOP_LOAD] = {"load", NULL},
        [TOP_CPU_PRESSURE] = {"cpu-pressure", "pressure.cpu.some.avg10"},
        [TOP_MEMORY_PRESSURE] = {"memory-pressure", "pressure.memory.some.avg10"},
        [TOP_IO_PRESSURE] = {"io-pressure", "pressure.io.some.avg10"},
        [TOP_TASKS] = {"tasks", "tasks.count"},
};

const char *top_column_key(enum top_column column)
{
        return columns[column].key;
}

enum top_column top_column_find(const char *key)
{
        int i = 0;

        while (i < TOP_COLUMNS && strcmp(columns[i].key, key) != 0)
                i++;
        return (enum top_column)i;
}

static double as_number(const json_t *value)
{
        return json_is_number(value) ? json_number_value(value) : NAN;
}

double top_number(const json_t *object, const char *path)
{
        return object ? as_number(output_at(object, path)) : NAN;
}

static double per_second(double now, double before, double seconds)
{
        return now >= before && seconds > 0 ? (now - before) / seconds : NAN; /* false with NAN, too */
}

double top_rate(const json_t *now, const json_t *before, double seconds, const char *path)
{
        return per_second(top_number(now, path), top_number(before, path), seconds);
}

/* The sum of a number over an array of disks or interfaces; loopback traffic leaves no partition. */
static double sum(const json_t *partition, const char *list, const char *key)
{
        const json_t *array = partition ? json_object_get(partition, list) : NULL;
        double total = 0;

        if (!partition || !json_is_number(json_object_get(partition, "started")))
                return NAN; /* it doesn't run; without a disk that it has touched, it has read nothing */
        for (size_t i = 0; i < json_array_size(array); i++) {
                const json_t *one = json_array_get(array, i);
                const char *name = json_string_value(json_object_get(one, "name"));
                double value = as_number(json_object_get(one, key));

                if (!isnan(value) && !(name && strcmp(name, "lo") == 0))
                        total += value;
        }
        return total;
}

static double sum_rate(const struct top_row *row, double seconds, const char *list, const char *key)
{
        return per_second(sum(row->now, list, key), sum(row->before, list, key), seconds);
}

/* Percent of one CPU: the sum of what is known of user, nice and system time. */
static double cpu_percent(const struct top_row *row, double seconds)
{
        double nice = top_rate(row->now, row->before, seconds, "cpu.nice_ns");

        return (top_rate(row->now, row->before, seconds, "cpu.user_ns") + (isnan(nice) ? 0 : nice) +
                       top_rate(row->now, row->before, seconds, "cpu.system_ns")) /
               1e7;
}

static void fill(struct top_row *row, double seconds)
{
        const json_t *load = json_object_get(row->now, "load");

        row->name = json_string_value(json_object_get(row->now, "name"));
        row->state = json_string_value(json_object_get(row->now, "state"));
        row->name = row->name ? row->name : "?";
        row->state = row->state ? row->state : "?";
        for (int i = 0; i < TOP_COLUMNS; i++)
                row->value[i] = columns[i].path ? top_number(row->now, columns[i].path) : NAN;
        row->value[TOP_CPU] = cpu_percent(row, seconds);
        row->value[TOP_READ] = sum_rate(row, seconds, "disks", "read_bytes");
        row->value[TOP_WRITE] = sum_rate(row, seconds, "disks", "written_bytes");
        row->value[TOP_RECEIVE] = sum_rate(row, seconds, "interfaces", "receive_bytes");
        row->value[TOP_TRANSMIT] = sum_rate(row, seconds, "interfaces", "transmit_bytes");
        row->value[TOP_LOAD] = as_number(json_array_get(load, 0));
}

static int compare_name(const json_t *a, const json_t *b)
{
        const char *x = json_string_value(json_object_get(a, "name")),
                   *y = json_string_value(json_object_get(b, "name"));

        return strcmp(x ? x : "", y ? y : "");
}

int top_rows(const json_t *now, const json_t *before, struct top_row **ret, size_t *ret_n)
{
        const json_t *array = json_object_get(now, "partitions"), *old = json_object_get(before, "partitions");
        double seconds = (top_number(now, "now_ns") - top_number(before, "now_ns")) / 1e9;
        size_t n = json_array_size(array), k = 0;
        struct top_row *rows = calloc(n + 1, sizeof(*rows));

        if (!rows)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const json_t *was;

                rows[i].now = json_array_get(array, i);
                while ((was = json_array_get(old, k)) && compare_name(was, rows[i].now) < 0)
                        k++; /* both are sorted by name */
                if (was && json_integer_value(json_object_get(was, "id")) ==
                                   json_integer_value(json_object_get(rows[i].now, "id")))
                        rows[i].before = was;
                fill(&rows[i], seconds);
        }
        *ret = rows;
        *ret_n = n;
        return 0;
}

size_t top_filter(struct top_row *rows, size_t n, const char *text)
{
        size_t kept = 0;

        for (size_t i = 0; i < n; i++)
                if (strcasestr(rows[i].name, text))
                        rows[kept++] = rows[i];
        return kept;
}

struct order {
        enum top_column by;
        bool reverse;
};

static int compare_rows(const void *a, const void *b, void *context)
{
        const struct top_row *x = a, *y = b;
        const struct order *o = context;
        double p = x->value[o->by], q = y->value[o->by];
        int r = 0;

        if (o->by == TOP_STATE)
                r = strcmp(x->state, y->state);
        else if (o->by != TOP_NAME && isnan(p) != isnan(q))
                return isnan(p) ? 1 : -1;
        else if (o->by != TOP_NAME && !isnan(p))
                r = p > q ? -1 : p < q;
        if (o->by == TOP_NAME)
                r = strcmp(x->name, y->name);
        if (r == 0)
                return strcmp(x->name, y->name) * (o->by == TOP_NAME && o->reverse ? -1 : 1);
        return o->reverse ? -r : r;
}

void top_sort(struct top_row *rows, size_t n, enum top_column by, bool reverse)
{
        struct order order = {by, reverse};

        qsort_r(rows, n, sizeof(*rows), compare_rows, &order);
}

const char *top_short(char *buf, size_t size, double value)
{
        static const char unit[] = " KMGTPE";
        size_t i = 0;

        if (isnan(value) || value < 0) {
                (void)snprintf(buf, size, "-");
                return buf;
        }
        while (value >= 999.5 && unit[i + 1]) {
                value /= 1024;
                i++;
        }
        if (i == 0)
                (void)snprintf(buf, size, "%.0f", value);
        else
                (void)snprintf(buf, size, value < 9.95 ? "%.1f%c" : "%.0f%c", value, unit[i]);
        return buf;
}

const char *top_cell(char *buf, size_t size, const struct top_row *row, enum top_column column)
{
        double value = row->value[column];

        switch (column) {
        case TOP_NAME:
                (void)snprintf(buf, size, "%s", row->name);
                return buf;
        case TOP_STATE:
                (void)snprintf(buf, size, "%s", row->state);
                return buf;
        case TOP_CPU:
        case TOP_CPU_PRESSURE:
        case TOP_MEMORY_PRESSURE:
        case TOP_IO_PRESSURE:
        case TOP_LOAD:
                (void)snprintf(buf, size, isnan(value) ? "-" : column == TOP_LOAD ? "%.2f" : "%.1f", value);
                return buf;
        case TOP_TASKS:
                (void)snprintf(buf, size, isnan(value) ? "-" : "%.0f", value);
                return buf;
        default:
                return top_short(buf, size, value);
        }
}
