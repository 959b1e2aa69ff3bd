/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cover.h - what lies on a partition's proc and sysfs, so that they show what is the partition's: views, a read-only
 * /proc/sys with holes, and masks.
 *
 * Invariant: it is attached in a mount namespace of the initial user namespace, and copied into one of another: the
 * kernel locks it there (docs/adr/0023).
 */
#ifndef CROFT_WARDEN_COVER_H
#define CROFT_WARDEN_COVER_H

#include "kernel/mount.h"

#include <croft/error.h>
#include <stddef.h>

#define NSNDNX (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* Mounts that hide files and directories which no partition needs. */
#define MASKS_MAX 64
struct mask {
        const char *path; /* "proc/kcore" */
        const char *by;   /* of what it is a copy */
        int fd; /* detached; -EBADF: there was no such file.  One that isn't attached in the end costs more than
                   one that is: the kernel waits when it goes. */
};
struct masks {
        struct mask list[MASKS_MAX];
        size_t n;
};

/* Makes in the root, a directory of its own, what masks are copies of.  null: a node of /dev/null below null_dir. */
int cover_prepare(int root, int null_dir, const char *null, struct croft_error *err);

/* Makes the masks for what there is in root/proc and root/sys, in a root that was prepared so. */
int cover_make_masks(struct masks *masks, int root, struct croft_error *err);
void cover_close_masks(struct masks *masks);

/* Attaches those of proc and of sysfs below `to`. */
int cover_attach_masks(const struct masks *masks, int root, int to, const char *name, struct croft_error *err);

/* What everybody does on a disk is told by its own directory, too, which is where its bus is: hides that of each disk
 * which to/sys/block has a link to; so it comes before any view lies on that.  A disk that comes later isn't hidden
 * until the next start. */
int cover_hide_disks(int root, int to, struct croft_error *err);

/* /proc/sys read-only, with holes.  proc: a mount of it, of which to/proc shows all. */
int cover_limit_sysctls(int proc, int to, struct croft_error *err);

/* Attaches all of it below to/NAME, "proc" or "sys", where `mount` is attached.  views: a detached mount for each
 * views_mount_path(); -EPERM: one is lacking for a file that is there. */
int cover_attach(const int views[], const struct masks *masks, int root, int mount, int to, const char *name,
        struct croft_error *err);

#endif
