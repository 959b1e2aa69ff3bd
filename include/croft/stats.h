/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * croft/stats.h - reads statistics of the kernel: the same structures as <kstat.h>, for new programs.
 *
 * A structure has keys (module, instance, name), an id that is never given again, and values with name, type and unit.
 * Which ones a process may see is decided by the kernel at each call, by the partition that the caller is in then. What
 * may not be seen can't be told from what isn't there (ENXIO).  The generation of the list changes whenever it does.
 *
 * There is no global state: a reader belongs to one thread at a time, different readers are independent.  Functions
 * return 0 or a negative errno, fill *err (may be NULL) on failure only, and leave what they would have returned alone.
 */
#ifndef CROFT_STATS_H
#define CROFT_STATS_H

#include <croft/error.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct croft_stats; /* a reader */
struct croft_stat;  /* room for one structure, as it was at one instant */

/* directory: where the programs kstat and kstat_large are pinned; NULL: as kstat(8), by whatever way.  The caller ends
 * *ret with croft_stats_close().  -ENOENT: no statistics here; -EACCES, -EPERM. */
int croft_stats_open(const char *directory, struct croft_stats **ret, struct croft_error *err);
struct croft_stats *croft_stats_close(struct croft_stats *stats); /* NULL is allowed; returns NULL */

/* From now on read what that partition sees as its own (its id); 0, the default: what the caller sees.  In global only:
 * else reads fail with -EPERM; -ESRCH: there is no such partition. */
void croft_stats_set_partition(struct croft_stats *stats, uint64_t partition);

/* The generation of the list that is in force, and the partition that the kernel takes the caller for (0: global).
 * Either may be NULL. */
int croft_stats_generation(
        struct croft_stats *stats, uint64_t *ret_generation, uint64_t *ret_caller, struct croft_error *err);

/* The list of one generation, ids rising.  The caller ends it with croft_stats_list_done(). */
struct croft_stats_list {
        uint64_t generation;
        size_t n;
        uint64_t *ids;
};
int croft_stats_list(struct croft_stats *stats, struct croft_stats_list *ret, struct croft_error *err);
void croft_stats_list_done(struct croft_stats_list *list);

/* Room for a structure, to be filled by any number of reads.  NULL: no memory. */
struct croft_stat *croft_stat_new(void);
struct croft_stat *croft_stat_free(struct croft_stat *stat); /* NULL is allowed; returns NULL */

/* Fill *stat, which stays as it was on failure.  -ENXIO: there is none, or none for you; -EAGAIN: it is being made. */
int croft_stats_read(struct croft_stats *stats, uint64_t id, struct croft_stat *stat, struct croft_error *err);
int croft_stats_find(struct croft_stats *stats, const char *module, int instance, const char *name,
        struct croft_stat *stat, struct croft_error *err);

enum croft_stat_type { CROFT_STAT_RAW, CROFT_STAT_NAMED, CROFT_STAT_INTR, CROFT_STAT_IO, CROFT_STAT_TIMER };

enum croft_value_type {
        CROFT_VALUE_CHAR = 0, /* text of at most 16 bytes */
        CROFT_VALUE_INT32,
        CROFT_VALUE_UINT32,
        CROFT_VALUE_INT64,
        CROFT_VALUE_UINT64,
        CROFT_VALUE_STRING = 9,
};

enum croft_unit {
        CROFT_UNIT_NONE = 0, /* text, ids, states */
        CROFT_UNIT_COUNT,    /* things there are */
        CROFT_UNIT_EVENTS,   /* things that happened */
        CROFT_UNIT_BYTES,
        CROFT_UNIT_PAGES,
        CROFT_UNIT_NANOSECONDS,
        CROFT_UNIT_TICKS, /* 1/100 s */
        CROFT_UNIT_SECONDS,
        CROFT_UNIT_LOAD, /* 1/256 */
        CROFT_UNIT_HERTZ,
        CROFT_UNIT_MEGAHERTZ,
        CROFT_UNIT_PERCENT_100, /* 1/100 of a percent */
        CROFT_UNIT_BITS_PER_SECOND,
};

/* What a structure is.  Later versions may add members at the end. */
struct croft_stat_info {
        uint64_t id;
        uint64_t generation; /* in force when it was read */
        const char *module, *name, *class_name;
        int instance;
        enum croft_stat_type type;
        unsigned int flags; /* KSTAT_FLAG_ of <kstat.h> */
        int64_t created_ns; /* CLOCK_MONOTONIC */
        int64_t taken_ns;   /* likewise, when it was read */
        size_t n_values;    /* 0 for a RAW one that isn't known */
        const void *data;   /* as the kernel gave it */
        size_t size;
};
/* Borrowed until the next read into it or croft_stat_free().  Nothing was read yet: id 0, names "". */
const struct croft_stat_info *croft_stat_info(const struct croft_stat *stat);

struct croft_value {
        const char *name;
        enum croft_value_type type;
        enum croft_unit unit;
        int64_t i;        /* of INT32 and INT64; else 0 */
        uint64_t u;       /* of UINT32 and UINT64; else 0 */
        const char *text; /* of CHAR and STRING, NUL-ended; else NULL.  May hold any other byte. */
};
/* Value number i (from 0), or that of the name; NULL: there is none.  Borrowed as above.  All values of one structure
 * belong to one instant. */
const struct croft_value *croft_stat_value(const struct croft_stat *stat, size_t i);
const struct croft_value *croft_stat_find(const struct croft_stat *stat, const char *name);

/* "bytes", "" for none.  Static. */
const char *croft_unit_name(enum croft_unit unit);

#ifdef __cplusplus
}
#endif
#endif
