/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_devid.c - what is to be done about device numbers when nobody calls croftd: special files that partitions want,
 * numbers that they have given back, drivers and devices of the machine that come and go.
 *
 * A thread does that; no partition is owned for it: what is done to the /dev of one that is just ending goes with it.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "daemon/life_private.h"
#include "devid/devid.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>

#define PAUSE_MS 5

static void tell(void *context, uint64_t id, const char *text, bool is_error)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find_id(context, id);

        if (!u)
                return;
        if (is_error)
                errors_note_partition(&u->p, text);
        unit_event(u, "device", text);
}

static int open_dev(void *context, uint64_t id, uint32_t *ret_uid_base)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find_id(context, id);
        int fd = -EBADF;

        if (!u)
                return -EBADF;
        (void)pthread_mutex_lock(&u->p.lock);
        if (u->p.run.dev >= 0)
                fd = fcntl(u->p.run.dev, F_DUPFD_CLOEXEC, 3);
        *ret_uid_base = u->p.def.uid_base;
        (void)pthread_mutex_unlock(&u->p.lock);
        return fd;
}

static void follow(struct life *life)
{
        const struct devid_ear ear = {.tell = tell, .open_dev = open_dev, .context = life};

        devid_follow(life->host->devid, &ear);
}

void life_devid_look(struct life *life)
{
        const struct devid_ear ear = {.tell = tell, .open_dev = open_dev, .context = life};
        struct croft_error err = CROFT_ERROR_INIT;

        if (!life->host->devid)
                return;
        if (devid_look_at_host(life->host->devid, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "what the machine has come to have may be given to partitions");
        devid_look_at_devices(life->host->devid, &ear);
        follow(life);
}

/* Between two looks it pauses: partitions may give it as much to do as they like. */
static void *work(void *arg)
{
        const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
        struct life *life = arg;
        struct pollfd fds[] = {{.fd = life->devid_wanted, .events = POLLIN},
                {.fd = devid_wake_fd(life->host->devid), .events = POLLIN}};

        follower_stand_back();
        while (!life_is_ending(life)) {
                eventfd_t n;

                if (poll(fds, ELEMENTS(fds), -1) < 0 && errno != EINTR)
                        return NULL;
                devid_hear(life->host->devid);
                if (eventfd_read(life->devid_wanted, &n) == 0)
                        life_devid_look(life);
                else
                        follow(life);
                (void)nanosleep(&pause, NULL);
        }
        return NULL;
}

void life_devid_changed(struct life *life)
{
        if (life->follows_devid)
                (void)eventfd_write(life->devid_wanted, 1); /* full: it is awake */
}

void life_devid_watch(struct life *life)
{
        if (!life->host->devid)
                return;
        life->devid_wanted = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        life->follows_devid = life->devid_wanted >= 0 && pthread_create(&life->devid_thread, NULL, work, life) == 0;
        if (!life->follows_devid)
                log_say(LOG_LEVEL_WARNING, "special files of device numbers are only made as partitions start");
}

void life_devid_close(struct life *life)
{
        if (life->follows_devid) {
                (void)pthread_mutex_lock(&life->queue_lock);
                life->ending = true;
                (void)pthread_mutex_unlock(&life->queue_lock);
                (void)eventfd_write(life->devid_wanted, 1);
                (void)pthread_join(life->devid_thread, NULL);
        }
        life->follows_devid = false;
        life->devid_wanted = close_fd(life->devid_wanted);
}
