/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mounts.c - the mounts of partitions: owners, scans, what is forgotten.  See mounts.h.
 *
 * Nothing that a partition wrote comes here: scans give numbers that the kernel made.  One lock serialises scans, which
 * share a map, another changes of what counts, which take long.
 *
 * Who calls knows most mounts of a partition by their keys, and these are forgotten by their keys.  A mount that came,
 * was used and went between two looks has an entry that nobody knows; such entries are counted, and found by a walk
 * over all of them once there are many.  (Where trampolines are to be had the kernel says that a mount has ended, and
 * there are none.)
 */
#include "kstat/mounts.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "kstat/kstats_table.h"
#include "kstat/mounts_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How many entries that nobody knows there may be before they are looked for: */
#define STRAYS_MAX 64   /* of a partition, */
#define ORPHANS_MAX 512 /* of all that are gone */

struct mounts {
        struct mounts_objects o;
        pthread_mutex_t lock, count_lock;
        struct ring_buffer *ring;
        uint64_t serial;  /* of the newest scan; others' begin elsewhere */
        uint64_t orphans; /* entries of partitions that are gone */
        void (*on_event)(const struct mount_event *event, void *context); /* while they are read */
        void *context;
};

static int take_event(void *context, void *data, size_t size)
{
        struct mounts *m = context;
        const struct mount_event *event = data;

        if (size < sizeof(*event))
                return 0;
        /* Before the look, so that what changes during it is told again. */
        (void)bpf_map_delete_elem(m->o.told, &event->partition);
        if (m->on_event)
                m->on_event(event, m->context);
        return 0;
}

int mounts_open(int run_dir, unsigned int level, struct mounts **ret, struct croft_error *err)
{
        _cleanup_(mounts_freep) struct mounts *m = calloc(1, sizeof(*m));
        int r;

        if (!m)
                return croft_error_set(err, ENOMEM, "open the statistics of mounts");
        (void)pthread_mutex_init(&m->lock, NULL);
        (void)pthread_mutex_init(&m->count_lock, NULL);
        m->serial = (uint64_t)time(NULL) << 32;
        r = mounts_bpf_open(&m->o, run_dir, level, err);
        if (r < 0)
                return croft_error_prefix(err, "open the statistics of mounts");
        m->ring = ring_buffer__new(m->o.events, take_event, m, NULL);
        if (!m->ring)
                return croft_error_set(err, errno, "read events of mounts");
        m->orphans = ORPHANS_MAX; /* whatever an earlier croftd left behind */
        *ret = TAKE(m);
        return 0;
}

struct mounts *mounts_free(struct mounts *mounts)
{
        if (!mounts)
                return NULL;
        ring_buffer__free(mounts->ring);
        mounts_bpf_close(&mounts->o);
        (void)pthread_mutex_destroy(&mounts->lock);
        (void)pthread_mutex_destroy(&mounts->count_lock);
        free(mounts);
        return NULL;
}

void mounts_freep(struct mounts **mounts)
{
        *mounts = mounts_free(*mounts);
}

int mounts_event_fd(struct mounts *mounts)
{
        return ring_buffer__epoll_fd(mounts->ring);
}

void mounts_read_events(struct mounts *mounts, void (*f)(const struct mount_event *event, void *context), void *context)
{
        mounts->on_event = f;
        mounts->context = context;
        (void)ring_buffer__consume(mounts->ring);
}

/* --- owners --- */

int mounts_add_partition(
        struct mounts *mounts, uint64_t partition, uint64_t cgroup, uint64_t last, struct croft_error *err)
{
        struct mount_owner owner = {.cgroup = cgroup, .last = last};
        uint64_t none = 0;

        if (bpf_map_update_elem(mounts->o.forgotten, &partition, &none, BPF_NOEXIST) < 0 && errno != EEXIST)
                return croft_error_set(err, errno == E2BIG ? ENOSPC : errno, "put the mounts' owner on record");
        if (bpf_map_update_elem(mounts->o.owners, &partition, &owner, BPF_NOEXIST) == 0)
                return 0;
        if (errno != EEXIST)
                return croft_error_set(err, errno == E2BIG ? ENOSPC : errno, "put the mounts' owner on record");
        return 1;
}

#define BASE_AGAIN 3
#define BATCH 512

/* At most BATCH entries; one call sees all of a map that nobody changes. */
struct batch {
        uint64_t keys[BATCH];
        struct mount_entry values[BATCH];
        uint64_t at, next;
};

/* 1: there may be more. */
static int read_batch(int map, struct batch *b, bool first, uint32_t *ret)
{
        *ret = BATCH;
        if (bpf_map_lookup_batch(map, first ? NULL : &b->at, &b->next, b->keys, b->values, ret, NULL) < 0) {
                if (errno == ENOENT) /* the end; *ret of them came */
                        return 0;
                *ret = 0;
                return -errno;
        }
        b->at = b->next;
        return 1;
}

static int by_key(const void *a, const void *b)
{
        const struct mount_found *x = a, *y = b;

        return x->key < y->key ? -1 : x->key > y->key;
}

/* What is newer than the list, its scan can't have seen. */
static bool is_kept(const struct mounts_list *list, uint64_t key, int64_t created)
{
        const struct mount_found wanted = {.key = key};

        return created >= list->began_ns || bsearch(&wanted, list->found, list->n, sizeof(wanted), by_key) != NULL;
}

/* Ids of the partitions that there are. */
static int read_owners(const struct mounts *m, struct kids *ret)
{
        uint64_t id, *before = NULL;

        for (; bpf_map_get_next_key(m->o.owners, before, &id) == 0; before = &id)
                if (kids_add(ret, id) == -ENOMEM)
                        return -ENOMEM;
        return 0;
}

/* Which entries go: a partition's that aren't in the list; or (list NULL) those whose partition is gone. */
struct walk {
        uint64_t partition;
        const struct mounts_list *list;
        struct kids owners;
        uint64_t removed;
};

static bool goes(const struct walk *w, uint64_t key, const struct mount_entry *entry)
{
        if (w->list)
                return entry->partition == w->partition && !is_kept(w->list, key, entry->created);
        /* no address: being made */
        return entry->address && !kids_have(&w->owners, entry->partition);
}

static void remove_entry(const struct mounts *m, uint64_t key, uint64_t *count)
{
        if (bpf_map_delete_elem(m->o.entries, &key) == 0)
                ++*count;
        (void)bpf_map_delete_elem(m->o.text, &key);
}

/* A hash that changes can be walked, but not to its end for sure; what is missed comes with the next. */
static int walk_entries(const struct mounts *m, struct walk *w)
{
        _cleanup_free_ struct batch *b = malloc(sizeof(*b));
        bool first = true;
        uint32_t n;
        int r;

        if (!b)
                return -ENOMEM;
        do {
                r = read_batch(m->o.entries, b, first, &n);
                first = false;
                for (uint32_t i = 0; i < n; i++)
                        if (goes(w, b->keys[i], &b->values[i]))
                                remove_entry(m, b->keys[i], &w->removed);
        } while (r > 0);
        return r;
}

/* Those of that partition; another may have their keys by now.  list as in struct walk, or NULL: all. */
static void remove_keys(const struct mounts *m, uint64_t partition, const uint64_t *keys, size_t n,
        const struct mounts_list *list, uint64_t *count)
{
        struct mount_entry entry;

        for (size_t i = 0; i < n; i++)
                if (bpf_map_lookup_elem(m->o.entries, &keys[i], &entry) == 0 && entry.partition == partition &&
                        !(list && is_kept(list, keys[i], entry.created)))
                        remove_entry(m, keys[i], count);
}

static int remove_orphans(struct mounts *m)
{
        struct walk walk = {.list = NULL};
        int r = read_owners(m, &walk.owners);

        if (r == 0)
                r = walk_entries(m, &walk);
        kids_done(&walk.owners);
        if (r == 0)
                m->orphans = 0;
        return r;
}

int mounts_remove_partition(
        struct mounts *mounts, uint64_t partition, const uint64_t *keys, size_t n, struct croft_error *err)
{
        struct mount_owner owner = {0};
        uint64_t forgotten = 0;
        int r = 0;

        (void)pthread_mutex_lock(&mounts->lock);
        if (bpf_map_lookup_elem(mounts->o.owners, &partition, &owner) == 0) {
                (void)bpf_map_lookup_elem(mounts->o.forgotten, &partition, &forgotten);
                /* Without an owner no more are made. */
                r = bpf_map_delete_elem(mounts->o.owners, &partition) < 0 ? -errno : 0;
                remove_keys(mounts, partition, keys, n, NULL, &forgotten);
                (void)bpf_map_delete_elem(mounts->o.forgotten, &partition);
                (void)bpf_map_delete_elem(mounts->o.told, &partition);
                mounts->orphans += owner.made - owner.dropped - forgotten;
                if (r == 0 && mounts->orphans >= ORPHANS_MAX)
                        r = remove_orphans(mounts);
        }
        (void)pthread_mutex_unlock(&mounts->lock);
        return r < 0 ? croft_error_set(err, r, "forget the mounts of partition %ju", (uintmax_t)partition) : 0;
}

/* keys NULL: of whatever has no key that is known. */
static int forget(struct mounts *m, struct walk *w, const uint64_t *keys, size_t n)
{
        struct mount_owner owner = {0};
        int r = 0;

        (void)pthread_mutex_lock(&m->lock);
        if (bpf_map_lookup_elem(m->o.owners, &w->partition, &owner) == 0 &&
                bpf_map_lookup_elem(m->o.forgotten, &w->partition, &w->removed) == 0) {
                if (keys)
                        remove_keys(m, w->partition, keys, n, w->list, &w->removed);
                else if (owner.made - owner.dropped - w->removed > w->list->n + STRAYS_MAX)
                        r = walk_entries(m, w);
                (void)bpf_map_update_elem(m->o.forgotten, &w->partition, &w->removed, BPF_EXIST);
        }
        (void)pthread_mutex_unlock(&m->lock);
        return r;
}

int mounts_forget(struct mounts *mounts, uint64_t partition, const struct mounts_list *list, const uint64_t *keys,
        size_t n, struct croft_error *err)
{
        struct walk walk = {.partition = partition, .list = list};
        int r = n > 0 ? forget(mounts, &walk, keys, n) : 0;

        return r < 0 ? croft_error_set(err, r, "forget mounts that are gone") : 0;
}

int mounts_collect(struct mounts *mounts, uint64_t partition, const struct mounts_list *list, struct croft_error *err)
{
        struct walk walk = {.partition = partition, .list = list};
        int r = forget(mounts, &walk, NULL, 0);

        return r < 0 ? croft_error_set(err, r, "forget mounts that are gone") : 0;
}

int64_t mounts_created(struct mounts *mounts, uint64_t key)
{
        struct mount_entry entry;

        return bpf_map_lookup_elem(mounts->o.entries, &key, &entry) < 0 ? 0 : entry.created;
}

bool mounts_is_base(struct mounts *mounts, uint64_t key)
{
        struct mount_entry entry;

        return bpf_map_lookup_elem(mounts->o.entries, &key, &entry) == 0 && entry.flags & MOUNT_BASE;
}

uint64_t mounts_refused(struct mounts *mounts, uint64_t partition)
{
        struct mount_owner owner = {0};

        return bpf_map_lookup_elem(mounts->o.owners, &partition, &owner) < 0 ? 0 : owner.refused;
}

/* --- scans --- */

void mounts_list_done(struct mounts_list *list)
{
        free(list->found);
        *list = (struct mounts_list){.found = NULL};
}

/* A namespace may have been met twice. */
static size_t sort_once(struct mount_found *found, size_t n)
{
        size_t kept = 0;

        qsort(found, n, sizeof(*found), by_key);
        for (size_t i = 0; i < n; i++)
                if (kept == 0 || found[kept - 1].key != found[i].key)
                        found[kept++] = found[i];
        return kept;
}

/* pid 0: all tasks. */
static int run_scanner(const struct mounts *m, pid_t pid)
{
        union bpf_iter_link_info info = {.task.pid = (uint32_t)pid};
        LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = &info, .iter_info_len = sizeof(info));
        _cleanup_close_ int link = -EBADF, fd = -EBADF;
        char nothing[64];
        ssize_t n;

        if (pid > 0)
                link = bpf_link_create(m->o.scan_program, 0, BPF_TRACE_ITER, &options);
        if (pid > 0 && link < 0)
                return -errno;
        fd = bpf_iter_create(pid > 0 ? link : m->o.scan_link);
        if (fd < 0)
                return -errno;
        do
                n = read(fd, nothing, sizeof(nothing));
        while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
        return n < 0 ? -errno : 0;
}

/* base: with pid as in mounts_take_base(). */
static int scan_locked(struct mounts *m, uint64_t partition, bool base, pid_t pid)
{
        struct mount_owner owner;

        if (bpf_map_lookup_elem(m->o.owners, &partition, &owner) < 0)
                return -ESRCH;
        *m->o.scan = (struct mount_scan){.partition = partition,
                .cgroup = owner.cgroup,
                .serial = ++m->serial,
                .last = owner.last,
                .base = base};
        return run_scanner(m, pid);
}

/* Behind what is in *ret already. */
static int copy_found(const struct mounts *m, struct mounts_list *ret)
{
        size_t n = m->o.scan->found < MOUNTS_PER_PARTITION ? m->o.scan->found : MOUNTS_PER_PARTITION;
        struct mount_found *found = reallocarray(ret->found, ret->n + n + 1, sizeof(*found));

        if (!found)
                return -ENOMEM;
        memcpy(found + ret->n, m->o.found, n * sizeof(*found));
        ret->found = found;
        ret->n = sort_once(found, ret->n + n);
        ret->incomplete = m->o.scan->lost > 0;
        ret->changed = m->o.scan->changed;
        return 0;
}

static int scan_failed(int r, uint64_t partition, struct croft_error *err)
{
        return croft_error_set(err, r, "look at the mounts of partition %ju", (uintmax_t)partition);
}

int mounts_scan(struct mounts *mounts, uint64_t partition, struct mounts_list *ret, struct croft_error *err)
{
        struct mounts_list list = {.began_ns = now_ns(CLOCK_MONOTONIC)};
        int r;

        (void)pthread_mutex_lock(&mounts->lock);
        r = scan_locked(mounts, partition, false, 0);
        if (r == 0)
                r = copy_found(mounts, &list);
        (void)pthread_mutex_unlock(&mounts->lock);
        if (r < 0)
                return scan_failed(r, partition, err);
        *ret = list;
        return 0;
}

int mounts_take_base(
        struct mounts *mounts, uint64_t partition, pid_t pid, struct mounts_list *ret, struct croft_error *err)
{
        struct mounts_list list = {.began_ns = now_ns(CLOCK_MONOTONIC)};
        int r = 0;

        (void)pthread_mutex_lock(&mounts->lock);
        /* The old root is taken from below the new one about now. */
        for (int i = 0; i <= BASE_AGAIN && r == 0 && (i == 0 || list.changed); i++) {
                r = scan_locked(mounts, partition, true, pid);
                if (r == 0)
                        r = copy_found(mounts, &list);
        }
        (void)pthread_mutex_unlock(&mounts->lock);
        if (r < 0) {
                mounts_list_done(&list);
                return scan_failed(r, partition, err);
        }
        *ret = list;
        return 0;
}

/* --- what counts --- */

int mounts_load(struct mounts *mounts, enum mount_stats how, struct croft_error *err)
{
        int r;

        (void)pthread_mutex_lock(&mounts->count_lock);
        r = mounts_bpf_load(&mounts->o, how, err);
        (void)pthread_mutex_unlock(&mounts->count_lock);
        return r < 0 ? croft_error_prefix(err, "prepare to count what is done on mounts") : 0;
}

int mounts_count(struct mounts *mounts, enum mount_stats how, struct croft_error *err)
{
        int r;

        (void)pthread_mutex_lock(&mounts->count_lock);
        r = mounts_bpf_count(&mounts->o, how, err);
        (void)pthread_mutex_unlock(&mounts->count_lock);
        return r < 0 ? croft_error_prefix(err, "count what is done on mounts") : 0;
}

const char *mounts_means(struct mounts *mounts)
{
        return mounts_bpf_means(&mounts->o);
}
