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
        void (*configured)(void *context, uint32_t finding, const char *config);
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

/* scan_configs.c: calls wanted() for each module that a file (config, printable) below root says is to be loaded. */
struct scan_wish {
        void (*wanted)(void *context, const char *name, const char *config);
        bool (*ends)(void *context);
        void *context;
};
void scan_configs(int root, const struct scan_wish *wish);

/* By the tree's own links, which lead nowhere out of it, and into no other mount. */
int scan_open(int root, const char *path, int flags);
/* What is in a regular file of at most max bytes, a string that the caller frees; NULL: there is nothing. */
char *scan_read(int dir, const char *file, size_t max);

#endif
