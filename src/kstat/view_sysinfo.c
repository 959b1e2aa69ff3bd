/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_sysinfo.c - sysinfo(2) of a partition.  Pure.
 *
 * The layouts are the kernel's (struct sysinfo of its user headers), whatever ours are compiled for.  As the kernel
 * does it, memory is told in bytes where that fits into a long, else in units that its caller multiplies by.
 */
#include "kstat/view_sysinfo.h"

#include <string.h>

#define NSEC_PER_SEC 1000000000ULL
#define LOAD_SHIFT 5 /* from the sample's 1/2048 to 1/65536 */
#define PROCS_MAX UINT16_MAX

struct sysinfo_64 {
        int64_t uptime;
        uint64_t loads[3];
        uint64_t totalram, freeram, sharedram, bufferram, totalswap, freeswap;
        uint16_t procs, pad;
        uint32_t hole;
        uint64_t totalhigh, freehigh;
        uint32_t mem_unit, end;
};
_Static_assert(sizeof(struct sysinfo_64) == 112, "layout");

struct sysinfo_32 {
        int32_t uptime;
        uint32_t loads[3];
        uint32_t totalram, freeram, sharedram, bufferram, totalswap, freeswap;
        uint16_t procs, pad;
        uint32_t totalhigh, freehigh;
        uint32_t mem_unit;
        uint8_t end[8];
};
_Static_assert(sizeof(struct sysinfo_32) == 64, "layout");
_Static_assert(VIEW_SYSINFO_SIZE >= sizeof(struct sysinfo_64), "size");

/* Whole seconds, a begun one counts. */
static uint64_t uptime(const struct kstat_sample *sample, uint64_t boottime_ns)
{
        uint64_t ns = boottime_ns > sample->start_ns ? boottime_ns - sample->start_ns : 0;

        return ns / NSEC_PER_SEC + (ns % NSEC_PER_SEC != 0);
}

static uint16_t procs(const struct kstat_sample *sample)
{
        return (uint16_t)view_least(sample->threads, PROCS_MAX);
}

static void fill_64(const struct kstat_sample *sample, const struct view_totals *totals, uint64_t seconds, uint8_t *ret)
{
        struct sysinfo_64 info = {
                .uptime = (int64_t)seconds,
                .totalram = totals->total,
                .freeram = totals->free,
                .sharedram = totals->shmem,
                .totalswap = totals->swap_total,
                .freeswap = totals->swap_free,
                .procs = procs(sample),
                .mem_unit = 1,
        };

        for (size_t i = 0; i < 3; i++)
                info.loads[i] = (uint64_t)sample->load[i] << LOAD_SHIFT;
        memcpy(ret, &info, sizeof(info));
}

/* By how many bits memory is told smaller.  The kernel does it when one of the totals doesn't fit, and goes to whole
 * pages at once; beyond what pages can tell (16 TiB) more is needed to be no lie. */
static unsigned int shift_of(const struct view_totals *totals, uint32_t page_bytes)
{
        unsigned int shift = 0;

        if (totals->total <= UINT32_MAX && totals->swap_total <= UINT32_MAX)
                return 0;
        while (UINT32_C(1) << shift < page_bytes)
                shift++;
        while (shift < 31 && (totals->total >> shift > UINT32_MAX || totals->swap_total >> shift > UINT32_MAX))
                shift++;
        return shift;
}

static void fill_32(const struct kstat_sample *sample, const struct view_totals *totals, uint64_t seconds,
        uint32_t page_bytes, uint8_t *ret)
{
        unsigned int shift = shift_of(totals, page_bytes);
        struct sysinfo_32 info = {
                .uptime = (int32_t)view_least(seconds, INT32_MAX),
                .totalram = (uint32_t)(totals->total >> shift),
                .freeram = (uint32_t)(totals->free >> shift),
                .sharedram = (uint32_t)(totals->shmem >> shift),
                .totalswap = (uint32_t)(totals->swap_total >> shift),
                .freeswap = (uint32_t)(totals->swap_free >> shift),
                .procs = procs(sample),
                .mem_unit = UINT32_C(1) << shift,
        };

        for (size_t i = 0; i < 3; i++)
                info.loads[i] = (uint32_t)view_least((uint64_t)sample->load[i] << LOAD_SHIFT, UINT32_MAX);
        memcpy(ret, &info, sizeof(info));
}

size_t view_sysinfo(const struct kstat_sample *sample, const struct view_machine *machine, uint64_t boottime_ns,
        enum view_sysinfo_abi abi, uint8_t ret[VIEW_SYSINFO_SIZE])
{
        uint64_t seconds = uptime(sample, boottime_ns);
        struct view_totals totals;

        view_totals_of(&sample->memory, machine, &totals);
        if (abi == VIEW_SYSINFO_64) {
                fill_64(sample, &totals, seconds, ret);
                return sizeof(struct sysinfo_64);
        }
        fill_32(sample, &totals, seconds, machine->page_bytes, ret);
        return sizeof(struct sysinfo_32);
}
