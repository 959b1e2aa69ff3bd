/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pool.h - pools of CPUs, and what they mean for the partitions that are bound to them.  Pure: decides, touches
 * nothing.
 *
 * A CPU belongs to one pool: to one that an administrator made, else to `default`, which has the rest and is always
 * there.  A partition is bound to exactly one pool (its property `pool`) and runs on the CPUs of that pool which its
 * property cpu.set names, or on all of them.  As long as nobody has made a pool, pools are off: cpu.set alone counts.
 */
#ifndef CROFT_PARTITION_POOL_H
#define CROFT_PARTITION_POOL_H

#include "base/str.h"
#include "kernel/cpus.h"
#include "partition/property.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>

#define POOL_DEFAULT "default"
#define POOLS_MAX 1024

struct pool {
        char name[NAME_LENGTH_MAX + 1];
        struct cpus cpus; /* configured; may be offline */
};

/* Sorted by name; no CPU in two of them.  Storage belongs to the caller: begins as {0}, ends with pools_done(). */
struct pools {
        struct pool *list;
        size_t n;
};
void pools_done(struct pools *pools);
/* 0 or -ENOMEM; *ret is new. */
int pools_copy(const struct pools *pools, struct pools *ret);
bool pools_are_on(const struct pools *pools);
/* NULL: none of that name (default is never in the list). */
const struct pool *pools_find(const struct pools *pools, const char *name);

/* The CPUs of the machine, for all decisions. */
struct pool_machine {
        struct cpus has;    /* that croft may give, offline ones too */
        struct cpus online; /* those of them that run */
};

/* The CPUs of the pool, of default too (what the others leave of the machine's).  false: there is no such pool. */
bool pools_cpus(const struct pools *pools, const char *name, const struct pool_machine *machine, struct cpus *ret);

/* Changes; after a failure the table is what it was.  cpus is borrowed.
 * -EINVAL: no name, or CPUs that the machine hasn't; -EEXIST: there is one of that name, or (create) another pool has
 * one of the CPUs; -ENOENT; -EPERM: not with default; -ENOSPC: too many. */
int pools_create(struct pools *pools, const char *name, const struct cpus *cpus, const struct pool_machine *machine,
        struct croft_error *err);
/* CPUs of other pools are moved out of those. */
int pools_set(struct pools *pools, const char *name, const struct cpus *cpus, const struct pool_machine *machine,
        struct croft_error *err);
int pools_remove(struct pools *pools, const char *name, struct croft_error *err);
/* Puts in, without a check, what was checked when it was made.  -ENOMEM, -EEXIST. */
int pools_put(struct pools *pools, const char *name, const struct cpus *cpus);

/* A partition as pools see it; strings are borrowed. */
struct pool_user {
        const char *partition;
        const char *pool;    /* property_get() gives default */
        const char *cpu_set; /* NULL: all */
        bool running;        /* it has processes, or will have: it needs a CPU that is online */
};
struct pool_user pool_user_of(const char *partition, const struct property *properties, bool running);

/* Where it runs, offline CPUs included.  Pools off and no cpu.set: *ret is what the machine has, *ret_all true.
 * -ENOENT: no such pool; -ENOSPC: the pool is empty, or (running) nothing of it is online; -EINVAL: cpu.set names CPUs
 * that the machine hasn't, or none of the pool's. */
int pools_place(const struct pools *pools, const struct pool_machine *machine, const struct pool_user *user,
        struct cpus *ret, bool *ret_all, struct croft_error *err);

/* May `next` follow `now` with these partitions?  -EBUSY: a pool that goes away has one bound to it, or one is left
 * without a CPU; those that aren't worse off than now don't count. */
int pools_check(const struct pools *now, const struct pools *next, const struct pool_machine *machine,
        const struct pool_user *users, size_t n, struct croft_error *err);

#endif
