/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstats_dormant.c - persistent structures: what is ended stays readable with its last values until the same structure
 * is made again (KST-29, kstat(9S)).
 *
 * Nobody's list changes by that, so no generation does: a record is replaced whole, and readers tell by its version.
 */
#include "kstat/kstats_private.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "kstat/catalogue.h"
#include "plane/plane.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <string.h>

#define AGAIN_MAX 64

/* What a reader would get now.  -ENXIO: what it tells about has gone already. */
static int read_values(struct kstats *k, const struct kstat_entry *entry, uint8_t ret[KSTAT_SMALL_DATA])
{
        _cleanup_close_ int directory = plane_open_programs(k->plane, NULL);
        _cleanup_close_ int program = directory < 0     ? directory
                                      : k->ours[0] >= 0 ? fcntl(k->ours[0], F_DUPFD_CLOEXEC, 3)
                                                        : plane_bpf_get(directory, "kstat");
        uint64_t first = entry->partitions.n > 0 ? entry->partitions.at[0] : 0;
        const struct kstat_call question = {
                .op = KSTAT_OP_READ, .kid = entry->head.kid, .partition = first == KSTAT_ALL ? 0 : first};
        int r = -EAGAIN;

        if (program < 0)
                return program;
        for (int i = 0; i < AGAIN_MAX && r == -EAGAIN; i++) {
                struct kstat_call call = question;
                LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &call, .ctx_size_in = sizeof(call));

                r = bpf_prog_test_run_opts(program, &options) < 0 ? -errno : (int)options.retval;
                if (r == 0)
                        memcpy(ret, call.data, KSTAT_SMALL_DATA);
        }
        return r;
}

static int replace(struct kstats *k, struct kstat_entry *entry, struct kstat_record *record, struct croft_error *err)
{
        int r;

        record->version = k->state.next_version++;
        r = kstat_put(k->maps.records, &entry->head.kid, record, "statistics", err);
        if (r < 0)
                return r;
        entry->head = record->head;
        entry->source = record->source;
        entry->argument = record->argument;
        return 0;
}

bool kstats_may_rest(const struct kstat_entry *entry)
{
        return entry->head.flags & KSTAT_PERSIST && !(entry->head.flags & KSTAT_DORMANT);
}

int kstats_lay_to_rest(struct kstats *k, struct kstat_entry *entry, struct croft_error *err)
{
        uint8_t data[KSTAT_SMALL_DATA] = {0};
        struct kstat_record record;
        int r = bpf_map_lookup_elem(k->maps.records, &entry->head.kid, &record) < 0 ? -errno : 0;

        if (r == 0)
                r = read_values(k, entry, data);
        if (r < 0)
                return croft_error_set(
                        err, r, "keep the last values of statistic %llu", (unsigned long long)entry->head.kid);
        record.head.flags |= KSTAT_DORMANT;
        record.source = KSTAT_SOURCE_STORED;
        memcpy(record.data, data, record.head.size);
        return replace(k, entry, &record, err);
}

/* The dormant one that these partitions mean by that key, and nobody else; NULL: none. */
static struct kstat_entry *find_dormant(
        struct kstats *k, const struct kstat_key *key, const uint64_t *partitions, size_t n_partitions)
{
        struct kstat_entry *found = NULL;

        for (size_t i = 0; i < n_partitions; i++) {
                const struct kstat_index_key index = {.key = *key, .partition = partitions[i]};
                struct kstat_index_value value;
                struct kstat_entry *entry;

                if (bpf_map_lookup_elem(k->maps.index, &index, &value) < 0)
                        return NULL;
                entry = table_find(&k->table, value.kid);
                if (!entry || (found && entry != found) || !(entry->head.flags & KSTAT_DORMANT))
                        return NULL;
                found = entry;
        }
        return found && found->partitions.n == n_partitions ? found : NULL;
}

int kstats_wake(struct kstats *k, const struct kstat_entry *like, const void *data, const uint64_t *partitions,
        size_t n_partitions, uint64_t *ret_kid, struct croft_error *err)
{
        const struct kstat_head *head = &like->head;
        struct kstat_entry *entry = find_dormant(k, &head->key, partitions, n_partitions);
        struct kstat_record record;
        int r;

        if (!entry)
                return 0;
        if (strcmp(entry->head.class, head->class) != 0 || entry->head.type != head->type ||
                entry->head.schema != head->schema || entry->head.size != head->size || entry->subject != like->subject)
                return croft_error_set(err, EEXIST, "the dormant statistic %s:%d:%s has another class, type or size.",
                        head->key.module, (int)head->key.instance, head->key.name);
        if (bpf_map_lookup_elem(k->maps.records, &entry->head.kid, &record) < 0)
                return croft_error_set(err, errno, "wake statistic %llu", (unsigned long long)entry->head.kid);
        record.head.flags = head->flags;
        record.source = like->source;
        record.argument = like->argument;
        if (data)
                memcpy(record.data, data, head->size);
        r = replace(k, entry, &record, err);
        if (r < 0)
                return r;
        *ret_kid = entry->head.kid;
        return 1;
}
