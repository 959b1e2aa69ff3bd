/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * family.bpf.h - numbers of a family as they are taken and given back, one by one or in groups, and what is on record
 * of them.
 *
 * Invariant: between the taking of a number's bit and its giving back its entry is the taker's alone; see devid.bpf.c
 * for the order of all.
 */
#ifndef CROFT_DEVID_FAMILY_BPF_H
#define CROFT_DEVID_FAMILY_BPF_H

#include "devid/devid_maps.bpf.h"

#include "plane/bits.bpf.h"
#include "plane/maps.bpf.h"

#include <linux/errno.h>

/* --- numbers of a family --- */

static __always_inline struct devid_node node_of(const struct devid_family *family, __u32 number)
{
        struct devid_node node = {.type = family->type};

        if (family->majors) {
                node.major = number;
                node.minor = DEVID_WHOLE;
        } else {
                node.major = family->major;
                node.minor = number << (family->shift & 31);
        }
        return node;
}

static __always_inline bool is_free(const struct devid_family *family, __u32 number)
{
        __u32 word = number / 64 % DEVID_WORDS;
        __u64 used = *(const volatile __u64 *)&family->taken[word] | *(const volatile __u64 *)&family->host[word];

        return number < family->count && !(used >> number % 64 & 1);
}

static __always_inline void give_bit(struct devid_family *family, __u32 number)
{
        __sync_fetch_and_and(&family->taken[number / 64 % DEVID_WORDS], ~(1ULL << number % 64));
}

/* false: somebody else is at it. */
static __always_inline bool lock(struct devid_family *family, __u32 number)
{
        __u64 bit = 1ULL << number % 64;

        return !(__sync_fetch_and_or(&family->busy[number / 64 % DEVID_WORDS], bit) & bit);
}

static __always_inline void unlock(struct devid_family *family, __u32 number)
{
        __sync_fetch_and_and(&family->busy[number / 64 % DEVID_WORDS], ~(1ULL << number % 64));
}

/* false: somebody else has it, the machine has come to have it, or the family isn't any more whose it was when the
 * caller was let (close_minors()), or has lost its driver. */
static __always_inline bool take_bit(struct devid_family *family, __u32 number, __u64 owner)
{
        __u64 bit = 1ULL << number % 64;

        if (__sync_fetch_and_or(&family->taken[number / 64 % DEVID_WORDS], bit) & bit)
                return false;
        if (number < *(volatile __u32 *)&family->count && *(volatile __u64 *)&family->owner == owner &&
                !(*(volatile __u32 *)&family->flags & DEVID_FAMILY_ABSENT) &&
                !(*(volatile __u64 *)&family->host[number / 64 % DEVID_WORDS] & bit))
                return true;
        give_bit(family, number);
        return false;
}

/* --- walks ---
 *
 * A group that is looked for, made or undone.  Calls of bpf_loop() look the family up themselves: what is in their
 * context is bytes to old kernels. */
struct group {
        struct devid_number number; /* what is put on record, but for its number; its family is looked at */
        __u64 owner;                /* of the family */
        __u32 between;
        __u32 done;  /* numbers of it that were taken, or put on record */
        __u32 found; /* 1: number.first is it */
        __u32 round; /* of a search: how many calls are one round of it */
};

static __always_inline __u32 nth(const struct group *group, __u32 i)
{
        return group->number.first + i * group->number.within;
}

static long take_one(__u32 i, struct group *group)
{
        struct devid_family *family = bpf_map_lookup_elem(&devid_families, &group->number.family);

        if (!family || !is_free(family, nth(group, i)) || !take_bit(family, nth(group, i), group->owner))
                return 1;
        group->done = i + 1;
        return 0;
}

static long give_one(__u32 i, struct group *group)
{
        struct devid_family *family = bpf_map_lookup_elem(&devid_families, &group->number.family);

        if (family)
                give_bit(family, nth(group, i));
        return 0;
}

/* All of the group that begins there, or none. */
static __always_inline void take_group(struct group *group)
{
        group->done = 0;
        bpf_loop(group->number.count, take_one, group, 0);
        group->found = group->done == group->number.count;
        if (!group->found && group->done)
                bpf_loop(group->done, give_one, group, 0);
}

/* The nth of a search's two rounds, in the round. */
static __always_inline __u32 in_round(const struct group *group, __u32 i)
{
        return i < group->round ? i : i - group->round;
}

static long try_group(__u32 i, struct group *group)
{
        struct devid_family *family = bpf_map_lookup_elem(&devid_families, &group->number.family);

        group->number.first = in_round(group, i) * group->between;
        if (!family || group->number.first >= family->count)
                return 1;
        if (!is_free(family, group->number.first))
                return 0;
        take_group(group);
        return group->found;
}

/* The lowest free number from this word on.  Who loses a race for one tries the next of the word. */
static long try_word(__u32 i, struct group *group)
{
        struct devid_family *family = bpf_map_lookup_elem(&devid_families, &group->number.family);
        __u32 word;
        __u64 used;

        i = in_round(group, i);
        word = i % DEVID_WORDS;
        if (!family || i * 64 >= family->count)
                return 1;
        used = *(volatile __u64 *)&family->taken[word] | *(volatile __u64 *)&family->host[word];
        if (family->count - i * 64 < 64)
                used |= ~0ULL << (family->count & 63);
#pragma unroll
        for (int tries = 0; tries < 4; tries++) {
                __u64 bit = ~used & -~used;

                if (!bit)
                        return 0;
                group->number.first = i * 64 + bit_number(bit);
                if (take_bit(family, group->number.first, group->owner)) {
                        group->found = 1;
                        return 1;
                }
                used |= bit;
        }
        return 0;
}

static __always_inline int find(struct group *group, __u32 count, __u32 preferred)
{
        if (preferred != DEVID_ANY) {
                group->number.first = preferred;
                if (preferred >= DEVID_FAMILY_MAX || preferred % group->between)
                        return -EINVAL;
                take_group(group);
                return group->found ? 0 : -EBUSY;
        }
        /* Two rounds: in the first a race may be lost for each number of a word.  One walk for both, since the kernel
         * goes through the whole of it for each way that leads there. */
        if (group->number.count == 1 && group->between == 1) {
                group->round = (count + 63) / 64;
                bpf_loop(2 * group->round, try_word, group, 0);
        } else {
                group->round = (count + group->between - 1) / group->between;
                bpf_loop(2 * group->round, try_group, group, 0);
        }
        return group->found ? 0 : -ENOSPC;
}

static long put_one(__u32 i, struct group *group)
{
        struct devid_family *family = bpf_map_lookup_elem(&devid_families, &group->number.family);
        struct devid_node node;

        if (!family)
                return 1;
        group->number.number = nth(group, i);
        node = node_of(family, group->number.number);
        if (map_put(&devid_numbers, &node, &group->number, BPF_NOEXIST) < 0)
                return 1;
        group->done = i + 1;
        return 0;
}

static __always_inline void drop(struct devid_family *family, __u32 number)
{
        struct devid_node node = node_of(family, number);

        bpf_map_delete_elem(&devid_numbers, &node);
        give_bit(family, number);
}

static long drop_one(__u32 i, struct group *group)
{
        struct devid_family *family = bpf_map_lookup_elem(&devid_families, &group->number.family);

        if (!family)
                return 1;
        drop(family, nth(group, i));
        return 0;
}

/* What is on record of a group, made and undone.  A single number needs no walk. */
static __always_inline int put_group(struct group *group, struct devid_family *family)
{
        struct devid_node node;

        if (group->number.count == 1) {
                group->number.number = group->number.first;
                node = node_of(family, group->number.first);
                return map_put(&devid_numbers, &node, &group->number, BPF_NOEXIST) < 0 ? -ENOMEM : 0;
        }
        group->done = 0;
        bpf_loop(group->number.count, put_one, group, 0);
        return group->done == group->number.count ? 0 : -ENOMEM;
}

static __always_inline void drop_group(struct group *group, struct devid_family *family)
{
        if (group->number.count == 1)
                drop(family, group->number.first);
        else
                bpf_loop(group->number.count & 127, drop_one, group, 0);
}

/* --- families of a major that was given out ---
 *
 * They are there from the beginning and stay, so that who holds one holds no other's: open with an owner and a count,
 * else of nobody and without a number. */

/* "c60" or "b120": the minors of that major, which is below 1,000. */
static __always_inline struct devid_name minors_name(__u32 type, __u32 major)
{
        struct devid_name name = {};
        char ones = (char)('0' + major % 10), tens = (char)('0' + major / 10 % 10);

        name.text[0] = (char)type;
        if (major >= 100) {
                name.text[1] = (char)('0' + major / 100 % 10);
                name.text[2] = tens;
                name.text[3] = ones;
        } else if (major >= 10) {
                name.text[1] = tens;
                name.text[2] = ones;
        } else {
                name.text[1] = ones;
        }
        return name;
}

static __always_inline void open_minors(const struct devid_number *number, __u32 type)
{
        struct devid_name name = minors_name(type, number->first);
        struct devid_family *family = bpf_map_lookup_elem(&devid_families, &name);

        if (!family)
                return;
        (void)__sync_lock_test_and_set(&family->owner, number->partition);
        (void)__sync_lock_test_and_set(&family->count, DEVID_FAMILY_MAX);
}

static long count_taken(__u32 i, struct group *group)
{
        struct devid_family *family = bpf_map_lookup_elem(&devid_families, &group->number.family);

        if (family && *(volatile __u64 *)&family->taken[i % DEVID_WORDS])
                group->found = 1;
        return group->found;
}

/* The minors of a major go with it, if none of them is given out: -EBUSY.  With a count of 0 no more can be taken; who
 * has taken one just now sees that and gives it back, or is seen here. */
static __always_inline int close_minors(struct group *group, __u32 type, __u32 major)
{
        struct devid_family *family;

        group->number.family = minors_name(type, major);
        group->found = 0;
        family = bpf_map_lookup_elem(&devid_families, &group->number.family);
        if (!family)
                return 0;
        (void)__sync_lock_test_and_set(&family->count, 0);
        bpf_loop(DEVID_WORDS, count_taken, group, 0);
        if (!group->found)
                return 0;
        (void)__sync_lock_test_and_set(&family->count, DEVID_FAMILY_MAX);
        return -EBUSY;
}

#endif
