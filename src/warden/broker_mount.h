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
        bool unmount; /* umount2(2): target and flags */
        unsigned long flags;
};

/* How such a process ends: with 0, an errno, or this one: ENODEV, and the machine has no driver (loaded). */
#define MOUNT_NO_DRIVER 255

/* Has the kernel that type?  Nothing is loaded for it. */
bool mount_type_is_there(const char *type);
/* The same, once the kernel has looked for it as it does for the caller: it loads what the partition is granted. */
bool mount_have_type(struct behalf *who, const char *type);

/* Not from <sys/mount.h>: it clashes with <linux/mount.h>. */
#define MOUNT_FLAG_RDONLY 1UL

/* broker_block.c: a block file system of the partition's own, made by us for it.  0, a negative errno or
 * -MOUNT_NO_DRIVER. */
int mount_block(struct broker *b, struct behalf *who, const struct mount_arguments *m);

/* broker_proc.c: is a new proc or a new sysfs asked for?  Where parts of the partition's are covered it is made by us,
 * with what covers them. */
bool mount_wants_proc(const struct mount_arguments *m);
int mount_proc(const struct broker *b, struct behalf *who, const struct mount_arguments *m);
/* Is that in a proc or a sysfs?  There may be locked mounts below, so that the kernel binds it only with them. */
bool mount_is_in_proc(const char *path);
/* Is that a mount on a file or directory of one? */
bool mount_covers_proc(const char *path);

/* broker_place.c: two descriptors of what the arguments lead to, as the caller: nobody can exchange it any more. */
typedef int mount_opener(const struct mount_arguments *m, int fds[2]);
int mount_look_up(struct behalf *who, const struct mount_arguments *m, mount_opener *open_both, int ret[2]);
/* The calling process gets a root of its own, empty, in a mount namespace of its own. */
int mount_enter_root(void);
/* A detached copy of what is mounted at the path in that root, with all that lies on it.  Flags are locked in a copy
 * that belongs to another user namespace, and in copies of that one (mount_namespaces(7)): nobody takes nodev and
 * nosuid away any more, nor what lies on it.  That user namespace is nobody's, so that nobody else gets at the mount
 * namespace meanwhile. */
int mount_lock(const char *path);
/* What may be changed inside as it likes, to be set after locking. */
uint64_t mount_flags_to_attributes(unsigned long flags);
/* Attaches it where the caller is. */
int mount_hand_over(const struct behalf *who, int mount, int target);

/* The exit status of that child; -EINTR: it was killed. */
int mount_await(pid_t pid);

#endif
