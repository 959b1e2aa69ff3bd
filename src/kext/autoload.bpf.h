/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * autoload.bpf.h - modules that the kernel looks for by itself, because of what a program in a partition does: the
 * layouts that the programs, croftd and its successors share.  Whoever changes one renames its map.
 */
#ifndef CROFT_KEXT_AUTOLOAD_BPF_H
#define CROFT_KEXT_AUTOLOAD_BPF_H

#include <linux/types.h>

#define AUTOLOAD_ALIAS 56       /* MODULE_NAME_LEN: the kernel asks for none that is longer */
#define AUTOLOAD_TOLD 16        /* different ones of a partition that are told in one run of it */
#define AUTOLOAD_HELPERS 8      /* of a partition that wait at the same time */
#define AUTOLOAD_WAITING_MAX 32 /* of all: the kernel itself has 50 under way */

enum autoload_fate {
        AUTOLOAD_REFUSED,
        AUTOLOAD_LET,   /* croft itself made it for the partition */
        AUTOLOAD_WAITS, /* the modprobe that the kernel has started waits for croftd: see map `autoload_waiting` */
        AUTOLOAD_LATER, /* refused, though it is granted: it had just failed, too many waited, or there was no croftd */
};

/* A request, in ring `autoload_told`. */
struct autoload_ask {
        __u64 partition;
        char alias[AUTOLOAD_ALIAS]; /* "rtnl-link-dummy"; parts of it the partition chose.  "": more than are told */
        __u64 fate;                 /* enum autoload_fate */
};
_Static_assert(sizeof(struct autoload_ask) == 72, "layout");

/* Map `autoload_books`, by partition: what has been told. */
struct autoload_book {
        __u64 told[AUTOLOAD_TOLD]; /* hashes of aliases; 0: none yet */
        __u64 more;                /* 1: that there are more has been told, too */
};
_Static_assert(sizeof(struct autoload_book) == 8 * (AUTOLOAD_TOLD + 1), "layout");

/* Map `autoload_names`, its keys: what the kernel may look for because of that partition, '-' as '_'.  Partition 0: all
 * that is registered, for whoever has a key with "" as its alias, which is granted that. */
struct autoload_name {
        __u64 partition;
        char alias[AUTOLOAD_ALIAS];
};
/* And its values. */
struct autoload_leave {
        __u64 until_ns; /* CLOCK_MONOTONIC: refused before, since it has just failed */
};
_Static_assert(sizeof(struct autoload_name) == 64, "layout");

/* Map `autoload_waiting`: a modprobe that the kernel has started for a partition, stopped before its first instruction.
 * What it loads itself is refused: croftd has loaded what there is to load before it goes on. */
struct autoload_place {
        __u64 partition;
        __u64 place; /* below AUTOLOAD_HELPERS */
};
struct autoload_helper {
        __u64 pid;
        __u64 start_ns; /* CLOCK_BOOTTIME: the same number may be another process's later */
        char alias[AUTOLOAD_ALIAS];
};
_Static_assert(sizeof(struct autoload_helper) == 72, "layout");

#endif
