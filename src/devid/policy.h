/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * policy.h - what the machine's administrator has written about devices: devexports(5), and CDI files.
 *
 * Files are read at each use: nothing is kept that could be old.
 */
#ifndef CROFT_DEVID_POLICY_H
#define CROFT_DEVID_POLICY_H

#include "partition/cdi.h"
#include "partition/devexports.h"

#include <croft/error.h>

struct host;

#define DEVID_POLICY_FILE "devexports"

/* Without a file: an empty list, nothing may be exported.  -EBADMSG: it has another form; -EPERM: others than root may
 * write it.  The caller ends *ret with devexports_done(). */
int devid_policy_read(const struct host *host, struct devexports *ret, struct croft_error *err);
/* *ret: which of the paths is listed, path if both are; borrowed.  -EPERM, and a sentence that names the file: neither
 * is. */
int devid_policy_check(const struct host *host, const struct devexports *exports, const char *path, const char *other,
        const char **ret, struct croft_error *err);

/* The device of that name, of the last directory that has it.  -ENOENT: there is none; -EBADMSG: two files of one
 * directory have it, or a file has another form; -EOPNOTSUPP as cdi_decode().  The caller ends *ret. */
int devid_policy_cdi(
        const struct host *host, const struct cdi_name *name, struct cdi_device *ret, struct croft_error *err);

#endif
