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
#include "plane/caller.bpf.h"

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX + 1);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64);
        __type(value, struct errlog_book);
} errlog_books SEC(".maps");

/* What 1,600 full books have room for, or the own records of as many partitions as there can be.  A record takes memory
 * when it is written, but each that there can be takes 16 bytes from the beginning. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX *ERRLOG_OWN_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, struct errlog_key);
        __type(value, struct errlog_record);
} errlog_records SEC(".maps");

static __always_inline __u32 errlog_room(__u32 part)
{
        return part == ERRLOG_PART_OWN ? ERRLOG_OWN_MAX : ERRLOG_RESERVED_MAX;
}

static __always_inline void errlog_refuse(struct errlog_book *book, __u32 part)
{
        __sync_fetch_and_sub(&book->n[part & 1], 1);
        __sync_fetch_and_add(&book->refused[part & 1], 1);
}

static const struct errlog_record errlog_blank; /* in rodata: records are too large for the stack of a program */

/* A number in the book of that partition; 0: no room, and counted.  errlog_end() must follow. */
static __always_inline __u64 errlog_begin(struct errlog_book *book, __u32 part)
{
        if (__sync_fetch_and_add(&book->n[part & 1], 1) >= errlog_room(part)) {
                errlog_refuse(book, part);
                return 0;
        }
        return __sync_fetch_and_add(&book->next, 1);
}

/* A blank record under that number, to be filled; NULL: no memory. */
static __always_inline struct errlog_record *errlog_place(const struct errlog_key *key)
{
        if (bpf_map_update_elem(&errlog_records, key, &errlog_blank, BPF_NOEXIST) < 0)
                return NULL;
        return bpf_map_lookup_elem(&errlog_records, key);
}

/* record: what errlog_place() returned. */
static __always_inline int errlog_end(struct errlog_book *book, __u32 part, const struct errlog_record *record)
{
        if (!record)
                errlog_refuse(book, part);
        __sync_fetch_and_add(&book->ended, 1);
        return record ? 0 : -ENOMEM;
}

#endif
