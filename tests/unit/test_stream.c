/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_stream.c - the framed connections of console and exec clients, who may send anything.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "warden/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

struct link {
        struct stream stream;
        int client; /* the other end */
        int sink[2];
};

static struct link link_new(void)
{
        struct link l;
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(pipe2(l.sink, O_CLOEXEC | O_NONBLOCK), 0);
        assert_int_equal(stream_open(&l.stream, pair[0]), 0);
        l.client = pair[1];
        return l;
}

static void link_done(struct link *l)
{
        stream_close(&l->stream);
        close_fd(l->client);
        close_fd(l->sink[0]);
        close_fd(l->sink[1]);
}

static void put(struct link *l, const void *bytes, size_t size)
{
        assert_int_equal(fd_write_all(l->client, bytes, size), 0);
}

#define PUT(l, text) put(l, text, sizeof(text) - 1)

static void input_is_what_stdin_frames_carry(void **state)
{
        _cleanup_(link_done) struct link l = link_new();
        char got[16] = "";

        (void)state;
        PUT(&l, "\0\0\0\0\0\0\0\3abc\0\0\0\0\0\0\0\2de");
        assert_int_equal(stream_read(&l.stream), 1);
        assert_true(stream_input_pending(&l.stream) && !l.stream.input_ended);
        assert_int_equal(stream_input_to(&l.stream, l.sink[1]), 1);
        assert_int_equal(read(l.sink[0], got, sizeof(got)), 5);
        assert_string_equal(got, "abcde");
        assert_false(stream_input_pending(&l.stream));
        PUT(&l, "\0\0\0\0\0\0\0\0");
        assert_int_equal(stream_read(&l.stream), 1);
        assert_true(l.stream.input_ended);
}

static void frames_may_come_byte_by_byte(void **state)
{
        static const char bytes[] = "\0\0\0\0\0\0\0\2hi\4\0\0\0\0\0\0\4\1\2\3\4\5\0\0\0\0\0\0\1\17";
        _cleanup_(link_done) struct link l = link_new();
        char got[16] = "";

        (void)state;
        for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
                put(&l, bytes + i, 1);
                assert_int_equal(stream_read(&l.stream), 1);
                assert_int_equal(stream_input_to(&l.stream, l.sink[1]), 1);
        }
        assert_int_equal(read(l.sink[0], got, sizeof(got)), 2);
        assert_string_equal(got, "hi");
        assert_true(l.stream.resized && l.stream.rows == 0x102 && l.stream.columns == 0x304);
        assert_int_equal(l.stream.signal, 15);
}

static void breaks(const char *bytes, size_t size)
{
        _cleanup_(link_done) struct link l = link_new();

        put(&l, bytes, size);
        assert_int_equal(stream_read(&l.stream), -EBADMSG);
}

static void malformed_frames_are_refused(void **state)
{
        (void)state;
        breaks("\7\0\0\0\0\0\0\0", 8);          /* unknown */
        breaks("\1\0\0\0\0\0\0\1x", 9);         /* only croft sends output */
        breaks("\3\0\0\0\0\0\0\4\0\0\0\0", 12); /* and exit statuses */
        breaks("\0\1\0\0\0\0\0\1x", 9);         /* padding */
        breaks("\0\0\0\1\0\0\0\1x", 9);
        breaks("\0\0\0\0\0\1\0\1x", 9); /* 65537 bytes */
        breaks("\0\0\0\0\xff\xff\xff\xffx", 9);
        breaks("\4\0\0\0\0\0\0\3xyz", 11); /* a size of three bytes */
        breaks("\4\0\0\0\0\0\0\0", 8);
        breaks("\5\0\0\0\0\0\0\2xy", 10); /* two signals */
}

static void much_input_waits_until_it_is_used(void **state)
{
        static char body[CROFT_STREAM_BODY_MAX], got[CROFT_STREAM_BODY_MAX];
        _cleanup_(link_done) struct link l = link_new();
        size_t total = 0;

        (void)state;
        for (size_t i = 0; i < sizeof(body); i++)
                body[i] = (char)(i * 7);
        PUT(&l, "\0\0\0\0\0\1\0\0");
        put(&l, body, sizeof(body));
        while (total < sizeof(body)) {
                ssize_t n;

                assert_int_equal(stream_read(&l.stream), 1);
                assert_true(l.stream.n_input <= STREAM_INPUT_MAX);
                (void)stream_input_to(&l.stream, l.sink[1]);
                n = read(l.sink[0], got + total, sizeof(got) - total);
                assert_true(n >= 0 || total == 0);
                total += n > 0 ? (size_t)n : 0;
        }
        assert_memory_equal(body, got, sizeof(body));
}

static void input_is_kept_while_the_reader_is_slow(void **state)
{
        _cleanup_(link_done) struct link l = link_new();
        static char fill[1 << 20];

        (void)state;
        assert_true(write(l.sink[1], fill, sizeof(fill)) > 0); /* the pipe is full */
        PUT(&l, "\0\0\0\0\0\0\0\2ok");
        assert_int_equal(stream_read(&l.stream), 1);
        assert_int_equal(stream_input_to(&l.stream, l.sink[1]), 0);
        assert_true(stream_input_pending(&l.stream));
        while (read(l.sink[0], fill, sizeof(fill)) > 0)
                ;
        assert_int_equal(stream_input_to(&l.stream, l.sink[1]), 1);
        assert_int_equal(read(l.sink[0], fill, sizeof(fill)), 2);
}

static void discarded_input_makes_room(void **state)
{
        _cleanup_(link_done) struct link l = link_new();
        static char body[STREAM_INPUT_MAX];

        (void)state;
        for (int i = 0; i < 8; i++) {
                PUT(&l, "\0\0\0\0\0\0\20\0");
                put(&l, body, sizeof(body));
        }
        for (int i = 0; i < 8; i++) {
                assert_int_equal(stream_read(&l.stream), 1);
                l.stream.used_input = l.stream.n_input; /* what the console does when nobody listens */
        }
}

static void end_of_the_client_is_told(void **state)
{
        _cleanup_(link_done) struct link l = link_new();

        (void)state;
        assert_int_equal(stream_read(&l.stream), 1); /* nothing there */
        l.client = close_fd(l.client);
        assert_int_equal(stream_read(&l.stream), 0);
        assert_true(stream_put(&l.stream, CROFT_STREAM_STDOUT, "x", 1) < 0);
}

/* Reads exactly; the queue is flushed while waiting. */
static void take(struct link *l, void *buf, size_t size)
{
        uint8_t *p = buf;

        while (size > 0) {
                ssize_t n = read(l->client, p, size);

                assert_true(n > 0);
                p += n;
                size -= (size_t)n;
                assert_true(stream_flush(&l->stream) >= 0);
        }
}

static void output_is_cut_into_frames_and_queued(void **state)
{
        static char out[3 * CROFT_STREAM_BODY_MAX + 5], body[CROFT_STREAM_BODY_MAX];
        _cleanup_(link_done) struct link l = link_new();
        static const size_t sizes[] = {65536, 65536, 65536, 5};
        uint8_t h[CROFT_STREAM_HEADER];

        (void)state;
        memset(out, 'o', sizeof(out));
        assert_int_equal(stream_put(&l.stream, CROFT_STREAM_STDOUT, out, sizeof(out)), 0);
        assert_int_equal(stream_put_exit(&l.stream, 258), 0);
        for (size_t i = 0; i < ELEMENTS(sizes); i++) {
                take(&l, h, sizeof(h));
                assert_int_equal(h[0], CROFT_STREAM_STDOUT);
                assert_int_equal((size_t)h[5] << 16 | (size_t)h[6] << 8 | h[7], sizes[i]);
                take(&l, body, sizes[i]);
                assert_true(body[0] == 'o' && body[sizes[i] - 1] == 'o');
        }
        take(&l, h, sizeof(h));
        take(&l, body, 4);
        assert_true(h[0] == CROFT_STREAM_EXIT && body[2] == 1 && body[3] == 2);
        assert_false(stream_output_pending(&l.stream));
}

static void room_says_how_far_a_client_lags(void **state)
{
        _cleanup_(link_done) struct link l = link_new();
        static char out[100000];

        (void)state;
        assert_int_equal(stream_room(&l.stream, 1000), 1000);
        while (!stream_output_pending(&l.stream))
                assert_int_equal(stream_put(&l.stream, CROFT_STREAM_STDOUT, out, sizeof(out)), 0);
        assert_true(stream_room(&l.stream, 1 << 20) < 1 << 20);
        assert_int_equal(stream_room(&l.stream, 1), 0);
}

/* It was told of the end while it was about to send: that must not fail. */
static void who_sends_after_the_end_is_not_refused(void **state)
{
        _cleanup_(link_done) struct link l = link_new();
        char got[64];
        pid_t pid;
        int status;

        (void)state;
        assert_int_equal(stream_put_exit(&l.stream, 0), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                bool ok = true;

                close_fd(l.stream.fd);
                for (int i = 0; i < 3 && ok; i++)
                        ok = usleep(20000) == 0 && send(l.client, "late", 4, MSG_NOSIGNAL) == 4;
                ok = ok && recv(l.client, got, sizeof(got), 0) == CROFT_STREAM_HEADER + 4;
                _exit(ok && recv(l.client, got, sizeof(got), 0) == 0 ? 0 : 1);
        }
        l.client = close_fd(l.client);
        stream_linger(&l.stream);
        assert_true(recv(l.stream.fd, got, sizeof(got), 0) == 0); /* it waited until the client had closed */
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(input_is_what_stdin_frames_carry),
                cmocka_unit_test(frames_may_come_byte_by_byte),
                cmocka_unit_test(malformed_frames_are_refused),
                cmocka_unit_test(much_input_waits_until_it_is_used),
                cmocka_unit_test(input_is_kept_while_the_reader_is_slow),
                cmocka_unit_test(discarded_input_makes_room),
                cmocka_unit_test(end_of_the_client_is_told),
                cmocka_unit_test(output_is_cut_into_frames_and_queued),
                cmocka_unit_test(room_says_how_far_a_client_lags),
                cmocka_unit_test(who_sends_after_the_end_is_not_refused),
        };

        return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
