/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstats_table.c - structures and views in sorted arrays: there are some ten thousand, kids come in rising order, and
 * lists have to be in that order anyway.  See kstats_table.h.
 */
#include "kstat/kstats_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where a number is, or would be. */
static size_t place_of(const struct kids *kids, uint64_t kid)
{
        size_t low = 0, high = kids->n;

        if (high > 0 && kids->at[high - 1] < kid)
                return high;
        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (kids->at[middle] < kid)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

void kids_done(struct kids *kids)
{
        free(kids->at);
        *kids = (struct kids){.n = 0};
}

bool kids_have(const struct kids *kids, uint64_t kid)
{
        size_t i = place_of(kids, kid);

        return i < kids->n && kids->at[i] == kid;
}

/* Room for one more element in a growing array. */
static int grow(void *array, size_t n, size_t *room, size_t size)
{
        size_t more = *room * 2 + 8;
        void *new;

        if (n < *room)
                return 0;
        new = reallocarray(*(void **)array, more, size);
        if (!new)
                return -ENOMEM;
        *(void **)array = new;
        *room = more;
        return 0;
}

int kids_add(struct kids *kids, uint64_t kid)
{
        size_t i = place_of(kids, kid);

        if (i < kids->n && kids->at[i] == kid)
                return -EEXIST;
        if (grow(&kids->at, kids->n, &kids->room, sizeof(*kids->at)) < 0)
                return -ENOMEM;
        memmove(kids->at + i + 1, kids->at + i, (kids->n - i) * sizeof(*kids->at));
        kids->at[i] = kid;
        kids->n++;
        return 0;
}

void kids_drop(struct kids *kids, uint64_t kid)
{
        size_t i = place_of(kids, kid);

        if (i == kids->n || kids->at[i] != kid)
                return;
        kids->n--;
        memmove(kids->at + i, kids->at + i + 1, (kids->n - i) * sizeof(*kids->at));
}

int kids_merge(const struct kids *a, const struct kids *b, struct kids *ret)
{
        struct kids out = {.room = a->n + b->n + 1};
        size_t i = 0, j = 0;

        out.at = calloc(out.room, sizeof(*out.at));
        if (!out.at)
                return -ENOMEM;
        while (i < a->n || j < b->n) {
                if (j == b->n || (i < a->n && a->at[i] < b->at[j])) {
                        out.at[out.n++] = a->at[i++];
                        continue;
                }
                if (i < a->n && a->at[i] == b->at[j])
                        i++;
                out.at[out.n++] = b->at[j++];
        }
        *ret = out;
        return 0;
}

int table_init(struct kstat_table *table)
{
        *table = (struct kstat_table){.n_entries = 0};
        return table_add_view(table, KSTAT_ALL) ? 0 : -ENOMEM;
}

static void entry_free(struct kstat_entry *entry)
{
        kids_done(&entry->partitions);
        free(entry);
}

void table_done(struct kstat_table *table)
{
        for (size_t i = 0; i < table->n_entries; i++)
                entry_free(table->entries[i]);
        for (size_t i = 0; i < table->n_views; i++)
                kids_done(&table->views[i].kids);
        free(table->entries);
        free(table->views);
        *table = (struct kstat_table){.n_entries = 0};
}

static size_t entry_place(const struct kstat_table *table, uint64_t kid)
{
        size_t low = 0, high = table->n_entries;

        if (high > 0 && table->entries[high - 1]->head.kid < kid)
                return high;
        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (table->entries[middle]->head.kid < kid)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

struct kstat_entry *table_find(const struct kstat_table *table, uint64_t kid)
{
        size_t i = entry_place(table, kid);

        return i < table->n_entries && table->entries[i]->head.kid == kid ? table->entries[i] : NULL;
}

struct kstat_entry *table_add(struct kstat_table *table, const struct kstat_head *head)
{
        size_t i = entry_place(table, head->kid);
        struct kstat_entry *entry;

        if (grow(&table->entries, table->n_entries, &table->room_entries, sizeof(struct kstat_entry *)) < 0)
                return NULL;
        entry = calloc(1, sizeof(*entry));
        if (!entry)
                return NULL;
        entry->head = *head;
        memmove(table->entries + i + 1, table->entries + i, (table->n_entries - i) * sizeof(struct kstat_entry *));
        table->entries[i] = entry;
        table->n_entries++;
        return entry;
}

void table_drop(struct kstat_table *table, uint64_t kid)
{
        size_t i = entry_place(table, kid);
        struct kstat_entry *entry;

        if (i == table->n_entries || table->entries[i]->head.kid != kid)
                return;
        entry = table->entries[i];
        for (size_t p = 0; p < entry->partitions.n; p++) {
                struct kstat_view *view = table_view(table, entry->partitions.at[p]);

                if (view)
                        kids_drop(&view->kids, kid);
        }
        entry_free(entry);
        table->n_entries--;
        memmove(table->entries + i, table->entries + i + 1, (table->n_entries - i) * sizeof(struct kstat_entry *));
}

static size_t view_place(const struct kstat_table *table, uint64_t partition)
{
        size_t low = 0, high = table->n_views;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (table->views[middle].partition < partition)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

struct kstat_view *table_view(const struct kstat_table *table, uint64_t partition)
{
        size_t i = view_place(table, partition);

        return i < table->n_views && table->views[i].partition == partition ? &table->views[i] : NULL;
}

struct kstat_view *table_add_view(struct kstat_table *table, uint64_t partition)
{
        size_t i = view_place(table, partition);

        if (i < table->n_views && table->views[i].partition == partition)
                return &table->views[i];
        if (grow(&table->views, table->n_views, &table->room_views, sizeof(*table->views)) < 0)
                return NULL;
        memmove(table->views + i + 1, table->views + i, (table->n_views - i) * sizeof(*table->views));
        table->views[i] = (struct kstat_view){.partition = partition};
        table->n_views++;
        return &table->views[i];
}

void table_drop_view(struct kstat_table *table, uint64_t partition)
{
        size_t i = view_place(table, partition);

        if (i == table->n_views || table->views[i].partition != partition)
                return;
        for (size_t k = 0; k < table->views[i].kids.n; k++) {
                struct kstat_entry *entry = table_find(table, table->views[i].kids.at[k]);

                if (entry)
                        kids_drop(&entry->partitions, partition);
        }
        kids_done(&table->views[i].kids);
        table->n_views--;
        memmove(table->views + i, table->views + i + 1, (table->n_views - i) * sizeof(*table->views));
}

int table_associate(struct kstat_table *table, uint64_t kid, uint64_t partition)
{
        struct kstat_entry *entry = table_find(table, kid);
        struct kstat_view *view = table_view(table, partition);
        int r;

        if (!entry || !view)
                return -ENOENT;
        r = kids_add(&entry->partitions, partition);
        if (r < 0)
                return r;
        r = kids_add(&view->kids, kid);
        if (r < 0)
                kids_drop(&entry->partitions, partition);
        return r;
}

void table_dissociate(struct kstat_table *table, uint64_t kid, uint64_t partition)
{
        struct kstat_entry *entry = table_find(table, kid);
        struct kstat_view *view = table_view(table, partition);

        if (entry)
                kids_drop(&entry->partitions, partition);
        if (view)
                kids_drop(&view->kids, kid);
}
