/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * users.h - who "www-data" is in a partition, by its own passwd and group files.
 *
 * The files are the partition's: any bytes of any size.  Only decides; reads no file, and must not: the C library's
 * functions would load the partition's NSS modules into our process.
 */
#ifndef CROFT_WARDEN_USERS_H
#define CROFT_WARDEN_USERS_H

#include <croft/error.h>
#include <sys/types.h>

#define USERS_GROUPS_MAX 256
#define USERS_FILE_MAX 1048576 /* bytes of a passwd or group file that are looked at */

struct user {
        uid_t uid;
        gid_t gid;
        gid_t groups[USERS_GROUPS_MAX]; /* supplementary ones; more are left out */
        size_t n_groups;
        char name[64];   /* the number as text when it has none */
        char home[1024]; /* "/" when unknown */
        char shell[256]; /* "/bin/sh" when unknown */
};

/* who: "name", "uid", "name:group" or "uid:gid".  passwd and group are the files' texts, NULL: there is none.  count:
 * ids of the partition; others are refused.  -ENOENT: no such user or group. */
int users_find(
        const char *who, const char *passwd, const char *group, uid_t count, struct user *ret, struct croft_error *err);

#endif
