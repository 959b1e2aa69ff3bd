/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sealed.h - files into memory that nobody can change any more, so that what was judged is what is used.
 */
#ifndef CROFT_KERNEL_SEALED_H
#define CROFT_KERNEL_SEALED_H

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>

/* A new memory file, not sealed yet, or a negative errno. */
int sealed_new(const char *name, struct croft_error *err);
/* Copies all of the file `from`, whose offset stays where it is, behind what is in `to`.  Only a regular file of at
 * most max bytes that doesn't change meanwhile: -EINVAL, -EFBIG, -EAGAIN.  May wait as long as the file system does,
 * so: only in a process that may hang. */
int sealed_copy(int from, int to, uint64_t max, struct croft_error *err);
/* Against every change. */
int sealed_seal(int memfd, struct croft_error *err);
bool sealed_is(int fd);

#endif
