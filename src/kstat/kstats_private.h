/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstats_private.h - how the files of kstats see it.
 *
 * A change is prepared in the maps under the next generation, put into force by one store of that number, and cleaned
 * up after.  What a dead croftd prepared and didn't put into force is taken back by the next one, what it didn't clean
 * up is cleaned up.
 */
#ifndef CROFT_KSTAT_KSTATS_PRIVATE_H
#define CROFT_KSTAT_KSTATS_PRIVATE_H

#include "kstat/kstat.h"
#include "kstat/kstats_table.h"
#include "kstat/mibs.h"
#include "kstat/percpu.h" /* and mibs: for the skeletons, which have their structures */

#include <pthread.h>

#define KSTAT_NEVER (~0ULL) /* no generation reaches it */

struct kstat_maps {
        int state, records, members, index, chains, pages, schemas, objects, mounts, mount_text, timers;
        int loads, times, clock, disks, sums, counts; /* figures_maps.bpf.h */
        int own_disks;
};

/* Of the way by socket options; negative where the kernel can't. */
struct kstat_sockopt {
        int setter, getter; /* programs */
        int requests;
};

struct kstats {
        struct plane *plane; /* borrowed */
        struct kstat_maps maps;
        struct kstat_sockopt sockopt;
        int disk_begin; /* program; own_disks.c */
        uint64_t stamp; /* of our programs */
        bool counting;  /* the programs of count.bpf.h are attached */
        int ours[2];    /* programs that aren't pinned yet, kstats_publish(); -EBADF: they are */
        pthread_mutex_t lock;
        struct kstat_state state; /* as in the map */
        struct kstat_table table;
};

/* --- kstats_maps.c --- */
/* Loads or adopts; *ret_new: the maps are empty and want filling.  kstats->plane is set. */
int kstat_maps_open(struct kstats *kstats, bool *ret_new, struct croft_error *err);
void kstat_maps_close(struct kstat_maps *maps);
/* What answers readers stays: kstat_maps_unpin_programs(). */
int kstat_maps_unpin(const struct plane *plane, struct croft_error *err);
int kstat_maps_unpin_programs(const struct plane *plane, struct croft_error *err);
/* Fills the table from the maps and takes back, or cleans up, what was left halfway.  -EUCLEAN: they don't fit each
 * other. */
int kstat_maps_read(struct kstats *kstats, struct croft_error *err);
int kstat_put(int map, const void *key, const void *value, const char *what, struct croft_error *err);
int kstat_put_state(struct kstats *kstats, struct croft_error *err);

/* --- kstats_sockopt.c; attached by kstats_attach() --- */
struct kstat_bpf;
void kstat_sockopt_init(struct kstat_sockopt *sockopt);
void kstat_sockopt_done(struct kstat_sockopt *sockopt);
/* Between opening and loading: not these programs; or with the requests that are waiting. */
void kstat_sockopt_leave_out(struct kstat_bpf *skeleton);
int kstat_sockopt_adopt(struct kstats *kstats, struct kstat_bpf *skeleton, bool adopted, struct croft_error *err);
/* After loading: keeps the programs. */
int kstat_sockopt_take(struct kstats *kstats, const struct kstat_bpf *skeleton, struct croft_error *err);
int kstat_sockopt_unpin(int bpf_dir, struct croft_error *err);

/* --- kstats_counts.c --- */
/* Attaches the programs that count tasks, or goes on with those that are; kstats->counting says whether that succeeded:
 * else nothing is known of tasks that were made. */
void kstat_counts_begin(struct kstats *kstats, const struct kstat_bpf *skeleton);
int kstat_counts_unpin(int bpf_dir, struct croft_error *err);

/* --- kstats_dormant.c; the lock is held --- */
/* Is it one that goes dormant when it is ended? */
bool kstats_may_rest(const struct kstat_entry *entry);
/* It shows its last values from now on.  -ENXIO and others: it has none. */
int kstats_lay_to_rest(struct kstats *kstats, struct kstat_entry *entry, struct croft_error *err);
/* 1: the dormant one of that key is what `like` says again, with that data (NULL: the last).  0: there is none.
 * -EEXIST: it is of another class, type or size. */
int kstats_wake(struct kstats *kstats, const struct kstat_entry *like, const void *data, const uint64_t *partitions,
        size_t n_partitions, uint64_t *ret_kid, struct croft_error *err);

/* --- kstats_commit.c --- */
struct kstat_association {
        uint64_t kid, partition;
};

/* What one change consists of; the arrays are the caller's.  Entries of `created` aren't in the table yet. */
struct kstat_commit {
        const char *name; /* of its crash points: NAME.prepare, NAME.force, NAME.clean */
        struct kstat_entry *created;
        const void **data; /* of created[i], NULL: none stored */
        size_t n_created;
        const struct kstat_association *add, *drop;
        size_t n_add, n_drop;
        const uint64_t *deleted; /* rising; all their associations are in drop */
        size_t n_deleted;
};
/* Puts it into force, in maps and table; a failure leaves both as they were. */
int kstats_commit(struct kstats *kstats, const struct kstat_commit *c, struct croft_error *err);
/* The list that a view gets under its present kcid + 1 (in force when the generation is). */
int kstats_write_list(
        struct kstats *kstats, struct kstat_view *view, const struct kid_change *change, struct croft_error *err);
/* Takes the list out of the maps that the view has. */
void kstats_drop_list(struct kstats *kstats, const struct kstat_view *view);

#endif
