/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * export_plan.h - what is to be exported to a partition, decided before anything is done: which devices they are on the
 * host, whether that is allowed (DEV-24), and what their nodes look like inside.
 */
#ifndef CROFT_DEVID_EXPORT_PLAN_H
#define CROFT_DEVID_EXPORT_PLAN_H

#include "devid/devid.h"
#include "devid/export.h"
#include "devid/exports.bpf.h"
#include "kernel/devnode.h"
#include "partition/devexports.h"
#include "partition/partition.h"

struct export_plan {
        struct {
                struct devid_export entry; /* with the access that it will have */
                struct devnode node;
        } list[DEVID_EXPORTS_OF_ONE];
        size_t n;
};

/* What is asked for by a path or the name of a CDI device.  -EPERM: it isn't listed, or is never exported; -EINVAL: a
 * word of the request is wrong; -ENOENT, -ENODEV: there is no such device; -EBUSY: a partition has that number. */
int export_plan_request(
        struct partition *p, const struct devid_export_request *q, struct export_plan *plan, struct croft_error *err);
/* Adds what the stanza lists, as far as it is there and can be exported. */
int export_plan_stanza(
        struct partition *p, const struct devexports_stanza *stanza, struct export_plan *plan, struct croft_error *err);

/* Is it among them? */
bool export_plan_has(const struct export_plan *plan, const struct devid_export_key *key);

/* The node that an entry has inside, as far as it tells which one it is. */
struct devnode export_node_of(const struct devid_export *entry);

#endif
