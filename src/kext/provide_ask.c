/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * provide_ask.c - a newer generation for a partition, from croftd's side.  See kext.h.
 */
#include "base/cleanup.h"
#include "kext/run.h"

#include <inttypes.h>
#include <string.h>

int kext_provide(
        const char *worker, int root, const char *path, uint32_t uid, int old, int fresh, struct croft_error *err)
{
        const int fds[] = {root, old, fresh};
        _cleanup_(run_end) struct run run = RUN_INIT;
        struct msg *msg = calloc(1, sizeof(*msg));
        _cleanup_free_ char *own_path = strdup(path);
        _cleanup_free_ void *own = msg;
        char id[16];
        char *words[] = {id, own_path, NULL};
        int r;

        if (!msg || !own_path)
                return croft_error_set(err, ENOMEM, "provide it");
        (void)snprintf(id, sizeof(id), "%" PRIu32, uid);
        r = run_start(worker, "provide", words, fds, 3, KEXT_READ_MS, &run, err);
        if (r == 0)
                r = run_next(&run, msg, err);
        if (r == 0 && msg->type != MSG_END)
                r = croft_error_set(err, EBADMSG, "croft-kext says what it shouldn't");
        return r;
}
