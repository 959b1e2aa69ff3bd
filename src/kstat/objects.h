/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * objects.h - where the kernel keeps the figures of a partition, and the samples that are made from them; croftd's
 * side.
 *
 * The sampler holds the BPF iterators and works on maps that it shares with the other programs of the plane.  All
 * functions may be called from any thread.
 */
#ifndef CROFT_KSTAT_OBJECTS_H
#define CROFT_KSTAT_OBJECTS_H

#include "kstat/objects.bpf.h"

#include <croft/error.h>
#include <stdint.h>
#include <sys/types.h>

struct kstat_sampler;

/* Maps to share, borrowed during the call; -1: the sampler makes its own. */
struct kstat_shared {
        int partitions; /* of the plane */
        int objects;    /* `kstat_objects` */
        int loads;      /* `kstat_loads` */
        int times;      /* `kstat_times` */
        int clock;      /* `kstat_clock` */
        int disks;      /* `kstat_disks` */
        int sums;       /* `kstat_sums` */
        int counts;     /* `kstat_counts`; -1: nobody counts tasks */
        int directory;  /* of the plane's pins: the iterators are there for the next one who has these maps; -1: nowhere
                         */
};
#define KSTAT_SHARED_NONE ((struct kstat_shared){-1, -1, -1, -1, -1, -1, -1, -1, -1})

/* What `cpus_max` is in programs that have it: one more than the highest number of a CPU that this machine can have, at
 * most KSTAT_CPUS_MAX; that if the kernel doesn't say. */
uint32_t kstat_possible_cpus(void);

/* Loads the iterators, or takes those that are pinned and the same.  The caller frees *ret with kstat_sampler_free().
 * -EOPNOTSUPP: this kernel can't; -EPERM. */
int kstat_sampler_open(const struct kstat_shared *maps, struct kstat_sampler **ret, struct croft_error *err);
struct kstat_sampler *kstat_sampler_free(struct kstat_sampler *sampler);
void kstat_sampler_freep(struct kstat_sampler **sampler);
/* Takes away what is pinned of them. */
int kstat_sampler_unpin(int directory, struct croft_error *err);
/* The maps in use; borrowed, as long as the sampler. */
struct kstat_shared kstat_sampler_shared(const struct kstat_sampler *sampler);

/* Where a partition is. */
struct kstat_place {
        uint64_t partition; /* 0: the machine; tag and level don't matter then, and init is any process outside */
        pid_t init;         /* its first process, in the pid namespace of the caller */
        const char *tag;    /* its cgroup is croft.<tag>/<partition> in every hierarchy */
        unsigned int level; /* cgroup_tree_level() */
};
/* The interfaces of its network namespace, the first ones. */
struct kstat_links {
        struct kstat_link list[KSTAT_FIND_LINKS];
        size_t n;
};
/* Finds and records the objects of a partition: once it has a first process, and when it is adopted.  Idempotent.
 * ret may be NULL.  -ESRCH: no such process, or it isn't in the partition's cgroup; what was on record stays. */
int kstats_find_objects(struct kstat_sampler *sampler, const struct kstat_place *place, struct kstat_links *ret,
        struct croft_error *err);
/* Forgets what is remembered of a partition.  Idempotent. */
int kstats_forget_objects(struct kstat_sampler *sampler, uint64_t partition, struct croft_error *err);

/* A link whose reads give the samples (sample.h) of the partition whose unified cgroup that is (a descriptor,
 * borrowed), and of no other.  The caller closes it; it lives on in whoever has a duplicate. */
int kstats_open_sample(struct kstat_sampler *sampler, int cgroup_fd, struct croft_error *err);

#endif
