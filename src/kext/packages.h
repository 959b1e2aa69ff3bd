/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * packages.h - where the databases of packages are in a tree.
 */
#ifndef CROFT_KEXT_PACKAGES_H
#define CROFT_KEXT_PACKAGES_H

#include "kext/kext.h"

/* How names in a tree are looked up: no link leads out of it, and no other mount is entered. */
int packages_open(int root, const char *path);

struct packages_database {
        const char *directory, *files[5]; /* NULL-ended; ".": the directory itself */
};
#define PACKAGES_DATABASES 6
extern const struct packages_database packages_databases[PACKAGES_DATABASES];

/* packages_watch.c: see kext_look().  Changes the working directory.  What can't be watched isn't. */
int packages_watch(int root, int inotify, struct kext_look *ret, struct croft_error *err);

#endif
