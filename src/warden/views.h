/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * views.h - a partition's own /proc and /sys files: a FUSE file system that its warden serves.
 *
 * What must outlive a warden is in two descriptors, which croftd holds duplicates of: the session (/dev/fuse) and a
 * memory area.  Requests are read straight into that memory, and what was shown last lies there: a successor answers
 * what the dead one had taken, and goes on with the same text (docs/adr/0022).
 *
 * The server must never touch a file of its own file system: it would wait for itself.
 */
#ifndef CROFT_WARDEN_VIEWS_H
#define CROFT_WARDEN_VIEWS_H

#include "kstat/view.h"

#include <croft/error.h>
#include <stdbool.h>

#define VIEWS_MOUNTS_MAX 64

struct views_memory;

struct views {
        int device, memory;  /* -EBADF: none */
        int link, facts;     /* where figures come from */
        uid_t owner;         /* of the files: the partition's root */
        bool may_have_disks; /* of its own: see views_expect_disks() */
        struct views_memory *area;
        const void *facts_data;
        size_t facts_size;
        struct view_facts *decoded;
        struct view *view;
        struct kstat_sample *sample;
        uint64_t sampled_ns; /* CLOCK_MONOTONIC; 0: never */
        int (*read_sample)(int link, struct kstat_sample *ret);
        int (*read_machine)(struct view_machine *ret); /* NULL: what the facts say stays */
        /* Of views_prepare(): a detached mount for each file and tree, view_count() of the former first. */
        int mounts[VIEWS_MOUNTS_MAX];
};

void views_init(struct views *v);
void views_done(struct views *v);
static inline bool views_are_there(const struct views *v)
{
        return v->device >= 0;
}

/* While privileged, and before the partition is known: a session, mounted, with a mount for each file.  On failure v is
 * empty, and the partition has to do without. */
int views_prepare(struct views *v, struct croft_error *err);
/* The path that mount i belongs on, without a leading slash; NULL: there are no more. */
const char *views_mount_path(size_t i);
/* The mounts are attached, or not wanted. */
void views_close_mounts(struct views *v);

/* In a child that is to become something else: closes its copies. */
void views_forget(struct views *v);

/* Takes over what a dead warden has left: device and memory (owned from here on).  On failure v is empty. */
int views_adopt(struct views *v, int device, int memory, struct croft_error *err);
/* What the host is (facts, owned from here on in any case), and who the files belong to. */
int views_open(struct views *v, int facts, uid_t owner, struct croft_error *err);
/* The partition may get block devices of its own (kstat/view_disks.h): what shows them is never kept, so that a device
 * is seen by whoever looks after it was bound.  Without, they appear, but up to VIEW_TTL_NS late. */
void views_expect_disks(struct views *v);
/* Where figures come from (owned from here on). */
void views_read_from(struct views *v, int link);

/* Answers what waits, and first what a predecessor had taken.  false: the file system is gone. */
bool views_serve(struct views *v);

#endif
