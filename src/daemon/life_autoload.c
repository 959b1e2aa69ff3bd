/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_autoload.c - what partitions made the kernel look for, and were refused, is put on record (KXT-30, C-14).
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/life_private.h"
#include "kext/autoload.h"

#include <errno.h>
#include <sys/epoll.h>

static void record(void *context, const struct autoload_ask *ask)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find_id(context, ask->partition);
        struct croft_error err = CROFT_ERROR_INIT;
        char note[AUTOLOAD_NOTE];

        if (!u)
                return; /* it has gone, and its record with it */
        if (ask->let && ask->alias[0]) {
                autoload_note(ask, note);
                errors_note(u, note);
                return;
        }
        autoload_say(ask, &err);
        errors_add(u, &err);
}

void life_autoload_dispatch(struct life *life)
{
        autoload_read(life->host->autoload, record, life);
}

void life_autoload_watch(struct life *life)
{
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = LIFE_AUTOLOAD_ID};
        struct croft_error err = CROFT_ERROR_INIT;

        if (!life->host->autoload ||
                epoll_ctl(life->epoll, EPOLL_CTL_ADD, autoload_fd(life->host->autoload), &event) == 0)
                return;
        croft_error_set(&err, errno, "listen to what partitions make the kernel load");
        log_error(LOG_LEVEL_WARNING, &err, "what is refused isn't put on record");
}

void life_autoload_forget(struct unit *u)
{
        if (u->life->host->autoload)
                autoload_forget(u->life->host->autoload, u->p.def.id);
}
