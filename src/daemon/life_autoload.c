/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_autoload.c - what partitions make the kernel look for: what isn't granted was refused, and is put on record
 * (KXT-30, C-14); what is granted is loaded while the modprobe that the kernel has started for it waits.
 *
 * Which names are let go is said to the kernel beforehand, and only bounds what it starts for a partition.  What is
 * loaded for it is judged when it asks, as any other load.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/life_private.h"
#include "kext/autoload.h"
#include "kext/books.h"
#include "kext/kext.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define PAUSE_MS 1000    /* after what couldn't be loaded: a process of global's is started each time */
#define PATIENCE_MS 2000 /* until it is a request's turn */
#define TICK_MS 500
#define GIVEN_UP_MS 60000 /* who has held up others may not do so again at once */

/* --- what the kernel may look for --- */

/* Of names, while they are collected. */
struct collecting {
        struct autoload_names *names;
        int r;
};

static void collect(void *context, const char *alias)
{
        struct collecting *c = context;

        if (c->r == 0)
                c->r = autoload_names_add(c->names, alias);
}

/* names_lock is held, as in all that follow up to life_autoload_follow().  What was read once is good until somebody
 * registers something, or has policies read anew: so a start has nothing to read. */
static int read_requests(struct life *life, struct croft_error *err)
{
        return life->requests ? 0 : kext_requests_read(NULL, &life->requests, err);
}

/* What is registered, for whoever is granted all of that. */
static int allow_all(struct life *life, struct croft_error *err)
{
        _cleanup_(autoload_names_done) struct autoload_names wanted = {.n = 0};
        struct collecting collecting = {.names = &wanted};
        _cleanup_(life_kexts_done) struct life_kexts all = {.n = 0};
        int r;

        if (life->names_all_said)
                return 0;
        r = store_extensions(life->store, &all.list, &all.n, err);
        for (size_t i = 0; i < all.n; i++)
                if (all.list[i].state == KEXT_CURRENT && all.list[i].identity.kind == KEXT_KO)
                        kext_requests_each(life->requests, all.list[i].identity.name, collect, &collecting);
        if (r == 0 && collecting.r < 0)
                r = croft_error_set(err, collecting.r, "list what is registered");
        if (r == 0)
                r = autoload_allow(life->host->autoload, 0, &life->names_all, &wanted, err);
        life->names_all_said = r == 0;
        return r;
}

static int allow(struct unit *u, const struct kext_grant *grants, size_t n, struct croft_error *err)
{
        _cleanup_(autoload_names_done) struct autoload_names wanted = {.n = 0};
        struct collecting collecting = {.names = &wanted};
        struct life *life = u->life;
        int r = n > 0 ? read_requests(life, err) : 0;

        for (size_t i = 0; i < n && r == 0; i++) {
                if (strcmp(grants[i].name, KEXT_ALL) == 0) {
                        collect(&collecting, "");
                        r = allow_all(life, err);
                } else {
                        kext_requests_each(life->requests, grants[i].name, collect, &collecting);
                }
        }
        if (r == 0 && collecting.r < 0)
                r = croft_error_set(err, collecting.r, "list what is granted");
        return r < 0 ? r : autoload_allow(life->host->autoload, u->p.def.id, &u->names, &wanted, err);
}

static int follow(struct unit *u, struct croft_error *err)
{
        _cleanup_free_ struct kext_grant *grants = NULL;
        size_t n = 0;
        bool runs;
        int r;

        (void)pthread_mutex_lock(&u->p.lock);
        runs = u->p.run.pidfd >= 0 && !u->names_withdrawn;
        (void)pthread_mutex_unlock(&u->p.lock);
        r = runs ? unit_grants(u, &grants, &n, err) : 0;
        return r < 0 ? r : allow(u, grants, n, err);
}

void life_autoload_follow(struct unit *u)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];
        int r = 0;

        (void)pthread_mutex_lock(&u->life->names_lock);
        if (u->life->host->autoload)
                r = follow(u, &err);
        (void)pthread_mutex_unlock(&u->life->names_lock);
        if (r < 0)
                errors_note(u, croft_error_line(&err, line, sizeof(line)));
}

static void withdraw(struct unit *u, bool withdrawn)
{
        (void)pthread_mutex_lock(&u->life->names_lock);
        u->names_withdrawn = withdrawn;
        if (withdrawn)
                (void)allow(u, NULL, 0, NULL);
        (void)pthread_mutex_unlock(&u->life->names_lock);
}

void life_autoload_begin(struct unit *u)
{
        withdraw(u, false);
        life_autoload_follow(u);
}

static void forget_requests(struct life *life)
{
        (void)pthread_mutex_lock(&life->names_lock);
        life->requests = kext_requests_free(life->requests);
        life->names_all_said = false;
        (void)pthread_mutex_unlock(&life->names_lock);
}

void life_autoload_review(struct life *life)
{
        _cleanup_free_ struct unit **units = NULL;
        size_t n = 0;
        int r;

        if (!life->host->autoload)
                return;
        forget_requests(life);
        units = life_units(life, &n, &r);
        for (size_t i = 0; i < n; i++) {
                life_autoload_follow(units[i]);
                unit_unref(units[i]);
        }
}

/* --- what waits --- */

/* What brought nothing new will do so again: the kernel has that module, and asks for something that it hasn't got. */
static void pause_name(struct unit *u, const char *alias)
{
        (void)pthread_mutex_lock(&u->life->names_lock);
        autoload_pause(u->life->host->autoload, u->p.def.id, &u->names, alias, PAUSE_MS);
        (void)pthread_mutex_unlock(&u->life->names_lock);
        atomic_store(&u->names_paused, true);
}

/* "": nothing any more. */
static void set_serving(struct unit *u, const char *alias)
{
        (void)pthread_mutex_lock(&u->life->names_lock);
        (void)str_copy(u->serving, sizeof(u->serving), alias);
        u->served_ms = now_ms();
        (void)pthread_mutex_unlock(&u->life->names_lock);
}

static void serve(struct unit *u, struct autoload_wait *wait)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int r = kext_rate_note(&u->requested, (int64_t)time(NULL)) < 0 ? -EAGAIN : 0;

        set_serving(u, wait->alias);
        if (r == 0)
                r = unit_kext_request(u, wait->alias, &err);
        if (r != 1)
                pause_name(u, wait->alias);
        autoload_go(u->life->host->autoload, wait, r >= 0);
        set_serving(u, "");
}

/* They are told that there is nothing. */
static void refuse_all(struct life *life, uint64_t partition)
{
        struct autoload_wait wait;
        unsigned int place = 0;

        while (autoload_next(life->host->autoload, partition, &place, &wait))
                autoload_go(life->host->autoload, &wait, false);
}

/* Who has no names any more, since he is being stopped or frozen, isn't waited for. */
static bool has_none(struct unit *u)
{
        bool none;

        (void)pthread_mutex_lock(&u->life->names_lock);
        none = u->names.n == 0;
        (void)pthread_mutex_unlock(&u->life->names_lock);
        return none;
}

void unit_autoload_serve(struct unit *u)
{
        struct autoload_wait wait;
        unsigned int place = 0;

        atomic_store(&u->awaited, false); /* first: who comes from now on is told of again */
        if (has_none(u)) {
                refuse_all(u->life, u->p.def.id);
                return;
        }
        while (autoload_next(u->life->host->autoload, u->p.def.id, &place, &wait))
                serve(u, &wait);
}

void life_autoload_release(struct unit *u)
{
        if (!u->life->host->autoload)
                return;
        withdraw(u, true);
        refuse_all(u->life, u->p.def.id);
}

void life_autoload_unloaded(struct unit *u)
{
        if (!atomic_exchange(&u->names_paused, false))
                return;
        (void)pthread_mutex_lock(&u->life->names_lock);
        autoload_resume(u->life->host->autoload, u->p.def.id, &u->names);
        (void)pthread_mutex_unlock(&u->life->names_lock);
}

/* By the main thread, as what follows. */
static void set_timer(struct life *life, int64_t ms)
{
        const struct itimerspec timer = {.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}};

        life->names_timed = timerfd_settime(life->names_timer, 0, &timer, NULL) == 0;
}

static void want(struct unit *u)
{
        if (has_none(u)) {
                refuse_all(u->life, u->p.def.id);
                return;
        }
        atomic_store(&u->awaited, true);
        watch_queue(u);
        if (!u->life->names_timed) /* who comes later doesn't put it off */
                set_timer(u->life, PATIENCE_MS);
}

/* It isn't its turn, since its partition has something else done, or another one loaded.  Who asks may hold what that
 * waits for, as others of the machine do: he doesn't do that again at once, by whatever name. */
static void give_up(struct unit *u, struct autoload_wait *wait)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char name[NAME_LENGTH_MAX + 1] = "", shown[4 * AUTOLOAD_ALIAS + 1];

        (void)life_partition_name(u->life, u->p.def.id, name);
        (void)croft_error_set(&err, ETIMEDOUT,
                "'%s' made the kernel look for '%s' while something else was done with it.", name,
                str_escape(shown, sizeof(shown), wait->alias, strlen(wait->alias)));
        errors_refuse_for_global(u, &err);
        (void)pthread_mutex_lock(&u->life->names_lock);
        autoload_pause_all(u->life->host->autoload, u->p.def.id, &u->names, GIVEN_UP_MS);
        (void)pthread_mutex_unlock(&u->life->names_lock);
        autoload_go(u->life->host->autoload, wait, false);
}

/* For how long nothing of it went on: while others of its are served one after the other its turn comes. */
static bool is_too_old(struct unit *u, const struct autoload_wait *wait)
{
        int64_t idle_ms;
        bool served;

        (void)pthread_mutex_lock(&u->life->names_lock);
        served = strcmp(u->serving, wait->alias) == 0;
        idle_ms = now_ms() - u->served_ms;
        (void)pthread_mutex_unlock(&u->life->names_lock);
        return !served && wait->age_ms >= PATIENCE_MS && idle_ms >= PATIENCE_MS;
}

static void give_up_old(struct unit *u)
{
        struct autoload_wait wait;
        unsigned int place = 0;

        while (autoload_next(u->life->host->autoload, u->p.def.id, &place, &wait)) {
                if (is_too_old(u, &wait))
                        give_up(u, &wait);
                else
                        close_fd(wait.pidfd);
        }
}

void life_autoload_tick(struct life *life)
{
        _cleanup_free_ struct unit **units = NULL;
        uint64_t expired;
        size_t n = 0;
        int r;

        (void)TEMP_FAILURE_RETRY(read(life->names_timer, &expired, sizeof(expired)));
        life->names_timed = false;
        if (!autoload_is_one_waiting(life->host->autoload))
                return;
        units = life_units(life, &n, &r);
        for (size_t i = 0; i < n; i++) {
                give_up_old(units[i]);
                unit_unref(units[i]);
        }
        set_timer(life, TICK_MS);
}

/* --- what the kernel tells --- */

static void take(void *context, const struct autoload_ask *ask)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find_id(context, ask->partition);
        struct croft_error err = CROFT_ERROR_INIT;
        char note[AUTOLOAD_NOTE];

        if (ask->fate == AUTOLOAD_WAITS) {
                if (u)
                        want(u);
                else
                        refuse_all(context, ask->partition);
                return;
        }
        if (!u)
                return; /* it has gone, and its record with it */
        if (ask->fate == AUTOLOAD_LET && ask->alias[0]) {
                autoload_note(ask, note);
                errors_note(u, note);
                return;
        }
        autoload_say(ask, &err);
        errors_add(u, &err);
}

void life_autoload_dispatch(struct life *life)
{
        autoload_read(life->host->autoload, take, life);
}

/* names_lock is held. */
static bool is_said(void *context, uint64_t partition, const char *alias)
{
        struct life *life = context;
        _cleanup_(unit_unrefp) struct unit *u = partition > 0 ? life_find_id(life, partition) : NULL;

        if (partition == 0)
                return autoload_names_has(&life->names_all, alias);
        return u && autoload_names_has(&u->names, alias);
}

/* What an earlier croftd has said that isn't so any more. */
static void sweep(struct life *life)
{
        (void)pthread_mutex_lock(&life->names_lock);
        autoload_sweep(life->host->autoload, is_said, life);
        (void)pthread_mutex_unlock(&life->names_lock);
}

static int listen_to(struct life *life, int fd, uint64_t id, struct croft_error *err)
{
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = id};

        if (fd < 0 || epoll_ctl(life->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
                return croft_error_set(err, errno, "listen to what partitions make the kernel load");
        return 0;
}

void life_autoload_watch(struct life *life)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int r;

        if (!life->host->autoload)
                return;
        sweep(life);
        r = listen_to(life, autoload_fd(life->host->autoload), LIFE_AUTOLOAD_ID, &err);
        if (r < 0) {
                log_error(LOG_LEVEL_WARNING, &err, "what is refused isn't put on record");
                return;
        }
        life->names_timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        r = listen_to(life, life->names_timer, LIFE_AUTOLOAD_TIMER_ID, &err);
        if (r == 0)
                r = autoload_serve(life->host->autoload, &err);
        if (r < 0)
                log_error(LOG_LEVEL_WARNING, &err, "what the kernel looks for by itself is refused, granted or not");
}

void life_autoload_forget(struct unit *u)
{
        if (u->life->host->autoload)
                autoload_forget(u->life->host->autoload, u->p.def.id);
}

void life_autoload_rest(struct life *life)
{
        if (life->host->autoload)
                autoload_rest(life->host->autoload);
}

void life_autoload_close(struct life *life)
{
        life_autoload_rest(life); /* what came to wait since */
        life->names_timer = close_fd(life->names_timer);
        life->requests = kext_requests_free(life->requests);
        autoload_names_done(&life->names_all);
}
