/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_totals.h - how much memory a partition has and how much of it is free: the one place that decides it, for
 * meminfo and for sysinfo(2), which programs read side by side.
 *
 * Invariant: total is the limit or the machine's memory, whichever is less, in whole pages and never 0; nothing is
 * greater than its total.
 */
#ifndef CROFT_KSTAT_VIEW_TOTALS_H
#define CROFT_KSTAT_VIEW_TOTALS_H

#include "kstat/sample.bpf.h"

#include <stdint.h>

struct view_machine {
        uint64_t memory_bytes, swap_bytes;
        uint32_t page_bytes;
};

struct view_totals { /* bytes */
        uint64_t total, free, shmem, swap_total, swap_free;
};

static inline uint64_t view_least(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

/* What isn't known counts as none. */
static inline uint64_t view_known(uint64_t value)
{
        return value == KSTAT_NONE ? 0 : value;
}

static inline void view_totals_of(
        const struct kstat_sample_memory *s, const struct view_machine *machine, struct view_totals *ret)
{
        uint64_t swap_used = view_known(s->swap_usage);

        ret->total = view_least(s->limit, machine->memory_bytes) / machine->page_bytes * machine->page_bytes;
        if (ret->total == 0)
                ret->total = machine->page_bytes;
        ret->free = ret->total - view_least(view_known(s->usage), ret->total);
        ret->shmem = view_least(view_known(s->shmem), view_least(view_known(s->file), ret->total - ret->free));
        ret->swap_total = view_least(s->swap_limit, machine->swap_bytes);
        if (swap_used > ret->swap_total) /* a device was added since the machine was looked at */
                ret->swap_total = swap_used;
        ret->swap_free = ret->swap_total - swap_used;
}

#endif
