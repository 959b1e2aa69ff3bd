/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * exports.bpf.h - devices of the host that partitions may open: the layout of map `devid_exports`, which croftd and the
 * gate share.
 *
 * An entry is the right itself, and all that is known of it (DEV-25): nothing else is stored, so that it holds without
 * a croftd and the next one finds it.  Without access it is half made or half taken back, and its node may be there or
 * not.
 */
#ifndef CROFT_DEVID_EXPORTS_BPF_H
#define CROFT_DEVID_EXPORTS_BPF_H

#include "devid/devid.bpf.h"

#define DEVID_EXPORTS_MAX 4096  /* of all partitions */
#define DEVID_EXPORTS_OF_ONE 64 /* of one */
#define DEVID_EXPORT_NAME 104   /* bytes, with the NUL */

enum devid_export_access { /* as BPF_DEVCG_ACC_* */
        DEVID_EXPORT_READ = 2,
        DEVID_EXPORT_WRITE = 4,
};

enum devid_export_flags {
        DEVID_EXPORT_AUTO = 1,  /* by property `devices`, not by request */
        DEVID_EXPORT_KNOWN = 2, /* sysfs had the device when it was exported */
};

struct devid_export_key {
        __u64 partition;
        struct devid_node node; /* reserved is 0 */
};

struct devid_export {
        struct devid_export_key key;  /* the key again: memory of an entry may become another's while it is looked at */
        __u64 diskseq;                /* which disk had the number when it was exported; 0: not told */
        __u32 access;                 /* enum devid_export_access; 0: none (yet, or any more) */
        __u32 flags;                  /* enum devid_export_flags */
        char name[DEVID_EXPORT_NAME]; /* of its node in the partition's /dev */
        char device[DEVID_EXPORT_NAME]; /* its path on the host when it was exported */
        char listed[DEVID_EXPORT_NAME]; /* the path by which devexports(5) listed it: that, or a link to it */
        char cdi[DEVID_EXPORT_NAME];    /* the CDI device that it is part of, "": none */
};
_Static_assert(sizeof(struct devid_export_key) == 24, "layout");
_Static_assert(sizeof(struct devid_export) == 456, "layout");

#endif
