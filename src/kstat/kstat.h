/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstat.h - statistical structures, each associated with partitions; the daemon's side.  Readers run the pinned
 * programs themselves (kstat.bpf.h); no process of ours is on their path.
 *
 * The maps are the truth: the next croftd adopts them with all they hold, kids and generations go on.  Writers are
 * serialised inside; all functions may be called from any thread.
 */
#ifndef CROFT_KSTAT_KSTAT_H
#define CROFT_KSTAT_KSTAT_H

#include "kstat/kstat.bpf.h"

#include <croft/error.h>
#include <stddef.h>
#include <stdint.h>

struct plane;
struct kstats;

/* Loads or adopts the objects in the plane's bpffs (borrowed, for the life of *ret).  -EOPNOTSUPP, -EPERM, -ESTALE as
 * plane_open(). */
int kstats_open(struct plane *plane, struct kstats **ret, struct croft_error *err);
/* Where there were structures that couldn't be adopted, of another layout for one, readers are answered from those
 * until this says that everything is there again: not one read fails meanwhile.  Without them it has been done by
 * kstats_open(). */
int kstats_publish(struct kstats *kstats, struct croft_error *err);
struct kstats *kstats_free(struct kstats *kstats); /* lets go; what is pinned stays */
void kstats_freep(struct kstats **kstats);
/* Takes the objects away, for a clean end.  -EBUSY: partitions are on record. */
int kstats_remove(struct kstats *kstats, struct croft_error *err);

/* After kstats_publish().  Lets everybody whose socket was made below that control group (a descriptor, borrowed) ask
 * by socket options, too: KSTAT_SOCKOPT_LEVEL.  Idempotent; survives croftd, and what an earlier one attached is
 * replaced without a moment between.  -EOPNOTSUPP, -EPERM (another program there shares with none) ...: bpf(2) stays
 * the only way. */
int kstats_attach(struct kstats *kstats, int cgroup_fd, struct croft_error *err);

struct kstat_def {
        const char *module, *name, *class; /* at most KSTAT_NAME_SIZE - 1 bytes, none empty but class may be */
        int32_t instance;
        enum kstat_type type;
        unsigned int flags; /* enum kstat_flag */
        unsigned int schema;
        uint32_t source; /* enum kstat_source */
        uint64_t subject, argument;
        const void *data; /* of a stored one; size at most KSTAT_SMALL_DATA */
        uint32_t size;    /* bytes of data, stored or filled by the source; at most KSTAT_LARGE_DATA */
};

/* A change of what is seen.  All changes of one call take effect for a partition at one instant. */
struct kstat_change {
        enum { KSTAT_ASSOCIATE, KSTAT_DISSOCIATE } what;
        uint64_t kid;
        uint64_t partition; /* id, 0: global, KSTAT_ALL */
};

/* Makes n structures, each seen by the n_partitions partitions, all at one instant; kids (may be NULL) gets their ids.
 * Without partitions they are seen by nobody until kstats_apply(), and don't outlive this process until then.
 * One with KSTAT_PERSIST that is dormant is woken instead, under its old kid, if its class, type and size are the same
 * and the same partitions see it; such are made one at a time.
 * -EEXIST: namespace collision (KST-23), or dormant and unlike (KST-29); -ENOSPC: the partition or the machine has too
 * many (counted); -EINVAL: names, sizes; in all cases nothing was made. */
int kstats_create(struct kstats *kstats, const struct kstat_def *defs, size_t n, const uint64_t *partitions,
        size_t n_partitions, uint64_t *kids, struct croft_error *err);
/* Ends structures; those that aren't there are passed over.  One with KSTAT_PERSIST goes dormant: it stays readable,
 * with the values it has now (KST-29).  What is dormant ends for good. */
int kstats_delete(struct kstats *kstats, const uint64_t *kids, size_t n, struct croft_error *err);
/* -EEXIST, -ENOSPC as above, -ENOENT: no such kid; nothing was changed then. */
int kstats_apply(struct kstats *kstats, const struct kstat_change *changes, size_t n, struct croft_error *err);
/* New data of a stored one (its size). -ENOENT. */
int kstats_store(struct kstats *kstats, uint64_t kid, const void *data, uint32_t size, struct croft_error *err);

/* Puts a partition on record here, with the structures that every partition has; idempotent.  cgroup and objects: see
 * kstats_find_objects(). */
int kstats_add_partition(struct kstats *kstats, uint64_t partition, struct croft_error *err);
/* Ends all that is associated with it alone and its associations with the rest; idempotent. */
int kstats_remove_partition(struct kstats *kstats, uint64_t partition, struct croft_error *err);

/* One structure as croftd sees it. */
struct kstat_info {
        struct kstat_head head;
        uint32_t source;
        uint64_t subject, argument;
        uint64_t *partitions; /* those it is associated with now, rising; KSTAT_ALL alone */
        size_t n_partitions;
};
void kstat_info_done(struct kstat_info *info);
/* -ENOENT. */
int kstats_get(struct kstats *kstats, uint64_t kid, struct kstat_info *ret, struct croft_error *err);
/* Calls f for each structure with that module, class (NULL: any) and subject (KSTAT_ALL: any), in no order; f must not
 * call functions of this header. */
int kstats_each(struct kstats *kstats, const char *module, const char *class, uint64_t subject,
        int (*f)(const struct kstat_info *info, void *context), void *context, struct croft_error *err);

/* A sampler (objects.h) that works on our maps; the caller frees it before the kstats. */
struct kstat_sampler;
int kstats_open_sampler(struct kstats *kstats, struct kstat_sampler **ret, struct croft_error *err);

#endif
