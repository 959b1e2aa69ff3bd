/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstats_table.h - croftd's copy of what is in the maps: which structures there are and who sees which.  Memory only.
 */
#ifndef CROFT_KSTAT_KSTATS_TABLE_H
#define CROFT_KSTAT_KSTATS_TABLE_H

#include "kstat/kid_list.h"
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
int kids_copy(const struct kids *kids, struct kids *ret); /* -ENOMEM */
void kids_sort(uint64_t *numbers, size_t n);              /* makes them rise */

struct kstat_entry {
        struct kstat_head head;
        uint32_t source;
        uint64_t subject, argument;
        struct kids partitions; /* that see it; or KSTAT_ALL, alone */
};

struct kstat_view { /* of a partition; of KSTAT_ALL: what all see */
        uint64_t partition;
        uint64_t kcid;
        struct kid_list list; /* that is in force; with those of KSTAT_ALL */
};

struct kstat_subject {
        uint64_t subject;
        struct kids kids;
};

struct kstat_table {
        struct kstat_entry **entries; /* by kid */
        size_t n_entries, room_entries;
        struct kstat_view *views; /* by partition; the last is that of KSTAT_ALL */
        size_t n_views, room_views;
        struct kstat_subject *subjects; /* by subject: the structures that tell about it */
        size_t n_subjects, room_subjects;
};

int table_init(struct kstat_table *table); /* -ENOMEM */
void table_done(struct kstat_table *table);
struct kstat_entry *table_find(const struct kstat_table *table, uint64_t kid);
/* A new entry like that one (its kid is larger than all there are, or wherever it belongs), which nobody sees yet;
 * NULL: no memory. */
struct kstat_entry *table_add(struct kstat_table *table, const struct kstat_entry *like);
/* Takes entries out, whose kids rise; lists are as they were. */
void table_drop(struct kstat_table *table, const uint64_t *kids, size_t n);
/* The structures that tell about that subject; NULL: none.  Until the next that comes or goes. */
const struct kids *table_subject(const struct kstat_table *table, uint64_t subject);
struct kstat_view *table_view(const struct kstat_table *table, uint64_t partition);
/* The view of a partition, made if need be, with an empty list; NULL: no memory.  Pointers of before are void. */
struct kstat_view *table_add_view(struct kstat_table *table, uint64_t partition);
void table_drop_view(struct kstat_table *table, uint64_t partition);
/* Who sees an entry; lists are as they were.  -ENOENT: no such structure or view, -EEXIST, -ENOMEM. */
int table_associate(struct kstat_table *table, uint64_t kid, uint64_t partition);
void table_dissociate(struct kstat_table *table, uint64_t kid, uint64_t partition);

#endif
