/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kid_list.h - a list of kids in pages, as readers get it, of which a change makes anew only the pages that it touches.
 *
 * Global's list has those of every partition's mounts: what a partition's start or stop costs must not grow with it.
 * Memory only; who writes pages into the maps is kstats_commit.c.
 */
#ifndef CROFT_KSTAT_KID_LIST_H
#define CROFT_KSTAT_KID_LIST_H

#include "kstat/kstat.bpf.h"

#include <stddef.h>
#include <stdint.h>

struct kid_page {    /* never changed once it is made; never empty */
        uint64_t id; /* in the maps; never given again */
        uint32_t n;
        uint64_t kids[KSTAT_PAGE_KIDS]; /* rising, from page to page, too; 0 behind the last */
};

struct kid_list {
        struct kid_page **pages;
        size_t n_pages;
        size_t n; /* kids */
};
void kid_list_done(struct kid_list *list);

/* What a list is going to be.  Pages that stay are in both. */
struct kid_change {
        struct kid_list after;
        struct kid_page **fresh; /* only after the change */
        struct kid_page **stale; /* only before it */
        size_t n_fresh, n_stale;
};
struct kid_numbers { /* rising */
        const uint64_t *at;
        size_t n;
};
/* Without `drop`, with `add`; what isn't there, or is there already, changes nothing.  Ids of new pages come from
 * *next_id.  The caller ends *ret with kid_change_keep() or kid_change_done().  -ENOMEM. */
int kid_list_change(const struct kid_list *list, struct kid_numbers add, struct kid_numbers drop, __u64 *next_id,
        struct kid_change *ret);
/* The list, which is the one that the change was made from, becomes the new one. */
void kid_change_keep(struct kid_change *change, struct kid_list *list);
/* The list stays as it was. */
void kid_change_done(struct kid_change *change);

#endif
