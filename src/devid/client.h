/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client.h - runs the pinned program `devid`: the one way to the table, for croftd and for everybody else.
 *
 * No daemon has to be there.  Negative errnos are those of devid.bpf.h, or -EIO when the program couldn't be run.
 */
#ifndef CROFT_DEVID_CLIENT_H
#define CROFT_DEVID_CLIENT_H

#include "devid/devid.bpf.h"

#include <stdbool.h>

/* The program in that directory, as a descriptor that the caller closes.  -ENOENT, -EACCES, -EPERM as bpf(2). */
int devid_client_open(const char *directory);

/* A call about a family and an instance (NULL: none), for one number that may be any.  false: a name is empty, or
 * longer than DEVID_NAME - 1. */
bool devid_client_prepare(struct devid_call *call, enum devid_op op, const char *family, const char *instance);

/* Runs it. */
int devid_client_call(int program, struct devid_call *call);

#endif
