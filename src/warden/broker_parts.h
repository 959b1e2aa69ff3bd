/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_parts.h - partitions of loop devices, and devices that go with theirs.
 */
#ifndef CROFT_WARDEN_BROKER_PARTS_H
#define CROFT_WARDEN_BROKER_PARTS_H

#include "warden/broker.h"

/* Before the broker is confined.  Without libblkid tables aren't read (-EOPNOTSUPP). */
void broker_parts_prepare(void);

/* The device becomes what its table of partitions says; what is the same stays.  -EBUSY: a partition that isn't is in
 * use; -ETIMEDOUT: its file doesn't answer. */
int broker_parts_scan(struct broker *b, const struct asker *a, const struct loops_device *whole);
/* BLKPG. */
int broker_parts_change(struct broker *b, const struct asker *a, const struct loops_device *whole);

/* It and its partitions are unbound, and gone for all; or -EBUSY. */
int broker_unbind(struct broker *b, const struct loops_device *device);

#endif
