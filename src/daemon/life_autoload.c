/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_autoload.c - what partitions make the kernel look for: what isn't granted was refused, and is put on record
 * (KXT-30, C-14); what is granted is loaded while the modprobe that the kernel has started for it waits.
 *
 * Which names are let go is said to the kernel beforehand, and only bounds what it starts for a partition.  What is
 * loaded for it is judged when it asks, as any other load.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/life_private.h"
#include "kext/autoload.h"
#include "kext/kext.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define PAUSE_MS 1000 /* after what couldn't be loaded: a process of global's is started each time */

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
        int r = life->names_all.n > 0 ? 0 : store_extensions(life->store, &all.list, &all.n, err);

        if (life->names_all.n > 0)
                return 0;
        for (size_t i = 0; i < all.n; i++)
                if (all.list[i].state == KEXT_CURRENT && all.list[i].identity.kind == KEXT_KO)
                        kext_requests_each(life->requests, all.list[i].identity.name, collect, &collecting);
        if (r == 0 && collecting.r < 0)
                r = croft_error_set(err, collecting.r, "list what is registered");
        return r < 0 ? r : autoload_allow(life->host->autoload, 0, &life->names_all, &wanted, err);
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
        runs = u->p.run.pidfd >= 0;
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

static void forget_requests(struct life *life)
{
        (void)pthread_mutex_lock(&life->names_lock);
        life->requests = kext_requests_free(life->requests);
        autoload_names_done(&life->names_all);
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

static void serve(struct unit *u, struct autoload_wait *wait)
{
        struct croft_error err = CROFT_ERROR_INIT;
        const struct autoload *autoload = u->life->host->autoload;
        int r = unit_kext_request(u, wait->alias, &err);

        if (r < 0) {
                (void)pthread_mutex_lock(&u->life->names_lock);
                autoload_pause(autoload, u->p.def.id, &u->names, wait->alias, PAUSE_MS);
                (void)pthread_mutex_unlock(&u->life->names_lock);
        }
        autoload_go(autoload, wait, r == 0);
}

/* They are told that there is nothing. */
static void refuse_all(struct life *life, uint64_t partition)
{
        struct autoload_wait wait;
        unsigned int place = 0;

        while (autoload_next(life->host->autoload, partition, &place, &wait))
                autoload_go(life->host->autoload, &wait, false);
}

void unit_autoload_serve(struct unit *u)
{
        struct autoload_wait wait;
        unsigned int place = 0;

        atomic_store(&u->awaited, false); /* first: who comes from now on is told of again */
        if (u->p.run.pidfd < 0) {
                refuse_all(u->life, u->p.def.id);
                return;
        }
        while (autoload_next(u->life->host->autoload, u->p.def.id, &place, &wait))
                serve(u, &wait);
}

void life_autoload_release(struct unit *u)
{
        struct life *life = u->life;

        if (!life->host->autoload)
                return;
        (void)pthread_mutex_lock(&life->names_lock);
        (void)allow(u, NULL, 0, NULL);
        (void)pthread_mutex_unlock(&life->names_lock);
        refuse_all(life, u->p.def.id);
}

/* One that is being stopped gets nothing any more: else its last programs would wait for the end of that. */
static bool is_stopping(struct unit *u)
{
        bool stopping;

        (void)pthread_mutex_lock(&u->p.lock);
        stopping = u->p.operation && (strcmp(u->p.operation, life_action_name(LIFE_STOP)) == 0 ||
                                             strcmp(u->p.operation, life_action_name(LIFE_KILL)) == 0);
        (void)pthread_mutex_unlock(&u->p.lock);
        return stopping;
}

static void want(struct unit *u)
{
        if (is_stopping(u)) {
                refuse_all(u->life, u->p.def.id);
                return;
        }
        atomic_store(&u->awaited, true);
        watch_queue(u);
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

static bool is_there(void *context, uint64_t partition)
{
        _cleanup_(unit_unrefp) struct unit *u = partition > 0 ? life_find_id(context, partition) : NULL;

        return partition == 0 || (u && u->names.n > 0);
}

/* What a croftd that has died has left: names of what runs no more, and who waits for it. */
static void settle(struct life *life)
{
        _cleanup_free_ struct unit **units = NULL;
        size_t n = 0;
        int r;

        autoload_sweep(life->host->autoload, is_there, life);
        units = life_units(life, &n, &r);
        for (size_t i = 0; i < n; i++) {
                want(units[i]);
                unit_unref(units[i]);
        }
}

void life_autoload_watch(struct life *life)
{
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = LIFE_AUTOLOAD_ID};
        struct croft_error err = CROFT_ERROR_INIT;

        if (!life->host->autoload)
                return;
        settle(life);
        if (epoll_ctl(life->epoll, EPOLL_CTL_ADD, autoload_fd(life->host->autoload), &event) == 0)
                return;
        croft_error_set(&err, errno, "listen to what partitions make the kernel load");
        log_error(LOG_LEVEL_WARNING, &err, "what is refused isn't put on record");
}

void life_autoload_forget(struct unit *u)
{
        if (u->life->host->autoload)
                autoload_forget(u->life->host->autoload, u->p.def.id);
}

void life_autoload_close(struct life *life)
{
        life->requests = kext_requests_free(life->requests);
        autoload_names_done(&life->names_all);
}
