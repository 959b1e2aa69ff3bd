/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * packages_rules.c - see packages_rules.h.
 *
 * A partition may change its packages all the time, and store as much as it likes: how often it is scanned, and which
 * part of a CPU that takes, is bounded here.
 */
#include "daemon/packages_rules.h"

#include "base/str.h"

#include <string.h>

void packages_touch(struct packages_watch *w, int64_t now)
{
        if (w->due == 0)
                w->due = now + PACKAGES_SETTLE_MS;
}

enum packages_next packages_judge(struct packages_watch *w, const char *scanned, const char *stamp, int64_t now)
{
        bool settled = strcmp(w->seen, stamp) == 0;

        (void)str_copy(w->seen, sizeof(w->seen), stamp);
        w->patience = 0;
        if (scanned && strcmp(scanned, stamp) == 0) {
                w->due = w->since = 0;
                return PACKAGES_REST;
        }
        if (w->since == 0)
                w->since = now;
        w->due = 0;
        if (!settled && now - w->since < PACKAGES_CHANGING_MS)
                w->due = now + PACKAGES_SETTLE_MS;
        else if (now < w->again)
                w->due = w->again;
        return w->due > 0 ? PACKAGES_WAIT : PACKAGES_SCAN;
}

void packages_failed(struct packages_watch *w, int64_t now)
{
        w->patience = w->patience > 0 ? 2 * w->patience : PACKAGES_FAILED_MS;
        if (w->patience > PACKAGES_FAILED_MAX)
                w->patience = PACKAGES_FAILED_MAX;
        w->due = now + w->patience;
}

void packages_scanned(struct packages_watch *w, int64_t begun, int64_t now)
{
        int64_t pause = (now - begun) * PACKAGES_SHARE;

        w->again = now + (pause > PACKAGES_PAUSE_MS ? pause : PACKAGES_PAUSE_MS);
        w->since = 0;
}
