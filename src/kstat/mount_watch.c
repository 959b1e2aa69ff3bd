/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mount_watch.c - a thread that follows the mounts of partitions.  See mount_watch.h.
 *
 * It is woken by poll(2) on the mountinfo of each partition's init, which is never read here, and by programs in the
 * kernel that see what poll(2) can't: other mount namespaces.  What it then asks, mounts_scan(), answers with the
 * kernel's numbers only.
 *
 * Invariant: while nothing changes, the structures with module `mount` and a partition as subject are those of the
 * mounts in its namespaces.  watch.lock is held over a look and over every change of the list of partitions.
 */
#include "kstat/mount_watch.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "kstat/kstat.h"
#include "kstat/mount_diff.h"
#include "kstat/mounts.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#define WAKE_ID 0 /* no partition has these */
#define EVENTS_ID UINT64_MAX
#define FIRST_MS 10     /* a partition that starts has the CPUs first */
#define PAUSE_MS 5      /* between two looks at one partition, */
#define PAUSE_FACTOR 20 /* and this many times what the look took: 5 % of a CPU at most */
#define ENDING_MS 20    /* a namespace is gone that long after its last process has begun to exit */
#define LINGER_MS 2000  /* what counts, counts on that long when nobody wants it any more */
#define AGAIN_MAX 3     /* looks in a row while mounts change */
#define COLLIDED_MS 20  /* until a number may have become free, and at most */
#define COLLIDED_MAX_MS 60000
#define NEVER INT64_MAX

struct watched {
        struct watched *next;
        uint64_t id;
        enum mount_stats wanted;
        bool base; /* it sees those that global made, too */
        int mountinfo;
        int64_t due_ms;            /* the next look */
        int64_t pause_ms;          /* none before that */
        struct mount_known *known; /* by key */
        size_t n_known;
        int64_t again_ms; /* until mounts whose numbers weren't free are looked for again; 0: there are none */
        uint64_t *first;  /* keys of the mounts it had at the start, some of which were about to go */
        size_t n_first;
};

struct mount_watch {
        struct kstats *kstats; /* borrowed */
        struct mounts *mounts;
        pthread_mutex_t lock;
        pthread_t thread;
        bool started, ending;
        int epoll, wake;
        struct watched *list;
        int64_t count_ms;           /* when what counts is to be looked at */
        pthread_mutex_t count_lock; /* over a change of that; before lock */
        enum mount_stats counting;
        bool cannot_count; /* the last change failed: tried again, but no start waits for that */
        struct mount_watch_counts counts;
};

static int64_t now_ms(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct watched *find(struct mount_watch *watch, uint64_t id)
{
        struct watched *w = watch->list;

        while (w && w->id != id)
                w = w->next;
        return w;
}

static void wake(const struct mount_watch *watch)
{
        const uint64_t one = 1;

        (void)!write(watch->wake, &one, sizeof(one)); /* full: it is awake */
}

static void want_look(struct watched *w, int64_t at_ms)
{
        if (at_ms < w->pause_ms)
                at_ms = w->pause_ms;
        if (at_ms < w->due_ms)
                w->due_ms = at_ms;
}

/* --- structures --- */

static void define(const struct watched *w, const struct mount_found *found, struct kstat_def ret[2])
{
        const struct kstat_def both = {.module = "mount",
                .class = "mount",
                .instance = (int32_t)found->mnt_id,
                .type = KSTAT_NAMED,
                .subject = w->id,
                .argument = found->key};

        ret[0] = ret[1] = both;
        ret[0].name = "io";
        ret[0].schema = KSTAT_SCHEMA_mount_io;
        ret[0].source = KSTAT_SOURCE_MOUNT_IO;
        ret[0].size = sizeof(struct kstat_data_mount_io);
        ret[1].name = "mntinfo";
        ret[1].schema = KSTAT_SCHEMA_mntinfo;
        ret[1].source = KSTAT_SOURCE_MNTINFO;
        ret[1].size = sizeof(struct kstat_data_mntinfo);
}

/* Seen by global, and by the partition unless global made the mount and keeps it to itself (KST-30, KST-32). */
static int create(struct mount_watch *watch, const struct watched *w, const struct mount_found *found, size_t n,
        struct mount_known *ret)
{
        const uint64_t seen_by[2] = {0, w->id};
        size_t n_seen = n > 0 && found[0].flags & MOUNT_BASE && !w->base ? 1 : 2;
        _cleanup_free_ struct kstat_def *defs = calloc(2 * n + 1, sizeof(*defs));
        _cleanup_free_ uint64_t *kids = calloc(2 * n + 1, sizeof(*kids));
        int r;

        for (size_t i = 0; i < n; i++)
                ret[i] = (struct mount_known){.key = found[i].key, .created = found[i].created};
        if (!defs || !kids)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                define(w, &found[i], &defs[2 * i]);
        r = kstats_create(watch->kstats, defs, 2 * n, seen_by, n_seen, kids, NULL);
        for (size_t i = 0; r == 0 && i < n; i++)
                memcpy(ret[i].kids, &kids[2 * i], sizeof(ret[i].kids));
        return r;
}

/* All at once, or as many as there is room for. */
static void create_group(struct mount_watch *watch, const struct watched *w, const struct mount_found *found, size_t n,
        struct mount_known *ret)
{
        int r = n > 0 ? create(watch, w, found, n, ret) : 0;

        if (r == 0)
                return;
        for (size_t i = 0; i < n; i++) {
                if (r != -ENOSPC || i == 0)
                        r = create(watch, w, &found[i], 1, &ret[i]);
                ret[i].collides = r == -EEXIST;
                if (r == -ENOSPC)
                        watch->counts.refused++;
                else if (r == -EEXIST)
                        continue;
                else if (r < 0)
                        watch->counts.failures++;
        }
}

/* The kernel gives mount ids again at once, perhaps before the partition that had one has been looked at.  A mount
 * whose number isn't free yet is looked for again, after a while that grows as long as there are such. */
static void keep_made(struct watched *w, struct mount_diff *diff)
{
        size_t n = diff->n_kept;

        for (size_t i = 0; i < diff->n_new; i++)
                if (!diff->kept[diff->n_kept + i].collides)
                        diff->kept[n++] = diff->kept[diff->n_kept + i];
        w->again_ms = n == diff->n_kept + diff->n_new ? 0
                      : w->again_ms == 0              ? COLLIDED_MS
                      : w->again_ms < COLLIDED_MAX_MS ? 2 * w->again_ms
                                                      : w->again_ms;
        diff->n_kept = n;
}

/* Those that global made, then the others. */
static void create_new(struct mount_watch *watch, struct watched *w, struct mount_diff *diff)
{
        size_t n_base = 0;

        for (size_t i = 0; i < diff->n_new; i++)
                if (diff->new[i].flags & MOUNT_BASE) {
                        struct mount_found moved = diff->new[i];

                        diff->new[i] = diff->new[n_base];
                        diff->new[n_base++] = moved;
                }
        create_group(watch, w, diff->new, n_base, diff->kept + diff->n_kept);
        create_group(watch, w, diff->new + n_base, diff->n_new - n_base, diff->kept + diff->n_kept + n_base);
        keep_made(w, diff);
        qsort(diff->kept, diff->n_kept, sizeof(*diff->kept), mount_known_by_key);
}

static void collect(
        struct mount_watch *watch, struct watched *w, const struct mounts_list *list, const struct mount_diff *diff)
{
        int r = mounts_forget(watch->mounts, w->id, list, w->first, w->n_first, NULL);

        if (r == 0)
                r = mounts_forget(watch->mounts, w->id, list, diff->gone_keys, diff->n_gone_keys, NULL);
        if (r == 0)
                r = mounts_collect(watch->mounts, w->id, list, NULL);
        watch->counts.failures += r < 0;
        free(w->first);
        w->first = NULL;
        w->n_first = 0;
}

static void apply(struct mount_watch *watch, struct watched *w, const struct mounts_list *list)
{
        struct mount_diff diff;

        if (mount_diff_make(w->known, w->n_known, list, &diff) < 0) {
                watch->counts.failures++;
                return;
        }
        /* First: the kernel gives mount ids again, and two structures of one instance would collide. */
        if (diff.n_gone > 0 && kstats_delete(watch->kstats, diff.gone, diff.n_gone, NULL) < 0)
                watch->counts.failures++;
        if (!list->changed && !list->incomplete)
                collect(watch, w, list, &diff);
        create_new(watch, w, &diff);
        free(w->known);
        w->known = TAKE(diff.kept);
        w->n_known = diff.n_kept;
        mount_diff_done(&diff);
}

static void look(struct mount_watch *watch, struct watched *w)
{
        int64_t begin_ms = now_ms();
        struct mounts_list list = {.found = NULL};
        int r = 0;

        w->due_ms = NEVER;
        for (int i = 0; i < AGAIN_MAX && r == 0; i++) {
                mounts_list_done(&list);
                r = mounts_scan(watch->mounts, w->id, &list, NULL);
                if (!list.changed)
                        break;
        }
        watch->counts.looks++;
        if (r < 0)
                watch->counts.failures++;
        else
                apply(watch, w, &list);
        w->pause_ms = now_ms() + PAUSE_MS + PAUSE_FACTOR * (now_ms() - begin_ms);
        if (list.changed)
                want_look(w, 0);
        else if (w->again_ms > 0)
                want_look(w, now_ms() + w->again_ms);
        mounts_list_done(&list);
}

/* --- the thread --- */

static void take_event(const struct mount_event *event, void *context)
{
        struct mount_watch *watch = context;
        struct watched *w = find(watch, event->partition);

        if (w)
                want_look(w, now_ms() + (event->what == MOUNT_EVENT_ENDING ? ENDING_MS : 0));
}

static void take_wake(struct mount_watch *watch, uint64_t id)
{
        struct watched *w;
        uint64_t n;

        if (id == WAKE_ID) {
                (void)!read(watch->wake, &n, sizeof(n));
        } else if (id == EVENTS_ID) {
                mounts_read_events(watch->mounts, take_event, watch);
        } else {
                w = find(watch, id);
                if (w)
                        want_look(w, 0);
        }
}

/* What the partition that wants most wants. */
static enum mount_stats most_wanted(const struct mount_watch *watch)
{
        enum mount_stats how = MOUNT_STATS_NO;

        for (const struct watched *w = watch->list; w; w = w->next)
                if (w->wanted > how)
                        how = w->wanted;
        return how;
}

/* watch.lock is held; others get it meanwhile.  One change at a time, each for what is wanted by then. */
static void change_counting(struct mount_watch *watch)
{
        enum mount_stats how;
        int r;

        (void)pthread_mutex_unlock(&watch->lock);
        (void)pthread_mutex_lock(&watch->count_lock);
        (void)pthread_mutex_lock(&watch->lock);
        watch->count_ms = NEVER;
        how = most_wanted(watch);
        (void)pthread_mutex_unlock(&watch->lock);
        r = mounts_count(watch->mounts, how, NULL);
        if (how == MOUNT_STATS_NO) /* what counted may have been another croftd's, and the next one isn't to wait */
                (void)mounts_load(watch->mounts, MOUNT_STATS_YES, NULL);
        (void)pthread_mutex_lock(&watch->lock);
        watch->counting = r < 0 ? MOUNT_STATS_NO : how;
        watch->cannot_count = how == MOUNT_STATS_NO ? watch->cannot_count : r < 0;
        watch->counts.failures += r < 0;
        (void)pthread_mutex_unlock(&watch->count_lock);
}

/* Does what is due; the time of the next. */
static int64_t work(struct mount_watch *watch)
{
        int64_t next;

        if (watch->count_ms <= now_ms())
                change_counting(watch);
        next = watch->count_ms;
        for (struct watched *w = watch->list; w; w = w->next) {
                if (w->due_ms <= now_ms())
                        look(watch, w);
                if (w->due_ms < next)
                        next = w->due_ms;
        }
        return next;
}

static void *run(void *context)
{
        struct mount_watch *watch = context;
        int timeout = -1;

        (void)mounts_load(watch->mounts, MOUNT_STATS_YES, NULL); /* who is the first to want it finds out why not */
        for (;;) {
                struct epoll_event events[64];
                int n = epoll_wait(watch->epoll, events, (int)ELEMENTS(events), timeout);
                int64_t next;

                (void)pthread_mutex_lock(&watch->lock);
                if (watch->ending) {
                        (void)pthread_mutex_unlock(&watch->lock);
                        return NULL;
                }
                for (int i = 0; i < n; i++)
                        take_wake(watch, events[i].data.u64);
                next = work(watch);
                (void)pthread_mutex_unlock(&watch->lock);
                timeout = -1;
                if (next != NEVER) {
                        next -= now_ms();
                        timeout = next < 0 ? 0 : (int)(next < 60000 ? next : 60000);
                }
        }
}

static int watch_fd(const struct mount_watch *watch, int fd, uint32_t what, uint64_t id)
{
        struct epoll_event event = {.events = what, .data.u64 = id};

        return epoll_ctl(watch->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int start(struct mount_watch *watch)
{
        sigset_t all, old;
        int r = watch_fd(watch, watch->wake, EPOLLIN, WAKE_ID);

        if (r == 0)
                r = watch_fd(watch, mounts_event_fd(watch->mounts), EPOLLIN, EVENTS_ID);
        if (r < 0)
                return r;
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &old);
        r = -pthread_create(&watch->thread, NULL, run, watch);
        (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
        watch->started = r == 0;
        return r;
}

int mount_watch_open(
        int run_dir, unsigned int level, struct kstats *kstats, struct mount_watch **ret, struct croft_error *err)
{
        _cleanup_(mount_watch_freep) struct mount_watch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return croft_error_set(err, ENOMEM, "watch mounts");
        *watch = (struct mount_watch){.kstats = kstats, .count_ms = NEVER};
        (void)pthread_mutex_init(&watch->lock, NULL);
        (void)pthread_mutex_init(&watch->count_lock, NULL);
        watch->epoll = epoll_create1(EPOLL_CLOEXEC);
        watch->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (watch->epoll < 0 || watch->wake < 0)
                return croft_error_set(err, errno, "watch mounts");
        r = mounts_open(run_dir, level, &watch->mounts, err);
        if (r < 0)
                return r;
        r = start(watch);
        if (r < 0)
                return croft_error_set(err, r, "watch mounts");
        *ret = TAKE(watch);
        return 0;
}

static struct watched *watched_free(struct watched *w)
{
        close_fd(w->mountinfo);
        free(w->known);
        free(w->first);
        free(w);
        return NULL;
}

struct mount_watch *mount_watch_free(struct mount_watch *watch)
{
        if (!watch)
                return NULL;
        (void)pthread_mutex_lock(&watch->lock);
        watch->ending = true;
        (void)pthread_mutex_unlock(&watch->lock);
        if (watch->started) {
                wake(watch);
                (void)pthread_join(watch->thread, NULL);
        }
        while (watch->list) {
                struct watched *w = watch->list;

                watch->list = w->next;
                watched_free(w);
        }
        mounts_free(watch->mounts);
        close_fd(watch->epoll);
        close_fd(watch->wake);
        (void)pthread_mutex_destroy(&watch->lock);
        (void)pthread_mutex_destroy(&watch->count_lock);
        free(watch);
        return NULL;
}

void mount_watch_freep(struct mount_watch **watch)
{
        *watch = mount_watch_free(*watch);
}

/* --- partitions --- */

/* What an earlier croftd has made. */
struct collection {
        struct mount_watch *watch;
        struct mount_known *known;
        size_t n, room;
};

static int note_known(const struct kstat_info *info, void *context)
{
        struct collection *c = context;
        struct mount_known *known;

        for (size_t i = c->n; i-- > 0;) /* the one before, as a rule */
                if (c->known[i].key == info->argument) {
                        c->known[i].kids[strcmp(info->head.key.name, "io") != 0] = info->head.kid;
                        return 0;
                }
        if (c->n == c->room) {
                known = reallocarray(c->known, c->room * 2 + 64, sizeof(*known));
                if (!known)
                        return -ENOMEM;
                c->known = known;
                c->room = c->room * 2 + 64;
        }
        known = &c->known[c->n++];
        *known = (struct mount_known){
                .key = info->argument, .created = mounts_created(c->watch->mounts, info->argument)};
        known->kids[strcmp(info->head.key.name, "io") != 0] = info->head.kid;
        return 0;
}

static int find_known(struct mount_watch *watch, uint64_t id, struct collection *ret, struct croft_error *err)
{
        int r;

        *ret = (struct collection){.watch = watch};
        r = kstats_each(watch->kstats, "mount", NULL, id, note_known, ret, err);
        if (r < 0) {
                free(ret->known);
                ret->known = NULL;
                return r;
        }
        if (ret->n > 0)
                qsort(ret->known, ret->n, sizeof(*ret->known), mount_known_by_key);
        return 0;
}

static int open_mountinfo(const struct mount_watch *watch, const struct mount_watch_partition *p, struct watched *w)
{
        char path[64];
        int r;

        (void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)p->pid);
        w->mountinfo = fd_open2(AT_FDCWD, path, O_RDONLY, 0, 0);
        if (w->mountinfo < 0)
                return w->mountinfo;
        r = watch_fd(watch, w->mountinfo, EPOLLPRI, p->id);
        return r;
}

static int take_base(
        struct mount_watch *watch, const struct mount_watch_partition *p, struct watched *w, struct croft_error *err)
{
        struct mounts_list list;
        int r = mounts_take_base(watch->mounts, p->id, p->new_one ? p->pid : 0, &list, err);

        if (r < 0)
                return r;
        w->first = calloc(list.n + 1, sizeof(*w->first)); /* without it they are found by a walk over all */
        for (size_t i = 0; w->first && i < list.n; i++)
                w->first[w->n_first++] = list.found[i].key;
        mounts_list_done(&list);
        return 0;
}

static int add(
        struct mount_watch *watch, const struct mount_watch_partition *p, struct watched *w, struct croft_error *err)
{
        struct collection known = {.n = 0};
        int r = mounts_add_partition(watch->mounts, p->id, p->cgroup, p->new_one ? p->last : 0, err);

        if (r < 0)
                return r;
        /* On no record: nobody knows who mounted what.  Then global did. */
        if (p->new_one ? p->last == 0 || r == 1 : r == 0)
                r = take_base(watch, p, w, err);
        if (r < 0)
                return r;
        r = open_mountinfo(watch, p, w);
        if (r < 0)
                return croft_error_set(err, r, "watch the mounts of process %d", (int)p->pid);
        r = p->new_one ? 0 : find_known(watch, p->id, &known, err);
        if (r < 0)
                return r;
        w->known = known.known;
        w->n_known = known.n;
        return 0;
}

int mount_watch_add(struct mount_watch *watch, const struct mount_watch_partition *p, struct croft_error *err)
{
        struct watched *w;
        int r;

        if (p->id == WAKE_ID || p->id == EVENTS_ID)
                return croft_error_set(err, EINVAL, "watch the mounts of partition %ju", (uintmax_t)p->id);
        w = calloc(1, sizeof(*w));
        if (!w)
                return croft_error_set(err, ENOMEM, "watch mounts");
        *w = (struct watched){.id = p->id,
                .wanted = p->wanted,
                .base = p->base,
                .mountinfo = -EBADF,
                .pause_ms = now_ms() + (p->new_one ? FIRST_MS : 0)};
        w->due_ms = w->pause_ms;
        (void)pthread_mutex_lock(&watch->lock);
        r = find(watch, p->id) ? -EEXIST : add(watch, p, w, err);
        if (r == 0) {
                w->next = watch->list;
                watch->list = TAKE(w);
        }
        /* Before its first program: from the first byte on.  What an adopted one wants counts already. */
        if (r == 0 && p->wanted > watch->counting && p->new_one && !watch->cannot_count)
                change_counting(watch);
        else if (r == 0 && p->wanted > watch->counting)
                watch->count_ms = 0;
        (void)pthread_mutex_unlock(&watch->lock);
        if (w)
                watched_free(w);
        wake(watch);
        return r == -EEXIST ? 0 : r;
}

void mount_watch_want(struct mount_watch *watch, uint64_t id, enum mount_stats wanted)
{
        struct watched *w;

        (void)pthread_mutex_lock(&watch->lock);
        w = find(watch, id);
        if (w) {
                w->wanted = wanted;
                watch->count_ms = 0;
        }
        (void)pthread_mutex_unlock(&watch->lock);
        wake(watch);
}

/* The structures that are to be shown or hidden. */
struct base_changes {
        struct mount_watch *watch;
        uint64_t id;
        bool show;
        struct kstat_change *list;
        size_t n, room;
};

static int change_base(const struct kstat_info *info, void *context)
{
        struct base_changes *c = context;
        struct kstat_change *list;
        bool seen = false;

        for (size_t i = 0; i < info->n_partitions; i++)
                seen = seen || info->partitions[i] == c->id;
        if (seen == c->show || !mounts_is_base(c->watch->mounts, info->argument))
                return 0;
        if (c->n == c->room) {
                list = reallocarray(c->list, c->room * 2 + 64, sizeof(*list));
                if (!list)
                        return -ENOMEM;
                c->list = list;
                c->room = c->room * 2 + 64;
        }
        c->list[c->n++] = (struct kstat_change){
                .what = c->show ? KSTAT_ASSOCIATE : KSTAT_DISSOCIATE, .kid = info->head.kid, .partition = c->id};
        return 0;
}

int mount_watch_show_base(struct mount_watch *watch, uint64_t id, bool show, struct croft_error *err)
{
        struct base_changes changes = {.watch = watch, .id = id, .show = show};
        struct watched *w;
        int r = 0;

        (void)pthread_mutex_lock(&watch->lock);
        w = find(watch, id);
        if (w)
                r = kstats_each(watch->kstats, "mount", NULL, id, change_base, &changes, err);
        if (r == 0 && changes.n > 0)
                r = kstats_apply(watch->kstats, changes.list, changes.n, err);
        if (r == 0 && w)
                w->base = show; /* those to come */
        (void)pthread_mutex_unlock(&watch->lock);
        free(changes.list);
        return r;
}

static void unlist(struct mount_watch *watch, uint64_t id)
{
        for (struct watched **place = &watch->list; *place; place = &(*place)->next)
                if ((*place)->id == id) {
                        struct watched *w = *place;

                        *place = w->next;
                        watched_free(w); /* epoll forgets a descriptor that is closed */
                        if (watch->count_ms == NEVER)
                                watch->count_ms = now_ms() + LINGER_MS;
                        return;
                }
}

/* In one change of what is seen. */
static int end_all(struct mount_watch *watch, const struct collection *known, struct croft_error *err)
{
        _cleanup_free_ uint64_t *kids = calloc(2 * known->n + 1, sizeof(*kids));
        size_t n = 0;

        if (!kids)
                return croft_error_set(err, ENOMEM, "end the structures of mounts");
        for (size_t i = 0; i < known->n; i++)
                for (size_t j = 0; j < ELEMENTS(known->known[i].kids); j++)
                        if (known->known[i].kids[j])
                                kids[n++] = known->known[i].kids[j];
        return n > 0 ? kstats_delete(watch->kstats, kids, n, err) : 0;
}

static int forget(struct mount_watch *watch, uint64_t id, const struct collection *known, struct croft_error *err)
{
        _cleanup_free_ uint64_t *keys = calloc(known->n + 1, sizeof(*keys));

        if (!keys)
                return croft_error_set(err, ENOMEM, "forget mounts");
        for (size_t i = 0; i < known->n; i++)
                keys[i] = known->known[i].key;
        return mounts_remove_partition(watch->mounts, id, keys, known->n, err);
}

int mount_watch_remove(struct mount_watch *watch, uint64_t id, struct croft_error *err)
{
        struct collection known = {.n = 0};
        int r;

        (void)pthread_mutex_lock(&watch->lock);
        unlist(watch, id);
        /* Those in the maps, whatever was noted here. */
        r = find_known(watch, id, &known, err);
        if (r == 0)
                r = end_all(watch, &known, err);
        if (r == 0)
                r = forget(watch, id, &known, err);
        free(known.known);
        (void)pthread_mutex_unlock(&watch->lock);
        wake(watch);
        return r;
}

void mount_watch_count(struct mount_watch *watch, struct mount_watch_counts *ret)
{
        (void)pthread_mutex_lock(&watch->lock);
        *ret = watch->counts;
        for (const struct watched *w = watch->list; w; w = w->next)
                ret->refused += mounts_refused(watch->mounts, w->id);
        (void)pthread_mutex_unlock(&watch->lock);
}
