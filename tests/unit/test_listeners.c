/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_listeners.c - the set of a partition's listeners is bounded, numbered, and goes over a socket as it is.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "partition/listeners.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static int some_fd(void)
{
        int fd = fd_sealed("some", "", 0);

        assert_true(fd >= 0);
        return fd;
}

static bool is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

static void numbers_rise_and_are_never_given_again(void **state)
{
        struct listeners l = {.n = 0};
        uint32_t number = 0;

        (void)state;
        assert_int_equal(listeners_add(&l, LISTENER_INIT, some_fd(), NULL), 0);
        assert_int_equal(listeners_add(&l, 0, some_fd(), &number), 0);
        assert_int_equal(number, 2);
        listeners_remove(&l, 2);
        assert_int_equal(listeners_find(&l, 2), -EBADF);
        assert_int_equal(listeners_add(&l, 0, some_fd(), &number), 0);
        assert_int_equal(number, 3);
        assert_int_equal(listeners_add(&l, 900, some_fd(), &number), 0);
        assert_int_equal(listeners_add(&l, 0, some_fd(), &number), 0);
        assert_int_equal(number, 901);
        assert_true(is_open(listeners_find(&l, 3)));
        listeners_done(&l);
        assert_int_equal(l.n, 0);
}

static void what_is_not_taken_is_closed(void **state)
{
        struct listeners l = {.n = 0};
        int fd = some_fd(), again = some_fd();

        (void)state;
        assert_int_equal(listeners_add(&l, 5, fd, NULL), 0);
        assert_int_equal(listeners_add(&l, 5, again, NULL), -EEXIST);
        assert_false(is_open(again));
        assert_int_equal(listeners_find(&l, 5), fd);
        assert_int_equal(listeners_add(&l, 6, -EBADF, NULL), -EBADF);
        listeners_done(&l);
        assert_false(is_open(fd));
}

static void more_than_fit_are_refused(void **state)
{
        struct listeners l = {.n = 0};
        int fd;

        (void)state;
        for (uint32_t i = 0; i < LISTENERS_MAX; i++)
                assert_int_equal(listeners_add(&l, 0, some_fd(), NULL), 0);
        fd = some_fd();
        assert_int_equal(listeners_add(&l, 0, fd, NULL), -ENOSPC);
        assert_false(is_open(fd));
        listeners_remove(&l, 4);
        assert_int_equal(listeners_add(&l, 0, some_fd(), NULL), 0);
        listeners_done(&l);
}

static void numbers_that_are_used_up_are_refused(void **state)
{
        struct listeners l = {.newest = UINT32_MAX};

        (void)state;
        assert_int_equal(listeners_add(&l, 0, some_fd(), NULL), -ENOSPC);
}

/* A socket whose other end is gone says POLLHUP, as a listener whose processes have ended. */
static void those_of_processes_that_ended_are_swept_away(void **state)
{
        struct listeners l = {.n = 0};
        int pair[2];

        (void)state;
        for (uint32_t i = 0; i < 4; i++) {
                assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
                assert_int_equal(listeners_add(&l, 0, pair[0], NULL), 0);
                if (i % 2)
                        close_fd(pair[1]); /* else open until the end of this program */
        }
        listeners_sweep(&l);
        assert_int_equal(l.n, 2);
        assert_true(listeners_find(&l, 1) >= 0 && listeners_find(&l, 3) >= 0);
        assert_int_equal(listeners_find(&l, 2), -EBADF);
        listeners_done(&l);
}

/* Receives until the last message; how many there were. */
static unsigned int receive_all(int socket, struct listeners *ret)
{
        struct listeners_note note = {.complete = false};
        unsigned int n = 0;

        while (!note.complete) {
                _cleanup_(warden_packet_done) struct warden_packet p = {0};

                assert_int_equal(warden_receive(socket, &p), 1);
                assert_int_equal(p.type, WARDEN_LISTENERS);
                assert_int_equal(listeners_note_get(&p.body, &note), 0);
                for (uint32_t i = 0; i < note.n; i++)
                        assert_int_equal(
                                listeners_add(ret, note.numbers[i], warden_packet_take_fd(&p, "listener"), NULL), 0);
                n++;
        }
        return n;
}

static bool same_file(int a, int b)
{
        char x[8] = "", y[8] = "";

        return pread(a, x, sizeof(x) - 1, 0) > 0 && pread(b, y, sizeof(y) - 1, 0) > 0 && strcmp(x, y) == 0;
}

static void a_set_of_any_size_goes_over_a_socket(void **state)
{
        const uint32_t sizes[] = {0, 1, LISTENERS_IN_NOTE, LISTENERS_IN_NOTE + 1, 3 * LISTENERS_IN_NOTE, LISTENERS_MAX};
        const unsigned int messages[] = {1, 1, 1, 2, 3, LISTENERS_MAX / LISTENERS_IN_NOTE};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(sizes); i++) {
                struct listeners l = {.n = 0}, got = {.n = 0};
                int pair[2];

                assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
                for (uint32_t k = 0; k < sizes[i]; k++) {
                        char text[12];

                        (void)snprintf(text, sizeof(text), "%u", k);
                        assert_int_equal(listeners_add(&l, 0, fd_sealed("l", text, strlen(text)), NULL), 0);
                }
                assert_int_equal(listeners_send(pair[0], &l), 0);
                assert_int_equal(receive_all(pair[1], &got), messages[i]);
                assert_int_equal(got.n, sizes[i]);
                for (uint32_t k = 0; k < got.n; k++)
                        assert_true(same_file(got.list[k].fd, listeners_find(&l, got.list[k].number)));
                listeners_done(&l);
                listeners_done(&got);
                close_fd(pair[0]);
                close_fd(pair[1]);
        }
}

static void one_more_is_not_all(void **state)
{
        _cleanup_(warden_packet_done) struct warden_packet p = {0};
        struct listeners_note note;
        int pair[2], fd = some_fd();

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(listeners_send_one(pair[0], 9, fd), 0);
        assert_int_equal(warden_receive(pair[1], &p), 1);
        assert_int_equal(listeners_note_get(&p.body, &note), 0);
        assert_true(!note.complete && note.n == 1 && note.numbers[0] == 9);
        close_fd(fd);
        close_fd(pair[0]);
        assert_true(listeners_send_one(-1, 9, -1) < 0);
        close_fd(pair[1]);
}

static int decode(const struct listeners_note *note, size_t cut, uint8_t more)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        _cleanup_free_ uint8_t *exact = NULL;
        struct listeners_note got;
        struct wire_reader r;
        int result;

        listeners_note_put(&w, note);
        if (more)
                wire_put_u8(&w, more);
        exact = malloc(w.used + 1); /* so that ASan sees a read beyond */
        assert_non_null(exact);
        memcpy(exact, w.data, w.used - cut);
        wire_reader_init(&r, exact, w.used - cut);
        result = listeners_note_get(&r, &got);
        if (result < 0)
                assert_true(got.n == 0 && !got.complete);
        return result;
}

static void a_malformed_note_is_refused(void **state)
{
        struct listeners_note note = {.complete = true, .n = 2, .numbers = {1, 2}};

        (void)state;
        assert_int_equal(decode(&note, 0, 0), 0);
        for (size_t cut = 1; cut <= 13; cut++)
                assert_true(decode(&note, cut, 0) < 0);
        assert_int_equal(decode(&note, 0, 1), -EBADMSG);
        note.numbers[1] = 0;
        assert_int_equal(decode(&note, 0, 0), -EBADMSG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_rise_and_are_never_given_again),
                cmocka_unit_test(what_is_not_taken_is_closed),
                cmocka_unit_test(more_than_fit_are_refused),
                cmocka_unit_test(numbers_that_are_used_up_are_refused),
                cmocka_unit_test(those_of_processes_that_ended_are_swept_away),
                cmocka_unit_test(a_set_of_any_size_goes_over_a_socket),
                cmocka_unit_test(one_more_is_not_all),
                cmocka_unit_test(a_malformed_note_is_refused),
        };

        return cmocka_run_group_tests_name("listeners", tests, NULL, NULL);
}
