/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_api_peer.c - who may speak to croftd.  Runs as anybody: where root would be let in, others are told no.
 */
#include "daemon/api_peer.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sock.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

/* A connection as croftd has it: [0] is ours, [1] the client's. */
static void connection(int pair[2])
{
        char dir[] = "/tmp/croft-peer-XXXXXX";
        _cleanup_close_ int dir_fd = -EBADF, listener = -EBADF;

        assert_non_null(mkdtemp(dir));
        dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        listener = sock_listen(dir_fd, "s", SOCK_STREAM, 0600, NULL);
        assert_true(listener >= 0);
        assert_int_equal(api_peer_listen(listener), 0);
        pair[1] = sock_connect(dir_fd, "s", SOCK_STREAM, NULL);
        pair[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(pair[0] >= 0 && pair[1] >= 0);
        assert_int_equal(unlinkat(dir_fd, "s", 0), 0);
        assert_int_equal(rmdir(dir), 0);
}

struct trial {
        int socket;
        size_t reads; /* of a byte, by recv() */
        int result;
        struct croft_error err;
};

/* In a thread of its own, as each connection has. */
static void *judge(void *context)
{
        struct trial *t = context;
        char byte;

        for (size_t i = 0; i < t->reads; i++)
                if (recv(t->socket, &byte, 1, 0) != 1)
                        return NULL;
        t->result = api_peer_check(t->socket, &t->err);
        return t;
}

static void run(struct trial *t)
{
        pthread_t thread;
        void *whole;

        assert_int_equal(pthread_create(&thread, NULL, judge, t), 0);
        assert_int_equal(pthread_join(thread, &whole), 0);
        assert_ptr_equal(whole, t);
}

static void root_is_let_in_and_others_are_not(void **state)
{
        int pair[2];
        struct trial t = {.reads = 1};

        (void)state;
        connection(pair);
        t.socket = pair[0];
        assert_int_equal(send(pair[1], "x", 1, 0), 1);
        run(&t);
        assert_int_equal(t.result, geteuid() == 0 ? 0 : -EACCES);
        close_fd(pair[0]);
        close_fd(pair[1]);
}

static void bytes_that_were_read_past_us_have_no_sender_and_are_refused(void **state)
{
        int pair[2];
        struct trial t = {.reads = 0};
        char byte;

        (void)state;
        connection(pair);
        t.socket = pair[0];
        assert_int_equal(send(pair[1], "x", 1, 0), 1);
        assert_int_equal(read(pair[0], &byte, 1), 1);
        run(&t);
        assert_int_equal(t.result, -EACCES);
        close_fd(pair[0]);
        close_fd(pair[1]);
}

/* Sends a byte from a user namespace of its own, and stays until told (a dead sender would be refused anyway). */
static void send_from_elsewhere(int fd, int until)
{
        char byte;

        if (unshare(CLONE_NEWUSER) < 0 || send(fd, "y", 1, 0) != 1)
                _exit(1);
        _exit(read(until, &byte, 1) == 1 ? 0 : 1);
}

static void a_connection_of_root_is_refused_once_somebody_else_has_sent(void **state)
{
        struct trial t = {.reads = 2};
        int pair[2], until[2], status;
        pid_t child;

        (void)state;
        connection(pair);
        t.socket = pair[0];
        assert_int_equal(pipe2(until, O_CLOEXEC), 0);
        assert_int_equal(send(pair[1], "x", 1, 0), 1);
        child = fork();
        if (child == 0)
                send_from_elsewhere(pair[1], until[0]);
        run(&t);
        assert_int_equal(write(until[1], "", 1), 1);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_int_equal(t.result, -EACCES);
        if (geteuid() == 0)
                assert_non_null(strstr(t.err.text, "whoever opened the connection"));
        for (int i = 0; i < 2; i++) {
                close_fd(pair[i]);
                close_fd(until[i]);
        }
}

static void descriptors_sent_along_are_not_taken(void **state)
{
        struct trial t = {.reads = 1};
        int pair[2], before, after;

        (void)state;
        connection(pair);
        t.socket = pair[0];
        before = fd_dup(0);
        close_fd(before);
        assert_int_equal(sock_send_packet(pair[1], "x", 1, (int[]){0, 1}, 2), 0);
        run(&t);
        after = fd_dup(0);
        close_fd(after);
        assert_int_equal(before, after);
        close_fd(pair[0]);
        close_fd(pair[1]);
}

/* As by a warden in a session: its sockets have no notes, and so room. */
static void nor_where_senders_are_not_noted(void **state)
{
        int pair[2], before, after;
        char byte;

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        before = fd_dup(0);
        close_fd(before);
        assert_int_equal(sock_send_packet(pair[1], "x", 1, (int[]){0, 1, 2, 0, 1}, 5), 0);
        assert_int_equal(recv(pair[0], &byte, 1, MSG_PEEK), 1);
        assert_int_equal(recv(pair[0], &byte, 1, 0), 1);
        after = fd_dup(0);
        close_fd(after);
        assert_int_equal(before, after);
        close_fd(pair[0]);
        close_fd(pair[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(root_is_let_in_and_others_are_not),
                cmocka_unit_test(bytes_that_were_read_past_us_have_no_sender_and_are_refused),
                cmocka_unit_test(a_connection_of_root_is_refused_once_somebody_else_has_sent),
                cmocka_unit_test(descriptors_sent_along_are_not_taken),
                cmocka_unit_test(nor_where_senders_are_not_noted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
