/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * http.c - one HTTP answer, by libhttp-parser.  See http.h.
 *
 * The parser knows the protocol; what is here bounds it: the size of the head, of the body, and of what is remembered
 * of a header.  It stops at the last byte of the answer, so that the bytes behind an upgrade are left to the stream.
 */
#include "http.h"

#include "base/cleanup.h"

#include <string.h>
#include <strings.h>

static struct http_reply *reply_of(http_parser *parser)
{
        return parser->data;
}

static int count_head(struct http_reply *reply, size_t size)
{
        reply->head_size += size;
        if (reply->head_size <= HTTP_HEAD_MAX)
                return 0;
        reply->failure = -EMSGSIZE;
        return 1;
}

static int on_status(http_parser *parser, const char *data, size_t size)
{
        (void)data;
        return count_head(reply_of(parser), size);
}

/* Appends what fits. */
static void append(char *buf, size_t room, size_t *used, const char *data, size_t size)
{
        if (size > room - *used)
                size = room - *used;
        memcpy(buf + *used, data, size);
        *used += size;
}

static void end_header(struct http_reply *reply)
{
        static const char name[] = "Croft-Notice";

        if (reply->in_value && reply->notice && reply->field_size == strlen(name) &&
                strncasecmp(reply->field, name, strlen(name)) == 0) {
                reply->value[reply->value_size] = '\0';
                reply->notice(reply->notice_context, reply->value);
        }
        reply->field_size = reply->value_size = 0;
        reply->in_value = false;
}

static int on_field(http_parser *parser, const char *data, size_t size)
{
        struct http_reply *reply = reply_of(parser);

        if (reply->in_value)
                end_header(reply);
        append(reply->field, sizeof(reply->field), &reply->field_size, data, size);
        return count_head(reply, size);
}

static int on_value(http_parser *parser, const char *data, size_t size)
{
        struct http_reply *reply = reply_of(parser);

        reply->in_value = true;
        append(reply->value, sizeof(reply->value) - 1, &reply->value_size, data, size);
        return count_head(reply, size);
}

static int on_head(http_parser *parser)
{
        struct http_reply *reply = reply_of(parser);

        end_header(reply);
        reply->status = parser->status_code;
        /* An interim answer (100 to 199) is followed by the real one; 101 is the real one. */
        reply->head_done = reply->status >= 200 || reply->status == 101;
        return 0;
}

static int keep_body(struct http_reply *reply, const char *data, size_t size)
{
        size_t need = reply->body_size + size + 1;

        if (size > reply->body_max - reply->body_size)
                return -EMSGSIZE;
        if (need > reply->body_room) {
                size_t room = need * 2;
                char *p = realloc(reply->body, room);

                if (!p)
                        return -ENOMEM;
                reply->body = p;
                reply->body_room = room;
        }
        memcpy(reply->body + reply->body_size, data, size);
        reply->body_size += size;
        reply->body[reply->body_size] = '\0';
        return 0;
}

static int on_body(http_parser *parser, const char *data, size_t size)
{
        struct http_reply *reply = reply_of(parser);
        int r;

        if (reply->sink && reply->status < 300)
                r = reply->sink(reply->sink_context, data, size);
        else
                r = keep_body(reply, data, size);
        if (r < 0)
                reply->failure = r;
        return r < 0;
}

static int on_complete(http_parser *parser)
{
        struct http_reply *reply = reply_of(parser);

        if (!reply->head_done)
                return 0;
        reply->done = true;
        reply->upgraded = parser->upgrade;
        http_parser_pause(parser, 1);
        return 0;
}

static const http_parser_settings settings = {
        .on_status = on_status,
        .on_header_field = on_field,
        .on_header_value = on_value,
        .on_headers_complete = on_head,
        .on_body = on_body,
        .on_message_complete = on_complete,
};

void http_reply_init(struct http_reply *reply)
{
        *reply = (struct http_reply){.body_max = CROFT_REPLY_MAX};
        http_parser_init(&reply->parser, HTTP_RESPONSE);
        reply->parser.data = reply;
}

void http_reply_done(struct http_reply *reply)
{
        free(reply->body);
        reply->body = NULL;
}

static int feed_failure(const struct http_reply *reply, struct croft_error *err)
{
        if (reply->failure == -EMSGSIZE)
                return croft_error_set(err, EMSGSIZE, "the answer of croftd is too long.");
        if (reply->failure < 0)
                return croft_error_set(err, reply->failure, "take the answer of croftd");
        if (HTTP_PARSER_ERRNO(&reply->parser) == HPE_HEADER_OVERFLOW)
                return croft_error_set(err, EMSGSIZE, "the answer of croftd is too long.");
        if (HTTP_PARSER_ERRNO(&reply->parser) == HPE_INVALID_EOF_STATE)
                return croft_error_set(err, ECONNRESET, "croftd closed the connection in the middle of its answer.");
        return croft_error_set(err, EPROTO, "the answer of croftd is no HTTP (%s).",
                http_errno_description(HTTP_PARSER_ERRNO(&reply->parser)));
}

int http_reply_feed(struct http_reply *reply, const char *data, size_t size, size_t *ret_used, struct croft_error *err)
{
        size_t used;

        *ret_used = 0;
        if (reply->done)
                return 0;
        used = http_parser_execute(&reply->parser, &settings, data, size);
        if (reply->done || (HTTP_PARSER_ERRNO(&reply->parser) == HPE_OK && size > 0)) {
                *ret_used = used;
                return 0;
        }
        /* An end before the first byte is no error to the parser, but it is to us. */
        if (HTTP_PARSER_ERRNO(&reply->parser) == HPE_OK)
                return croft_error_set(err, ECONNRESET, "croftd closed the connection without an answer.");
        return feed_failure(reply, err);
}

char *http_request(const char *method, const char *path, const char *body, bool upgrade)
{
        char *text = NULL;
        int n;

        if (body)
                n = asprintf(&text,
                        "%s %s HTTP/1.1\r\nHost: croft\r\nConnection: %s\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n%s",
                        method, path, upgrade ? "Upgrade\r\nUpgrade: " CROFT_STREAM_PROTOCOL : "close", strlen(body),
                        body);
        else
                n = asprintf(&text, "%s %s HTTP/1.1\r\nHost: croft\r\nConnection: %s\r\n%s\r\n", method, path,
                        upgrade ? "Upgrade\r\nUpgrade: " CROFT_STREAM_PROTOCOL : "close",
                        strcmp(method, "GET") == 0 ? "" : "Content-Length: 0\r\n");
        return n < 0 ? NULL : text;
}
