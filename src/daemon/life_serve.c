/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_serve.c - threads that hear brokers, and serve what these want of modules.
 *
 * A module may take its time to begin, so the few workers (life_watch.c) aren't for that; and a thread that is woken by
 * another one, or made for a call, takes longer than what there is to be done for a small one.  So these wait for
 * brokers themselves.  While one serves, another waits, which is made if need be: who keeps one keeps nobody else.  Of
 * a partition there is one call at a time, since who serves owns it.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/life_broker.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#define NO_ID 0       /* no partition has it: the end */
#define WAITING_MAX 3 /* two more than must be: else who calls again and again would have threads made and ended */

/* --- those that wait --- */

/* NULL: it is gone meanwhile, or the end. */
static struct unit *next_call(struct life *life)
{
        struct epoll_event event;
        int n;

        do
                n = epoll_wait(life->calls, &event, 1, -1);
        while (n < 0 && errno == EINTR);
        return n == 1 && event.data.u64 != NO_ID ? life_find_id(life, event.data.u64) : NULL;
}

/* false: enough others do, or it is the end. */
static bool wait_again(struct life *life)
{
        bool again;

        (void)pthread_mutex_lock(&life->queue_lock);
        again = !life->ending && life->waiting < WAITING_MAX;
        if (again)
                life->waiting++;
        else
                life->servers--;
        (void)pthread_cond_signal(&life->servers_ended);
        (void)pthread_mutex_unlock(&life->queue_lock);
        return again;
}

static void take_leave(struct life *life);

static void *serve(void *context)
{
        struct life *life = context;

        do {
                _cleanup_(unit_unrefp) struct unit *u = next_call(life);

                take_leave(life);
                if (u)
                        watch_look(u, true);
        } while (wait_again(life));
        return NULL;
}

static int start(void *(*run)(void *context), void *context)
{
        pthread_attr_t detached;
        pthread_t thread;
        int r;

        (void)pthread_attr_init(&detached); /* can't fail, nor can the next */
        (void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
        r = pthread_create(&thread, &detached, run, context);
        (void)pthread_attr_destroy(&detached);
        return -r;
}

/* One more, that waits. */
static int start_waiting(struct life *life)
{
        int r;

        (void)pthread_mutex_lock(&life->queue_lock);
        life->servers++;
        life->waiting++;
        (void)pthread_mutex_unlock(&life->queue_lock);
        r = start(serve, life);
        if (r == 0)
                return 0;
        (void)pthread_mutex_lock(&life->queue_lock);
        life->servers--;
        life->waiting--;
        (void)pthread_mutex_unlock(&life->queue_lock);
        return r;
}

/* It waits no more: another one does. */
static void take_leave(struct life *life)
{
        bool alone;

        (void)pthread_mutex_lock(&life->queue_lock);
        alone = --life->waiting == 0 && !life->ending;
        (void)pthread_mutex_unlock(&life->queue_lock);
        if (alone)
                (void)start_waiting(life); /* else others are heard when this one is through */
}

/* --- serving --- */

void serve_wish(struct unit *u)
{
        struct croft_error err = CROFT_ERROR_INIT;

        if (u->wish)
                broker_serve(u);
        if (atomic_load(&u->awaited))
                unit_autoload_serve(u);
        (void)life_end(u, u->p.state, 0, &err);
}

static void *serve_first(void *context)
{
        struct unit *u = context;
        struct life *life = u->life;

        serve_wish(u);
        unit_unref(u);
        return wait_again(life) ? serve(life) : NULL;
}

void serve_aside(struct unit *u)
{
        struct life *life = u->life;

        (void)pthread_mutex_lock(&life->queue_lock);
        life->servers++;
        (void)pthread_mutex_unlock(&life->queue_lock);
        if (start(serve_first, unit_ref(u)) == 0)
                return;
        (void)pthread_mutex_lock(&life->queue_lock);
        life->servers--;
        (void)pthread_mutex_unlock(&life->queue_lock);
        serve_wish(u);
        unit_unref(u);
}

/* --- their life --- */

int serve_open(struct life *life, struct croft_error *err)
{
        struct epoll_event end = {.events = EPOLLIN, .data.u64 = NO_ID};
        int r;

        life->calls = epoll_create1(EPOLL_CLOEXEC);
        life->calls_end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (life->calls < 0 || life->calls_end < 0 || epoll_ctl(life->calls, EPOLL_CTL_ADD, life->calls_end, &end) < 0)
                return croft_error_set(err, errno, "watch brokers");
        r = start_waiting(life);
        return r < 0 ? croft_error_set(err, r, "start a thread that hears brokers") : 0;
}

void serve_close(struct life *life)
{
        if (life->calls_end >= 0)
                (void)eventfd_write(life->calls_end, 1); /* wakes them one after the other: nobody reads it */
        (void)pthread_mutex_lock(&life->queue_lock);
        while (life->servers > 0)
                (void)pthread_cond_wait(&life->servers_ended, &life->queue_lock);
        (void)pthread_mutex_unlock(&life->queue_lock);
        life->calls = close_fd(life->calls);
        life->calls_end = close_fd(life->calls_end);
}
