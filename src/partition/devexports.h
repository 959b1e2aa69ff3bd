/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devexports.h - which devices of the host may be exported to partitions at all (DEV-24): the stanza file
 * devexports(5).
 *
 *     * a comment
 *     fuse:
 *             value = "/dev/fuse"
 *             auto = "no"
 *
 * Pure: bytes in, a list or a sentence with the number of the line out.
 */
#ifndef CROFT_PARTITION_DEVEXPORTS_H
#define CROFT_PARTITION_DEVEXPORTS_H

#include "partition/stanzas.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>

#define DEVEXPORTS_NAME_MAX STANZAS_NAME_MAX
#define DEVEXPORTS_PATH_MAX 103 /* bytes of a pattern or a path */
#define DEVEXPORTS_STARS_MAX 8  /* of a pattern: comparing takes time for each */

struct devexports_stanza {
        char name[DEVEXPORTS_NAME_MAX + 1];
        char pattern[DEVEXPORTS_PATH_MAX + 1]; /* as glob(7); no '*' stands for a slash */
        bool automatic;
};

struct devexports {
        struct devexports_stanza *list; /* owned */
        size_t n;
};

/* -EBADMSG: it has another form; *err says which line.  The caller ends *ret with devexports_done(). */
int devexports_parse(const char *text, size_t size, struct devexports *ret, struct croft_error *err);
void devexports_done(struct devexports *exports);

/* NULL: there is none of that name.  Borrowed. */
const struct devexports_stanza *devexports_find(const struct devexports *exports, const char *name);
/* Does any stanza list that path? */
bool devexports_lists(const struct devexports *exports, const char *path);
/* Has a stanza's pattern none of * ? [ in it? */
bool devexports_is_literal(const struct devexports_stanza *stanza);

/* Letters, digits and ._-, the first a letter or a digit; not what property `devices` means otherwise. */
bool devexports_name_is_valid(const char *name);
/* Below /dev/, without empty parts, "." and "..", and of printable ASCII. */
bool devexports_path_is_valid(const char *path);

#endif
