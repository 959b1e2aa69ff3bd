/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mounts_bpf.h - inside mounts: loading, pinning and adopting its objects, and what counts.
 */
#ifndef CROFT_KSTAT_MOUNTS_BPF_H
#define CROFT_KSTAT_MOUNTS_BPF_H

#include "kstat/mount.bpf.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mounts_objects {
        int bpf_dir;        /* RUN/bpf */
        int dir;            /* RUN/bpf/mounts */
        unsigned int level; /* of a partition's cgroup */
        int entries, text, owners, forgotten, told, events, info;
        struct mount_bpf *scanner;       /* the skeleton that is loaded for scans */
        const struct mount_found *found; /* what a scan found; MOUNTS_PER_PARTITION, mapped */
        struct mount_scan *scan;
        int scan_program; /* borrowed from the scanner */
        int scan_link;    /* of all tasks */
        /* What counts, loaded, whether it is attached or not; NULL: not yet. */
        struct mount_bpf *counter;
        bool trampolines, latency; /* how it would count */
        uint64_t digest;           /* of our programs */
};

/* Everything but what counts.  On failure *o holds nothing. */
int mounts_bpf_open(struct mounts_objects *o, int run_dir, unsigned int level, struct croft_error *err);
void mounts_bpf_close(struct mounts_objects *o);
/* Has the kernel verify what would count so, unless it does already: that takes a tenth of a second and more, and to
 * attach it a moment then. */
int mounts_bpf_load(struct mounts_objects *o, enum mount_stats how, struct croft_error *err);
/* Replaces what counts, unless it is ours and does so already. */
int mounts_bpf_count(struct mounts_objects *o, enum mount_stats how, struct croft_error *err);
const char *mounts_bpf_means(const struct mounts_objects *o);

#endif
