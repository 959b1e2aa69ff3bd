/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_private.h - what the files that make views share.
 *
 * Invariant: view->s is the newest sample that was seen, bounded, with every counter at least as great as it was in any
 * sample before; view->cpus has at least one CPU.  Renderers read nothing else.
 */
#ifndef CROFT_KSTAT_VIEW_PRIVATE_H
#define CROFT_KSTAT_VIEW_PRIVATE_H

#include "kstat/view_disks.h"
#include "kstat/view_facts.h"
#include "kstat/view_modules.h"
#include "kstat/view_text.h"
#include "kstat/view_totals.h"

#define CPU_WORDS (KSTAT_CPUS_MAX / 64)
#define NSEC_PER_SEC 1000000000ULL

/* Memory in bytes, and events, as the kernel's tables name them; derived from a sample so that they agree. */
struct view_memory {
        uint64_t total, free, available, cached;
        uint64_t active, inactive, active_anon, inactive_anon, active_file, inactive_file, unevictable;
        uint64_t swap_total, swap_free, dirty, writeback, anon, mapped, shmem;
        uint64_t slab, slab_reclaimable, slab_unreclaimable, kernel_stack, page_tables;
        uint64_t commit_limit, committed, vmalloc_total, vmalloc_used, percpu, anon_huge, hugepage;
        /* events and pages that vmstat has beside */
        uint64_t anon_huge_count, pgpgin_kb, pgpgout_kb, pswpin, pswpout, pgfault, pgmajfault, pgscan, pgsteal,
                oom_kills;
        uint64_t nothing; /* 0: of the host alone */
};

/* A line of meminfo or vmstat: its name from the facts, and which number belongs there. */
struct view_line {
        const char *name;
        uint16_t size;
        uint16_t offset; /* in struct view_memory */
        uint16_t unit;   /* enum view_unit */
};

#define VIEW_SECTOR 512

/* A block device that the partition sees. */
struct view_shown {
        uint32_t major, minor;
        const struct kstat_sample_disk *used; /* its figures; NULL: not used yet */
        const struct view_disk *own;          /* NULL: the machine's */
        const struct facts_disk *known;       /* of the machine's; NULL: unknown */
        const struct view_disk *whole;        /* what it is a partition of, or NULL */
        bool numbered;                        /* its name is that of one of its own */
};

#define VIEW_SHOWN_MAX (KSTAT_SAMPLE_DISKS + VIEW_DISKS_KINDS * VIEW_DISKS_MAX)

struct view {
        const struct view_facts *facts;
        struct view_machine machine;
        struct kstat_sample s;
        __u64 cpus[CPU_WORDS];       /* in force, never none */
        __u64 configured[CPU_WORDS]; /* those and the offline ones */
        unsigned int n_online, n_possible;
        unsigned int n_times; /* CPUs that have times in s and idle_ns */
        bool fresh, taken;    /* nothing is known yet; this process has taken in a sample */
        __u64 elapsed_ns;     /* since the partition's clocks began */
        __u64 idle_ns[KSTAT_CPUS_MAX];
        __u64 idle_all_ns, idle_offset_ns;                  /* shown; what it is more than the sum of these CPUs' */
        uint32_t processes_most;                            /* the greatest pid given last */
        uint64_t user_ns, nice_ns, system_ns;               /* of all CPUs together */
        int64_t realtime_ns;                                /* what the wall clock is ahead of CLOCK_BOOTTIME */
        bool realtime_fixed;                                /* by view_set_realtime() */
        struct kstat_sample_disk disks[KSTAT_SAMPLE_DISKS]; /* all that were ever in a sample */
        uint32_t n_disks;
        struct view_own *own; /* NULL: it can't have any */
        bool stale_shown;
        uint32_t n_shown, n_wholes;
        struct view_shown shown[VIEW_SHOWN_MAX];
        uint16_t wholes[VIEW_SHOWN_MAX];         /* which of those are no partitions */
        const struct view_modules *modules_area; /* borrowed; NULL: it never had any */
        uint32_t n_modules;
        struct view_module modules[VIEW_MODULES_MAX];
        char *cpuinfo; /* for cpuinfo_cpus */
        size_t cpuinfo_size;
        __u64 cpuinfo_cpus[CPU_WORDS];
        struct view_line *meminfo, *vmstat;
};

static inline int mask_has(const __u64 *mask, unsigned int cpu)
{
        return cpu < KSTAT_CPUS_MAX && (mask[cpu / 64] >> (cpu % 64) & 1);
}

/* The first CPU of the mask from `from` on; KSTAT_CPUS_MAX: none. */
unsigned int mask_next(const __u64 *mask, unsigned int from);
#define MASK_EACH(cpu, mask)                                                                                           \
        for (unsigned int cpu = mask_next(mask, 0); cpu < KSTAT_CPUS_MAX; cpu = mask_next(mask, cpu + 1))

static inline uint64_t view_ticks(const struct view *v, uint64_t ns)
{
        return ns / (NSEC_PER_SEC / v->facts->user_hz);
}

/* Takes in a sample, if it is newer than the one before. */
void view_take(struct view *v, const struct kstat_sample *sample);
/* For tests: the wall clock is ahead of CLOCK_BOOTTIME by this and is not asked. */
void view_set_realtime(struct view *v, int64_t ahead_ns);
int64_t view_realtime(struct view *v);

/* A file: writes into t; the end is checked by the caller.  0 or a negative errno. */
int view_meminfo(struct view *v, struct text *t);
int view_vmstat(struct view *v, struct text *t);
int view_swaps(struct view *v, struct text *t);
int view_zoneinfo(struct view *v, struct text *t);
int view_buddyinfo(struct view *v, struct text *t);
int view_slabinfo(struct view *v, struct text *t);
int view_stat(struct view *v, struct text *t);
int view_cpuinfo(struct view *v, struct text *t);
int view_loadavg(struct view *v, struct text *t);
int view_uptime(struct view *v, struct text *t);
int view_interrupts(struct view *v, struct text *t);
int view_softirqs(struct view *v, struct text *t);
int view_schedstat(struct view *v, struct text *t);
int view_pressure_cpu(struct view *v, struct text *t);
int view_pressure_memory(struct view *v, struct text *t);
int view_pressure_io(struct view *v, struct text *t);
int view_diskstats(struct view *v, struct text *t);
int view_partitions(struct view *v, struct text *t);
int view_devices(struct view *v, struct text *t);
int view_modules(struct view *v, struct text *t);
int view_boot_id(struct view *v, struct text *t);
int view_zero(struct view *v, struct text *t);
int view_file_nr(struct view *v, struct text *t);
int view_inode_nr(struct view *v, struct text *t);
int view_inode_state(struct view *v, struct text *t);
int view_dentry_state(struct view *v, struct text *t);

/* Which of the sample's numbers belong to the host's lines: resolved once.  0 or -ENOMEM. */
int view_lines_new(struct view *v);
void view_memory_of(const struct view *v, struct view_memory *ret);
/* Of the memory node of sysfs. */
void view_node_meminfo(struct view *v, struct text *t);

/* view_tree.c: of nodes in trees, see view_tells_disks(). */
bool view_tree_tells_disks(uint64_t node);

/* view_modules.c: those it holds now; the one with that number, NULL: none. */
void view_modules_take(struct view *v);
uint32_t view_module_number(const char *name);
const struct view_module *view_module_at(const struct view *v, uint32_t number);
bool view_tree_tells_modules(uint64_t node);

/* view_shown.c: which block devices it sees. */
void view_own_take(struct view *v);
struct view_own *view_own_free(struct view_own *own);
/* Whether a disk of a sample is one that it sees. */
bool view_may_show(const struct view *v, const struct kstat_sample_disk *disk);
void view_shown_make(struct view *v);
void view_shown_name(const struct view_shown *d, char *ret, size_t size);
uint64_t view_shown_sectors(const struct view_shown *d);
bool view_shown_is_loop(const struct view_shown *d);
uint32_t view_shown_part(const struct view_shown *d); /* 0: it is a whole one */

/* view_disk.c: the files of a device's directory ("") in sysfs, and of "queue" and "loop" below it, by their number in
 * one table.  Number k of that directory: its number in all and name; -1: there are no more. */
int view_disk_file(const struct view_shown *d, const char *directory, size_t k, const char **ret_name);
bool view_disk_has_file(const struct view_shown *d, const char *directory, size_t file);
void view_disk_put(const struct view_shown *d, size_t file, struct text *t);

#endif
