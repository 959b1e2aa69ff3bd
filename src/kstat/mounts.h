/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mounts.h - what partitions do on each of their mounts, counted in the kernel, and which mounts they have.
 *
 * The structures that readers see are made by others from what mounts_scan() tells (kstat.h); this knows the mounts
 * alone.  What counts is pinned and counts on while there is no croftd.  Functions but mounts_open() and mounts_free()
 * may be called from any thread.
 */
#ifndef CROFT_KSTAT_MOUNTS_H
#define CROFT_KSTAT_MOUNTS_H

#include "kstat/mount.bpf.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mounts;

/* Loads or adopts the objects below RUN/bpf (the plane's must be there).  level: of a partition's cgroup,
 * cgroup_tree_level().  The caller ends *ret with mounts_free().  -EOPNOTSUPP, -EPERM as plane_open(). */
int mounts_open(int run_dir, unsigned int level, struct mounts **ret, struct croft_error *err);
struct mounts *mounts_free(struct mounts *mounts); /* what is pinned stays */
void mounts_freep(struct mounts **mounts);

/* From now on calls of processes below that cgroup are counted for that partition, while anything is.  0; 1: it was on
 * record already, with what an earlier croftd counted; -ENOSPC.  last: mounts with unique ids up to that one were made
 * by global; 0: mounts_take_base() says which. */
int mounts_add_partition(
        struct mounts *mounts, uint64_t partition, uint64_t cgroup, uint64_t last, struct croft_error *err);
/* Forgets it and all its mounts; those that aren't among the keys take a walk over the mounts of all partitions, some
 * time later.  Idempotent. */
int mounts_remove_partition(
        struct mounts *mounts, uint64_t partition, const uint64_t *keys, size_t n, struct croft_error *err);
/* When the mount with that key came on record (CLOCK_MONOTONIC, ns); 0: it isn't. */
int64_t mounts_created(struct mounts *mounts, uint64_t key);
/* Was it made by global?  false, too: it isn't on record. */
bool mounts_is_base(struct mounts *mounts, uint64_t key);
/* How many of its mounts aren't counted since there were too many, ever. */
uint64_t mounts_refused(struct mounts *mounts, uint64_t partition);

struct mounts_list {
        struct mount_found *found; /* owned; by key, each once */
        size_t n;
        int64_t began_ns; /* CLOCK_MONOTONIC */
        bool incomplete;  /* there are more than are told */
        bool changed;     /* mounts came or went meanwhile: the list may be wrong, ask again */
};
void mounts_list_done(struct mounts_list *list);
/* All mounts in the namespaces of the partition's processes; readers see the texts that it makes of them.  -ESRCH:
 * mounts_add_partition() wasn't called. */
int mounts_scan(struct mounts *mounts, uint64_t partition, struct mounts_list *ret, struct croft_error *err);
/* Those that aren't known yet were made by global: in the namespace of that process, or (0) of all of the partition's.
 * Quick: it makes no texts.  *ret: which they are, though some may be gone in a moment. */
int mounts_take_base(
        struct mounts *mounts, uint64_t partition, pid_t pid, struct mounts_list *ret, struct croft_error *err);
/* Forgets the partition's mounts with these keys, but for those that are in the list, which is complete and hasn't
 * changed. */
int mounts_forget(struct mounts *mounts, uint64_t partition, const struct mounts_list *list, const uint64_t *keys,
        size_t n, struct croft_error *err);
/* The same for all that nobody has the keys of (they came and went between two looks), when there are many. */
int mounts_collect(struct mounts *mounts, uint64_t partition, const struct mounts_list *list, struct croft_error *err);

/* Prepares to count so: what takes long of it. */
int mounts_load(struct mounts *mounts, enum mount_stats how, struct croft_error *err);
/* Makes the kernel count so, for all partitions.  -EOPNOTSUPP, -EPERM: it can't; then nothing is counted. */
int mounts_count(struct mounts *mounts, enum mount_stats how, struct croft_error *err);
/* How it is counted: "off", "trampolines" or "tracepoints". */
const char *mounts_means(struct mounts *mounts);

/* Readable when mounts of some partition may have changed (while something is counted). */
int mounts_event_fd(struct mounts *mounts);
/* Calls f for each event there is; at most one comes for a partition between two calls. */
void mounts_read_events(
        struct mounts *mounts, void (*f)(const struct mount_event *event, void *context), void *context);

#endif
