/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * source.bpf.h - statistics whose data are made at the moment of the read, by source.  Included by kstat.bpf.c.
 *
 * 0, -EAGAIN, or -ENXIO: this kernel has nothing of the kind.
 */
#ifndef CROFT_KSTAT_SOURCE_BPF_H
#define CROFT_KSTAT_SOURCE_BPF_H

#include "kstat/kstat.bpf.h"

#include <linux/errno.h>

#include "kstat/mount_source.bpf.h"

/* Those whose data fit the small call. */
static __always_inline int source_fill_small(struct kstat_call *call, const struct kstat_record *record)
{
        switch (record->source) {
        case KSTAT_SOURCE_MOUNT_IO:
                return source_mount_io(call, record);
        case KSTAT_SOURCE_MNTINFO:
                return source_mntinfo(call, record);
        default:
                return -ENXIO;
        }
}

/* The others. */
static __always_inline int source_fill_large(struct kstat_call_large *call, const struct kstat_record *record)
{
        (void)call;
        (void)record;
        return -ENXIO;
}

#endif
