/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * provide_ask.c - an extension for a partition, from croftd's side.  See kext.h.
 */
#include "base/cleanup.h"
#include "kext/run.h"

#include <inttypes.h>
#include <string.h>

static int ask(const char *worker, const char *mode, const int *fds, size_t n, const char *path, uint32_t uid,
        struct croft_error *err)
{
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
        r = run_start(worker, mode, words, fds, n, KEXT_READ_MS, &run, err);
        if (r == 0)
                r = run_next(&run, msg, err);
        if (r == 0 && msg->type != MSG_END)
                r = croft_error_set(err, EBADMSG, "croft-kext says what it shouldn't");
        return r;
}

int kext_provide(
        const char *worker, int root, const char *path, uint32_t uid, int old, int fresh, struct croft_error *err)
{
        const int fds[] = {root, old, fresh};

        return ask(worker, "provide", fds, 3, path, uid, err);
}

int kext_provide_first(const char *worker, int root, const char *path, uint32_t uid, int bytes, struct croft_error *err)
{
        const int fds[] = {root, bytes};

        return ask(worker, "first", fds, 2, path, uid, err);
}
