/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * image.h - the store of root layers: built by mmdebstrap, imported from archives, or made from the host's package
 * defaults (the template of native partitions).
 *
 * STATE/images/<id>/{rootfs,meta.json}; id = 64 hex digits (SHA-256 of what made it).  Names are labels.  Everything is
 * made below STATE/tmp and renamed into place.  Archives are read by a worker process (croft-image) that has dropped
 * what it can: they are hostile.
 */
#ifndef CROFT_IMAGE_IMAGE_H
#define CROFT_IMAGE_IMAGE_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image_store;

struct image_info {
        char id[65];
        char name[64];    /* "" for a template */
        bool native;      /* made from this host's packages; needs the host's /usr beside it */
        char os[128];     /* PRETTY_NAME of its os-release, escaped */
        char source[256]; /* "mmdebstrap bookworm", "import FILE", "host packages" */
        int64_t created;  /* seconds since the epoch */
        uint64_t size_bytes;
};

/* Opens the store below state_dir (borrowed for its life) and deletes what a killed predecessor left half made in
 * STATE/tmp: the caller holds the state directory's lock.  worker: path of the croft-image program. */
int image_store_open(int state_dir, const char *worker, struct image_store **ret, struct croft_error *err);
struct image_store *image_store_free(struct image_store *store);
static inline void image_store_freep(struct image_store **store)
{
        *store = image_store_free(*store);
}

/* What one image may hold; beyond it an import is refused. */
#define IMAGE_BYTES_MAX (64ULL << 30)
#define IMAGE_ENTRIES_MAX 5000000ULL
struct image_limits {
        uint64_t bytes, entries; /* sum of the files' sizes, holes included; entries of the archive */
};
/* To be called before the store is shared with other threads. */
void image_store_set_limits(struct image_store *store, const struct image_limits *limits);

/* Says what it is doing, for people ("unpacking 120 MB"); called from the thread that builds. */
typedef void (*image_progress)(void *context, const char *text);

/* The current template of native partitions; made when the package database has changed since (about a second), else
 * found in well under a millisecond. Thread-safe: two callers make one. */
int image_native(
        struct image_store *store, image_progress say, void *context, struct image_info *ret, struct croft_error *err);

/* The same for a host whose root directory is that descriptor (a fixture, or another tree). */
int image_native_from(struct image_store *store, int host_root_fd, image_progress say, void *context,
        struct image_info *ret, struct croft_error *err);

/* mmdebstrap --variant=minbase|important|... suite; mirror NULL: the host's own sources. extra: packages, comma
 * separated, or NULL. */
struct image_build {
        const char *name, *suite, *mirror, *variant, *include;
};
int image_build(struct image_store *store, const struct image_build *what, image_progress say, void *context,
        struct image_info *ret, struct croft_error *err);
/* path: a directory, a tar (any compression of libarchive), an LXC/Incus unified tarball, "META,ROOTFS" for a split
 * one, an OCI layout directory or tar. -EILSEQ ... hostile or broken: refused, nothing left. */
int image_import(struct image_store *store, const char *name, const char *path, image_progress say, void *context,
        struct image_info *ret, struct croft_error *err);

/* By name or id (or a unique prefix of at least 8 digits of it).  -ENOENT. */
int image_find(struct image_store *store, const char *name, struct image_info *ret, struct croft_error *err);
/* A new array of all, sorted by name; the caller frees. */
int image_list(struct image_store *store, struct image_info **ret, size_t *ret_count, struct croft_error *err);
/* in_use(context, id) is asked under the store's locks: it must not call the store, and whoever holds a lock that it
 * takes mustn't either.  -EBUSY when it is in use.  Renamed away first, then deleted. */
int image_remove(struct image_store *store, const char *name, bool (*in_use)(void *context, const char *id),
        void *context, struct croft_error *err);
/* Removes templates that are neither current nor in use (in_use as above).  Which one is current is known after
 * image_native(); before, all stay, and the last one stays a minute longer for whoever has just been given it. */
int image_prune(struct image_store *store, bool (*in_use)(void *context, const char *id), void *context,
        struct croft_error *err);

/* O_PATH descriptor of the layer's rootfs directory; the caller closes it. */
int image_open_root(struct image_store *store, const char *id, struct croft_error *err);

/* The top-level directories of the host that a native partition shares read-only, as a NULL-ended vector of absolute
 * paths ("/usr", "/opt", and /bin, /lib ... when they aren't links).  Static. */
char *const *image_native_shares(void);

#endif
