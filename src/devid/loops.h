/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * loops.h - the loop devices of one partition: its own /dev/loop0, loop1 ... of which each is a device of the machine,
 * of another number, that was made for it.
 *
 * The table of device numbers (devid.bpf.h, family "loop") says which ones it has; `virtual` is the number inside. A
 * device is bound before the partition can open it and isn't unbound while anybody can (kernel/loop.h), so there is
 * none that is free to be opened and not bound.  What programs open before they bind it is one more device, the *free*
 * one, that is bound to nothing: the node of the next number is its own, until there is a device for that number.
 *
 * A *part* of a device (loop0p1) is a device as well, bound to the whole one, which it keeps bound: to the kernel none
 * of them has partitions, and no code of the kernel ever reads a table of partitions that a partition of ours wrote.
 *
 * For one process at a time per partition; what a dead one left half made is put right by loops_settle().  All return 0
 * or a negative errno that may be told inside.
 */
#ifndef CROFT_DEVID_LOOPS_H
#define CROFT_DEVID_LOOPS_H

#include "devid/devid.bpf.h"
#include "kernel/loop.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>

#define LOOPS_MAX 1024      /* numbers inside, from 0 on */
#define LOOPS_PART_MAX 255  /* of one device, from 1 on; of the kernel */
#define LOOPS_PARTS_MAX 128 /* so many */
#define LOOPS_SECTOR 512    /* in which parts are told */

/* What is called loop-control inside: /dev/null's number, which anybody may open and which knows no ioctl.  All that
 * programs ask of it is answered by the broker. */
#define LOOPS_CONTROL makedev(1, 3)
#define LOOPS_GROUP 6 /* "disk" of Debian, Red Hat, SUSE, Alpine ... */

/* All borrowed. */
struct loops {
        const struct loop_machine *machine;
        int program; /* `devid` */
        uint64_t partition;
        int dev;     /* root of its /dev */
        int intents; /* a directory for what is being unbound, that its successor finds; -1: there is none */
        uid_t base;  /* host's id of its root */
};

struct loops_device {
        uint32_t inside, number, minor; /* number: the machine's */
        uint32_t part;                  /* 0: the whole one */
        uint32_t flags;                 /* enum devid_flag */
        bool is_free;
};

struct loops_part {
        uint32_t part;
        uint64_t start, sectors;
};

/* "loop0", "loop0p1". */
void loops_name(const struct loops_device *device, char *ret, size_t size);

/* The device that a node with that st_rdev leads to.  -ENOTTY: it isn't the partition's. */
int loops_find(const struct loops *l, const struct stat *node, struct loops_device *ret);
/* Is this the node of the free device as it is now?  One that was opened before its number was taken isn't. */
bool loops_is_current(const struct loops *l, const struct loops_device *device, const struct stat *node);

/* The lowest number inside that isn't bound, whose node is the free device's from now on.  -ENOSPC: it may have no
 * more. */
int loops_get_free(const struct loops *l, uint32_t *ret);
/* The same for that number. -EEXIST: it is bound; -EINVAL. */
int loops_add(const struct loops *l, uint32_t inside);
/* The node goes.  -EBUSY: it is bound; -ENODEV. */
int loops_remove(const struct loops *l, uint32_t inside);

/* A device for number `inside`, with config (its fd is the caller's), and its node.  access: O_RDONLY or O_RDWR; flags:
 * DEVID_AUTO, DEVID_SCANNED.  *ret is open on it (*device), by that node; the caller closes it.  -EBUSY: the number is
 * bound; errors of LOOP_CONFIGURE. */
int loops_bind(const struct loops *l, uint32_t inside, const struct loop_config *config, int access, uint32_t flags,
        struct loops_device *device, int *ret);

/* The numbers are free again, of all of those devices or of none: parts of one device, and behind all of its parts, if
 * it is to go, the device itself.  -EBUSY: somebody has one of them open.  They go by loops_forget(). */
int loops_unbind(const struct loops *l, const struct loops_device devices[], size_t n);
/* Takes as long as loop_unmake(). */
void loops_forget(const struct loops *l, uint32_t number);
/* What loops_find() says as flags.  Of AUTO: that the device goes when nobody has it open; of SCANNED: that its table
 * of partitions is read. */
int loops_mark(const struct loops *l, const struct loops_device *device, uint32_t flags);

/* Calls f for each device that it has, parts too. */
void loops_each(const struct loops *l, void (*f)(const struct loops_device *device, void *context), void *context);

/* The parts of a device that is bound, in no order; how many. */
size_t loops_parts(const struct loops *l, const struct loops_device *whole, struct loops_device ret[LOOPS_PARTS_MAX]);
/* One of them, or with part 0 the device that a part is of.  -ENXIO. */
int loops_find_part(const struct loops *l, const struct loops_device *of, uint32_t part, struct loops_device *ret);
/* Where it lies. */
int loops_get_part(const struct loops *l, const struct loops_device *device, struct loops_part *ret);
/* A device for it, and its node.  -EBUSY: there is that part, or one that shares sectors with it; -EINVAL: the device
 * hasn't these sectors; -ENOSPC. */
int loops_add_part(const struct loops *l, const struct loops_device *whole, const struct loops_part *part,
        struct loops_device *ret);
/* Its end is moved, whether it is in use or not.  Errors as above; -ENXIO: it begins elsewhere, or there is none. */
int loops_resize_part(const struct loops *l, const struct loops_device *whole, const struct loops_part *part,
        struct loops_device *ret);

/* Is it, or a part of it, in exclusive use: mounted? */
bool loops_is_mounted(const struct loops *l, const struct loops_device *device);
/* Is what shares sectors with it, other than itself? */
bool loops_is_taken(const struct loops *l, const struct loops_device *device);
/* Puts right what one that died has left, and tells the machine's numbers of devices that it has unbound and not
 * removed: at most max, how many. */
size_t loops_settle(const struct loops *l, uint32_t *ret, size_t max);
/* Opens the free device, by no node of the partition's.  access: as with loops_bind(). */
int loops_open_free(const struct loops *l, int access);

/* The partition has ended: all that it has is unbound and given back, what somebody outside has open as soon as that
 * one closes it.  dev may be none. */
void loops_end(const struct loops *l);

#endif
