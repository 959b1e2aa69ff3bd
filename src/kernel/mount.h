/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mount.h - the mount API by descriptors (Linux 5.2 to 5.12), thin and checked.  No path that a partition has written
 * is ever resolved but below a directory descriptor and without following links.
 */
#ifndef CROFT_KERNEL_MOUNT_H
#define CROFT_KERNEL_MOUNT_H

#include <croft/error.h>
#include <linux/mount.h>
#include <stdint.h>

/* A detached copy of the mount at path (only that mount, nothing mounted below it), or of the file or directory there.
 * The descriptor or a negative errno. */
int mount_clone(int dir_fd, const char *path);

/* The same with everything that is mounted below; what is locked there stays locked. */
int mount_clone_tree(int dir_fd, const char *path);

/* Sets and clears MOUNT_ATTR_*; userns_fd >= 0 maps ids by that namespace (detached mounts only).  Propagation becomes
 * private.  0 or a negative errno (-EINVAL: the file system can't map ids). */
int mount_change(int mount_fd, uint64_t set, uint64_t clear, int userns_fd);

/* A new file system that isn't mounted yet: options are "key=value" or "flag", ended by NULL.  Its namespaces are the
 * caller's, whose rights the kernel asks for.  A descriptor, or a negative errno. */
int mount_make(const char *type, const char *const options[], struct croft_error *err);

/* A mount of what mount_make() made, detached; once.  The kernel asks whether the calling process may see a proc or a
 * sysfs uncovered, not whether who made it may. */
int mount_of(int fs_fd, uint64_t attributes);

/* Both. */
int mount_new(const char *type, const char *const options[], uint64_t attributes, struct croft_error *err);

/* Attaches a detached mount on the file or directory that target_fd is open on. */
int mount_attach(int mount_fd, int target_fd);

/* Attaches it below root_fd in one call: for file systems whose names are all the kernel's or ours, since a link on the
 * way is followed. */
int mount_attach_below(int mount_fd, int root_fd, const char *path);

/* Opens a mount point below root_fd (O_PATH): every part must be a real directory, the last one may be a file.
 * make: missing directories are made (mode 755).  -ELOOP: a link is in the way. */
int mount_point(int root_fd, const char *path, int make);

/* mount_point() and mount_attach() with an error. */
int mount_attach_at(int mount_fd, int root_fd, const char *path, int make, struct croft_error *err);

/* The unique id of the mount that a path below dir_fd is on (Linux 6.8): rising, never given again.  0: there is none.
 */
uint64_t mount_unique_id(int dir_fd, const char *path);

/* Cuts the calling process's (new) mount namespace off from mounts and unmounts elsewhere. */
int mount_make_private(struct croft_error *err);

/* Mounts and unmounts from here on, in the calling process's mount namespace, happen in copies of it, too. */
int mount_make_shared(struct croft_error *err);

/* Makes the mount that fd is open on the root of the calling process's mount namespace, and lets go of the old one
 * with all that is mounted there. */
int mount_pivot(int fd, struct croft_error *err);

#endif
