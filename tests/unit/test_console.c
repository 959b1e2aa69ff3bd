/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_console.c - a console between a terminal and its clients; the test is the event loop.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "partition/ring.h"
#include "warden/console.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>

#include <cmocka.h>

struct bench {
        struct console console;
        int epoll, master, slave, log;
};

static struct bench bench_new(void)
{
        struct bench b = {.epoll = epoll_create1(EPOLL_CLOEXEC), .log = memfd_create("log", MFD_CLOEXEC)};
        struct termios t;
        char name[64];

        b.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        assert_true(b.master >= 0 && unlockpt(b.master) == 0 && ptsname_r(b.master, name, sizeof(name)) == 0);
        b.slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
        assert_true(b.slave >= 0 && tcgetattr(b.slave, &t) == 0);
        cfmakeraw(&t);
        assert_int_equal(tcsetattr(b.slave, TCSANOW, &t), 0);
        return b;
}

static void bench_open(struct bench *b)
{
        assert_int_equal(console_open(&b->console, b->epoll, b->master, b->log), 0);
}

static void bench_done(struct bench *b)
{
        console_close(&b->console);
        close_fd(b->slave);
        close_fd(b->master);
        close_fd(b->epoll);
        close_fd(b->log);
}

static void serve(struct bench *b, const struct epoll_event *e)
{
        if (e->data.u64 >> 32 == CONSOLE_TAG_MASTER)
                console_master_ready(&b->console, e->events);
        else
                console_client_ready(&b->console, (uint32_t)e->data.u64, e->events);
}

/* Serves all that is ready now, as the warden's loop does. */
static void turn(struct bench *b)
{
        struct epoll_event e;

        while (epoll_wait(b->epoll, &e, 1, 0) == 1)
                serve(b, &e);
}

static int attach(struct bench *b)
{
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        console_attach(&b->console, pair[1]);
        return pair[0];
}

/* The next frame's type, its body in a static buffer; -1: the end. */
static char body[CROFT_STREAM_BODY_MAX + 1];

static int next(int fd)
{
        uint8_t h[CROFT_STREAM_HEADER];
        size_t size;

        if (recv(fd, h, sizeof(h), MSG_DONTWAIT) != sizeof(h))
                return -1;
        size = (size_t)h[5] << 16 | (size_t)h[6] << 8 | h[7];
        assert_int_equal(recv(fd, body, size, MSG_DONTWAIT), size);
        body[size] = '\0';
        return h[0];
}

/* The kernel hands what is written to a terminal on by a worker of its own: serves until it has come. */
static void say(struct bench *b, const char *text)
{
        uint64_t until = b->console.ring.written + strlen(text);
        struct epoll_event e;

        assert_int_equal(fd_write_all(b->slave, text, strlen(text)), 0);
        while (b->console.ring.written < until) {
                assert_int_equal(epoll_wait(b->epoll, &e, 1, 10000), 1);
                serve(b, &e);
        }
        turn(b);
}

static void output_reaches_all_clients_and_the_log(void **state)
{
        _cleanup_(bench_done) struct bench b = bench_new();
        _cleanup_close_ int one = -EBADF, two = -EBADF;
        _cleanup_free_ uint8_t *log = NULL;
        size_t size;

        (void)state;
        bench_open(&b);
        say(&b, "before ");
        one = attach(&b);
        two = attach(&b);
        say(&b, "after");
        for (int i = 0; i < 2; i++) {
                assert_int_equal(next(i ? two : one), CROFT_STREAM_STDOUT);
                assert_string_equal(body, "before ");
                assert_int_equal(next(i ? two : one), CROFT_STREAM_STDOUT);
                assert_string_equal(body, "after");
        }
        assert_int_equal(ring_copy(b.log, &log, &size), 0);
        assert_int_equal(size, 12);
        assert_memory_equal(log, "before after", 12);
}

static void input_and_size_reach_the_terminal(void **state)
{
        _cleanup_(bench_done) struct bench b = bench_new();
        _cleanup_close_ int client = -EBADF;
        struct pollfd p = {.events = POLLIN};
        struct winsize size;
        char got[8] = "";

        (void)state;
        bench_open(&b);
        client = attach(&b);
        assert_int_equal(fd_write_all(client, "\4\0\0\0\0\0\0\4\0\60\0\144\0\0\0\0\0\0\0\2hi", 22), 0);
        turn(&b);
        p.fd = b.slave;
        assert_int_equal(poll(&p, 1, 10000), 1);
        assert_int_equal(read(b.slave, got, sizeof(got)), 2);
        assert_string_equal(got, "hi");
        assert_int_equal(ioctl(b.slave, TIOCGWINSZ, &size), 0);
        assert_true(size.ws_row == 48 && size.ws_col == 100);
}

static void ninth_client_is_told_and_refused(void **state)
{
        _cleanup_(bench_done) struct bench b = bench_new();
        int fds[CONSOLE_CLIENTS_MAX + 1];

        (void)state;
        bench_open(&b);
        for (size_t i = 0; i < ELEMENTS(fds); i++)
                fds[i] = attach(&b);
        assert_int_equal(next(fds[CONSOLE_CLIENTS_MAX]), CROFT_STREAM_ERROR);
        assert_int_equal(next(fds[CONSOLE_CLIENTS_MAX]), CROFT_STREAM_EXIT);
        close_fd(fds[3]);
        turn(&b);
        close_fd(fds[CONSOLE_CLIENTS_MAX]);
        fds[CONSOLE_CLIENTS_MAX] = attach(&b); /* the place of one that went */
        fds[3] = -EBADF;
        say(&b, "x");
        assert_int_equal(next(fds[CONSOLE_CLIENTS_MAX]), CROFT_STREAM_STDOUT);
        for (size_t i = 0; i < ELEMENTS(fds); i++)
                close_fd(fds[i]);
}

static void client_that_does_not_read_is_dropped_and_others_are_served(void **state)
{
        static char line[1024];
        _cleanup_(bench_done) struct bench b = bench_new();
        _cleanup_close_ int slow = -EBADF, quick = -EBADF;
        size_t got = 0;

        (void)state;
        memset(line, 'l', sizeof(line) - 1);
        bench_open(&b);
        slow = attach(&b);
        quick = attach(&b);
        for (int i = 0; i < 2000 && b.console.clients[0].fd >= 0; i++) {
                say(&b, line);
                while (next(quick) == CROFT_STREAM_STDOUT)
                        got += strlen(body);
        }
        assert_true(b.console.clients[0].fd < 0);
        assert_true(b.console.clients[1].fd >= 0 && got > CONSOLE_QUEUE_MAX);
}

static void input_nobody_reads_does_not_stop_the_output(void **state)
{
        static char frame[8 + 4096] = {0, 0, 0, 0, 0, 0, 0x10, 0};
        _cleanup_(bench_done) struct bench b = bench_new();
        _cleanup_close_ int client = -EBADF;

        (void)state;
        bench_open(&b);
        client = attach(&b);
        for (int i = 0; i < 16; i++) {
                assert_int_equal(fd_write_all(client, frame, sizeof(frame)), 0);
                turn(&b);
        }
        say(&b, "still here");
        assert_int_equal(next(client), CROFT_STREAM_STDOUT);
        assert_string_equal(body, "still here");
}

static void end_is_told_after_the_last_output(void **state)
{
        _cleanup_(bench_done) struct bench b = bench_new();
        _cleanup_close_ int client = -EBADF;
        struct pollfd p = {.events = POLLIN};

        (void)state;
        bench_open(&b);
        client = attach(&b);
        assert_int_equal(fd_write_all(b.slave, "last words", 10), 0);
        p.fd = b.master;
        assert_int_equal(poll(&p, 1, 10000), 1);
        console_end(&b.console, 7);
        assert_int_equal(next(client), CROFT_STREAM_STDOUT);
        assert_string_equal(body, "last words");
        assert_int_equal(next(client), CROFT_STREAM_EXIT);
        assert_int_equal(body[3], 7);
        assert_int_equal(recv(client, body, 1, 0), 0);
}

static void end_waits_for_a_client_that_lags(void **state)
{
        static char text[200000];
        _cleanup_(bench_done) struct bench b = bench_new();
        _cleanup_close_ int client = -EBADF;
        int pair[2], small = 4096, last = -1;
        size_t got = 0;

        (void)state;
        bench_open(&b);
        memset(text, 't', sizeof(text));
        assert_int_equal(ring_write(&b.console.ring, text, sizeof(text)), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
        client = pair[0];
        console_attach(&b.console, pair[1]);
        console_end(&b.console, 1);
        assert_true(b.console.clients[0].fd >= 0);
        /* By bytes: frames of this size come in pieces here. */
        for (;;) {
                ssize_t n = recv(client, body, sizeof(body), MSG_DONTWAIT);

                turn(&b);
                if (n == 0)
                        break;
                assert_true(n > 0);
                got += (size_t)n;
                last = body[n - 1];
        }
        assert_int_equal(last, 1);
        assert_int_equal(got, sizeof(text) + 4 * 8 + 8 + 4);
        assert_true(b.console.clients[0].fd < 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(output_reaches_all_clients_and_the_log),
                cmocka_unit_test(input_and_size_reach_the_terminal),
                cmocka_unit_test(ninth_client_is_told_and_refused),
                cmocka_unit_test(client_that_does_not_read_is_dropped_and_others_are_served),
                cmocka_unit_test(input_nobody_reads_does_not_stop_the_output),
                cmocka_unit_test(end_is_told_after_the_last_output),
                cmocka_unit_test(end_waits_for_a_client_that_lags),
        };

        return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
