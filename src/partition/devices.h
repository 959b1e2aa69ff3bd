/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devices.h - property `devices`: which families of device numbers a partition may ask for, and how many of each.
 */
#ifndef CROFT_PARTITION_DEVICES_H
#define CROFT_PARTITION_DEVICES_H

#include <croft/error.h>
#include <stdint.h>

#define DEVICES_COUNT_DEFAULT 4
#define DEVICES_COUNT_MAX 4096

/* "block, char:2" becomes "block:4,char:2": in the order given.  Families are char and block (majors for local use) and
 * loop (loop devices). -EINVAL says what is allowed. */
int property_check_devices(const char *value, char **ret, struct croft_error *err);

/* How many numbers of that family a value in normal form (NULL: none) allows; 0: none. */
uint32_t devices_count(const char *value, const char *family);

#endif
