/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cli_stream.c - the loop of exec and console, between a session played by the test and pipes.
 */
#include "cli/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A stream_run() in a thread of its own, and its other ends. */
struct rig {
        struct stream_spec spec;
        int session, input, output, errors; /* ours */
        pthread_t thread;
        int r, status;
        enum stream_end end;
        char text[256];
        struct croft_error err;
};

static void *run(void *context)
{
        struct rig *rig = context;

        rig->r = stream_run(&rig->spec, &rig->end, &rig->status, rig->text, sizeof(rig->text), &rig->err);
        close(rig->spec.fd);
        close(rig->spec.out);
        close(rig->spec.err);
        return NULL;
}

static void rig_start(struct rig *rig, int escape)
{
        int pair[2], in[2], out[2], err[2];

        memset(rig, 0, sizeof(*rig));
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        assert_int_equal(pipe(in), 0);
        assert_int_equal(pipe(out), 0);
        assert_int_equal(pipe(err), 0);
        rig->session = pair[0];
        rig->input = in[1];
        rig->output = out[0];
        rig->errors = err[0];
        rig->spec = (struct stream_spec){.fd = pair[1], .escape = escape, .input = in[0], .out = out[1], .err = err[1]};
        assert_int_equal(pthread_create(&rig->thread, NULL, run, rig), 0);
}

static void rig_end(struct rig *rig)
{
        pthread_join(rig->thread, NULL);
        close(rig->session);
        close(rig->spec.input);
        if (rig->input >= 0)
                close(rig->input);
        close(rig->output);
        close(rig->errors);
}

static void put(int fd, const void *data, size_t size)
{
        const char *p = data;

        while (size > 0) {
                ssize_t n = write(fd, p, size);

                assert_true(n > 0);
                p += n;
                size -= (size_t)n;
        }
}

static void get(int fd, void *data, size_t size)
{
        char *p = data;

        while (size > 0) {
                ssize_t n = read(fd, p, size);

                assert_true(n > 0);
                p += n;
                size -= (size_t)n;
        }
}

static void put_frame(int fd, enum croft_stream_type type, const void *body, uint32_t size)
{
        uint8_t header[CROFT_STREAM_HEADER];

        croft_frame_put(header, type, size);
        put(fd, header, sizeof(header));
        put(fd, body, size);
}

static void put_exit(int fd, uint8_t status)
{
        put_frame(fd, CROFT_STREAM_EXIT, (uint8_t[]){0, 0, 0, status}, 4);
}

/* One frame from stream_run(); its size. */
static uint32_t get_frame(int fd, enum croft_stream_type *type, void *body)
{
        uint8_t header[CROFT_STREAM_HEADER];
        uint32_t size = 0;

        get(fd, header, sizeof(header));
        assert_int_equal(croft_frame_get(header, type, &size), 0);
        get(fd, body, size);
        return size;
}

static void output_and_status_arrive(void **state)
{
        struct rig rig;
        char buf[16];

        (void)state;
        rig_start(&rig, STREAM_NO_ESCAPE);
        put_frame(rig.session, CROFT_STREAM_STDOUT, "out\0put", 7);
        put_frame(rig.session, CROFT_STREAM_STDERR, "err", 3);
        put_exit(rig.session, 42);
        rig_end(&rig);
        assert_int_equal(rig.r, 0);
        assert_int_equal(rig.end, STREAM_EXITED);
        assert_int_equal(rig.status, 42);
        rig_start(&rig, STREAM_NO_ESCAPE);
        put_frame(rig.session, CROFT_STREAM_STDOUT, "out\0put", 7);
        put_frame(rig.session, CROFT_STREAM_STDERR, "err", 3);
        get(rig.output, buf, 7);
        assert_memory_equal(buf, "out\0put", 7);
        get(rig.errors, buf, 3);
        assert_memory_equal(buf, "err", 3);
        put_exit(rig.session, 0);
        rig_end(&rig);
        assert_int_equal(rig.status, 0);
}

static void frames_may_come_byte_by_byte(void **state)
{
        static const char bytes[] = "\001\0\0\0\0\0\0\002hi\003\0\0\0\0\0\0\004\0\0\0\007";
        struct rig rig;
        char buf[2];

        (void)state;
        rig_start(&rig, STREAM_NO_ESCAPE);
        for (size_t i = 0; i < sizeof(bytes) - 1; i++)
                put(rig.session, bytes + i, 1);
        get(rig.output, buf, 2);
        assert_memory_equal(buf, "hi", 2);
        rig_end(&rig);
        assert_int_equal(rig.status, 7);
}

static void input_is_passed_on_with_its_end(void **state)
{
        enum croft_stream_type type;
        struct rig rig;
        char buf[64];

        (void)state;
        rig_start(&rig, STREAM_NO_ESCAPE);
        put(rig.input, "a\001q\0b", 5);
        assert_int_equal(get_frame(rig.session, &type, buf), 5);
        assert_int_equal(type, CROFT_STREAM_STDIN);
        assert_memory_equal(buf, "a\001q\0b", 5);
        close(rig.input);
        rig.input = -1;
        assert_int_equal(get_frame(rig.session, &type, buf), 0);
        assert_int_equal(type, CROFT_STREAM_STDIN);
        put_frame(rig.session, CROFT_STREAM_STDOUT, "after", 5);
        get(rig.output, buf, 5);
        put_exit(rig.session, 0);
        rig_end(&rig);
        assert_int_equal(rig.end, STREAM_EXITED);
}

/* The session of the next test: an echo of everything, with an exit at the end of input. */
#define MUCH (8 << 20)

static void *echo(void *context)
{
        static char body[CROFT_STREAM_BODY_MAX];
        struct rig *rig = context;
        enum croft_stream_type type;
        uint32_t size;

        while ((size = get_frame(rig->session, &type, body)) > 0)
                put_frame(rig->session, CROFT_STREAM_STDOUT, body, size);
        put_exit(rig->session, 0);
        return NULL;
}

static void *feed(void *context)
{
        struct rig *rig = context;
        char block[4096];

        for (unsigned int i = 0; i < MUCH / sizeof(block); i++) {
                memset(block, (int)(i % 251), sizeof(block));
                put(rig->input, block, sizeof(block));
        }
        close(rig->input);
        rig->input = -1;
        return NULL;
}

static void much_data_both_ways_at_once_arrives_whole(void **state)
{
        pthread_t echoing, feeding;
        char block[4096];
        struct rig rig;

        (void)state;
        rig_start(&rig, STREAM_NO_ESCAPE);
        assert_int_equal(pthread_create(&echoing, NULL, echo, &rig), 0);
        assert_int_equal(pthread_create(&feeding, NULL, feed, &rig), 0);
        for (unsigned int i = 0; i < MUCH / sizeof(block); i++) {
                get(rig.output, block, sizeof(block));
                assert_int_equal((unsigned char)block[0], i % 251);
                assert_int_equal((unsigned char)block[4095], i % 251);
        }
        pthread_join(feeding, NULL);
        pthread_join(echoing, NULL);
        rig_end(&rig);
        assert_int_equal(rig.end, STREAM_EXITED);
}

static void input_flows_while_nobody_reads_the_output(void **state)
{
        static char body[CROFT_STREAM_BODY_MAX];
        enum croft_stream_type type;
        struct rig rig;

        (void)state;
        rig_start(&rig, STREAM_NO_ESCAPE);
        for (int i = 0; i < 4; i++) /* more than the pipe holds */
                put_frame(rig.session, CROFT_STREAM_STDOUT, body, sizeof(body) / 2);
        put(rig.input, "still", 5);
        assert_int_equal(get_frame(rig.session, &type, body), 5);
        put_exit(rig.session, 1);
        for (int i = 0; i < 4; i++)
                get(rig.output, body, sizeof(body) / 2);
        rig_end(&rig);
        assert_int_equal(rig.status, 1);
}

static void a_reader_that_left_ends_the_stream(void **state)
{
        struct rig rig;

        (void)state;
        rig_start(&rig, STREAM_NO_ESCAPE);
        close(rig.output);
        rig.output = dup(rig.errors);
        put_frame(rig.session, CROFT_STREAM_STDOUT, "x", 1);
        rig_end(&rig);
        assert_int_equal(rig.end, STREAM_PIPE);
}

static void a_session_that_vanishes_is_no_success(void **state)
{
        struct rig rig;

        (void)state;
        rig_start(&rig, STREAM_NO_ESCAPE);
        put(rig.session, "\001\0\0", 3);
        shutdown(rig.session, SHUT_RDWR);
        rig_end(&rig);
        assert_int_equal(rig.r, 0);
        assert_int_equal(rig.end, STREAM_CLOSED);
}

static void an_error_frame_is_kept_for_the_one_who_asked(void **state)
{
        struct rig rig;

        (void)state;
        rig_start(&rig, STREAM_NO_ESCAPE);
        put_frame(rig.session, CROFT_STREAM_ERROR, "run 'x': No such file", 21);
        put_exit(rig.session, 127);
        rig_end(&rig);
        assert_int_equal(rig.status, 127);
        assert_string_equal(rig.text, "run 'x': No such file");
}

static void frames_that_croft_never_sends_are_refused(void **state)
{
        static const char *const frames[] = {"\000\0\0\0\0\0\0\0", "\004\0\0\0\0\0\0\0", "\005\0\0\0\0\0\0\0",
                "\003\0\0\0\0\0\0\0", "\001\0\0\0\0\001\0\001", "\011\0\0\0\0\0\0\0"};

        (void)state;
        for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
                struct rig rig;

                rig_start(&rig, STREAM_NO_ESCAPE);
                put(rig.session, frames[i], 8);
                rig_end(&rig);
                assert_int_equal(rig.r, -EBADMSG);
        }
}

static void the_key_detaches_even_in_two_pieces(void **state)
{
        enum croft_stream_type type;
        struct rig rig;
        char buf[16];

        (void)state;
        rig_start(&rig, 1);
        put(rig.input, "ab\001", 3);
        assert_int_equal(get_frame(rig.session, &type, buf), 2);
        assert_memory_equal(buf, "ab", 2);
        put(rig.input, "q", 1);
        rig_end(&rig);
        assert_int_equal(rig.end, STREAM_DETACHED);
}

static void what_was_typed_before_the_key_is_sent(void **state)
{
        enum croft_stream_type type;
        struct rig rig;
        char buf[16];

        (void)state;
        rig_start(&rig, 1);
        put(rig.input, "ab\001q", 4);
        assert_int_equal(get_frame(rig.session, &type, buf), 2);
        assert_memory_equal(buf, "ab", 2);
        rig_end(&rig);
        assert_int_equal(rig.end, STREAM_DETACHED);
}

static void the_key_detaches_from_a_session_that_reads_nothing(void **state)
{
        int small = 4096;
        char block[4096];
        struct rig rig;

        (void)state;
        rig_start(&rig, 1);
        memset(block, 'x', sizeof(block));
        /* The least that the kernel gives a socket is far less than these. */
        assert_int_equal(setsockopt(rig.spec.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
        for (int i = 0; i < 8; i++)
                put(rig.input, block, sizeof(block));
        put(rig.input, "\001q", 2);
        rig_end(&rig);
        assert_int_equal(rig.end, STREAM_DETACHED);
}

static void the_key_twice_is_sent_once_and_others_stay(void **state)
{
        enum croft_stream_type type;
        struct rig rig;
        char buf[16];

        (void)state;
        rig_start(&rig, 1);
        put(rig.input, "\001\001\001xy", 5);
        assert_int_equal(get_frame(rig.session, &type, buf), 4);
        assert_memory_equal(buf, "\001\001xy", 4);
        put(rig.input, "\001q", 2);
        rig_end(&rig);
        assert_int_equal(rig.end, STREAM_DETACHED);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(output_and_status_arrive),
                cmocka_unit_test(frames_may_come_byte_by_byte),
                cmocka_unit_test(input_is_passed_on_with_its_end),
                cmocka_unit_test(much_data_both_ways_at_once_arrives_whole),
                cmocka_unit_test(input_flows_while_nobody_reads_the_output),
                cmocka_unit_test(a_reader_that_left_ends_the_stream),
                cmocka_unit_test(a_session_that_vanishes_is_no_success),
                cmocka_unit_test(an_error_frame_is_kept_for_the_one_who_asked),
                cmocka_unit_test(frames_that_croft_never_sends_are_refused),
                cmocka_unit_test(the_key_detaches_even_in_two_pieces),
                cmocka_unit_test(what_was_typed_before_the_key_is_sent),
                cmocka_unit_test(the_key_detaches_from_a_session_that_reads_nothing),
                cmocka_unit_test(the_key_twice_is_sent_once_and_others_stay),
        };

        signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
