/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * http.h - one HTTP answer, read piece by piece.  Internal to libcroft.
 *
 * Invariant: nothing of an answer is kept without a bound: the head has HTTP_HEAD_MAX bytes, a body that is kept has
 * reply->body_max.
 */
#ifndef CROFT_LIB_HTTP_H
#define CROFT_LIB_HTTP_H

#include <croft/croft.h>
#include <http_parser.h>
#include <stdbool.h>

#define HTTP_HEAD_MAX 16384
#define HTTP_NOTICE_MAX 1024

struct http_reply {
        http_parser parser;
        bool head_done, done, upgraded;
        unsigned int status; /* valid when head_done */
        size_t head_size;

        croft_notice notice; /* may be NULL */
        void *notice_context;
        croft_sink sink; /* gets the body of a 2xx answer; NULL: it is kept */
        void *sink_context;

        char *body; /* kept, NUL-ended, owned; NULL: none yet */
        size_t body_size, body_room, body_max;
        int failure; /* negative errno that a callback met */

        char field[16]; /* the header at hand; longer names are none of ours */
        size_t field_size;
        char value[HTTP_NOTICE_MAX];
        size_t value_size;
        bool in_value;
};

/* Storage is the caller's; callbacks may be set afterwards. */
void http_reply_init(struct http_reply *reply);
void http_reply_done(struct http_reply *reply);

/* Takes size bytes; *ret_used of them belonged to the answer (all, until it is done).  size 0: the connection ended.
 * -EPROTO, -EMSGSIZE, -ENOMEM, or what the sink said. */
int http_reply_feed(struct http_reply *reply, const char *data, size_t size, size_t *ret_used, struct croft_error *err);

/* The request as sent: a new string (caller frees), NULL: no memory.  body may be NULL. */
char *http_request(const char *method, const char *path, const char *body, bool upgrade);

/* Fills *err from an answer that isn't 2xx, and *ret_exit with the exit status it names.  Returns the negative code. */
int reply_error(const struct http_reply *reply, enum croft_exit *ret_exit, struct croft_error *err);

#endif
