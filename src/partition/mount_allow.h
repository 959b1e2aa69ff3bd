/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mount_allow.h - property `mount.allow`: which types of file systems a partition may mount, and which options of
 * block file systems it may give (those of a proc or a sysfs are the kernel's affair).  Pure: what a partition has
 * written is taken apart here, by one who may do nothing yet.
 *
 * Invariant: what isn't in the tables is refused.  A file system's options reach further than the file system: they
 * name other devices, stop the machine, load modules, or speak of the machine's own ids.
 */
#ifndef CROFT_PARTITION_MOUNT_ALLOW_H
#define CROFT_PARTITION_MOUNT_ALLOW_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>

#define MOUNT_DATA_MAX 4096 /* with the NUL: a page, as the kernel takes */
#define MOUNT_OPTIONS_MAX 40

/* "xfs, ext4" becomes "ext4,xfs": in the order of the table.  -EINVAL says what is allowed. */
int property_check_mount_allow(const char *value, char **ret, struct croft_error *err);

/* Is that type in a value of the property (NULL: none)? */
bool mount_allow_has(const char *value, const char *type);

struct mount_option {
        const char *key;
        const char *value; /* NULL: a flag */
};

struct mount_options {
        const char *driver; /* the type to ask the kernel for */
        struct mount_option list[MOUNT_OPTIONS_MAX];
        size_t n;
        char text[MOUNT_DATA_MAX]; /* what the list points into */
};

/* Takes "key=value,flag" apart.  Whatever is said, the file system won't stop the machine when it is damaged.  -EINVAL:
 * an option that isn't allowed, or too many; -EPERM: no such type. */
int mount_options_decode(const char *type, const char *data, struct mount_options *ret);

#endif
