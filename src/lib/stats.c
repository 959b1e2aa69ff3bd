/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stats.c - <croft/stats.h> on the client of libkstat: copies what the client was answered into the caller's room.
 *
 * Invariant of a struct croft_stat: names, values and data that were given out point into its own storage, which
 * changes only when a whole read has succeeded.
 */
#include "base/cleanup.h"
#include "base/pinned.h"
#include "libkstat/client.h"
#include "libkstat/fields.h"

#include <croft/stats.h>
#include <string.h>

struct croft_stats {
        struct kstat_client *client;
        uint64_t partition;
};

struct croft_stat {
        struct croft_stat_info info;
        struct kstat_head head; /* the names */
        struct croft_value *values;
        char *storage; /* texts of values and their names, then data */
};

/* What was wrong with the way to the kernel. */
static int open_error(struct croft_error *err, int r, const char *directory)
{
        if (r == -ENOENT)
                return croft_error_set(err, ENOENT, "there are no statistics at %s (is croftd running?).", directory);
        return croft_error_set(err, -r, "open the statistics at %s", directory);
}

int croft_stats_open(const char *directory, struct croft_stats **ret, struct croft_error *err)
{
        _cleanup_free_ char *found = directory ? strdup(directory) : pinned_programs();
        _cleanup_free_ struct croft_stats *stats = calloc(1, sizeof(*stats));
        int r;

        if (!found || !stats)
                return croft_error_set(err, ENOMEM, "open statistics");
        r = kstat_client_open(directory, &stats->client);
        if (r < 0)
                return open_error(err, r, found);
        *ret = TAKE(stats);
        return 0;
}

struct croft_stats *croft_stats_close(struct croft_stats *stats)
{
        if (stats)
                kstat_client_free(stats->client);
        free(stats);
        return NULL;
}

void croft_stats_set_partition(struct croft_stats *stats, uint64_t partition)
{
        stats->partition = partition;
        kstat_client_set_partition(stats->client, partition);
}

/* The sentence for what the client said. */
static int failed(const struct croft_stats *stats, struct croft_error *err, int r, const char *what)
{
        switch (r) {
        case -EBADMSG:
                return croft_error_set(err, EBADMSG, "%s: the kernel's answer makes no sense.", what);
        case -ESRCH:
                return croft_error_set(
                        err, ESRCH, "%s: there is no partition %llu.", what, (unsigned long long)stats->partition);
        case -EPERM:
                return croft_error_set(err, EPERM, "%s: only global may ask for a partition's.", what);
        default:
                return croft_error_set(err, -r, "%s", what);
        }
}

int croft_stats_generation(
        struct croft_stats *stats, uint64_t *ret_generation, uint64_t *ret_caller, struct croft_error *err)
{
        int r = kstat_client_chain(stats->client, ret_generation, ret_caller);

        return r < 0 ? failed(stats, err, r, "ask for the generation of statistics") : 0;
}

int croft_stats_list(struct croft_stats *stats, struct croft_stats_list *ret, struct croft_error *err)
{
        struct kstat_kids kids;
        int r = kstat_client_list(stats->client, &kids);

        if (r < 0)
                return failed(stats, err, r, "list statistics");
        *ret = (struct croft_stats_list){.generation = kids.kcid, .n = kids.n, .ids = kids.kids};
        return 0;
}

void croft_stats_list_done(struct croft_stats_list *list)
{
        free(list->ids);
        *list = (struct croft_stats_list){.n = 0};
}

struct croft_stat *croft_stat_new(void)
{
        struct croft_stat *stat = calloc(1, sizeof(*stat));

        if (stat)
                stat->info.module = stat->info.name = stat->info.class_name = "";
        return stat;
}

struct croft_stat *croft_stat_free(struct croft_stat *stat)
{
        if (!stat)
                return NULL;
        free(stat->values);
        free(stat->storage);
        free(stat);
        return NULL;
}

/* --- filling
 * ---------------------------------------------------------------------------------------------------------- */

static bool is_text(const struct kstat_field *field)
{
        return field->type == KSTAT_DATA_CHAR || field->type == KSTAT_DATA_STRING;
}

static size_t storage_size(const struct kstat_answer *answer)
{
        size_t size = answer->head->size + answer->n_fields * KSTAT_NAME_SIZE + 1;

        for (size_t i = 0; i < answer->n_fields; i++) {
                if (is_text(&answer->fields[i]))
                        size += answer->fields[i].size + 1U;
        }
        return size;
}

/* Puts bytes and a NUL at *room; returns where. */
static const char *put_text(char **room, const char *text, size_t length)
{
        char *at = *room;

        memcpy(at, text, length);
        at[length] = '\0';
        *room += length + 1;
        return at;
}

static struct croft_value take_value(const struct kstat_field *field, const uint8_t *data, char **room)
{
        struct kstat_value raw = kstat_field_value(field, data);
        struct croft_value value = {
                .name = put_text(room, field->name, strlen(field->name)),
                .type = (enum croft_value_type)field->type,
                .unit = (enum croft_unit)field->unit,
        };

        if (is_text(field))
                value.text = put_text(room, raw.text, raw.length);
        else if (field->type == KSTAT_DATA_INT32 || field->type == KSTAT_DATA_INT64)
                value.i = raw.i;
        else
                value.u = raw.u;
        return value;
}

/* Takes the answer over as a whole or not at all. */
static int fill(struct croft_stat *stat, const struct kstat_answer *answer)
{
        const struct kstat_head *head = answer->head;
        struct croft_value *values = calloc(answer->n_fields > 0 ? answer->n_fields : 1, sizeof(*values));
        char *storage = malloc(storage_size(answer)), *room = storage;

        if (!values || !storage) {
                free(values);
                free(storage);
                return -ENOMEM;
        }
        memcpy(room, answer->data, head->size);
        room += head->size;
        for (size_t i = 0; i < answer->n_fields; i++)
                values[i] = take_value(&answer->fields[i], answer->data, &room);
        free(stat->values);
        free(stat->storage);
        stat->values = values;
        stat->storage = storage;
        stat->head = *head;
        stat->info = (struct croft_stat_info){
                .id = head->kid,
                .generation = answer->kcid,
                .module = stat->head.key.module,
                .name = stat->head.key.name,
                .class_name = stat->head.class,
                .instance = head->key.instance,
                .type = (enum croft_stat_type)head->type,
                .flags = head->flags,
                .created_ns = head->crtime,
                .taken_ns = head->snaptime,
                .n_values = answer->n_fields,
                .data = storage,
                .size = head->size,
        };
        return 0;
}

int croft_stats_read(struct croft_stats *stats, uint64_t id, struct croft_stat *stat, struct croft_error *err)
{
        struct kstat_answer answer;
        int r = kstat_client_read(stats->client, id, &answer);
        char what[64];

        if (r == 0)
                r = fill(stat, &answer);
        if (r == 0)
                return 0;
        (void)snprintf(what, sizeof(what), "read statistic %llu", (unsigned long long)id);
        return failed(stats, err, r, what);
}

int croft_stats_find(struct croft_stats *stats, const char *module, int instance, const char *name,
        struct croft_stat *stat, struct croft_error *err)
{
        struct kstat_answer answer;
        int r = kstat_client_find(stats->client, module, instance, name, &answer);
        char what[160];

        if (r == 0)
                r = fill(stat, &answer);
        if (r == 0)
                return 0;
        (void)snprintf(what, sizeof(what), "read statistic '%.40s:%d:%.40s'", module, instance, name);
        return failed(stats, err, r, what);
}

/* --- looking
 * ---------------------------------------------------------------------------------------------------------- */

const struct croft_stat_info *croft_stat_info(const struct croft_stat *stat)
{
        return &stat->info;
}

const struct croft_value *croft_stat_value(const struct croft_stat *stat, size_t i)
{
        return i < stat->info.n_values ? &stat->values[i] : NULL;
}

const struct croft_value *croft_stat_find(const struct croft_stat *stat, const char *name)
{
        for (size_t i = 0; i < stat->info.n_values; i++) {
                if (strcmp(stat->values[i].name, name) == 0)
                        return &stat->values[i];
        }
        return NULL;
}

const char *croft_unit_name(enum croft_unit unit)
{
        static const char *const names[] = {
                [CROFT_UNIT_NONE] = "",
                [CROFT_UNIT_COUNT] = "count",
                [CROFT_UNIT_EVENTS] = "events",
                [CROFT_UNIT_BYTES] = "bytes",
                [CROFT_UNIT_PAGES] = "pages",
                [CROFT_UNIT_NANOSECONDS] = "nanoseconds",
                [CROFT_UNIT_TICKS] = "ticks",
                [CROFT_UNIT_SECONDS] = "seconds",
                [CROFT_UNIT_LOAD] = "load/256",
                [CROFT_UNIT_HERTZ] = "hertz",
                [CROFT_UNIT_MEGAHERTZ] = "megahertz",
                [CROFT_UNIT_PERCENT_100] = "percent/100",
                [CROFT_UNIT_BITS_PER_SECOND] = "bits/second",
        };

        return (size_t)unit < ELEMENTS(names) ? names[unit] : "";
}
