/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * refusals.bpf.h - what `devid` refuses to partitions is told to croftd, which puts it on record (C-14).
 *
 * Each kind once in a run of the partition, however often it asks: who asks in a loop fills neither this nor a record.
 * Told is what has an entry in `devid_told`; croftd takes entries away.  Both outlive a croftd.
 */
#ifndef CROFT_DEVID_REFUSALS_BPF_H
#define CROFT_DEVID_REFUSALS_BPF_H

#include "devid/devid.bpf.h"
#include "plane/copy.bpf.h"
#include "plane/maps.bpf.h"

#include <linux/bpf.h>
#include <linux/errno.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, DEVID_TOLD_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, struct devid_told_key);
        __type(value, __u64); /* how often since then */
} devid_told SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, 65536);
} devid_refusals SEC(".maps");

/* Others say that something isn't there, is being changed, or was asked for wrongly. */
static __always_inline bool is_refusal(int code)
{
        return code == EPERM || code == ENOENT || code == EDQUOT || code == ENOSPC || code == ENOMEM;
}

static __always_inline void tell_refusal(__u64 partition, int code, const struct devid_call *call)
{
        struct devid_refusal refusal = {.key = {.partition = partition, .code = (__u32)code}};
        __u64 one = 1, *told;

        if (!partition || !is_refusal(code))
                return;
        told = bpf_map_lookup_elem(&devid_told, &refusal.key);
        if (told) {
                __sync_fetch_and_add(told, 1);
                return;
        }
        COPY_WORDS(&refusal.family, &call->family, WORDS(refusal.family));
        if (map_put(&devid_told, &refusal.key, &one, BPF_NOEXIST) < 0)
                return; /* somebody else has told it, or there is no room for more */
        if (bpf_ringbuf_output(&devid_refusals, &refusal, sizeof(refusal), 0) < 0)
                (void)map_drop(&devid_told, &refusal.key); /* the next one is told */
}

#endif
