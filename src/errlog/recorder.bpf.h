/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * recorder.bpf.h - appends to a book, from any program of ours: it neither sleeps nor waits, and may run in an
 * interrupt.
 *
 * Between errlog_begin() and errlog_end() a number is given and its record isn't whole: readers wait until all that
 * have begun have ended (errlog/client.h), which takes no longer than a writer runs.
 */
#ifndef CROFT_ERRLOG_RECORDER_BPF_H
#define CROFT_ERRLOG_RECORDER_BPF_H

#include "errlog/errlog.bpf.h"
#include "plane/bits.bpf.h"
#include "plane/caller.bpf.h"
#include "plane/maps.bpf.h"

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX + 1);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64);
        __type(value, struct errlog_book);
} errlog_books SEC(".maps");

/* What 1,600 full books have room for, or the own records of as many partitions as there can be.  A slot takes memory
 * when it is used for the first time, but each that there can be takes 16 bytes from the beginning. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX *ERRLOG_OWN_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, struct errlog_key);
        __type(value, struct errlog_record);
} errlog_records SEC(".maps");

static const struct errlog_record errlog_blank; /* in rodata: records are too large for the stack of a program */

/* A record that is being written: its slot is nobody else's. */
struct errlog_writing {
        struct errlog_record *record; /* blank or with what was there before; but its number is 0 */
        __u64 seq;
        __u32 slot, part;
};

/* Invariant: a slot whose bit isn't set has a record of number 0, or none. */
static __always_inline void errlog_give_slot(struct errlog_book *book, __u32 slot)
{
        __sync_fetch_and_and(&book->used[(slot >> 6) & 3], ~(1ULL << (slot & 63)));
}

/* A search for a free slot. */
struct errlog_search {
        __u64 partition;
        __u64 part;
        __s64 slot; /* -1: none yet */
};

/* One try; 0: somebody else has just taken the slot that was found. */
static long errlog_try(__u32 i, struct errlog_search *search)
{
        const __u64 last = (1ULL << (ERRLOG_SLOTS - 2 * 64)) - 1; /* slots of the third word */
        struct errlog_book *book = bpf_map_lookup_elem(&errlog_books, &search->partition);
        __u64 n = search->part == ERRLOG_PART_OWN ? 0 : 1, free, bit;

        (void)i;
        if (!book)
                return 1;
        free = ~*(volatile __u64 *)&book->used[n];
        if (n == 1 && !free) {
                n = 2;
                free = ~*(volatile __u64 *)&book->used[n] & last;
        }
        if (!free)
                return 1;
        bit = free & -free;
        if (__sync_fetch_and_or(&book->used[n & 3], bit) & bit)
                return 0;
        search->slot = (__s64)(64 * n + bit_number(bit));
        return 1;
}

/* Takes a slot and a number in the book of that partition; false: no room, and counted.  errlog_end() must follow. */
static __always_inline bool errlog_begin(
        struct errlog_book *book, __u64 partition, __u32 part, struct errlog_writing *ret)
{
        struct errlog_key key = {.partition = partition};
        struct errlog_search search = {.partition = partition, .part = part, .slot = -1};

        bpf_loop(ERRLOG_SLOTS, errlog_try, &search, 0);
        if (search.slot >= 0) {
                key.slot = (__u64)search.slot;
                ret->record = bpf_map_lookup_elem(&errlog_records, &key);
                if (!ret->record && map_put(&errlog_records, &key, &errlog_blank, BPF_NOEXIST) == 0)
                        ret->record = bpf_map_lookup_elem(&errlog_records, &key);
                if (ret->record) {
                        ret->part = part;
                        ret->slot = (__u32)search.slot;
                        ret->seq = __sync_fetch_and_add(&book->next, 1);
                        return true;
                }
                errlog_give_slot(book, (__u32)search.slot);
        }
        __sync_fetch_and_add(&book->refused[part & 1], 1);
        return false;
}

/* Takes the record of that number away, unless somebody else has. */
static __always_inline bool errlog_take(struct errlog_book *book, struct errlog_record *record, __u64 seq, __u32 slot)
{
        if (__sync_val_compare_and_swap(&record->seq, seq, 0) != seq)
                return false;
        errlog_give_slot(book, slot);
        return true;
}

/* A book that was cleared meanwhile doesn't keep it: whoever clears sets `first`, then looks; here it is the other way
 * round, so that one of both sees it. */
static __always_inline void errlog_end(struct errlog_book *book, const struct errlog_writing *w)
{
        (void)__sync_lock_test_and_set(&w->record->seq, w->seq);
        if (w->seq < *(volatile __u64 *)&book->first)
                (void)errlog_take(book, w->record, w->seq, w->slot);
        __sync_fetch_and_add(&book->ended, 1);
}

#endif
