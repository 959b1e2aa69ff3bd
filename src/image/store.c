/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * store.c - the set of images: found, listed, removed, and drafts that become images by one rename.
 *
 * Invariant: an entry of STATE/images is complete from the moment it has its name; whatever is half made or half
 * deleted is in STATE/tmp, and goes when the store is opened next.
 */
#include "image/store.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"

#include <dirent.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

static int open_dir(int dir_fd, const char *name, struct croft_error *err)
{
        int fd;

        if (mkdirat(dir_fd, name, 0700) < 0 && errno != EEXIST)
                return croft_error_set(err, errno, "make directory '%s'", name);
        fd = fd_open2(dir_fd, name, O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        return fd < 0 ? croft_error_set(err, fd, "open directory '%s'", name) : fd;
}

/* A stream over a descriptor of its own, so that several can read the directory at once. */
static DIR *read_dir(int dir_fd)
{
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir)
                close_fd(fd);
        return dir;
}

static int empty_tmp(int tmp, struct croft_error *err)
{
        _cleanup_closedir_ DIR *dir = read_dir(tmp);
        struct dirent *entry;
        int r;

        if (!dir)
                return croft_error_set(err, errno, "read directory 'tmp'");
        while ((entry = readdir(dir))) {
                if (!str_has_prefix(entry->d_name, IMAGE_DRAFT_PREFIX))
                        continue;
                r = fd_remove_tree(tmp, entry->d_name, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int image_store_open(int state_dir, const char *worker, struct image_store **ret, struct croft_error *err)
{
        _cleanup_(image_store_freep) struct image_store *store = calloc(1, sizeof(*store));
        int r;

        if (!store)
                return croft_error_set(err, ENOMEM, "open the image store");
        store->state = state_dir;
        store->images = store->tmp = -EBADF;
        store->limits = (struct image_limits){IMAGE_BYTES_MAX, IMAGE_ENTRIES_MAX};
        pthread_mutex_init(&store->lock, NULL);
        pthread_mutex_init(&store->native, NULL);
        store->worker = strdup(worker);
        if (!store->worker)
                return croft_error_set(err, ENOMEM, "open the image store");
        store->images = open_dir(state_dir, "images", err);
        store->tmp = store->images < 0 ? store->images : open_dir(state_dir, "tmp", err);
        r = store->tmp < 0 ? store->tmp : empty_tmp(store->tmp, err);
        if (r < 0) {
                croft_error_prefix(err, "open the image store");
                return r;
        }
        *ret = TAKE(store);
        return 0;
}

struct image_store *image_store_free(struct image_store *store)
{
        if (!store)
                return NULL;
        close_fd(store->images);
        close_fd(store->tmp);
        pthread_mutex_destroy(&store->lock);
        pthread_mutex_destroy(&store->native);
        free(store->worker);
        free(store);
        return NULL;
}

void image_store_set_limits(struct image_store *store, const struct image_limits *limits)
{
        store->limits = *limits;
}

/* Reads images/<id>/meta.json; the directory's name decides, a file that says otherwise is damaged. */
static int read_meta(struct image_store *store, const char *id, struct image_meta *ret, struct croft_error *err)
{
        _cleanup_free_ char *text = NULL;
        struct image_meta meta;
        char path[80];
        size_t size;
        int r;

        (void)snprintf(path, sizeof(path), "%.64s/meta.json", id);
        r = fd_read_file(store->images, path, IMAGE_META_MAX, &text, &size);
        if (r < 0)
                return croft_error_set(err, r, "read '%s'", path);
        r = image_meta_decode(text, size, &meta, err);
        if (r < 0)
                return r;
        if (strcmp(meta.info.id, id) != 0)
                return croft_error_set(err, EUCLEAN, "'%s' is of another image.", path);
        *ret = meta;
        return 0;
}

/* All images, unsorted.  A damaged one is listed by its id alone, so that it can be seen and removed. */
static int read_all(struct image_store *store, struct image_meta **ret, size_t *ret_count, struct croft_error *err)
{
        _cleanup_closedir_ DIR *dir = read_dir(store->images);
        _cleanup_free_ struct image_meta *all = NULL;
        size_t n = 0, room = 0;
        struct dirent *entry;

        if (!dir)
                return croft_error_set(err, errno, "read directory 'images'");
        while ((entry = readdir(dir))) {
                if (!image_is_id(entry->d_name))
                        continue;
                if (n == room) {
                        struct image_meta *p = reallocarray(all, room + 16, sizeof(*p));

                        if (!p)
                                return croft_error_set(err, ENOMEM, "list images");
                        all = p;
                        room += 16;
                }
                memset(&all[n], 0, sizeof(all[n]));
                if (read_meta(store, entry->d_name, &all[n], NULL) < 0) {
                        (void)str_copy(all[n].info.id, sizeof(all[n].info.id), entry->d_name);
                        (void)str_copy(all[n].info.source, sizeof(all[n].info.source), "damaged: meta.json");
                }
                n++;
        }
        *ret = TAKE(all);
        *ret_count = n;
        return 0;
}

/* 2: it is the name or the whole id; 1: it begins the id; 0: no. */
static int matches(const struct image_info *info, const char *name)
{
        size_t length = strlen(name);

        if ((info->name[0] && strcmp(info->name, name) == 0) || strcmp(info->id, name) == 0)
                return 2;
        return length >= 8 && length < 64 && strncmp(info->id, name, length) == 0;
}

static int find_locked(struct image_store *store, const char *name, struct image_info *ret, struct croft_error *err)
{
        _cleanup_free_ struct image_meta *all = NULL;
        const struct image_info *found = NULL;
        char quoted[160];
        size_t n;
        int r;

        r = read_all(store, &all, &n, err);
        if (r < 0)
                return r;
        str_escape(quoted, sizeof(quoted), name, strnlen(name, 80));
        /* A name or whole id first: it may also be how another's id begins. */
        for (size_t i = 0; i < n && !found; i++)
                if (matches(&all[i].info, name) == 2)
                        found = &all[i].info;
        for (size_t i = 0, prefixed = 0; i < n && (!found || prefixed); i++) {
                if (matches(&all[i].info, name) != 1)
                        continue;
                if (prefixed++)
                        return croft_error_set(err, EINVAL, "several images begin with '%s'.", quoted);
                found = &all[i].info;
        }
        if (!found)
                return croft_error_set(err, ENOENT, "no image '%s'.", quoted);
        *ret = *found;
        return 0;
}

int image_find(struct image_store *store, const char *name, struct image_info *ret, struct croft_error *err)
{
        int r;

        pthread_mutex_lock(&store->lock);
        r = find_locked(store, name, ret, err);
        pthread_mutex_unlock(&store->lock);
        return r;
}

int image_find_template(struct image_store *store, const char *id, const char *stamp, struct image_meta *ret)
{
        _cleanup_free_ struct image_meta *all = NULL;
        size_t n = 0;
        int r;

        pthread_mutex_lock(&store->lock);
        r = read_all(store, &all, &n, NULL);
        pthread_mutex_unlock(&store->lock);
        for (size_t i = 0; r == 0 && i < n; i++) {
                if (!all[i].info.native || strcmp(id ? all[i].info.id : all[i].stamp, id ? id : stamp) != 0)
                        continue;
                *ret = all[i];
                return 0;
        }
        return r < 0 ? r : -ENOENT;
}

static int by_name(const void *a, const void *b)
{
        const struct image_info *x = a, *y = b;
        int r = strcmp(x->name, y->name);

        return r ? r : strcmp(x->id, y->id);
}

int image_list(struct image_store *store, struct image_info **ret, size_t *ret_count, struct croft_error *err)
{
        _cleanup_free_ struct image_meta *all = NULL;
        struct image_info *list;
        size_t n = 0;
        int r;

        pthread_mutex_lock(&store->lock);
        r = read_all(store, &all, &n, err);
        pthread_mutex_unlock(&store->lock);
        if (r < 0)
                return r;
        list = calloc(n + 1, sizeof(*list));
        if (!list)
                return croft_error_set(err, ENOMEM, "list images");
        for (size_t i = 0; i < n; i++)
                list[i] = all[i].info;
        qsort(list, n, sizeof(*list), by_name);
        *ret = list;
        *ret_count = n;
        return 0;
}

static void random_name(char *dst, size_t size, const char *what)
{
        uint64_t number = 0;

        if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
                number = (uint64_t)time(NULL); /* only a name: a clash is refused by mkdir and rename */
        (void)snprintf(dst, size, IMAGE_DRAFT_PREFIX "%s%016llx", what, (unsigned long long)number);
}

/* Renames the image out of the set; the caller deletes tmp/<gone>. */
static int take_away(struct image_store *store, const char *id, char *gone, size_t gone_size, struct croft_error *err)
{
        random_name(gone, gone_size, "gone-");
        if (renameat(store->images, id, store->tmp, gone) < 0)
                return croft_error_set(err, errno, "remove image %.12s", id);
        return 0;
}

int image_remove(struct image_store *store, const char *name, bool (*in_use)(void *context, const char *id),
        void *context, struct croft_error *err)
{
        struct image_info info;
        char gone[48];
        int r;

        /* The template's lock is taken first: nobody shall be handed an id that goes away in the same moment. */
        pthread_mutex_lock(&store->native);
        pthread_mutex_lock(&store->lock);
        r = find_locked(store, name, &info, err);
        if (r == 0 && in_use && in_use(context, info.id))
                r = croft_error_set(err, EBUSY, "image '%s' is in use.", info.name[0] ? info.name : info.id);
        if (r == 0)
                r = take_away(store, info.id, gone, sizeof(gone), err);
        if (r == 0 && strcmp(store->native_last.info.id, info.id) == 0)
                memset(&store->native_last, 0, sizeof(store->native_last));
        pthread_mutex_unlock(&store->lock);
        pthread_mutex_unlock(&store->native);
        return r < 0 ? r : fd_remove_tree(store->tmp, gone, err);
}

#define GRACE_SECONDS 60

/* Which one is current is known once image_native() was asked; before that all stay.  So does for a while the one
 * before: somebody may just have been given it, and not be known to use it yet. */
static bool is_obsolete(const struct image_store *store, const struct image_info *info)
{
        struct timespec now = {0};

        if (!info->native || !store->native_last.info.id[0] || strcmp(info->id, store->native_last.info.id) == 0)
                return false;
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return strcmp(info->id, store->native_before) != 0 || now.tv_sec - store->native_since > GRACE_SECONDS;
}

int image_prune(struct image_store *store, bool (*in_use)(void *context, const char *id), void *context,
        struct croft_error *err)
{
        _cleanup_free_ struct image_meta *all = NULL;
        size_t n = 0;
        int r;

        pthread_mutex_lock(&store->native);
        pthread_mutex_lock(&store->lock);
        r = read_all(store, &all, &n, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                char gone[48];

                if (!is_obsolete(store, &all[i].info) || (in_use && in_use(context, all[i].info.id)))
                        continue;
                r = take_away(store, all[i].info.id, gone, sizeof(gone), err);
                if (r == 0)
                        r = fd_remove_tree(store->tmp, gone, err);
        }
        pthread_mutex_unlock(&store->lock);
        pthread_mutex_unlock(&store->native);
        return r;
}

int image_open_root(struct image_store *store, const char *id, struct croft_error *err)
{
        char path[80];
        int fd;

        if (!image_is_id(id))
                return croft_error_set(err, EINVAL, "'%.64s' is no image id.", id);
        (void)snprintf(path, sizeof(path), "%s/rootfs", id);
        fd = fd_open2(store->images, path, O_PATH | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        return fd < 0 ? croft_error_set(err, fd, "open the root of image %.12s", id) : fd;
}

static int name_locked(struct image_store *store, const char *name, struct croft_error *err)
{
        struct image_info other;
        int r;

        r = find_locked(store, name, &other, NULL);
        if (r == 0 && strcmp(other.name, name) == 0)
                return croft_error_set(err, EEXIST, "an image '%s' exists already.", name);
        return 0;
}

int image_check_name(struct image_store *store, const char *name, struct croft_error *err)
{
        int r;

        if (!str_is_name(name))
                return croft_error_set(err, EINVAL, "an image's name is %s.", STR_NAME_RULE);
        if (strcmp(name, "native") == 0) /* the root of a partition is told by its image's name */
                return croft_error_set(err, EINVAL, "'native' stands for roots of the host's own packages.");
        pthread_mutex_lock(&store->lock);
        r = name_locked(store, name, err);
        pthread_mutex_unlock(&store->lock);
        return r;
}

int image_draft_begin(struct image_store *store, struct image_draft *ret, struct croft_error *err)
{
        struct image_draft draft = {.store = store};

        random_name(draft.name, sizeof(draft.name), "");
        if (mkdirat(store->tmp, draft.name, 0700) < 0)
                return croft_error_set(err, errno, "make directory 'tmp/%s'", draft.name);
        draft.dir = openat(store->tmp, draft.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (draft.dir < 0) {
                int r = croft_error_set(err, errno, "open directory 'tmp/%s'", draft.name);

                (void)unlinkat(store->tmp, draft.name, AT_REMOVEDIR); /* the next opening removes it otherwise */
                return r;
        }
        *ret = draft;
        return 0;
}

static int write_meta(int dir, const struct image_meta *meta, struct croft_error *err)
{
        _cleanup_free_ char *text = image_meta_encode(meta);

        if (!text)
                return croft_error_set(err, ENOMEM, "write meta.json");
        return fd_replace_file(dir, "meta.json", text, strlen(text), 0600, err);
}

int image_write_meta(struct image_store *store, const struct image_meta *meta, struct croft_error *err)
{
        _cleanup_close_ int dir = openat(store->images, meta->info.id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (dir < 0)
                return croft_error_set(err, errno, "open image %.12s", meta->info.id);
        return write_meta(dir, meta, err);
}

static int commit_locked(struct image_draft *draft, const struct image_meta *meta, struct croft_error *err)
{
        struct image_store *store = draft->store;
        int r;

        r = meta->info.name[0] ? name_locked(store, meta->info.name, err) : 0;
        if (r < 0)
                return r;
        if (renameat2(store->tmp, draft->name, store->images, meta->info.id, RENAME_NOREPLACE) < 0)
                return croft_error_set(err, errno, "put image %.12s in place", meta->info.id);
        return 0;
}

int image_draft_commit(struct image_draft *draft, struct image_meta *meta, struct croft_error *err)
{
        struct image_store *store = draft->store;
        int r;

        meta->info.created = time(NULL);
        r = write_meta(draft->dir, meta, err);
        if (r < 0)
                return r;
        /* All of it on the disk before it gets its name: a complete image after a power loss, or none. */
        if (syncfs(draft->dir) < 0)
                return croft_error_set(err, errno, "write image %.12s to the disk", meta->info.id);
        pthread_mutex_lock(&store->lock);
        r = commit_locked(draft, meta, err);
        pthread_mutex_unlock(&store->lock);
        if (r < 0)
                return r;
        (void)fsync(store->images); /* it stands; only its durability over a power loss is at stake */
        draft->dir = close_fd(draft->dir);
        return 0;
}

void image_draft_done(struct image_draft *draft)
{
        if (draft->dir < 0)
                return;
        draft->dir = close_fd(draft->dir);
        (void)fd_remove_tree(draft->store->tmp, draft->name, NULL); /* the next opening tries again */
}
