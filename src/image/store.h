/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store.h - what the files of this folder share: the store's inside, drafts, and the codec of meta.json.
 */
#ifndef CROFT_IMAGE_STORE_H
#define CROFT_IMAGE_STORE_H

#include "image/image.h"

#include <limits.h>
#include <pthread.h>

#define IMAGE_DRAFT_PREFIX "image-"
#define IMAGE_META_MAX 65536 /* bytes of a meta.json */

/* What meta.json holds. */
struct image_meta {
        struct image_info info;
        char stamp[65]; /* native: what the host's files looked like (native_stamp()); "" for others */
};

struct image_store {
        int state, images, tmp; /* state is borrowed */
        char *worker;
        struct image_limits limits;
        pthread_mutex_t lock;          /* over names and the set of images; never held while something is built */
        pthread_mutex_t native;        /* held while a template is looked for or built; taken before lock */
        struct image_meta native_last; /* under native: the current template, info.id "" when unknown */
        char native_before[65];        /* under native: the one before, "" for none ... */
        int64_t native_since;          /* ... and until when it was the current one, monotonic seconds */
};

/* A half-made image: the directory STATE/tmp/<name>. */
struct image_draft {
        struct image_store *store;
        int dir; /* -EBADF: none */
        char name[40];
};
#define IMAGE_DRAFT_INIT                                                                                               \
        {                                                                                                              \
                .dir = -EBADF                                                                                          \
        }

int image_draft_begin(struct image_store *store, struct image_draft *ret, struct croft_error *err);
/* Writes meta.json and renames the draft to images/<id>, under the lock.  -EEXIST: the id or the name is taken; the
 * draft stays the caller's.  Fills info.created. */
int image_draft_commit(struct image_draft *draft, struct image_meta *meta, struct croft_error *err);
/* Deletes what is left of it; a committed one isn't touched. */
void image_draft_done(struct image_draft *draft);

/* -EEXIST when an image has that name; -EINVAL for a bad one. */
int image_check_name(struct image_store *store, const char *name, struct croft_error *err);
/* The template with that id or, id NULL, that stamp. -ENOENT. */
int image_find_template(struct image_store *store, const char *id, const char *stamp, struct image_meta *ret);
/* Replaces images/<id>/meta.json. */
int image_write_meta(struct image_store *store, const struct image_meta *meta, struct croft_error *err);

/* The last part of a build or import: draft/rootfs is looked at by the worker and becomes an image. */
struct image_finish {
        struct evp_md_ctx_st *hash; /* EVP_MD_CTX of what made it; finished here */
        const char *name, *source;
        uint64_t nodes; /* device nodes passed over */
        image_progress say;
        void *context;
        struct image_info *ret;
};
int image_finish(struct image_draft *draft, struct image_finish *f, struct croft_error *err);

bool image_is_id(const char *text); /* 64 lower-case hex digits */
/* New string (caller frees); NULL: out of memory. */
char *image_meta_encode(const struct image_meta *meta);
/* Takes nothing for granted: wrong types, lengths and ids are -EUCLEAN. */
int image_meta_decode(const char *text, size_t size, struct image_meta *ret, struct croft_error *err);

#endif
