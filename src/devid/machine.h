/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * machine.h - what the machine has of its own: majors, loop devices, and the drivers whose instances partitions may be
 * given.  Numbers that it has, or gives out by itself, are given to nobody (DEV-21).
 *
 * A driver is never loaded for a partition's sake.
 */
#ifndef CROFT_DEVID_MACHINE_H
#define CROFT_DEVID_MACHINE_H

#include "devid/devid.bpf.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>

struct devid;

/* The families as they are in a table that was just made.  ret: that many, at least. */
#define MACHINE_FAMILIES 7
void machine_families(struct devid_family ret[MACHINE_FAMILIES]);

/* How many minors a device has, as a power of 2, when its driver's parameter wants so many partitions.  Pure. */
uint32_t machine_shift(uint64_t parts);

/* Is it a number of a driver's? */
bool machine_is_driver(const char *family);
/* The module that has the driver of that family; NULL: none. */
const char *machine_module_of(const char *family);

/* sysfs has a device of that number.  What it doesn't know can't be opened; who still holds such a device holds a dead
 * one, not the next of its number. */
bool machine_has_device(const struct devid_node *node);

/* The host's bits of one word of a family, for the program. */
int machine_set_host(struct devid *d, const char *family, uint32_t word, __u64 bits);

#endif
