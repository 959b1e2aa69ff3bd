/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * provide.h - an extension in a partition's tree; by croft-kext.
 */
#ifndef CROFT_KEXT_PROVIDE_H
#define CROFT_KEXT_PROVIDE_H

#include <croft/error.h>
#include <sys/types.h>

/* From here on as root of the partition whose first id that is, without capabilities. */
int provide_confine(uid_t uid, struct croft_error *err);
/* The regular file at path below root gets the content of `bytes`, whole or not at all, and keeps its mode, if its
 * content is that of `old`; else -ESTALE.  No link is followed, no other mount entered. */
int provide(int root, const char *path, int old, int bytes, struct croft_error *err);
/* A file of that content at path below root, whole or not at all, in folders that are made if need be; one that is
 * there already is fine.  -EEXIST: there is something else, which stays.  Links in the path lead nowhere out of root,
 * and no other mount is entered: -EXDEV. */
int provide_first(int root, const char *path, int bytes, struct croft_error *err);

#endif
