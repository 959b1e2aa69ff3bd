/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * identify.c - a file's identity, by croft-kext.  See kext.h.
 *
 * croft-kext fills the memory file and says what it found there; it is sealed and hashed here, after that process has
 * ended, so that nobody has it any more who could change it.  The same holds for the bytes that a compressed file
 * unpacks to: what they are that process says, which ones they are is seen here.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kext/bytes.h"
#include "kext/run.h"

#include <string.h>

void kext_bytes_done(struct kext_bytes *bytes)
{
        bytes->stored = close_fd(bytes->stored);
        bytes->plain = close_fd(bytes->plain);
}

static int ask(
        const char *worker, const char *path, const struct kext_bytes *bytes, struct msg *ret, struct croft_error *err)
{
        const enum msg_type wanted = bytes->plain < 0 ? MSG_READ : MSG_IDENTITY;
        const int fds[] = {bytes->stored, bytes->plain};
        _cleanup_free_ char *own_path = strdup(path);
        _cleanup_(run_end) struct run run = RUN_INIT;
        char *words[] = {own_path, NULL};
        int r;

        if (!own_path)
                return croft_error_set(err, ENOMEM, "start croft-kext");
        r = run_start(worker, wanted == MSG_READ ? "read" : "identify", words, fds, wanted == MSG_READ ? 1 : 2,
                KEXT_READ_MS, &run, err);
        if (r == 0)
                r = run_next(&run, ret, err);
        if (r == 0 && ret->type != wanted)
                r = croft_error_set(err, EBADMSG, "croft-kext says what it shouldn't");
        return r;
}

/* Cut to what was said to be there: anything is, and the hash is of that. */
static int seal_plain(int memfd, uint64_t size, char sha256[KEXT_SHA256_LENGTH + 1], struct croft_error *err)
{
        int r = ftruncate(memfd, (off_t)size) < 0 ? croft_error_set(err, errno, "cut its plain bytes") : 0;

        if (r == 0)
                r = kext_seal(memfd, err);
        return r < 0 ? r : kext_hash(memfd, sha256, &size, err);
}

static int seal_both(struct kext_bytes *bytes, struct msg *msg, struct croft_error *err)
{
        struct kext_identity *i = &msg->identity;
        int r = kext_seal(bytes->stored, err);

        if (r == 0)
                r = kext_hash(bytes->stored, i->sha256, &i->size, err);
        if (msg->number == 0)
                bytes->plain = close_fd(bytes->plain);
        return r < 0 || msg->number == 0 ? r : seal_plain(bytes->plain, msg->number, i->plain, err);
}

int kext_identify(const char *worker, const char *path, struct kext_identity *ret, struct kext_bytes *ret_bytes,
        struct croft_error *err)
{
        _cleanup_(kext_bytes_done) struct kext_bytes bytes = KEXT_BYTES_INIT;
        struct msg *msg = calloc(1, sizeof(*msg));
        _cleanup_free_ void *own = msg;
        int r;

        if (!msg)
                return croft_error_set(err, ENOMEM, "identify it");
        bytes.stored = bytes_memfd(err);
        if (bytes.stored < 0)
                return bytes.stored;
        bytes.plain = bytes_memfd(err);
        if (bytes.plain < 0)
                return bytes.plain;
        r = ask(worker, path, &bytes, msg, err);
        if (r == 0)
                r = seal_both(&bytes, msg, err);
        if (r < 0)
                return r;
        *ret = msg->identity;
        if (ret_bytes) {
                *ret_bytes = bytes;
                bytes = (struct kext_bytes)KEXT_BYTES_INIT;
        }
        return 0;
}

int kext_read(const char *worker, const char *path, struct croft_error *err)
{
        _cleanup_(kext_bytes_done) struct kext_bytes bytes = KEXT_BYTES_INIT;
        struct msg *msg = calloc(1, sizeof(*msg));
        _cleanup_free_ void *own = msg;
        int r;

        if (!msg)
                return croft_error_set(err, ENOMEM, "read it");
        bytes.stored = bytes_memfd(err);
        if (bytes.stored < 0)
                return bytes.stored;
        r = ask(worker, path, &bytes, msg, err);
        if (r == 0)
                r = kext_seal(bytes.stored, err);
        return r < 0 ? r : TAKE_FD(bytes.stored);
}
