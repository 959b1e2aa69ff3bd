/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * scan.h - croft-kext's walk through the tree of a partition, which is hostile.
 */
#ifndef CROFT_KEXT_SCAN_H
#define CROFT_KEXT_SCAN_H

#include "kext/kext.h"

/* Who hears of it; findings have numbers from 0 on, in order. */
struct scan_listener {
        void (*found)(void *context, const struct kext_finding *finding);
        void (*belongs)(void *context, uint32_t finding, const char *application);
        void (*progress)(void *context, uint64_t entries);
        void *context;
};

/* Walks the tree below root: through no link and into no other mount.  Ends at the limits, with a finding that says
 * so. */
int scan(
        int root, const struct kext_scan_limits *limits, const struct scan_listener *listener, struct croft_error *err);

/* scan_owners.c: which package has which of the paths, by dpkg's lists below root.  ends(context): stop. */
struct scan_path {
        const char *path;
        uint32_t finding;
};
void scan_owners(int root, struct scan_path *paths, size_t n, const struct scan_listener *listener,
        bool (*ends)(void *context), void *context);

#endif
