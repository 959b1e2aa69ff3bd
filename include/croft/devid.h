/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * croft/devid.h - device numbers: a program asks for one that nobody else has, from a table in the kernel's memory.  No
 * daemon has to be there.  See croft-devid(3).
 *
 * Inside a partition its own numbers are asked for, as many as property `devices` grants it; in global those of
 * anybody. Functions return 0 or a negative errno, with the reason in *err (which may be NULL).  A struct croft_devid
 * may be used by one thread at a time.
 */
#ifndef CROFT_DEVID_H
#define CROFT_DEVID_H

#include <croft/error.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CROFT_DEVID_NAME 32           /* bytes of a name, with its end */
#define CROFT_DEVID_ANY 0xffffffffU   /* no number is preferred */
#define CROFT_DEVID_WHOLE 0xffffffffU /* as a minor: all minors of the major */

struct croft_devid;

enum croft_devid_state { CROFT_DEVID_RESERVED = 1, CROFT_DEVID_ASSIGNED, CROFT_DEVID_DRAINING };

/* A node in the /dev of the partition that has the number: none; to be made by croftd, if there is one; made; or
 * refused, for a reason that is in the record of errors. */
enum croft_devid_node_state {
        CROFT_DEVID_NODE_NONE,
        CROFT_DEVID_NODE_WANTED,
        CROFT_DEVID_NODE_THERE,
        CROFT_DEVID_NODE_REFUSED,
};

struct croft_devid_number {
        uint64_t partition; /* id of the owner, 0: global */
        char family[CROFT_DEVID_NAME], instance[CROFT_DEVID_NAME];
        uint32_t number;               /* in the family */
        uint32_t first, count, within; /* of the group that it was given out with: first, first + within, ... */
        uint32_t virtual_number;       /* what its owner calls it; CROFT_DEVID_ANY: the same */
        uint32_t state;                /* enum croft_devid_state */
        uint32_t type;                 /* 'c' or 'b' */
        uint32_t major, minor;         /* minor: the first one of the number, or CROFT_DEVID_WHOLE */
        uint32_t pid;                  /* who asked; 0 inside */
        int64_t age_ns;                /* since it is in that state */
        char node[CROFT_DEVID_NAME];   /* name of its node, of a group NAME0, NAME1 ...; "": none */
        uint32_t node_state;           /* enum croft_devid_node_state */
        uint32_t reserved;
};

/* What is asked for.  A family is "char" or "block" (majors for local use), "c60", "b120": the minors of a major that
 * one has, or "dm", "zram", "nbd", "cuse": devices of these drivers.  An instance is the asker's own name for the
 * device; asked again, it has the same number. */
struct croft_devid_request {
        uint64_t partition; /* 0: the caller's own */
        const char *family, *instance;
        uint32_t preferred; /* just that one, or the group from there on; CROFT_DEVID_ANY: the lowest that is free */
        uint32_t count;     /* a group, given out whole or not at all; 0 or 1: one number, at most 64 */
        uint32_t within;    /* from one number of the group to the next; 0: 1 */
        uint32_t between;   /* the first one is a multiple of it; 0: 1 */
        uint32_t virtual_number; /* CROFT_DEVID_ANY: none */
        const char *node;        /* name of a node in the partition's /dev, for root alone; NULL: none */
};

/* directory: where the pinned programs are, NULL: as libkstat finds them ($CROFT_SOCKET, /run/croft).  The caller ends
 * it with croft_devid_close().  -ENOENT: no croftd has made the table. */
int croft_devid_open(const char *directory, struct croft_devid **ret, struct croft_error *err);
struct croft_devid *croft_devid_close(struct croft_devid *devid); /* NULL is allowed; returns NULL */

/* The numbers are RESERVED for the instance.  -ENOENT: there is no such family, or none is granted; -EDQUOT: more than
 * are granted; -EBUSY: the preferred one isn't free; -ENOSPC: none is free; -ENODEV: the family's driver isn't loaded.
 */
int croft_devid_alloc(struct croft_devid *devid, const struct croft_devid_request *request,
        struct croft_devid_number *ret, struct croft_error *err);

/* partition 0: the caller's own.  They are in use from now on; given back; looked up.  -ESRCH: the instance has none;
 * release -EBUSY: minors of the major are given out.  ret may be NULL. */
int croft_devid_assign(struct croft_devid *devid, uint64_t partition, const char *family, const char *instance,
        struct croft_devid_number *ret, struct croft_error *err);
int croft_devid_release(struct croft_devid *devid, uint64_t partition, const char *family, const char *instance,
        struct croft_devid_number *ret, struct croft_error *err);
int croft_devid_get(struct croft_devid *devid, uint64_t partition, const char *family, const char *instance,
        struct croft_devid_number *ret, struct croft_error *err);

/* Waits for croftd to be done with the node of a number that one of these has answered: *number is what it is then.
 * After a release, in global: until node and number have gone.  -ESRCH: the number has gone; -ETIMEDOUT: croftd hasn't
 * come to it (it isn't there, or the partition doesn't run). */
int croft_devid_wait(
        struct croft_devid *devid, unsigned int timeout_ms, struct croft_devid_number *number, struct croft_error *err);

/* All numbers that the caller may see, of one partition unless it is 0, by family and number.  The caller frees *ret.
 */
int croft_devid_list(struct croft_devid *devid, uint64_t partition, struct croft_devid_number **ret, size_t *ret_n,
        struct croft_error *err);

/* "reserved", "assigned", "draining". */
const char *croft_devid_state_name(unsigned int state);

#ifdef __cplusplus
}
#endif
#endif
