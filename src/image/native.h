/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * native.h - the parts of which the template of native partitions is made.  Inside this folder only (and its tests).
 *
 * Everything is read below a descriptor of the host's root and written below one of the template's: both can be
 * fixtures.  No file of the host is opened through a symbolic link.
 */
#ifndef CROFT_IMAGE_NATIVE_H
#define CROFT_IMAGE_NATIVE_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#define NATIVE_FORMAT 1 /* part of the key: a new croft makes new templates when this changes */
#define NATIVE_FILE_MAX                                                                                                \
        (16UL << 20) /* bytes of one file that is copied; the package database may have 8 times that                   \
                      */

/* Where from, where to, and what came of it. */
struct native_tree {
        int host, root;
        uint64_t bytes;  /* written */
        unsigned copied; /* conffiles of the host that are as shipped */
        unsigned kept;   /* conffiles that were changed, can't be read by all, or are refused: not copied */
};

/* tree.c */

/* Reads a regular file of the host whole (new buffer, NUL-ended, caller frees); st may be NULL.  Neither the file nor
 * a folder above it may be a symbolic link (-ELOOP).  -EFBIG. */
int native_read(int host, const char *path, size_t max_bytes, char **ret, size_t *ret_size, struct stat *st);
/* The host's folder, for walking it; -ELOOP, -ENOTDIR ... */
int native_open_dir(int host, const char *path);
struct native_owner {
        mode_t mode;
        uid_t uid;
        gid_t gid;
};
/* Each makes missing folders above (0755, root).  What exists already stays as it is: 0 is returned. */
int native_put_file(struct native_tree *t, const char *path, const void *data, size_t size,
        const struct native_owner *owner, struct croft_error *err);
int native_put_text(struct native_tree *t, const char *path, const char *text, mode_t mode, struct croft_error *err);
int native_put_dir(struct native_tree *t, const char *path, const struct native_owner *owner, struct croft_error *err);
int native_put_link(struct native_tree *t, const char *path, const char *target, struct croft_error *err);
/* Copies a file of the host that every user may read; 0 also when it is missing or isn't such a file. */
int native_copy_public(struct native_tree *t, const char *from, const char *to, struct croft_error *err);
bool native_exists(int root, const char *path);

/* dpkg.c: pure */

/* Called for each current conffile of the status file: path without the leading '/', MD5 as 32 hex digits. A value
 * other than 0 ends the walk and is returned. */
typedef int (*dpkg_conffile)(void *context, const char *path, const char *md5);
int dpkg_each_conffile(const char *status, size_t size, dpkg_conffile each, void *context);
/* Does a maintainer script that makes accounts speak of this name? */
bool dpkg_script_makes_account(const char *script, const char *name);

/* paths.c: pure */

/* Never copied, whatever its checksum says: hashes, keys, machine identity. path without leading '/'. */
bool native_is_denied(const char *path);
/* The lexical meaning of a link's target, without leading '/'; false: it leads out of the root, or is too long. */
bool native_resolve_link(const char *link_path, const char *target, char *dst, size_t size);
enum native_link { NATIVE_LINK_NO, NATIVE_LINK_SHARED, NATIVE_LINK_IF_PRESENT };
/* NO: isn't taken over.  SHARED: leads into what the host shares.  IF_PRESENT: leads within /etc, and is taken when
 * the template has what it leads to. */
enum native_link native_judge_link(const char *link_path, const char *target);

/* accounts.c: pure */

struct native_user {
        char name[33], home[128], shell[64];
        uint32_t uid, gid;
};
struct native_group {
        char name[33], members[256];
        uint32_t gid;
};
struct native_accounts {
        struct native_user *users;
        struct native_group *groups;
        size_t n_users, n_groups;
};
void native_accounts_done(struct native_accounts *a);
/* Lines of passwd(5) and group(5).  Ids above 65535, repeated names and bad lines are passed over.  min, max: of ids.
 */
int native_accounts_passwd(struct native_accounts *a, const char *text, uint32_t min, uint32_t max);
int native_accounts_group(struct native_accounts *a, const char *text, uint32_t min, uint32_t max);
/* Lines of sysusers.d(5); where the file leaves the number open, the host's accounts give it, else a free one. */
int native_accounts_sysusers(struct native_accounts *a, const char *text, const struct native_accounts *host);
/* Adds the user and group of that name of the host, as a locked system account. */
int native_accounts_take(struct native_accounts *a, const char *name, const struct native_accounts *host);
const struct native_user *native_accounts_user(const struct native_accounts *a, const char *name);
const struct native_group *native_accounts_group_of(const struct native_accounts *a, const char *name);
enum native_file { NATIVE_PASSWD, NATIVE_GROUP, NATIVE_SHADOW, NATIVE_GSHADOW };
/* New string (caller frees); NULL: out of memory.  No password in any of them, all accounts locked. */
char *native_accounts_render(const struct native_accounts *a, enum native_file which);

/* native_etc.c, native_var.c: the acts */

int native_make_skeleton(struct native_tree *t, struct croft_error *err);
int native_make_accounts(struct native_tree *t, struct croft_error *err);
int native_copy_conffiles(struct native_tree *t, const char *status, size_t size, struct croft_error *err);
int native_copy_factory(struct native_tree *t, struct croft_error *err); /* /usr/share/factory/etc */
int native_make_etc(struct native_tree *t, struct croft_error *err);
int native_copy_links(struct native_tree *t, struct croft_error *err);
int native_make_var(struct native_tree *t, struct croft_error *err);
/* Package lists: folders that packages own below /etc and /var, and the lists themselves. */
int native_copy_package_data(struct native_tree *t, struct croft_error *err);

/* native.c */

/* Fills the empty directory root_fd with the template of the host below host_fd. */
int native_build(int host_fd, int root_fd, uint64_t *ret_bytes, struct croft_error *err);
/* What the files that matter look like (a handful of stat calls), and the id made of what is in them; 65 bytes each. */
void native_stamp(int host_fd, char ret[65]);
int native_key(int host_fd, char ret[65], struct croft_error *err);

#endif
