/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_mount.h - a new mount, as a process of the broker's carries it out: its arguments, and the two ways.
 */
#ifndef CROFT_WARDEN_BROKER_MOUNT_H
#define CROFT_WARDEN_BROKER_MOUNT_H

#include "partition/mount_allow.h"
#include "warden/broker_behalf.h"

#include <limits.h>

/* Copied once; what is in the caller's memory afterwards doesn't count. */
struct mount_arguments {
        char source[PATH_MAX], target[PATH_MAX], type[PATH_MAX], data[MOUNT_DATA_MAX];
        bool has_source, has_type, has_data;
        unsigned long flags;
};

/* How such a process ends: with 0, an errno, or this one: ENODEV, and the machine has no driver (loaded). */
#define MOUNT_NO_DRIVER 255

/* Has the kernel that type?  Nothing is loaded for it. */
bool mount_type_is_there(const char *type);

/* broker_block.c: a block file system of the partition's own, made by us for it.  0, a negative errno or
 * -MOUNT_NO_DRIVER. */
int mount_block(struct broker *b, struct behalf *who, const struct mount_arguments *m);

/* The exit status of that child; -EINTR: it was killed. */
int mount_await(pid_t pid);

#endif
