/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devices.h - property `devices`: which families of device numbers a partition may ask for, and how many of each; and
 * the stanzas of devexports(5) whose devices it has from its start on.
 */
#ifndef CROFT_PARTITION_DEVICES_H
#define CROFT_PARTITION_DEVICES_H

#include "partition/devexports.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>

/* All families that a partition may be granted. */
#define DEVICES_FAMILIES 7
extern const char *const devices_families[DEVICES_FAMILIES];

#define DEVICES_COUNT_DEFAULT 4
#define DEVICES_COUNT_MAX 4096
#define DEVICES_STANZAS_MAX 32

/* "block, fuse, char:2" becomes "block:4,fuse,char:2": in the order given.  Families are char and block (majors for
 * local use), loop (loop devices), and dm, zram, nbd and cuse (devices of these drivers); any other word names a
 * stanza, which need not be there (yet).  -EINVAL says what is allowed. */
int property_check_devices(const char *value, char **ret, struct croft_error *err);

/* How many numbers of that family a value in normal form (NULL: none) allows; 0: none. */
uint32_t devices_count(const char *value, const char *family);

/* The next stanza that a value in normal form names; *at begins with the value and moves on.  false: no more. */
bool devices_next_stanza(const char **at, char ret[DEVEXPORTS_NAME_MAX + 1]);

#endif
