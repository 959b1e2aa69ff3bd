/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * loops_private.h - between the files of a partition's loop devices.
 */
#ifndef CROFT_DEVID_LOOPS_PRIVATE_H
#define CROFT_DEVID_LOOPS_PRIVATE_H

#include "devid/loops.h"

/* Calls f for each device that it has, until it says other than 0. */
int loops_walk(const struct loops *l, int (*f)(const struct loops *l, const struct devid_call *call, void *context),
        void *context);
void loops_describe(const struct devid_call *call, struct loops_device *ret);

/* Binds what was taken; *ret is open on it.  config NULL: to nothing.  -EBUSY: somebody was faster. */
int loops_bind_to(const struct loops *l, const struct loops_device *device, const struct loop_config *config,
        int access, int *ret);
/* A device as that one is to be, open to the partition, and *ret open on it. */
int loops_bind_as(const struct loops *l, const struct loops_device *wanted, const struct loop_config *config,
        int access, struct loops_device *device, int *ret);

/* Binds a part of the partition's that was unbound.  -EBUSY: the machine has bound it meanwhile. */
int loops_rebind_part(const struct loops *l, const struct loops_device *device, const struct loops_part *part);

/* Is it, without its parts? */
bool loops_is_mounted_itself(const struct loops *l, const struct loops_device *device);

#endif
