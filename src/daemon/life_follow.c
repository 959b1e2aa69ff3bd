/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_follow.c - threads that wait for one thing to be wanted, and do it: what the main thread has heard of, and must
 * not wait for.
 */
#include "daemon/life_private.h"

#include <errno.h>
#include <sched.h>

void follower_stand_back(void)
{
        const struct sched_param param = {.sched_priority = 0};

        (void)sched_setscheduler(0, SCHED_BATCH, &param); /* of this thread; without it all is done as well */
}

static void *follow(void *context)
{
        struct follower *f = context;
        struct life *life = f->life;

        follower_stand_back();
        for (;;) {
                bool ending;

                (void)pthread_mutex_lock(&life->queue_lock);
                while (!f->wanted && !life->ending)
                        (void)pthread_cond_wait(&f->wake, &life->queue_lock);
                f->wanted = false;
                ending = life->ending;
                (void)pthread_mutex_unlock(&life->queue_lock);
                if (ending)
                        return NULL;
                f->work(life);
        }
}

int follower_start(struct follower *f, struct life *life, void (*work)(struct life *life), struct croft_error *err)
{
        f->life = life;
        f->work = work;
        (void)pthread_cond_init(&f->wake, NULL);
        if (pthread_create(&f->thread, NULL, follow, f) != 0) {
                (void)pthread_cond_destroy(&f->wake);
                return croft_error_set(err, EAGAIN, "start a thread");
        }
        f->lives = true;
        return 0;
}

void follower_want(struct follower *f)
{
        if (!f->lives)
                return;
        (void)pthread_mutex_lock(&f->life->queue_lock);
        f->wanted = true;
        (void)pthread_cond_signal(&f->wake);
        (void)pthread_mutex_unlock(&f->life->queue_lock);
}

void follower_close(struct follower *f)
{
        if (!f->lives)
                return;
        (void)pthread_mutex_lock(&f->life->queue_lock);
        f->life->ending = true;
        (void)pthread_cond_signal(&f->wake);
        (void)pthread_mutex_unlock(&f->life->queue_lock);
        (void)pthread_join(f->thread, NULL);
        (void)pthread_cond_destroy(&f->wake);
        f->lives = false;
}
