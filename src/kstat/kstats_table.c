/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstats_table.c - structures, views and subjects in sorted arrays: there are some hundred thousand at most, and kids
 * come in rising order.  See kstats_table.h.
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

int kids_copy(const struct kids *kids, struct kids *ret)
{
        struct kids copy = {.n = kids->n, .room = kids->n + 1};

        copy.at = calloc(copy.room, sizeof(*copy.at));
        if (!copy.at)
                return -ENOMEM;
        if (kids->n > 0)
                memcpy(copy.at, kids->at, kids->n * sizeof(*copy.at));
        *ret = copy;
        return 0;
}

static int by_number(const void *a, const void *b)
{
        const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

void kids_sort(uint64_t *numbers, size_t n)
{
        if (n > 0)
                qsort(numbers, n, sizeof(*numbers), by_number);
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
                kid_list_done(&table->views[i].list);
        for (size_t i = 0; i < table->n_subjects; i++)
                kids_done(&table->subjects[i].kids);
        free(table->entries);
        free(table->views);
        free(table->subjects);
        *table = (struct kstat_table){.n_entries = 0};
}

/* Where an entry is, or would be, from `low` on. */
static size_t entry_place(const struct kstat_table *table, size_t low, uint64_t kid)
{
        size_t high = table->n_entries;

        if (high > low && table->entries[high - 1]->head.kid < kid)
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
        size_t i = entry_place(table, 0, kid);

        return i < table->n_entries && table->entries[i]->head.kid == kid ? table->entries[i] : NULL;
}

/* --- subjects --- */

static size_t subject_place(const struct kstat_table *table, uint64_t subject)
{
        size_t low = 0, high = table->n_subjects;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (table->subjects[middle].subject < subject)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static struct kstat_subject *find_subject(const struct kstat_table *table, uint64_t subject)
{
        size_t i = subject_place(table, subject);

        return i < table->n_subjects && table->subjects[i].subject == subject ? &table->subjects[i] : NULL;
}

const struct kids *table_subject(const struct kstat_table *table, uint64_t subject)
{
        const struct kstat_subject *found = find_subject(table, subject);

        return found ? &found->kids : NULL;
}

static int add_to_subject(struct kstat_table *table, const struct kstat_entry *entry)
{
        size_t i = subject_place(table, entry->subject);

        if (!find_subject(table, entry->subject)) {
                if (grow(&table->subjects, table->n_subjects, &table->room_subjects, sizeof(*table->subjects)) < 0)
                        return -ENOMEM;
                memmove(table->subjects + i + 1, table->subjects + i,
                        (table->n_subjects - i) * sizeof(*table->subjects));
                table->subjects[i] = (struct kstat_subject){.subject = entry->subject};
                table->n_subjects++;
        }
        return kids_add(&table->subjects[i].kids, entry->head.kid);
}

static void drop_from_subject(struct kstat_table *table, const struct kstat_entry *entry)
{
        struct kstat_subject *subject = find_subject(table, entry->subject);
        size_t i;

        if (!subject)
                return;
        kids_drop(&subject->kids, entry->head.kid);
        if (subject->kids.n > 0)
                return;
        i = (size_t)(subject - table->subjects);
        kids_done(&subject->kids);
        table->n_subjects--;
        memmove(table->subjects + i, table->subjects + i + 1, (table->n_subjects - i) * sizeof(*table->subjects));
}

/* --- entries --- */

struct kstat_entry *table_add(struct kstat_table *table, const struct kstat_entry *like)
{
        size_t i = entry_place(table, 0, like->head.kid);
        struct kstat_entry *entry;

        if (grow(&table->entries, table->n_entries, &table->room_entries, sizeof(struct kstat_entry *)) < 0)
                return NULL;
        entry = calloc(1, sizeof(*entry));
        if (!entry)
                return NULL;
        *entry = *like;
        entry->partitions = (struct kids){.n = 0};
        if (add_to_subject(table, entry) < 0) {
                drop_from_subject(table, entry);
                entry_free(entry);
                return NULL;
        }
        memmove(table->entries + i + 1, table->entries + i, (table->n_entries - i) * sizeof(struct kstat_entry *));
        table->entries[i] = entry;
        table->n_entries++;
        return entry;
}

/* What stays is moved once, however many go. */
void table_drop(struct kstat_table *table, const uint64_t *kids, size_t n)
{
        size_t to = n > 0 ? entry_place(table, 0, kids[0]) : 0, from = to;

        for (size_t i = 0; i < n; i++) {
                size_t place = entry_place(table, from, kids[i]);
                struct kstat_entry *entry = place < table->n_entries ? table->entries[place] : NULL;

                if (!entry || entry->head.kid != kids[i])
                        continue;
                memmove(table->entries + to, table->entries + from, (place - from) * sizeof(struct kstat_entry *));
                to += place - from;
                from = place + 1;
                drop_from_subject(table, entry);
                entry_free(entry);
        }
        if (n == 0)
                return;
        memmove(table->entries + to, table->entries + from, (table->n_entries - from) * sizeof(struct kstat_entry *));
        table->n_entries -= from - to;
}

/* --- views --- */

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
        for (size_t p = 0; p < table->views[i].list.n_pages; p++)
                for (uint32_t k = 0; k < table->views[i].list.pages[p]->n; k++)
                        table_dissociate(table, table->views[i].list.pages[p]->kids[k], partition);
        kid_list_done(&table->views[i].list);
        table->n_views--;
        memmove(table->views + i, table->views + i + 1, (table->n_views - i) * sizeof(*table->views));
}

int table_associate(struct kstat_table *table, uint64_t kid, uint64_t partition)
{
        struct kstat_entry *entry = table_find(table, kid);

        return entry && table_view(table, partition) ? kids_add(&entry->partitions, partition) : -ENOENT;
}

void table_dissociate(struct kstat_table *table, uint64_t kid, uint64_t partition)
{
        struct kstat_entry *entry = table_find(table, kid);

        if (entry)
                kids_drop(&entry->partitions, partition);
}
