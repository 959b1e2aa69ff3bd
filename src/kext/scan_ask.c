/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * scan_ask.c - a scan, and a look at packages, from croftd's side.  See kext.h.
 *
 * What croft-kext says is taken one by one, so that what it has found when its time is over isn't lost.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "kext/run.h"

#include <inttypes.h>
#include <string.h>

#define LATER_MS 2000 /* that it may take beyond its own limit */

struct listening {
        struct kext_finding *list;
        size_t n;
        const struct kext_scan_ask *ask;
        char stamp[KEXT_SHA256_LENGTH + 1];
};

static int add(struct listening *l, const struct kext_finding *finding, struct croft_error *err)
{
        if (l->n == KEXT_FINDINGS_MAX)
                return croft_error_set(err, EBADMSG, "croft-kext says what it shouldn't");
        if ((l->n & (l->n - 1)) == 0) { /* full at each power of two */
                struct kext_finding *p = reallocarray(l->list, l->n ? 2 * l->n : 1, sizeof(*p));

                if (!p)
                        return croft_error_set(err, ENOMEM, "list what was found");
                l->list = p;
        }
        l->list[l->n++] = *finding;
        return 0;
}

/* 1: it was the last. */
static int take(struct listening *l, const struct msg *msg, struct croft_error *err)
{
        char text[64];

        switch (msg->type) {
        case MSG_PROGRESS:
                (void)snprintf(text, sizeof(text), "looked at %" PRIu64 " files", msg->number);
                if (l->ask->say)
                        l->ask->say(l->ask->context, text);
                return 0;
        case MSG_LOOK:
                (void)str_copy(l->stamp, sizeof(l->stamp), msg->look.stamp);
                return 0;
        case MSG_FINDING:
                return add(l, &msg->finding, err);
        case MSG_BELONGS:
                if (msg->number >= l->n)
                        return croft_error_set(err, EBADMSG, "croft-kext says what it shouldn't");
                (void)str_copy(
                        l->list[msg->number].application, sizeof(l->list->application), msg->finding.application);
                return 0;
        case MSG_WANTED:
                if (msg->number >= l->n)
                        return croft_error_set(err, EBADMSG, "croft-kext says what it shouldn't");
                (void)str_copy(l->list[msg->number].configured, sizeof(l->list->configured), msg->finding.configured);
                return 0;
        case MSG_END:
                return 1;
        default:
                return croft_error_set(err, EBADMSG, "croft-kext says what it shouldn't");
        }
}

static int listen_to(struct run *run, struct listening *l, struct croft_error *err)
{
        const struct kext_finding late = {.path = "/", .oddity = "the scan was ended: something in there hangs"};
        struct msg *msg = malloc(sizeof(*msg));
        _cleanup_free_ void *own = msg;
        int r = msg ? 0 : croft_error_set(err, ENOMEM, "scan");

        while (r == 0) {
                r = run_next(run, msg, err);
                if (r == -ETIMEDOUT)
                        return l->n < KEXT_FINDINGS_MAX ? add(l, &late, err) : 0;
                if (r == 0)
                        r = take(l, msg, err);
        }
        return r < 0 ? r : 0;
}

int kext_scan(const struct kext_scan_ask *ask, struct kext_scanned *ret, struct croft_error *err)
{
        const struct kext_scan_place *place = &ask->place;
        const int whole[] = {place->root}, layers[] = {place->lower, place->upper};
        struct listening l = {.ask = ask};
        _cleanup_(run_end) struct run run = RUN_INIT;
        char entries[24], bytes[24], seconds[24], aside[] = {ask->aside ? '1' : '0', '\0'};
        char *words[] = {entries, bytes, seconds, aside, NULL};
        int r;

        (void)snprintf(entries, sizeof(entries), "%" PRIu64, ask->limits.entries);
        (void)snprintf(bytes, sizeof(bytes), "%" PRIu64, ask->limits.bytes);
        (void)snprintf(seconds, sizeof(seconds), "%u", ask->limits.seconds);
        r = run_start(ask->worker, "scan", words, place->root >= 0 ? whole : layers, place->root >= 0 ? 1 : 2,
                (int)ask->limits.seconds * 1000 + LATER_MS, &run, err);
        run.stop = ask->stop;
        if (r == 0)
                r = listen_to(&run, &l, err);
        if (r < 0) {
                free(l.list);
                return r;
        }
        *ret = (struct kext_scanned){.list = l.list, .n = l.n};
        (void)str_copy(ret->stamp, sizeof(ret->stamp), l.stamp);
        return 0;
}

int kext_look(const char *worker, int root, int inotify, int stop, struct kext_look *ret, struct croft_error *err)
{
        const int fds[] = {root, inotify};
        _cleanup_(run_end) struct run run = RUN_INIT;
        struct msg *msg = calloc(1, sizeof(*msg));
        _cleanup_free_ void *own = msg;
        char *words[] = {NULL};
        int r;

        if (!msg)
                return croft_error_set(err, ENOMEM, "look at its packages");
        r = run_start(worker, "look", words, fds, 2, KEXT_READ_MS, &run, err);
        run.stop = stop;
        if (r == 0)
                r = run_next(&run, msg, err);
        if (r == 0 && msg->type != MSG_LOOK)
                r = croft_error_set(err, EBADMSG, "croft-kext says what it shouldn't");
        if (r == 0)
                *ret = msg->look;
        return r;
}
