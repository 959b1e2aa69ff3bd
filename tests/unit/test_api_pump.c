/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_api_pump.c - bytes carried between two sockets: all of them, in order, to the end, and no further.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/api_pump.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cmocka.h>

/* a[1] and b[1] are the far ends; the pump sits between a[0] and b[0]. */
struct fixture {
        int a[2], b[2], stop;
        const char *early;
        pthread_t thread;
};

static void *pump(void *context)
{
        struct fixture *f = context;

        api_pump(f->a[0], f->b[0], f->early, strlen(f->early), f->stop);
        f->a[0] = close_fd(f->a[0]);
        f->b[0] = close_fd(f->b[0]);
        return NULL;
}

static void begin(struct fixture *f, const char *early)
{
        f->early = early;
        f->stop = eventfd(0, EFD_CLOEXEC);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->a), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->b), 0);
        assert_int_equal(pthread_create(&f->thread, NULL, pump, f), 0);
}

/* Hangs when the pump doesn't end. */
static void end(struct fixture *f)
{
        assert_int_equal(pthread_join(f->thread, NULL), 0);
        close_fd(f->a[1]);
        close_fd(f->b[1]);
        close_fd(f->stop);
}

static void expect(int fd, const char *text)
{
        char got[64];
        size_t size = strlen(text);

        assert_int_equal(recv(fd, got, size, MSG_WAITALL), size);
        assert_memory_equal(got, text, size);
}

static void early_bytes_come_first_and_both_ways_flow(void **state)
{
        struct fixture f;

        (void)state;
        begin(&f, "early ");
        assert_int_equal(send(f.a[1], "late", 4, 0), 4);
        expect(f.b[1], "early late");
        assert_int_equal(send(f.b[1], "back", 4, 0), 4);
        expect(f.a[1], "back");
        f.b[1] = close_fd(f.b[1]);
        end(&f);
}

static void what_b_sent_before_its_end_reaches_a_though_a_still_sends(void **state)
{
        struct fixture f;
        char byte;

        (void)state;
        begin(&f, "x");
        expect(f.b[1], "x");
        assert_int_equal(send(f.a[1], "unread", 6, 0), 6);
        assert_int_equal(send(f.b[1], "last", 4, 0), 4);
        f.b[1] = close_fd(f.b[1]);
        expect(f.a[1], "last");
        assert_int_equal(recv(f.a[1], &byte, 1, 0), 0);
        end(&f);
}

static void an_end_of_input_is_passed_on_and_output_goes_on(void **state)
{
        struct fixture f;
        char byte;

        (void)state;
        begin(&f, "x");
        expect(f.b[1], "x");
        assert_int_equal(shutdown(f.a[1], SHUT_WR), 0);
        assert_int_equal(recv(f.b[1], &byte, 1, 0), 0);
        assert_int_equal(send(f.b[1], "more", 4, 0), 4);
        expect(f.a[1], "more");
        f.b[1] = close_fd(f.b[1]);
        end(&f);
}

static void a_client_that_goes_ends_it(void **state)
{
        struct fixture f;
        char byte;

        (void)state;
        begin(&f, "x");
        f.a[1] = close_fd(f.a[1]);
        expect(f.b[1], "x");
        assert_int_equal(recv(f.b[1], &byte, 1, 0), 0);
        end(&f);
}

static void being_told_to_stop_ends_it(void **state)
{
        struct fixture f;

        (void)state;
        begin(&f, "x");
        expect(f.b[1], "x");
        assert_int_equal(eventfd_write(f.stop, 1), 0);
        end(&f);
}

#define MANY ((size_t)4 << 20)

static void *send_many(void *context)
{
        _cleanup_free_ char *bytes = malloc(MANY);
        const int *fd = context;

        for (size_t i = 0; i < MANY; i++)
                bytes[i] = (char)(i * 31 >> 3);
        (void)fd_write_all(*fd, bytes, MANY);
        (void)shutdown(*fd, SHUT_WR);
        return NULL;
}

/* More than all buffers hold, while nobody reads at first: the pump waits, and drops nothing. */
static void a_slow_reader_gets_every_byte(void **state)
{
        _cleanup_free_ char *got = malloc(MANY);
        pthread_t sender;
        struct fixture f;

        (void)state;
        begin(&f, "x");
        expect(f.b[1], "x");
        assert_int_equal(pthread_create(&sender, NULL, send_many, &f.b[1]), 0);
        assert_int_equal(recv(f.a[1], got, MANY, MSG_WAITALL), MANY);
        for (size_t i = 0; i < MANY; i++)
                if (got[i] != (char)(i * 31 >> 3))
                        fail_msg("byte %zu is wrong", i);
        assert_int_equal(pthread_join(sender, NULL), 0);
        end(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(early_bytes_come_first_and_both_ways_flow),
                cmocka_unit_test(what_b_sent_before_its_end_reaches_a_though_a_still_sends),
                cmocka_unit_test(an_end_of_input_is_passed_on_and_output_goes_on),
                cmocka_unit_test(a_client_that_goes_ends_it),
                cmocka_unit_test(being_told_to_stop_ends_it),
                cmocka_unit_test(a_slow_reader_gets_every_byte),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
