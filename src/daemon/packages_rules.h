/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * packages_rules.h - when a partition whose packages may have changed is looked at, and when it is scanned.  Pure.
 */
#ifndef CROFT_DAEMON_PACKAGES_RULES_H
#define CROFT_DAEMON_PACKAGES_RULES_H

#include "kext/kext.h"

#define PACKAGES_SETTLE_MS 2000    /* between two looks at what is changing */
#define PACKAGES_CHANGING_MS 30000 /* then it is scanned, settled or not */
#define PACKAGES_YIELDED_MS 5000   /* until what had to give way is tried again */
#define PACKAGES_PAUSE_MS 60000    /* between two scans, at least */
#define PACKAGES_SHARE 60          /* and so many times as long as the last one took */
#define PACKAGES_FAILED_MS 10000   /* until one that couldn't be looked at is, twice as long each time */
#define PACKAGES_FAILED_MAX 600000 /* but no longer than that */

/* Of a partition; times of CLOCK_MONOTONIC in ms, 0: none. */
struct packages_watch {
        int64_t due;                       /* when to look */
        int64_t since;                     /* when it was first seen to have changed */
        int64_t again;                     /* no scan before that */
        int64_t patience;                  /* how long was waited after the last look, which failed */
        char seen[KEXT_SHA256_LENGTH + 1]; /* its stamp at the last look */
        int watches[KEXT_WATCHES_MAX];
        size_t n_watches;
};

enum packages_next {
        PACKAGES_REST, /* nothing is to be done until something happens */
        PACKAGES_WAIT, /* until due */
        PACKAGES_SCAN,
};

/* Something may have changed. */
void packages_touch(struct packages_watch *w, int64_t now);
/* It was looked at.  scanned: its stamp when it was scanned, NULL: it never was. */
enum packages_next packages_judge(struct packages_watch *w, const char *scanned, const char *stamp, int64_t now);
/* It couldn't be.  The machine may be busy, or its tree one that never answers. */
void packages_failed(struct packages_watch *w, int64_t now);
/* A scan has begun then, and has ended. */
void packages_scanned(struct packages_watch *w, int64_t begun, int64_t now);

#endif
