/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fd.h - files by descriptor: whole reads and writes, bounded slurps, atomic replacement, removal of trees.
 *
 * Every descriptor that these functions make is CLOEXEC.  Paths are relative to a directory descriptor (AT_FDCWD
 * allowed).
 */
#ifndef CROFT_BASE_FD_H
#define CROFT_BASE_FD_H

#include <croft/error.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/types.h>

/* openat2(2) with O_CLOEXEC added; resolve is a set of RESOLVE_*.  Returns the descriptor or a negative errno. */
int fd_open2(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve);

/* Writes all of buf, going on after short writes and EINTR.  Returns 0 or a negative errno. */
int fd_write_all(int fd, const void *buf, size_t size);

/* Reads a file of at most max_bytes into a new NUL-ended buffer (caller frees).  -EFBIG: it is longer. ret_size may be
 * NULL. */
int fd_read_file(int dir_fd, const char *path, size_t max_bytes, char **ret, size_t *ret_size);

/* Writes text to an existing file (a /proc, /sys or cgroup attribute) in one write(2). */
int fd_write_file(int dir_fd, const char *path, const char *text);

/* Replaces path by a new file of that content: a temporary "<path>.new" beside it, fsync, rename, fsync of the
 * directory.  After failure the old content stands.  mode is subject to the umask.  Writers of one path must be serial:
 * they share the temporary. */
int fd_replace_file(
        int dir_fd, const char *path, const void *content, size_t size, mode_t mode, struct croft_error *err);

/* Makes a directory and its missing parents below dir_fd, never through a symbolic link and never upwards ("..":
 * -EINVAL).  An existing directory is fine. */
int fd_make_dirs(int dir_fd, const char *path, mode_t mode, struct croft_error *err);

/* Removes the tree at path, of any depth: follows no link, crosses no mount point (-EBUSY there, bind mounts too),
 * needs 40 descriptors at most.  A missing tree is success. */
int fd_remove_tree(int dir_fd, const char *path, struct croft_error *err);

/* Seals a memfd against every change.  0 or a negative errno. */
int fd_seal(int fd);

/* A memfd of that content, sealed against every change.  Returns the descriptor or a negative errno. */
int fd_sealed(const char *name, const void *content, size_t size);

/* Sets or clears O_CLOEXEC / O_NONBLOCK. */
int fd_set_cloexec(int fd, int on);
int fd_set_nonblock(int fd, int on);

/* fcntl(F_DUPFD_CLOEXEC). */
int fd_dup(int fd);

#endif
