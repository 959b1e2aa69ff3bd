/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_remote_line.c - frames over TLS: in order, whole, and what ends a line.
 */
#include "remote/line.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "tls_kit.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LONG_AGO_MS 1000000

static struct tls_kit kit;
static struct tls_kit_end near_end, far_end;
static struct line near, far;

static int make_certificates(void **state)
{
        (void)state;
        (void)signal(SIGPIPE, SIG_IGN);
        tls_kit_init(&kit);
        tls_kit_certify(&kit, "ca", NULL, NULL, 10);
        tls_kit_certify(&kit, "near", "ca", "DNS:near", 10);
        tls_kit_certify(&kit, "far", "ca", "DNS:far", 10);
        return 0;
}

static int remove_certificates(void **state)
{
        (void)state;
        tls_kit_done(&kit);
        return 0;
}

static int begin(void **state)
{
        struct tls_files connecting = tls_kit_files(&kit, "near", "ca"), serving = tls_kit_files(&kit, "far", "ca");

        (void)state;
        tls_kit_meet(&connecting, "far", &serving, &near_end, &far_end);
        line_init(&near, near_end.ssl, "far");
        line_init(&far, far_end.ssl, "near");
        return near_end.status == 0 && far_end.status == 0 ? 0 : -1;
}

static int end(void **state)
{
        (void)state;
        tls_kit_end_done(&near_end);
        tls_kit_end_done(&far_end);
        return 0;
}

static void expect_frame(struct line *line, enum frame_type type, const void *body, size_t size)
{
        struct frame frame;

        assert_int_equal(line_wait(line, now_ms() + 60000, &frame, NULL), 0);
        assert_int_equal(frame.type, type);
        assert_int_equal(frame.size, size);
        if (size > 0)
                assert_memory_equal(frame.body, body, size);
}

static void frames_come_whole_and_in_order(void **state)
{
        static uint8_t much[FRAME_BODY_MAX];
        struct frame frame;

        (void)state;
        memset(much, 'x', sizeof(much));
        assert_int_equal(line_take(&near, &frame, NULL), 0);
        assert_int_equal(line_put_number(&far, FRAME_READY, FRAME_VERSION, NULL), 0);
        assert_int_equal(line_put(&far, FRAME_DATA, "one", 3, NULL), 0);
        assert_int_equal(line_put(&far, FRAME_DATA, much, sizeof(much), NULL), 0);
        assert_int_equal(line_put(&far, FRAME_ALIVE, NULL, 0, NULL), 0);
        expect_frame(&near, FRAME_READY, "\1\0\0\0", 4);
        expect_frame(&near, FRAME_DATA, "one", 3);
        expect_frame(&near, FRAME_DATA, much, sizeof(much));
        expect_frame(&near, FRAME_ALIVE, NULL, 0);
        assert_int_equal(line_take(&near, &frame, NULL), 0);
}

static void a_frame_in_pieces_is_put_together(void **state)
{
        static const char bytes[] = "\3\5\0\0\0hello\6\0\0\0";
        struct frame frame;

        (void)state;
        for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
                assert_int_equal(SSL_write(far_end.ssl, bytes + i, 1), 1);
                if (i == 9)
                        expect_frame(&near, FRAME_DATA, "hello", 5);
                else
                        assert_int_equal(line_take(&near, &frame, NULL), 0);
        }
}

static void what_is_no_frame_ends_the_line(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct frame frame;

        (void)state;
        assert_int_equal(SSL_write(far_end.ssl, "\3\377\377\377\377", 5), 5);
        assert_int_equal(line_wait(&near, now_ms() + 60000, &frame, &err), -EBADMSG);
        assert_string_equal(croft_error_cause(&err, 0), "far sent what is no frame");
}

static void an_end_in_order_can_be_told_from_a_cut(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct frame frame;

        (void)state;
        (void)SSL_shutdown(far_end.ssl);
        assert_int_equal(line_wait(&near, now_ms() + 60000, &frame, &err), -ENOTCONN);
}

static void a_cut_is_an_error(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct frame frame;

        (void)state;
        far_end.fd = close_fd(far_end.fd);
        assert_int_equal(line_wait(&near, now_ms() + 60000, &frame, &err), -ECONNRESET);
        assert_true(line_put(&near, FRAME_ALIVE, NULL, 0, NULL) < 0);
}

static void nothing_is_waited_for_beyond_the_deadline(void **state)
{
        struct frame frame;

        (void)state;
        assert_int_equal(line_wait(&near, now_ms() + 10, &frame, NULL), -ETIMEDOUT);
}

static void a_sign_of_life_goes_out_when_it_is_time(void **state)
{
        struct frame frame;

        (void)state;
        assert_int_equal(line_keep(&far, NULL), 0);
        assert_int_equal(line_take(&near, &frame, NULL), 0);
        far.said_ms -= LINE_ALIVE_MS;
        assert_int_equal(line_timeout_ms(&far), 0);
        assert_int_equal(line_keep(&far, NULL), 0);
        expect_frame(&near, FRAME_ALIVE, NULL, 0);
        assert_true(line_timeout_ms(&far) > 0);
}

static void a_line_without_a_sign_of_life_is_dead(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        near.heard_ms -= LONG_AGO_MS;
        assert_int_equal(line_keep(&near, &err), -ETIMEDOUT);
        assert_int_equal(line_put(&far, FRAME_ALIVE, NULL, 0, NULL), 0);
        expect_frame(&near, FRAME_ALIVE, NULL, 0);
        assert_int_equal(line_keep(&near, NULL), 0);
}

static void a_body_that_no_frame_has_is_not_sent(void **state)
{
        static const uint8_t much[FRAME_BODY_MAX + 1];

        (void)state;
        assert_int_equal(line_put(&near, FRAME_DATA, much, sizeof(much), NULL), -EMSGSIZE);
}

static void what_was_sent_last_arrives_before_the_end(void **state)
{
        (void)state;
        assert_int_equal(line_put(&near, FRAME_ALIVE, NULL, 0, NULL), 0); /* not read any more */
        assert_int_equal(line_put_number(&far, FRAME_END, 3, NULL), 0);
        (void)SSL_shutdown(near_end.ssl);
        line_end(&far);
        expect_frame(&near, FRAME_END, "\3", 1);
}

#define LINE_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                LINE_TEST(frames_come_whole_and_in_order),
                LINE_TEST(a_frame_in_pieces_is_put_together),
                LINE_TEST(what_is_no_frame_ends_the_line),
                LINE_TEST(an_end_in_order_can_be_told_from_a_cut),
                LINE_TEST(a_cut_is_an_error),
                LINE_TEST(nothing_is_waited_for_beyond_the_deadline),
                LINE_TEST(a_sign_of_life_goes_out_when_it_is_time),
                LINE_TEST(a_line_without_a_sign_of_life_is_dead),
                LINE_TEST(a_body_that_no_frame_has_is_not_sent),
                LINE_TEST(what_was_sent_last_arrives_before_the_end),
        };

        return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
