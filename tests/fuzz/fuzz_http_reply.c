/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_http_reply.c - an answer of croftd as libcroft reads it; the first byte says in what pieces it comes.
 */
#include "fuzz.h"
#include "lib/http.h"

#include <errno.h>
#include <string.h>

static void note(void *context, const char *text)
{
        fuzz_require(strlen(text) < HTTP_NOTICE_MAX);
        ++*(unsigned int *)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct croft_error err = CROFT_ERROR_INIT;
        size_t step = size > 0 && data[0] > '0' && data[0] <= '9' ? data[0] - '0' : 4096, used, at = 1;
        unsigned int notices = 0;
        enum croft_exit status;
        struct http_reply reply;
        int r = 0;

        http_reply_init(&reply);
        reply.notice = note;
        reply.notice_context = &notices;
        reply.body_max = 65536;
        for (; at < size && r == 0 && !reply.done; at += used) {
                size_t n = size - at < step ? size - at : step;

                r = http_reply_feed(&reply, (const char *)data + at, n, &used, &err);
                fuzz_require(r < 0 || used <= n);
                fuzz_require(r < 0 || used == n || reply.done);
        }
        if (r == 0 && !reply.done)
                r = http_reply_feed(&reply, "", 0, &used, &err);
        fuzz_require(r == 0 ? reply.done : err.code == -r);
        fuzz_require(reply.body_size <= reply.body_max && notices <= HTTP_HEAD_MAX);
        if (r == 0 && reply.status >= 300) {
                fuzz_require(reply_error(&reply, &status, &err) < 0);
                fuzz_require(status >= CROFT_EXIT_FAILURE && status <= CROFT_EXIT_BROKEN);
        }
        http_reply_done(&reply);
        return 0;
}
