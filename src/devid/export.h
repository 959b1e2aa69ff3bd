/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * export.h - devices of the host in a running partition: a node in its /dev, and the right to open it.
 *
 * An entry of the map comes first and has no access; then the node; then access, at one instant.  Taking back goes the
 * other way round.  So a croftd that dies leaves at worst a node that can't be opened, and an entry that tells the next
 * one of it.  What has been opened by then stays open: the kernel has no way to take that back.
 *
 * All are called by the owner of the partition (life_begin()).
 */
#ifndef CROFT_DEVID_EXPORT_H
#define CROFT_DEVID_EXPORT_H

#include <croft/error.h>
#include <stdint.h>

struct partition;

struct devid_export_request {
        const char *device; /* "/dev/..." on the host, or "vendor/class=name" */
        const char *as;     /* its name inside, NULL: the same */
        uint32_t access;    /* enum devid_export_access; 0: both */
        int mode;           /* permissions of the node; -1: those of the host's node */
        int64_t uid, gid;   /* inside; -1: root */
};

/* Exports a device, of a CDI device all nodes or none.  Errors as export_plan_request(), and -EEXIST: the partition has
 * it, or something of that name; -EDQUOT: it has as many as one may have. */
int devid_export_add(struct partition *p, const struct devid_export_request *q, struct croft_error *err);
/* Takes back what has that name inside, or is that CDI device; with one node of a CDI device all of them.  -ENOENT:
 * nothing is exported by that name. */
int devid_export_remove(struct partition *p, const char *what, struct croft_error *err);
/* Exports what the stanzas name that `devices`, a value in normal form or NULL, names, and takes back what was exported
 * because of an earlier value; all or nothing.  -ENOENT: there is no such stanza. */
int devid_export_follow(struct partition *p, const char *devices, struct croft_error *err);
/* The list has changed: takes back what isn't listed any more, whoever asked for it, and follows `devices` again.
 * -EBADMSG, -EPERM: the list can't be read, and nothing was changed. */
int devid_export_review(struct partition *p, const char *devices, struct croft_error *err);
/* Takes back what a dead croftd left half done, and says so. */
int devid_export_heal(struct partition *p, struct croft_error *err);

#endif
