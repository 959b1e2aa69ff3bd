/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * exports.h - croftd's side of the map of exported devices: entries are made, changed and removed here and nowhere
 * else.  What they stand for is in export.h.
 *
 * Calls for one partition are serialised by the caller (its owner).
 */
#ifndef CROFT_DEVID_EXPORTS_H
#define CROFT_DEVID_EXPORTS_H

#include "devid/devid.h"
#include "devid/exports.bpf.h"

/* Those of that partition (0: of all), by partition and name; the caller frees *ret.  half: also those without access.
 */
int devid_exports_list(struct devid *devid, uint64_t partition, bool half, struct devid_export **ret, size_t *ret_n,
        struct croft_error *err);

/* Makes an entry, without access whatever *entry says.  -EEXIST: the partition has that device; -ENOSPC: the map is
 * full. */
int devid_exports_begin(struct devid *devid, const struct devid_export *entry, struct croft_error *err);
/* Gives the entry the access of *entry, at one instant; 0: takes it. */
int devid_exports_set(struct devid *devid, const struct devid_export *entry, struct croft_error *err);
/* A missing one is success. */
int devid_exports_delete(struct devid *devid, const struct devid_export_key *key, struct croft_error *err);

/* Removes all entries of the partition: it doesn't run. */
int devid_exports_clear(struct devid *devid, uint64_t partition, struct croft_error *err);
/* Does that for partitions that keep() doesn't want. */
int devid_exports_sweep(
        struct devid *devid, bool (*keep)(void *context, uint64_t id), void *context, struct croft_error *err);

/* Notes in the entry which device has its number now. */
void devid_exports_identify(struct devid_export *entry);
/* Takes access from entries whose device has gone, or whose number is another disk's by now, and calls tell for each:
 * they are half taken back then.  May be called from any thread. */
int devid_exports_check(struct devid *devid, void (*tell)(void *context, const struct devid_export *entry),
        void *context, struct croft_error *err);

/* Whose number it is by the table: a partition's id; 0: nobody's, or global's. */
uint64_t devid_owner(struct devid *devid, uint32_t type, uint32_t major, uint32_t minor);

#endif
