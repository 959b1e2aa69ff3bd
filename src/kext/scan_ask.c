/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * scan_ask.c - a scan from croftd's side.  See kext.h.
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
        void (*say)(void *context, const char *text);
        void *context;
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
                if (l->say)
                        l->say(l->context, text);
                return 0;
        case MSG_FINDING:
                return add(l, &msg->finding, err);
        case MSG_BELONGS:
                if (msg->number >= l->n)
                        return croft_error_set(err, EBADMSG, "croft-kext says what it shouldn't");
                (void)str_copy(
                        l->list[msg->number].application, sizeof(l->list->application), msg->finding.application);
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

int kext_scan(const char *worker, const struct kext_scan_place *place, const struct kext_scan_limits *limits,
        void (*say)(void *context, const char *text), void *context, struct kext_finding **ret, size_t *ret_n,
        struct croft_error *err)
{
        const int whole[] = {place->root}, layers[] = {place->lower, place->upper};
        struct listening l = {.say = say, .context = context};
        _cleanup_(run_end) struct run run = RUN_INIT;
        char entries[24], bytes[24], seconds[24];
        char *words[] = {entries, bytes, seconds, NULL};
        int r;

        (void)snprintf(entries, sizeof(entries), "%" PRIu64, limits->entries);
        (void)snprintf(bytes, sizeof(bytes), "%" PRIu64, limits->bytes);
        (void)snprintf(seconds, sizeof(seconds), "%u", limits->seconds);
        r = run_start(worker, "scan", words, place->root >= 0 ? whole : layers, place->root >= 0 ? 1 : 2,
                (int)limits->seconds * 1000 + LATER_MS, &run, err);
        if (r == 0)
                r = listen_to(&run, &l, err);
        if (r < 0) {
                free(l.list);
                return r;
        }
        *ret = l.list;
        *ret_n = l.n;
        return 0;
}
