/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mount_watch.h - keeps the structures of mounts equal to the kernel's mount tables (KST-30, KST-31).
 *
 * One thread looks when the kernel says that a partition's mounts have changed, and never otherwise.  A partition that
 * changes them without end is looked at a bounded share of the time; what it makes the others wait is one look.  No
 * failure here fails a mount or a partition: it is counted, and the mount has no structure.
 *
 * All functions may be called from any thread.
 */
#ifndef CROFT_KSTAT_MOUNT_WATCH_H
#define CROFT_KSTAT_MOUNT_WATCH_H

#include "kstat/mount.bpf.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct kstats;
struct mount_watch;

/* kstats is borrowed for the life of *ret.  The caller ends *ret with mount_watch_free(). */
int mount_watch_open(
        int run_dir, unsigned int level, struct kstats *kstats, struct mount_watch **ret, struct croft_error *err);
struct mount_watch *mount_watch_free(struct mount_watch *watch); /* what is pinned counts on */
void mount_watch_freep(struct mount_watch **watch);

struct mount_watch_partition {
        uint64_t id;
        uint64_t cgroup; /* the kernel's id of its unified one */
        pid_t pid;       /* PID 1, the host's number */
        enum mount_stats wanted;
        uint64_t last; /* of a new one: the unique id of the last mount that global made for it; 0: not known */
        bool new_one;  /* its first program hasn't run: all that is mounted now was made by global (KST-32) */
        bool base;     /* and it sees the structures of these, too */
};
/* From now on its mounts are followed.  Idempotent. */
int mount_watch_add(struct mount_watch *watch, const struct mount_watch_partition *p, struct croft_error *err);
/* No effect if it isn't followed. */
void mount_watch_want(struct mount_watch *watch, uint64_t id, enum mount_stats wanted);
/* Whether it sees those of mounts that global made for it: all at one instant.  No effect if it isn't followed. */
int mount_watch_show_base(struct mount_watch *watch, uint64_t id, bool show, struct croft_error *err);
/* Ends the structures of all its mounts.  Idempotent. */
int mount_watch_remove(struct mount_watch *watch, uint64_t id, struct croft_error *err);

/* What went wrong, ever. */
struct mount_watch_counts {
        uint64_t looks;
        uint64_t failures; /* looks and structures that came to nothing */
        uint64_t refused;  /* mounts without structures, since there are too many */
};
void mount_watch_count(struct mount_watch *watch, struct mount_watch_counts *ret);

#endif
