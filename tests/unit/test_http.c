/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_http.c - answers of croftd as they may come: in pieces, chunked, cut off, too long, wrong; and what errors they
 * become.
 */
#include "fault.h"
#include "lib/http.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHUNKED                                                                                                        \
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCroft-Notice: one\r\ncroft-notice: two\r\n\r\n"              \
        "5\r\n{\"a\":\r\n4\r\n 42}\r\n0\r\n\r\n"

static char notices[256];

static void note(void *context, const char *text)
{
        (void)context;
        strncat(notices, text, sizeof(notices) - strlen(notices) - 1);
        strncat(notices, ";", sizeof(notices) - strlen(notices) - 1);
}

/* Feeds text in pieces of step bytes, then the end of the connection.  Returns the result of the last feed. */
static int feed(struct http_reply *reply, const char *text, size_t size, size_t step, struct croft_error *err)
{
        size_t used;
        int r = 0;

        for (size_t at = 0; at < size && r == 0 && !reply->done; at += used) {
                r = http_reply_feed(reply, text + at, size - at < step ? size - at : step, &used, err);
                if (r == 0 && !reply->done)
                        assert_int_equal(used, size - at < step ? size - at : step);
        }
        if (r == 0 && !reply->done)
                r = http_reply_feed(reply, text, 0, &used, err);
        return r;
}

static void a_chunked_answer_is_the_same_however_it_is_cut(void **state)
{
        (void)state;
        for (size_t step = 1; step <= strlen(CHUNKED); step++) {
                struct http_reply reply;

                notices[0] = '\0';
                http_reply_init(&reply);
                reply.notice = note;
                assert_int_equal(feed(&reply, CHUNKED, strlen(CHUNKED), step, NULL), 0);
                assert_true(reply.done);
                assert_int_equal(reply.status, 200);
                assert_string_equal(reply.body, "{\"a\": 42}");
                assert_string_equal(notices, "one;two;");
                http_reply_done(&reply);
        }
}

static void an_answer_cut_off_anywhere_is_an_error(void **state)
{
        (void)state;
        for (size_t size = 0; size < strlen(CHUNKED); size++) {
                struct croft_error err = CROFT_ERROR_INIT;
                struct http_reply reply;

                http_reply_init(&reply);
                assert_int_equal(feed(&reply, CHUNKED, size, 7, &err), -ECONNRESET);
                assert_non_null(strstr(croft_error_cause(&err, 0), "closed the connection"));
                http_reply_done(&reply);
        }
}

static void a_body_without_length_lasts_until_the_end(void **state)
{
        static const char text[] = "HTTP/1.1 200 OK\r\n\r\nall of it";
        struct http_reply reply;

        (void)state;
        http_reply_init(&reply);
        assert_int_equal(feed(&reply, text, strlen(text), 3, NULL), 0);
        assert_string_equal(reply.body, "all of it");
        http_reply_done(&reply);
}

static void an_interim_answer_is_passed_over(void **state)
{
        static const char text[] =
                "HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n";

        (void)state;
        for (size_t step = 1; step < sizeof(text); step++) {
                struct http_reply reply;

                http_reply_init(&reply);
                assert_int_equal(feed(&reply, text, strlen(text), step, NULL), 0);
                assert_int_equal(reply.status, 204);
                assert_true(reply.done);
                http_reply_done(&reply);
        }
}

static void bytes_behind_an_upgrade_are_left_alone(void **state)
{
        static const char text[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                                   "Upgrade: croft-stream/1\r\n\r\n\001\0\0\0\0\0\0\002hi";
        size_t used;
        struct http_reply reply;

        (void)state;
        http_reply_init(&reply);
        assert_int_equal(http_reply_feed(&reply, text, sizeof(text) - 1, &used, NULL), 0);
        assert_true(reply.upgraded);
        assert_int_equal(used, sizeof(text) - 1 - 10);
        http_reply_done(&reply);
}

static void an_endless_head_is_refused(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct http_reply reply;
        size_t used;
        int r;

        (void)state;
        http_reply_init(&reply);
        r = http_reply_feed(&reply, "HTTP/1.1 200 OK\r\n", 17, &used, &err);
        for (int i = 0; i < 1000 && r == 0; i++)
                r = http_reply_feed(&reply, "Header-Name: and its long value\r\n", 33, &used, &err);
        assert_int_equal(r, -EMSGSIZE);
        http_reply_done(&reply);
}

static void one_header_of_a_megabyte_is_refused(void **state)
{
        char *text = malloc(1 << 20);
        struct http_reply reply;
        size_t used;

        (void)state;
        assert_non_null(text);
        memset(text, 'x', 1 << 20);
        memcpy(text, "HTTP/1.1 200 OK\r\nA: ", 20);
        http_reply_init(&reply);
        assert_int_equal(http_reply_feed(&reply, text, 1 << 20, &used, NULL), -EMSGSIZE);
        http_reply_done(&reply);
        free(text);
}

static void a_body_above_the_bound_is_refused(void **state)
{
        static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789";
        struct http_reply reply;

        (void)state;
        http_reply_init(&reply);
        reply.body_max = 19;
        assert_int_equal(feed(&reply, text, strlen(text), 8, NULL), -EMSGSIZE);
        http_reply_done(&reply);
        http_reply_init(&reply);
        reply.body_max = 20;
        assert_int_equal(feed(&reply, text, strlen(text), 8, NULL), 0);
        http_reply_done(&reply);
}

static void what_is_no_http_is_refused(void **state)
{
        static const char *const texts[] = {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 two hundred\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"};

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                struct http_reply reply;

                http_reply_init(&reply);
                assert_int_equal(feed(&reply, texts[i], strlen(texts[i]), 1, NULL), -EPROTO);
                http_reply_done(&reply);
        }
}

/* What reply_error() makes of a body. */
static enum croft_exit error_of(unsigned int status, const char *body, struct croft_error *err)
{
        struct http_reply reply;
        enum croft_exit e = CROFT_EXIT_OK;

        http_reply_init(&reply);
        reply.status = status;
        reply.body = strdup(body);
        assert_non_null(reply.body);
        reply.body_size = strlen(body);
        assert_true(reply_error(&reply, &e, err) < 0);
        http_reply_done(&reply);
        return e;
}

static void an_error_comes_with_its_chain(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char line[200];

        (void)state;
        assert_int_equal(error_of(409,
                                 "{\"error\":{\"code\":\"EBUSY\",\"exit\":5,\"text\":\"x\","
                                 "\"causes\":[\"start 'web'\",\"mount root\",\"open 'a': No such file\"]}}",
                                 &err),
                CROFT_EXIT_BUSY);
        assert_int_equal(err.code, EBUSY);
        assert_string_equal(croft_error_cause(&err, 0), "start 'web'");
        assert_string_equal(croft_error_cause(&err, 2), "open 'a': No such file");
        assert_string_equal(
                croft_error_line(&err, line, sizeof(line)), "start 'web': mount root: open 'a': No such file");
}

static void the_exit_status_is_the_one_that_croftd_names(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(error_of(400, "{\"error\":{\"code\":\"EINVAL\",\"exit\":7,\"text\":\"differs\"}}", &err), 7);
        assert_int_equal(err.code, EINVAL);
        assert_int_equal(error_of(500, "{\"error\":{\"code\":\"ENEWER\",\"exit\":9,\"text\":\"differs\"}}", &err), 9);
        assert_int_equal(err.code, ENOTRECOVERABLE);
        assert_string_equal(croft_error_cause(&err, 0), "differs");
}

static void an_error_without_sense_still_says_something(void **state)
{
        static const char *const bodies[] = {"", "<html>", "[]", "{\"error\":5}", "{\"error\":\"x\"}"};

        (void)state;
        for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
                struct croft_error err = CROFT_ERROR_INIT;

                assert_int_equal(error_of(404, bodies[i], &err), CROFT_EXIT_NOT_FOUND);
                assert_string_equal(croft_error_cause(&err, 0), "croftd answered with HTTP status 404");
        }
}

static void frames_go_through_their_header(void **state)
{
        uint8_t header[CROFT_STREAM_HEADER];
        enum croft_stream_type type;
        uint32_t size;

        (void)state;
        croft_frame_put(header, CROFT_STREAM_ERROR, 0x010000);
        assert_memory_equal(header, "\006\0\0\0\0\001\0\0", 8);
        assert_int_equal(croft_frame_get(header, &type, &size), 0);
        assert_int_equal(type, CROFT_STREAM_ERROR);
        assert_int_equal(size, CROFT_STREAM_BODY_MAX);
}

static void frames_that_the_protocol_forbids_are_refused(void **state)
{
        static const char *const headers[] = {"\007\0\0\0\0\0\0\0", "\001\001\0\0\0\0\0\0", "\001\0\001\0\0\0\0\0",
                "\001\0\0\001\0\0\0\0", "\001\0\0\0\0\001\0\001", "\001\0\0\0\377\377\377\377"};
        enum croft_stream_type type;
        uint32_t size;

        (void)state;
        for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
                assert_int_equal(croft_frame_get((const uint8_t *)headers[i], &type, &size), -EBADMSG);
}

static void a_path_segment_cannot_leave_its_place(void **state)
{
        char buf[32];

        (void)state;
        assert_int_equal(croft_path_escape(buf, sizeof(buf), "web-1"), 5);
        assert_string_equal(buf, "web-1");
        croft_path_escape(buf, sizeof(buf), "a/b c\n?\xc3\xa4");
        assert_string_equal(buf, "a%2Fb%20c%0A%3F%C3%A4");
        croft_path_escape(buf, sizeof(buf), "..");
        assert_string_equal(buf, "%2E%2E");
        assert_int_equal(croft_path_escape(buf, 4, "abcdef"), 6);
        assert_string_equal(buf, "abc");
}

/* A request and its answer, an error with its chain. */
static int go_through(void *context)
{
        static const char answer[] = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
                                     "29\r\n{\"error\":{\"code\":\"ENOENT\",\"text\":\"none\"}}\r\n0\r\n\r\n";
        char *request = http_request("POST", "/v1", context, false);
        enum croft_exit status = CROFT_EXIT_OK;
        struct http_reply reply;
        int r = request ? 0 : -ENOMEM;

        http_reply_init(&reply);
        if (r == 0)
                r = feed(&reply, answer, strlen(answer), 10, NULL);
        if (r == 0 && (reply_error(&reply, &status, NULL) != -ENOENT || status != CROFT_EXIT_NOT_FOUND))
                r = -EPROTO;
        http_reply_done(&reply);
        free(request);
        return r;
}

static void memory_that_runs_out_is_told(void **state)
{
        char body[] = "{}";

        (void)state;
        assert_true(fault_walk(FAULT_ALLOCATION, false, go_through, body) >= 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_chunked_answer_is_the_same_however_it_is_cut),
                cmocka_unit_test(an_answer_cut_off_anywhere_is_an_error),
                cmocka_unit_test(a_body_without_length_lasts_until_the_end),
                cmocka_unit_test(an_interim_answer_is_passed_over),
                cmocka_unit_test(bytes_behind_an_upgrade_are_left_alone),
                cmocka_unit_test(an_endless_head_is_refused),
                cmocka_unit_test(one_header_of_a_megabyte_is_refused),
                cmocka_unit_test(a_body_above_the_bound_is_refused),
                cmocka_unit_test(what_is_no_http_is_refused),
                cmocka_unit_test(an_error_comes_with_its_chain),
                cmocka_unit_test(the_exit_status_is_the_one_that_croftd_names),
                cmocka_unit_test(an_error_without_sense_still_says_something),
                cmocka_unit_test(frames_go_through_their_header),
                cmocka_unit_test(frames_that_the_protocol_forbids_are_refused),
                cmocka_unit_test(memory_that_runs_out_is_told),
                cmocka_unit_test(a_path_segment_cannot_leave_its_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
