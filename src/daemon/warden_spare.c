/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warden_spare.c - a warden in reserve.  See warden_spare.h.
 */
#include "daemon/warden_spare.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/process.h"

#include <poll.h>
#include <sys/eventfd.h>

#define END_MS 1000

static const struct warden_process none = {.socket = -EBADF, .pidfd = -EBADF};

int warden_spare_init(struct warden_spare *spare, struct warden_spawner *spawner, struct croft_error *err)
{
        *spare = (struct warden_spare){
                .spawner = spawner, .process = none, .wanted = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        (void)pthread_mutex_init(&spare->lock, NULL); /* with these attributes it can't fail */
        return spare->wanted < 0 ? croft_error_set(err, errno, "make an eventfd") : 0;
}

static struct warden_process swap(struct warden_spare *spare, struct warden_process process)
{
        struct warden_process old;

        (void)pthread_mutex_lock(&spare->lock);
        old = spare->process;
        spare->process = process;
        (void)pthread_mutex_unlock(&spare->lock);
        return old;
}

/* The end of its socket is the end of a warden that has no partition. */
static void drop(struct warden_process *process)
{
        process->socket = close_fd(process->socket);
        process->pidfd = close_fd(process->pidfd);
}

void warden_spare_done(struct warden_spare *spare)
{
        if (spare->wanted <= 0)
                return;
        /* When croftd has ended in order nothing of it is left, not even for the moment that such an end takes. */
        (void)process_signal(spare->process.pidfd, SIGKILL);
        (void)process_wait(spare->process.pidfd, END_MS);
        drop(&spare->process);
        spare->wanted = close_fd(spare->wanted);
        (void)pthread_mutex_destroy(&spare->lock);
}

/* It is to say nothing before it is asked, and to live. */
static bool is_fresh(const struct warden_process *process)
{
        struct pollfd p = {.fd = process->socket, .events = POLLIN | POLLRDHUP};

        return process->pidfd >= 0 && !process_ended(process->pidfd) && poll(&p, 1, 0) == 0;
}

int warden_spare_take(struct warden_spare *spare, struct warden_process *ret, struct croft_error *err)
{
        struct warden_process process = swap(spare, none);

        if (is_fresh(&process)) {
                *ret = process;
                return 0;
        }
        drop(&process);
        return warden_spawn(spare->spawner, "warden", ret, err);
}

void warden_spare_want(struct warden_spare *spare)
{
        (void)eventfd_write(spare->wanted, 1); /* full: it is wanted already */
}

void warden_spare_fill(struct warden_spare *spare)
{
        struct warden_process process;
        eventfd_t count;

        if (eventfd_read(spare->wanted, &count) < 0)
                return;
        process = swap(spare, none);
        /* What can't be spawned now is said by the start that needs it. */
        if (!is_fresh(&process)) {
                drop(&process);
                if (warden_spawn(spare->spawner, "warden", &process, NULL) < 0)
                        return;
        }
        process = swap(spare, process);
        drop(&process);
}
