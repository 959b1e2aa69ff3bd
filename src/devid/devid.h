/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devid.h - the table of device numbers, croftd's side: makes families and grants, keeps the machine's own numbers out,
 * and takes back what partitions had.
 *
 * The objects are pinned and outlive croftd (DEV-27).  Numbers are given out by the program alone, for whoever runs it.
 * All functions may be called from any thread.
 */
#ifndef CROFT_DEVID_DEVID_H
#define CROFT_DEVID_DEVID_H

#include "devid/devid.bpf.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>

struct plane;
struct devid;

/* Families that are there from the beginning: majors for local use, the loop devices of this machine, and instances of
 * drivers, whether they are there or not. */
#define DEVID_CHAR_MAJORS "char"
#define DEVID_BLOCK_MAJORS "block"
#define DEVID_LOOPS "loop"
#define DEVID_DMS "dm"
#define DEVID_ZRAMS "zram"
#define DEVID_NBDS "nbd"
#define DEVID_CUSES "cuse"

/* Loads or adopts the objects in the plane (borrowed, for the life of *ret).  Objects of another layout are begun anew.
 * -EOPNOTSUPP, -EPERM as plane_open(). */
int devid_open(struct plane *plane, struct devid **ret, struct croft_error *err);
struct devid *devid_free(struct devid *devid); /* lets go; what is pinned stays */
void devid_freep(struct devid **devid);
/* Takes the objects away, for a clean end.  -EBUSY: a number is given out; nothing was changed. */
int devid_remove(struct devid *devid, struct croft_error *err);

/* From now on processes of partitions open what every partition has, and devices whose numbers are their own, and no
 * others, however the node was made.  cgroup_fd: the control group that all partitions are below.  It holds without a
 * croftd, too.  -EOPNOTSUPP: this kernel can't. */
int devid_enforce(struct devid *devid, int cgroup_fd, struct croft_error *err);

/* Numbers that the machine has by now are given to nobody from now on, others may be; drivers have come or gone. */
int devid_look_at_host(struct devid *devid, struct croft_error *err);
/* Which drivers the machine has by now, as devid_majors_added() takes it; the caller frees it. */
int devid_drivers(char **ret, struct croft_error *err);
/* Such majors have come: looks at what the machine has, at once.  -EBUSY: one of them is a partition's. */
struct devid_major;
int devid_majors_came(struct devid *devid, const struct devid_major *list, size_t n, struct croft_error *err);
/* The family is a driver's that isn't there; *ret_module would have it. */
bool devid_lacks_driver(struct devid *devid, const char *family, const char **ret_module);

/* Who hears of what has happened to a partition's numbers by itself. */
struct devid_ear {
        void (*tell)(void *context, uint64_t partition, const char *text, bool is_error);
        /* Where its special files go: a descriptor of the root of its /dev, which is closed, or -1: there is none. */
        int (*open_dev)(void *context, uint64_t partition, uint32_t *ret_uid_base);
        void *context;
};
/* Tells of devices of drivers that have come or gone, of numbers that partitions have. */
void devid_look_at_devices(struct devid *devid, const struct devid_ear *ear);

/* Readable when devid_follow() has something to do; -1 never.  devid_hear() makes it unreadable. */
int devid_wake_fd(const struct devid *devid);
void devid_hear(struct devid *devid);
/* Makes special files that are wanted and removes those whose numbers were given back, which are free then; makes as
 * many devices as are granted where croft makes them.  Also finds what an earlier croftd hadn't done. */
void devid_follow(struct devid *devid, const struct devid_ear *ear);
/* The same for a partition that is about to run its first process: all that it wants are there, or told of. */
void devid_put_specials(struct devid *devid, uint64_t partition, const struct devid_ear *ear);

/* The partition may have so many numbers of that family, 0: none any more; those that it has stay. */
int devid_grant(struct devid *devid, uint64_t partition, const char *family, uint32_t max, struct croft_error *err);

/* Before it stops: what it has, into that file below directory.  It has nothing: the file stays as it is. */
int devid_keep(struct devid *devid, uint64_t partition, int directory, const char *path, struct croft_error *err);
/* As it starts, with its grants made: takes what that file says, or others where somebody else has taken one, and
 * removes the file.  Calls tell for each number that has become another one, or is lost. */
int devid_restore(struct devid *devid, uint64_t partition, int directory, const char *path,
        void (*tell)(void *context, const char *text), void *context, struct croft_error *err);

/* Calls f for each loop device of the partition that is bound, with the minor that the machine has it under and its
 * name inside. */
void devid_each_loop(struct devid *devid, uint64_t partition,
        void (*f)(void *context, uint32_t minor, const char *name), void *context);

/* All that the partition has is given back, its loop devices are unbound and removed, and its grants go.  Its processes
 * have ended.  Idempotent. */
int devid_release_all(struct devid *devid, uint64_t partition, struct croft_error *err);
/* Does that for partitions that keep() doesn't want. */
int devid_sweep(struct devid *devid, bool (*keep)(void *context, uint64_t id), void *context, struct croft_error *err);

/* What was given back becomes free where there is no device of that number any more.  Done by devid_open(),
 * devid_release_all() and devid_remove(), too. */
void devid_settle(struct devid *devid);

#endif
