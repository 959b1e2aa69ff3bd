/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * devid.bpf.h - the table of device numbers in the kernel: layouts that programs, croftd, libcroft and their successors
 * share.
 *
 * A *family* is a space of numbers that are given out lowest first: the loop devices of this machine, the minors of a
 * major, the majors that nobody else uses.  A number is free, or has one owner; to find a free one and to mark it is
 * one atomic step (DEV-15).  Who asks is what the kernel says at the time of the call (C-1): a partition asks for
 * itself, where it has been granted the family; global for anybody, and for itself.
 *
 * Whoever changes a structure raises DEVID_LAYOUT.
 */
#ifndef CROFT_DEVID_DEVID_BPF_H
#define CROFT_DEVID_DEVID_BPF_H

#include <linux/types.h>

#define DEVID_LAYOUT 4
#define DEVID_FAMILIES_MAX 64
#define DEVID_WORDS 64
#define DEVID_FAMILY_MAX (DEVID_WORDS * 64) /* numbers of one family */
#define DEVID_NUMBERS_MAX 8192              /* given out of all families; 300 bytes each, from the beginning */
#define DEVID_GROUP_MAX 64                  /* numbers that are given out as one */
#define DEVID_NAME 32
#define DEVID_ANY 0xffffffffU   /* no number is preferred */
#define DEVID_WHOLE 0xffffffffU /* as a minor: the major, with all its minors */

enum devid_type { DEVID_CHAR = 'c', DEVID_BLOCK = 'b' };

enum devid_state {
        DEVID_FREE,     /* never in the table */
        DEVID_RESERVED, /* given out */
        DEVID_ASSIGNED, /* its owner has said that it is in use */
        DEVID_DRAINING, /* given back, and may still be open somewhere: nobody's */
};

/* Of a number that a driver has (DEVID_OP_MARK). */
enum devid_flag {
        DEVID_CLOSED = 1,   /* not to be opened now, not even by its owner */
        DEVID_MADE = 2,     /* its device was made for it */
        DEVID_READY = 4,    /* and is what it is to be; one that isn't, when who makes it has died, is taken back */
        DEVID_AUTO = 8,     /* to be given back when nobody has it open */
        DEVID_NAMED = 16,   /* it has an entry in `devid_specials`: it drains until that has gone */
        DEVID_THERE = 32,   /* croftd has seen a device of that number */
        DEVID_SCANNED = 64, /* its table of partitions is read when it changes (LO_FLAGS_PARTSCAN) */
};

enum devid_family_flag {
        DEVID_FAMILY_DRAINS = 1, /* what is given back may still be open: it waits until there is no such device */
        DEVID_FAMILY_GLOBAL = 2, /* only global asks for them */
        DEVID_FAMILY_DRIVER = 4, /* instances of a driver of the machine, given out one at a time */
        DEVID_FAMILY_ABSENT = 8, /* which isn't there: none are given out */
};

/* Number n, from 0 on, is bit n. */
struct devid_family {
        char name[DEVID_NAME];
        __u32 type;   /* enum devid_type */
        __u32 majors; /* 1: its numbers are majors; 0: they are minors of `major` */
        __u32 major;
        __u32 shift; /* number n has minors n << shift to (n + 1 << shift) - 1 */
        __u32 count; /* numbers 0 to count - 1 */
        __u32 flags; /* enum devid_family_flag */
        __u64 owner; /* a partition that has it for itself; 0: it wants a grant */
        __u64 taken[DEVID_WORDS];
        __u64 host[DEVID_WORDS]; /* the machine's own: never given out (DEV-21) */
        __u64 busy[DEVID_WORDS]; /* groups that begin there are being given out or back */
};
_Static_assert(sizeof(struct devid_family) == 64 + 3 * 512, "layout");

struct devid_name {
        char text[DEVID_NAME]; /* NUL-filled */
};

struct devid_node {
        __u32 type, major, minor;
        __u32 reserved;
};

struct devid_number {
        __u64 partition; /* 0: global's */
        struct devid_name family, instance;
        __u32 number;
        __u32 first, count, within; /* of its group: first, first + within, ... */
        __u32 virtual;              /* what it is called inside; its owner's word */
        __u32 state;                /* enum devid_state */
        __s64 since_ns;             /* when it came into that state, CLOCK_BOOTTIME; in an answer of who asks */
        __u32 pid;                  /* who asked; 0 where a partition reads */
        __u32 flags;                /* enum devid_flag */
};
_Static_assert(sizeof(struct devid_number) == 112, "layout");

/* The special file that an instance is to have in its partition's /dev; entered by the program, made, removed and then
 * deleted by croftd.  Its key is the number's node, of a group the first. */
enum devid_special_state { DEVID_SPECIAL_WANTED, DEVID_SPECIAL_THERE, DEVID_SPECIAL_REFUSED };
struct devid_special {
        __u64 partition;
        struct devid_name name; /* of a group NAME0, NAME1 ... */
        __u32 uid;              /* who asked, in the initial user namespace */
        __u32 state;            /* enum devid_special_state */
};
_Static_assert(sizeof(struct devid_special) == 48, "layout");

/* Whose instance of which family has numbers: a second question has the same answer (DEV-11). */
struct devid_instance_key {
        __u64 partition;
        struct devid_name family, instance;
};
struct devid_instance {
        __u32 first;
        __u32 reserved;
};

/* What a partition may ask for (DEV-24, C-15).  Global's need none. */
struct devid_grant_key {
        __u64 partition;
        struct devid_name family;
};
struct devid_grant {
        __u32 max; /* numbers; 0: it is as if there were no grant */
        __u32 used;
};

enum devid_op {
        DEVID_OP_ALLOC = 1, /* ret becomes the first of the group, RESERVED, or what the instance has already */
        DEVID_OP_ASSIGN,    /* the instance's numbers are in use; ret.  ESRCH: it has none */
        DEVID_OP_RELEASE,   /* the instance's numbers are given back; ret as it was.  ESRCH: it has none */
        DEVID_OP_GET,       /* ret: the first number of the instance.  ESRCH: it has none */
        DEVID_OP_NEXT, /* ret: the first number of the family from `preferred` on that the caller may see.  ESRCH: none
                        */
        DEVID_OP_FREE, /* global only: number `preferred` of the family, which is DRAINING, is open nowhere any more */
        DEVID_OP_HOST, /* global only: of word `preferred` of the family the machine has `bits` */
        DEVID_OP_MARK, /* global only: the instance's first number is in use, with that `virtual` and those `flags`; ret
                        */
        DEVID_OP_GRANT,   /* global only: the partition may have `preferred` numbers of the family */
        DEVID_OP_DRIVER,  /* global only: the family's driver is there, with major `preferred` and shift `count`;
                             `preferred` DEVID_ANY: it isn't.  EBUSY: numbers of another major are given out */
        DEVID_OP_FLAG,    /* global only: number `preferred`, which is the partition's, gets `flags` and loses `bits` */
        DEVID_OP_RECLAIM, /* global only: number `preferred`, which drains, was the partition's instance's and is again;
                             ret.  ESRCH: it doesn't, or wasn't */
};

/* The context of program `devid`, which returns 0 or a negative errno.
 * EAGAIN: another call is changing it, ask again (devid_client_call() does); EPERM: another partition's, or neither a
 * partition nor global; ENOENT: no such family, or it isn't granted; EDQUOT: that many aren't granted; EBUSY: the
 * preferred number isn't free; ENOSPC: none is free, or no such group; ENOMEM: the table is full; ENODEV: the family's
 * driver isn't there; EINVAL. */
struct devid_call {
        __u32 op;
        __u32 preferred; /* DEVID_ANY */
        __u32 count;     /* of the group, 1 to DEVID_GROUP_MAX */
        __u32 within;    /* from one number of the group to the next, at least 1 */
        __u32 between;   /* the first one is a multiple of it, at least 1 */
        __u32 virtual;   /* DEVID_ANY: the number itself */
        __u32 granted;   /* 1: global asks as the partition would, for what it is granted and no more */
        __u32 flags;     /* enum devid_flag, of DEVID_OP_MARK and, by global, of DEVID_OP_ALLOC */
        __u64 partition; /* whose; 0: the caller's own */
        struct devid_name family, instance;
        struct devid_number ret;
        struct devid_node node; /* of ret */
        __u64 bits;
        struct devid_special special; /* its name: DEVID_OP_ALLOC wants one, "" none; answers fill all of it */
};
_Static_assert(sizeof(struct devid_call) == 288, "layout");

/* What the table has refused to a partition: `devid_told`, and what is told in `devid_refusals`. */
#define DEVID_TOLD_MAX 16384
struct devid_told_key {
        __u64 partition;
        __u32 code; /* errno */
        __u32 reserved;
};
struct devid_refusal {
        struct devid_told_key key;
        struct devid_name family; /* as the partition wrote it */
};
_Static_assert(sizeof(struct devid_refusal) == 48, "layout");

#endif
