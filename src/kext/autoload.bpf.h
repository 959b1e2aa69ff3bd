/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * autoload.bpf.h - modules that the kernel looks for by itself, because of what a program in a partition does: the
 * layouts that the programs, croftd and its successors share.  Whoever changes one renames its map.
 */
#ifndef CROFT_KEXT_AUTOLOAD_BPF_H
#define CROFT_KEXT_AUTOLOAD_BPF_H

#include <linux/types.h>

#define AUTOLOAD_ALIAS 56 /* MODULE_NAME_LEN: the kernel asks for none that is longer */
#define AUTOLOAD_TOLD 16  /* different ones of a partition that are told in one run of it */

/* A request, in ring `autoload_told`. */
struct autoload_ask {
        __u64 partition;
        char alias[AUTOLOAD_ALIAS]; /* "rtnl-link-dummy"; parts of it the partition chose.  "": more than are told */
        __u64 let; /* 1: it was let go, since croft itself made it for the partition; 0: it was refused */
};
_Static_assert(sizeof(struct autoload_ask) == 72, "layout");

/* Map `autoload_books`, by partition: what has been told. */
struct autoload_book {
        __u64 told[AUTOLOAD_TOLD]; /* hashes of aliases; 0: none yet */
        __u64 more;                /* 1: that there are more has been told, too */
};
_Static_assert(sizeof(struct autoload_book) == 8 * (AUTOLOAD_TOLD + 1), "layout");

#endif
