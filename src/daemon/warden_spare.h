/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warden_spare.h - one warden that is loaded, linked, in a root of its own, and waits for its first message, so that a
 * start needn't wait for execve, the dynamic linker and what can be made for anybody.
 *
 * It is nobody's yet: it knows no partition, holds nothing of one, and ends with its socket.  There is none
 * before the first start, and none again where one can't be made: what takes it then makes its own.
 */
#ifndef CROFT_DAEMON_WARDEN_SPARE_H
#define CROFT_DAEMON_WARDEN_SPARE_H

#include "daemon/warden_spawner.h"

#include <pthread.h>

struct warden_spare {
        struct warden_spawner *spawner; /* borrowed */
        pthread_mutex_t lock;
        struct warden_process process; /* pidfd -EBADF: none */
        int wanted;                    /* an eventfd: readable when a new one is to be made */
};

int warden_spare_init(struct warden_spare *spare, struct warden_spawner *spawner, struct croft_error *err);
void warden_spare_done(struct warden_spare *spare); /* ends it; a zeroed one has nothing to end */

/* The one that waits, or, where there is none that lives, a new one.  As warden_spawn(). */
int warden_spare_take(struct warden_spare *spare, struct warden_process *ret, struct croft_error *err);

/* Asks for a new one; any thread.  Doesn't block. */
void warden_spare_want(struct warden_spare *spare);

/* Makes it.  By the thread that waits on `wanted`: its children are reaped by life_reap(). */
void warden_spare_fill(struct warden_spare *spare);

#endif
