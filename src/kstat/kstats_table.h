/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstats_table.h - croftd's copy of what is in the maps: which structures there are and who sees which.  Memory only.
 */
#ifndef CROFT_KSTAT_KSTATS_TABLE_H
#define CROFT_KSTAT_KSTATS_TABLE_H

#include "kstat/kstat.bpf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers, rising, none twice. */
struct kids {
        uint64_t *at;
        size_t n, room;
};
void kids_done(struct kids *kids);
bool kids_have(const struct kids *kids, uint64_t kid);
int kids_add(struct kids *kids, uint64_t kid); /* -ENOMEM, -EEXIST */
void kids_drop(struct kids *kids, uint64_t kid);
/* A new list of all of a and b; -ENOMEM. */
int kids_merge(const struct kids *a, const struct kids *b, struct kids *ret);

struct kstat_entry {
        struct kstat_head head;
        uint32_t source;
        uint64_t subject, argument;
        struct kids partitions;
};

struct kstat_view { /* of a partition; of KSTAT_ALL: what all see */
        uint64_t partition;
        uint64_t kcid;
        struct kids kids; /* without those of KSTAT_ALL */
};

struct kstat_table {
        struct kstat_entry **entries; /* by kid */
        size_t n_entries, room_entries;
        struct kstat_view *views; /* by partition; the last is that of KSTAT_ALL */
        size_t n_views, room_views;
};

int table_init(struct kstat_table *table); /* -ENOMEM */
void table_done(struct kstat_table *table);
struct kstat_entry *table_find(const struct kstat_table *table, uint64_t kid);
/* A new entry with that head (its kid is larger than all there are, or wherever it belongs); NULL: no memory. */
struct kstat_entry *table_add(struct kstat_table *table, const struct kstat_head *head);
/* Takes the entry out, and out of every view. */
void table_drop(struct kstat_table *table, uint64_t kid);
struct kstat_view *table_view(const struct kstat_table *table, uint64_t partition);
/* The view of a partition, made if need be; NULL: no memory.  Pointers of before are void. */
struct kstat_view *table_add_view(struct kstat_table *table, uint64_t partition);
void table_drop_view(struct kstat_table *table, uint64_t partition);
/* Both ends of an association; -ENOENT: no such structure or view, -EEXIST, -ENOMEM. */
int table_associate(struct kstat_table *table, uint64_t kid, uint64_t partition);
void table_dissociate(struct kstat_table *table, uint64_t kid, uint64_t partition);

#endif
