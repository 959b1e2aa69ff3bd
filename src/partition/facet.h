/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet.h - the contract of a subsystem: its share of one partition.
 *
 * The life cycle runs the facets of one table forward and unwinds them backward; it knows none by name.  Start is
 * prepare() of all (phase 1: Defined to Loaded) and then start() of all (phase 2: Loaded to Active); stop is stop() of
 * all backward and release() of all backward.  After the death of croftd, stop() and release() may be called for what
 * was never done, or done halfway: all are idempotent.  Any pointer may be NULL.
 */
#ifndef CROFT_PARTITION_FACET_H
#define CROFT_PARTITION_FACET_H

#include "partition/partition.h"

struct facet {
        const char
                *name; /* also names the journal's steps: "<name>" for prepare/release, "<name>-run" for start/stop */
        int (*prepare)(struct partition *p, struct croft_error *err);
        int (*start)(struct partition *p, struct croft_error *err);
        int (*stop)(struct partition *p, struct croft_error *err);
        int (*release)(struct partition *p, struct croft_error *err);
        /* A new croftd has found the partition running: makes good what of it isn't there any more. */
        int (*adopt)(struct partition *p, struct croft_error *err);
        int (*freeze)(struct partition *p, struct croft_error *err);
        int (*thaw)(struct partition *p, struct croft_error *err);
        /* A property of a prepared partition has a new value (already checked; NULL: unset).  old: what may be in
         * force, NULL: nothing, or not known any more.  Facets ignore keys that aren't theirs. */
        int (*apply)(struct partition *p, const char *key, const char *old, const char *value, struct croft_error *err);
        /* For moving: everything needed to go on elsewhere, as one blob (caller frees). */
        int (*save)(struct partition *p, void **ret, size_t *ret_size, struct croft_error *err);
        int (*load)(struct partition *p, const void *data, size_t size, struct croft_error *err);
};

#endif
