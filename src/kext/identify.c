/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * identify.c - a file's identity, by croft-kext.  See kext.h.
 *
 * croft-kext fills the memory file and says what it found there; it is sealed and hashed here, after that process has
 * ended, so that nobody has it any more who could change it.
 */
#include "base/cleanup.h"
#include "kext/bytes.h"
#include "kext/run.h"

#include <string.h>

static int ask(
        const char *worker, const char *path, int memfd, enum msg_type wanted, struct msg *ret, struct croft_error *err)
{
        _cleanup_free_ char *own_path = strdup(path);
        _cleanup_(run_end) struct run run = RUN_INIT;
        char *words[] = {own_path, NULL};
        int r;

        if (!own_path)
                return croft_error_set(err, ENOMEM, "start croft-kext");
        r = run_start(worker, wanted == MSG_READ ? "read" : "identify", words, &memfd, 1, KEXT_READ_MS, &run, err);
        if (r == 0)
                r = run_next(&run, ret, err);
        if (r == 0 && ret->type != wanted)
                r = croft_error_set(err, EBADMSG, "croft-kext says what it shouldn't");
        return r;
}

int kext_identify(
        const char *worker, const char *path, struct kext_identity *ret, int *ret_memfd, struct croft_error *err)
{
        _cleanup_close_ int memfd = bytes_memfd(err);
        struct msg *msg = calloc(1, sizeof(*msg));
        _cleanup_free_ void *own = msg;
        int r = memfd;

        if (!msg)
                return croft_error_set(err, ENOMEM, "identify it");
        if (r >= 0)
                r = ask(worker, path, memfd, MSG_IDENTITY, msg, err);
        if (r == 0)
                r = kext_seal(memfd, err);
        if (r == 0)
                r = kext_hash(memfd, msg->identity.sha256, &msg->identity.size, err);
        if (r < 0)
                return r;
        *ret = msg->identity;
        if (ret_memfd)
                *ret_memfd = TAKE_FD(memfd);
        return 0;
}

int kext_read(const char *worker, const char *path, struct croft_error *err)
{
        _cleanup_close_ int memfd = bytes_memfd(err);
        struct msg *msg = calloc(1, sizeof(*msg));
        _cleanup_free_ void *own = msg;
        int r = memfd;

        if (!msg)
                return croft_error_set(err, ENOMEM, "read it");
        if (r >= 0)
                r = ask(worker, path, memfd, MSG_READ, msg, err);
        if (r == 0)
                r = kext_seal(memfd, err);
        return r < 0 ? r : TAKE_FD(memfd);
}
