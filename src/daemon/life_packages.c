/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_packages.c - partitions whose packages have changed are scanned again, by themselves (KXT-37).
 *
 * One thread sleeps until a watched directory of a running partition changes (inotify, each watch for one event), or a
 * partition begins to run, which may have changed while nobody watched: what is there is compared with what the last
 * scan has seen.  It looks at one partition at a time, owns it meanwhile, and lets go of it as soon as anybody else
 * wants to.  Nothing is looked up in a partition's tree but by croft-kext.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "daemon/life_private.h"
#include "kernel/process.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#define BUSY_MS 1000 /* until one that somebody else owns is tried again */

struct packages {
        struct life *life;
        pthread_t thread;
        bool runs;
        int inotify, wanted, stop; /* the latter two: eventfd(2) */
};

static struct packages *packages_free(struct packages *p)
{
        close_fd(p->inotify);
        close_fd(p->wanted);
        close_fd(p->stop);
        free(p);
        return NULL;
}

/* --- what is watched -----------------------------------------------------------------------------------------------
 */

static bool has_watch(const struct unit *u, int number)
{
        for (size_t i = 0; i < u->packages.n_watches; i++)
                if (u->packages.watches[i] == number)
                        return true;
        return false;
}

/* Those that aren't wanted any more end; those that have told are gone already. */
static void drop_watches(struct packages *p, struct unit *u, const struct kext_look *look)
{
        for (size_t i = 0; i < u->packages.n_watches; i++) {
                bool stays = false;

                for (size_t j = 0; j < look->n; j++)
                        stays = stays || look->watches[j] == u->packages.watches[i];
                if (!stays)
                        (void)inotify_rm_watch(p->inotify, u->packages.watches[i]);
        }
        u->packages.n_watches = look->n;
        memcpy(u->packages.watches, look->watches, sizeof(look->watches));
}

/* What croft-kext says may be wrong: then one is scanned once more than it need be, or not by itself. */
static void hear_event(struct unit **units, size_t n, const struct inotify_event *event, int64_t now)
{
        for (size_t i = 0; i < n; i++)
                if (event->mask & IN_Q_OVERFLOW || has_watch(units[i], event->wd))
                        packages_touch(&units[i]->packages, now);
}

/* Names in events are the partition's, and are passed over. */
static void hear(struct packages *p, struct unit **units, size_t n)
{
        _Alignas(struct inotify_event) char buf[4096];
        ssize_t size;

        while ((size = read(p->inotify, buf, sizeof(buf))) > 0)
                for (ssize_t at = 0; at < size;) {
                        const struct inotify_event *event = (const void *)(buf + at);

                        hear_event(units, n, event, now_ms());
                        at += (ssize_t)(sizeof(*event) + event->len);
                }
}

/* --- a look ----------------------------------------------------------------------------------------------------------
 */

static int scan(struct packages *p, struct unit *u, struct croft_error *err)
{
        _cleanup_(life_scan_done) struct life_scan scan = {.n = 0};
        int64_t begun = now_ms();
        int r = unit_scan(u, &(struct unit_scan_wish){KEXT_SCAN_PACKAGES, true, p->stop}, &scan, err);

        if (r != -ECANCELED)
                packages_scanned(&u->packages, begun, now_ms());
        return r;
}

static int look(struct packages *p, struct unit *u, struct croft_error *err)
{
        struct life *life = u->life;
        struct kext_look look = {.n = 0};
        struct kext_scan_record last;
        _cleanup_close_ int root = unit_open_root(u, err);
        int r = root < 0 ? root : kext_look(life->host->kext_path, root, p->inotify, p->stop, &look, err);

        if (r < 0)
                return r;
        drop_watches(p, u, &look);
        r = store_scan(life->store, u->p.def.id, &last, NULL, NULL, err);
        if (r < 0)
                return r;
        if (packages_judge(&u->packages, last.number > 0 ? last.stamp : NULL, look.stamp, now_ms()) != PACKAGES_SCAN)
                return 0;
        root = close_fd(root);
        return scan(p, u, err);
}

static bool is_active(struct unit *u)
{
        bool active;

        (void)pthread_mutex_lock(&u->p.lock);
        active = u->p.state == PARTITION_ACTIVE && !process_ended(u->p.run.pidfd);
        (void)pthread_mutex_unlock(&u->p.lock);
        return active;
}

/* Of one that ends meanwhile nobody wants to know; it is looked at when it runs again. */
static void settle(struct unit *u, int r, struct croft_error *err)
{
        int64_t now = now_ms();

        if (r == -ECANCELED) {
                u->packages.due = now + PACKAGES_YIELDED_MS;
        } else if (r < 0 && is_active(u)) {
                packages_failed(&u->packages, now);
                croft_error_prefix(err, "look for changed packages");
                errors_refuse(u, err);
        } else if (r < 0) {
                u->packages.due = 0;
        }
}

static void attend(struct packages *p, struct unit *u)
{
        struct croft_error err = CROFT_ERROR_INIT;
        eventfd_t n;
        int r;

        (void)eventfd_read(p->stop, &n); /* who has asked for it has got it */
        u->packages.due = 0;
        if (!is_active(u) || life_is_ending(p->life)) /* which was asked for by the same */
                return;
        if (life_begin_unit(u, "look", UNIT_YIELDING) < 0) {
                u->packages.due = now_ms() + BUSY_MS;
                return;
        }
        r = is_active(u) ? look(p, u, &err) : 0;
        settle(u, r, &err);
        (void)life_end(u, u->p.state, 0, NULL);
}

/* --- the thread ------------------------------------------------------------------------------------------------------
 */

static void attend_all(struct packages *p, struct unit **units, size_t n)
{
        for (size_t i = 0; i < n && !life_is_ending(p->life); i++)
                if (units[i]->packages.due > 0 && units[i]->packages.due <= now_ms())
                        attend(p, units[i]);
}

/* In ms, -1: for ever. */
static int until_due(struct unit **units, size_t n)
{
        int64_t next = 0, left;

        for (size_t i = 0; i < n; i++)
                if (units[i]->packages.due > 0 && (next == 0 || units[i]->packages.due < next))
                        next = units[i]->packages.due;
        left = next == 0 ? -1 : next - now_ms();
        return next == 0 ? -1 : left < 0 ? 0 : (int)left;
}

/* One turn; returns how long to sleep then. */
static int turn(struct packages *p)
{
        size_t n = 0;
        int r = 0, timeout;
        _cleanup_free_ struct unit **units = life_units(p->life, &n, &r);

        if (r < 0)
                return BUSY_MS;
        for (size_t i = 0; i < n; i++)
                if (atomic_exchange(&units[i]->packages_wanted, false))
                        packages_touch(&units[i]->packages, now_ms());
        hear(p, units, n);
        attend_all(p, units, n);
        timeout = until_due(units, n);
        for (size_t i = 0; i < n; i++)
                unit_unref(units[i]);
        return timeout;
}

static void *work(void *context)
{
        struct packages *p = context;
        struct pollfd fds[] = {{.fd = p->inotify, .events = POLLIN}, {.fd = p->wanted, .events = POLLIN}};
        eventfd_t n;

        while (!life_is_ending(p->life)) {
                int timeout = turn(p);

                if (poll(fds, ELEMENTS(fds), timeout) < 0 && errno != EINTR)
                        return NULL;
                (void)eventfd_read(p->wanted, &n);
        }
        return NULL;
}

void life_packages_want(struct unit *u)
{
        struct packages *p = u->life->packages;

        if (!p)
                return;
        atomic_store(&u->packages_wanted, true);
        (void)eventfd_write(p->wanted, 1);
}

void life_packages_yield(struct unit *u)
{
        (void)eventfd_write(u->life->packages->stop, 1);
}

void life_packages_open(struct life *life)
{
        struct packages *p = calloc(1, sizeof(*p));
        struct croft_error err = CROFT_ERROR_INIT;

        if (p) {
                *p = (struct packages){.life = life,
                        .inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
                        .wanted = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                        .stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
                life->packages = p->inotify < 0 || p->wanted < 0 || p->stop < 0 ? NULL : p;
        }
        if (life->packages)
                return;
        croft_error_set(&err, errno, "watch the packages of partitions");
        log_error(LOG_LEVEL_WARNING, &err, "they are scanned for kernel extensions only when somebody asks");
        if (p)
                packages_free(p);
}

void life_packages_watch(struct life *life)
{
        struct packages *p = life->packages;
        size_t n = 0;
        int r = 0;
        _cleanup_free_ struct unit **units = p ? life_units(life, &n, &r) : NULL;

        for (size_t i = 0; i < n; i++) {
                atomic_store(&units[i]->packages_wanted, true); /* those that run */
                unit_unref(units[i]);
        }
        if (!p)
                return;
        p->runs = pthread_create(&p->thread, NULL, work, p) == 0;
        if (!p->runs)
                log_say(LOG_LEVEL_WARNING, "partitions are scanned for kernel extensions only when somebody asks");
}

void life_packages_close(struct life *life)
{
        struct packages *p = life->packages;

        if (!p)
                return;
        (void)pthread_mutex_lock(&life->queue_lock);
        life->ending = true;
        (void)pthread_mutex_unlock(&life->queue_lock);
        (void)eventfd_write(p->stop, 1);
        (void)eventfd_write(p->wanted, 1);
        if (p->runs)
                (void)pthread_join(p->thread, NULL);
        life->packages = packages_free(p);
}
