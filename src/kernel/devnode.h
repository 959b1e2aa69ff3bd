/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devnode.h - device nodes in the /dev of a partition, from outside, while its root does there what it likes.
 *
 * dev_fd is the root of a tmpfs of the initial user namespace (elsewhere nodes can't be opened).  No name is resolved
 * but below it, through real directories, without following links; what is found there is believed only once it is
 * open.
 */
#ifndef CROFT_KERNEL_DEVNODE_H
#define CROFT_KERNEL_DEVNODE_H

#include <croft/error.h>
#include <stdbool.h>
#include <sys/types.h>

#define DEVNODE_NAME_MAX 96 /* bytes of a name, without its end */

struct devnode {
        mode_t mode; /* S_IFCHR or S_IFBLK, with permissions */
        dev_t number;
        uid_t uid;
        gid_t gid;
};

/* "sdb", "net/tun": parts of letters, digits and ._+:@-, none of which begins with a dot; nothing below what the
 * partition has mounted in its /dev ("pts", "shm", "mqueue"). */
bool devnode_name_is_valid(const char *name);

/* Makes it whole or not at all: under another name first, so that no two threads may make the same one at the same
 * dev_fd.  Missing directories are made, for its owner.  replace: what is there goes, but for a directory.
 * -EEXIST: something is there; -ELOOP, -ENOTDIR: a link or a file is in the way; -EAGAIN: it was taken away meanwhile.
 */
int devnode_put(int dev_fd, const char *name, const struct devnode *node, bool replace, struct croft_error *err);

/* Removes it if it is that node, or what a devnode_put() that died left of it; whatever else is there stays.  A missing
 * one is success. */
int devnode_drop(int dev_fd, const char *name, const struct devnode *node, struct croft_error *err);

/* O_PATH, of the node there; -ENOENT: there is none, or it isn't that one. */
int devnode_find(int dev_fd, const char *name, const struct devnode *node);

#endif
