/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_fsstat.c - "croft fsstat": what is done on each mount, beside the partition that mounted it.
 *
 * The figures come from the kernel (croft/stats.h), croftd is asked for the names of partitions only.  The first report
 * is of all since the mount, the others of the time since the one before, as with illumos fsstat(8).
 */
#include "output.h"

#include <croft/stats.h>
#include <errno.h>
#include <string.h>
#include <time.h>

static const struct cli_column columns[] = {
        {"PARTITION", "partition", COLUMN_TEXT, true},
        {"READS", "reads", COLUMN_NUMBER, true},
        {"READ", "read_bytes", COLUMN_BYTES, true},
        {"WRITES", "writes", COLUMN_NUMBER, true},
        {"WRITTEN", "written_bytes", COLUMN_BYTES, true},
        {"NS/READ", "read_ns", COLUMN_NUMBER, false},
        {"NS/WRITE", "write_ns", COLUMN_NUMBER, false},
        {"TYPE", "type", COLUMN_TEXT, true},
        {"MOUNT", "mount_id", COLUMN_NUMBER, true},
        {"MOUNT POINT", "mount_point", COLUMN_TEXT, true},
        {NULL},
};

/* The counters of a row, and the fields of mount:N:io that they are. */
static const struct {
        const char *key, *field;
} counters[] = {{"reads", "reads"}, {"read_bytes", "nread"}, {"read_time_ns", "rlentime"}, {"writes", "writes"},
        {"written_bytes", "nwritten"}, {"write_time_ns", "wlentime"}};

static void close_stats(struct croft_stats **stats)
{
        *stats = croft_stats_close(*stats);
}

static void free_stat(struct croft_stat **stat)
{
        *stat = croft_stat_free(*stat);
}

static json_int_t number(const struct croft_stat *stat, const char *name)
{
        const struct croft_value *value = croft_stat_find(stat, name);

        return value ? (json_int_t)value->u : 0;
}

static json_t *text(const struct croft_stat *stat, const char *name)
{
        const struct croft_value *value = croft_stat_find(stat, name);

        return json_string(value && value->text ? value->text : "");
}

/* The name of a partition; "#ID" for one that is no longer there. */
static json_t *name_of(const json_t *partitions, json_int_t id)
{
        char unnamed[32];
        const json_t *p;
        size_t i;

        json_array_foreach (partitions, i, p)
                if (json_integer_value(json_object_get(p, "id")) == id)
                        return json_incref(json_object_get(p, "name"));
        (void)snprintf(unnamed, sizeof(unnamed), "#%lld", (long long)id);
        return json_string(unnamed);
}

/* What is known of that mount: NULL if it went meanwhile, or isn't of the partition that was asked for. */
static json_t *make_row(struct croft_stats *stats, const struct croft_stat *io, struct croft_stat *info,
        const json_t *partitions, json_int_t only)
{
        const struct croft_stat_info *head = croft_stat_info(io);
        json_t *row;

        if (croft_stats_find(stats, "mount", head->instance, "mntinfo", info, NULL) < 0)
                return NULL;
        if (only && number(info, "partition") != only)
                return NULL;
        row = json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:b, s:I}", "partition",
                name_of(partitions, number(info, "partition")), "mount_id", (json_int_t)head->instance, "mount_point",
                text(info, "mountpoint"), "type", text(info, "fstype"), "special", text(info, "special"), "options",
                text(info, "options"), "base", number(info, "base") != 0, "kid", (json_int_t)head->id);
        for (size_t i = 0; row && i < ELEMENTS(counters); i++)
                if (json_object_set_new(row, counters[i].key, json_integer(number(io, counters[i].field))) < 0) {
                        json_decref(row);
                        return NULL;
                }
        return row;
}

/* All mounts as they stand; NULL: the reason is in *err. */
static json_t *take(struct croft_stats *stats, const json_t *partitions, json_int_t only, struct croft_error *err)
{
        _cleanup_(free_stat) struct croft_stat *io = croft_stat_new(), *info = croft_stat_new();
        struct croft_stats_list list = {.n = 0};
        json_t *rows = json_array();

        if (!io || !info || !rows) {
                json_decref(rows);
                (void)croft_error_set(err, ENOMEM, "read statistics");
                return NULL;
        }
        if (croft_stats_list(stats, &list, err) < 0) {
                json_decref(rows);
                return NULL;
        }
        for (size_t i = 0; i < list.n; i++) {
                const struct croft_stat_info *head = croft_stat_info(io);
                json_t *row;

                if (croft_stats_read(stats, list.ids[i], io, NULL) < 0 || strcmp(head->module, "mount") != 0 ||
                        strcmp(head->name, "io") != 0)
                        continue;
                row = make_row(stats, io, info, partitions, only);
                if (row)
                        (void)json_array_append_new(rows, row); /* no memory: one row less */
        }
        croft_stats_list_done(&list);
        return rows;
}

static const json_t *row_before(const json_t *rows, const json_t *row)
{
        json_int_t kid = json_integer_value(json_object_get(row, "kid"));
        const json_t *old;
        size_t i;

        json_array_foreach (rows, i, old)
                if (json_integer_value(json_object_get(old, "kid")) == kid)
                        return old;
        return NULL;
}

static void set_average(json_t *row, const char *key, const char *time_key, const char *n_key)
{
        json_int_t ns = json_integer_value(json_object_get(row, time_key));
        json_int_t n = json_integer_value(json_object_get(row, n_key));

        if (ns > 0 && n > 0)
                (void)json_object_set_new(row, key, json_integer(ns / n));
}

/* What has been done since `before` (NULL: ever); without all only where something was.  NULL: no memory. */
static json_t *since(const json_t *now, const json_t *before, bool all)
{
        json_t *rows = json_array();
        const json_t *row;
        size_t i;

        json_array_foreach (now, i, row) {
                const json_t *old = row_before(before, row);
                json_t *copy = json_deep_copy(row);
                bool busy = all;

                for (size_t j = 0; copy && j < ELEMENTS(counters); j++) {
                        json_int_t n = json_integer_value(json_object_get(row, counters[j].key)) -
                                       json_integer_value(json_object_get(old, counters[j].key));

                        (void)json_object_set_new(copy, counters[j].key, json_integer(n));
                        busy = busy || n > 0;
                }
                set_average(copy, "read_ns", "read_time_ns", "reads");
                set_average(copy, "write_ns", "write_time_ns", "writes");
                if (!busy)
                        json_decref(copy);
                else
                        (void)json_array_append_new(rows, copy);
        }
        return rows;
}

static int report(struct cli *cli, struct croft_stats *stats, const json_t *partitions, json_int_t only, bool all,
        json_t **before)
{
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_json_ json_t *rows = NULL;
        json_t *now = take(stats, partitions, only, &err);
        int r;

        if (!now)
                return cli_fail(cli, &err, "fsstat");
        rows = since(now, *before, all);
        json_decref(*before);
        *before = now;
        r = output_list(cli, stdout, rows, columns);
        (void)fflush(stdout);
        return r;
}

static int find_partition(struct cli *cli, const char *name, json_int_t *ret)
{
        _cleanup_free_ char *path = cli_path(NULL, "partitions", name, NULL);
        _cleanup_json_ json_t *one = NULL;
        char what[160];
        int r;

        (void)snprintf(what, sizeof(what), "fsstat of '%s'", name);
        r = cli_request(cli, "GET", path, NULL, what, &one);
        *ret = json_integer_value(json_object_get(one, "id"));
        return r;
}

static bool parse_count(const char *word, unsigned long *ret)
{
        char *end;

        *ret = strtoul(word, &end, 10);
        return *word >= '0' && *word <= '9' && *end == '\0' && *ret > 0;
}

static int open_stats(struct cli *cli, struct croft_stats **ret)
{
        struct croft_error err = CROFT_ERROR_INIT;

        /* The programs are beside the socket. */
        if (cli->socket && setenv("CROFT_SOCKET", cli->socket, 1) < 0)
                (void)croft_error_set(&err, ENOMEM, "open statistics");
        else if (croft_stats_open(NULL, ret, &err) == 0)
                return 0;
        return cli_fail(cli, &err, "fsstat");
}

int cli_cmd_fsstat(struct cli *cli, const struct cli_args *args)
{
        _cleanup_(close_stats) struct croft_stats *stats = NULL;
        _cleanup_json_ json_t *partitions = NULL, *before = NULL;
        _cleanup_free_ char *path = cli_path(NULL, "partitions", NULL);
        const char *name = cli_value(args, "partition");
        unsigned long count = args->n_words == 1 ? 0 : 1;
        unsigned int interval_ms = 0;
        json_int_t only = 0;
        int r;

        if (args->n_words > 0 && !cli_parse_seconds(args->words[0], &interval_ms))
                return cli_usage(args->command, "'%s' is no number of seconds", args->words[0]);
        if (args->n_words > 1 && !parse_count(args->words[1], &count))
                return cli_usage(args->command, "'%s' is no number of reports", args->words[1]);
        r = name ? find_partition(cli, name, &only) : 0;
        if (r == 0)
                r = open_stats(cli, &stats);
        if (r != 0)
                return r;
        for (unsigned long i = 0; count == 0 || i < count; i++) {
                const struct timespec pause = {interval_ms / 1000, interval_ms % 1000 * 1000000L};

                if (i > 0)
                        (void)nanosleep(&pause, NULL);
                json_decref(partitions); /* those of this moment */
                partitions = NULL;
                r = cli_request(cli, "GET", path, NULL, "fsstat", &partitions);
                if (r == 0)
                        r = report(cli, stats, partitions, only, cli_has(args, "all"), &before);
                if (r != 0)
                        return r;
        }
        return 0;
}
