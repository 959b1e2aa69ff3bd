/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_sock.c - unix sockets and packets with descriptors.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sock.h"
#include "fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

static char scratch_path[256];
static int scratch = -EBADF;
static int pair[2] = {-EBADF, -EBADF};

static int set_up(void **state)
{
        const char *tmp = getenv("TMPDIR");

        (void)state;
        (void)snprintf(scratch_path, sizeof(scratch_path), "%s/croft-test-sock.XXXXXX", tmp ? tmp : "/tmp");
        if (!mkdtemp(scratch_path) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -1;
        scratch = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return scratch < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
        (void)state;
        scratch = close_fd(scratch);
        pair[0] = close_fd(pair[0]);
        pair[1] = close_fd(pair[1]);
        return fd_remove_tree(AT_FDCWD, scratch_path, NULL);
}

static void a_packet_arrives_whole(void **state)
{
        _cleanup_(sock_packet_done) struct sock_packet p = {0};

        (void)state;
        assert_int_equal(sock_send_packet(pair[0], "hello", 5, NULL, 0), 0);
        assert_int_equal(sock_receive_packet(pair[1], 100, &p), 1);
        assert_int_equal(p.size, 5);
        assert_memory_equal(p.data, "hello", 5);
        assert_int_equal(p.n_fds, 0);
}

static void descriptors_arrive_in_order_and_close_on_exec(void **state)
{
        _cleanup_(sock_packet_done) struct sock_packet p = {0};
        int fds[SOCK_FDS_MAX];

        (void)state;
        for (size_t i = 0; i < SOCK_FDS_MAX; i++) {
                char name[16];

                (void)snprintf(name, sizeof(name), "%zu", i);
                fds[i] = fd_sealed(name, &i, sizeof(i));
                assert_true(fds[i] >= 0);
        }
        assert_int_equal(sock_send_packet(pair[0], "x", 1, fds, SOCK_FDS_MAX), 0);
        assert_int_equal(sock_receive_packet(pair[1], 100, &p), 1);
        assert_int_equal(p.n_fds, SOCK_FDS_MAX);
        for (size_t i = 0; i < SOCK_FDS_MAX; i++) {
                size_t content = 99;

                assert_true(fcntl(p.fds[i], F_GETFD) & FD_CLOEXEC);
                assert_int_equal(pread(p.fds[i], &content, sizeof(content), 0), sizeof(content));
                assert_int_equal(content, i);
                (void)close_fd(fds[i]);
        }
}

static void a_taken_descriptor_is_forgotten_by_the_packet(void **state)
{
        struct sock_packet p = {0};
        _cleanup_close_ int taken = -EBADF;
        int fds[2] = {scratch, scratch};

        (void)state;
        assert_int_equal(sock_send_packet(pair[0], "x", 1, fds, 2), 0);
        assert_int_equal(sock_receive_packet(pair[1], 100, &p), 1);
        taken = sock_packet_take_fd(&p, 1);
        assert_true(taken >= 0);
        assert_int_equal(sock_packet_take_fd(&p, 1), -EBADF);
        assert_int_equal(sock_packet_take_fd(&p, 2), -EBADF);
        sock_packet_done(&p);
        assert_true(fcntl(taken, F_GETFD) >= 0);
        sock_packet_done(&p); /* a packet that is done can be done again */
}

static void a_packet_longer_than_the_bound_is_refused_with_its_descriptors(void **state)
{
        struct sock_packet p = {0};
        size_t before = fault_count_fds();

        (void)state;
        assert_int_equal(sock_send_packet(pair[0], "0123456789", 10, &scratch, 1), 0);
        assert_int_equal(sock_receive_packet(pair[1], 9, &p), -EMSGSIZE);
        assert_null(p.data);
        assert_int_equal(p.n_fds, 0);
        assert_int_equal(fault_count_fds(), before);
}

static void a_packet_of_exactly_the_bound_is_taken(void **state)
{
        _cleanup_(sock_packet_done) struct sock_packet p = {0};

        (void)state;
        assert_int_equal(sock_send_packet(pair[0], "0123456789", 10, NULL, 0), 0);
        assert_int_equal(sock_receive_packet(pair[1], 10, &p), 1);
        assert_int_equal(p.size, 10);
}

/* Sends n descriptors in one message, past the check of sock_send_packet(): a hostile peer can. */
static void send_many(size_t n)
{
        static union {
                struct cmsghdr header;
                char room[CMSG_SPACE(253 * sizeof(int))];
        } control;
        struct iovec iov = {.iov_base = (char[]){"x"}, .iov_len = 1};
        struct msghdr message = {.msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = CMSG_SPACE(n * sizeof(int))};

        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(n * sizeof(int));
        for (size_t i = 0; i < n; i++)
                memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &scratch, sizeof(int));
        assert_int_equal(sendmsg(pair[0], &message, 0), 1);
}

static void too_many_descriptors_are_refused_and_closed(void **state)
{
        size_t before = fault_count_fds();

        (void)state;
        for (size_t n = SOCK_FDS_MAX + 1; n <= 253; n += 11) {
                struct sock_packet p = {0};

                send_many(n);
                assert_int_equal(sock_receive_packet(pair[1], 100, &p), -EBADMSG);
                assert_int_equal(p.n_fds, 0);
                assert_int_equal(fault_count_fds(), before);
        }
}

static void sending_too_many_descriptors_is_refused(void **state)
{
        int fds[SOCK_FDS_MAX + 1] = {0};

        (void)state;
        assert_int_equal(sock_send_packet(pair[0], "x", 1, fds, SOCK_FDS_MAX + 1), -E2BIG);
}

static void a_packet_whose_descriptors_find_no_room_is_refused(void **state)
{
        struct rlimit before, few;
        struct sock_packet p = {0};
        int fds[8], r;
        size_t open_before = fault_count_fds();

        (void)state;
        for (size_t i = 0; i < ELEMENTS(fds); i++)
                fds[i] = scratch;
        assert_int_equal(sock_send_packet(pair[0], "x", 1, fds, ELEMENTS(fds)), 0);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        few = before;
        few.rlim_cur = (rlim_t)scratch + 2; /* room for some of them */
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        r = sock_receive_packet(pair[1], 100, &p);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(r, -EBADMSG);
        assert_int_equal(fault_count_fds(), open_before);
}

static void an_empty_packet_is_not_sent_because_it_reads_as_the_end(void **state)
{
        (void)state;
        assert_int_equal(sock_send_packet(pair[0], "", 0, NULL, 0), -EINVAL);
}

static void a_hostile_empty_packet_counts_as_the_end_and_leaves_nothing(void **state)
{
        struct sock_packet p = {0};

        (void)state;
        assert_int_equal(send(pair[0], "", 0, 0), 0);
        assert_int_equal(sock_receive_packet(pair[1], 100, &p), 0);
        assert_null(p.data);
}

static void the_end_of_the_peer_is_told_on_both_sides(void **state)
{
        struct sock_packet p = {0};

        (void)state;
        pair[0] = close_fd(pair[0]);
        assert_int_equal(sock_receive_packet(pair[1], 100, &p), 0);
        assert_null(p.data);
        assert_int_equal(sock_send_packet(pair[1], "x", 1, NULL, 0), -EPIPE); /* and no SIGPIPE */
}

static void a_nonblocking_socket_without_a_packet_says_again(void **state)
{
        struct sock_packet p = {0};

        (void)state;
        assert_int_equal(fd_set_nonblock(pair[1], 1), 0);
        assert_int_equal(sock_receive_packet(pair[1], 100, &p), -EAGAIN);
        assert_null(p.data);
}

static void a_packet_larger_than_the_socket_buffer_is_refused(void **state)
{
        static char big[16 << 20];

        (void)state;
        assert_int_equal(sock_send_packet(pair[0], big, sizeof(big), NULL, 0), -EMSGSIZE);
}

static void a_listener_is_reached_by_its_name(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_close_ int listener = sock_listen(scratch, "s", SOCK_SEQPACKET, 0600, &err);
        _cleanup_close_ int client = sock_connect(scratch, "s", SOCK_SEQPACKET, &err);
        _cleanup_close_ int server = -EBADF;
        _cleanup_(sock_packet_done) struct sock_packet p = {0};
        uid_t uid;
        pid_t pid;

        (void)state;
        assert_true(listener >= 0);
        assert_true(client >= 0);
        assert_true(fcntl(listener, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(client, F_GETFD) & FD_CLOEXEC);
        server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_int_equal(sock_peer(server, &uid, &pid), 0);
        assert_int_equal(uid, geteuid());
        assert_int_equal(pid, getpid());
        assert_int_equal(sock_send_packet(client, "x", 1, NULL, 0), 0);
        assert_int_equal(sock_receive_packet(server, 1, &p), 1);
}

static void the_socket_file_has_the_mode_asked_for_whatever_the_umask(void **state)
{
        static const mode_t modes[] = {0600, 0660, 0666, 0000};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(modes); i++) {
                mode_t before = umask(i % 2 ? 0 : 077);
                _cleanup_close_ int listener = sock_listen(scratch, "s", SOCK_STREAM, modes[i], NULL);
                struct stat st;

                (void)umask(before);
                assert_true(listener >= 0);
                assert_int_equal(fstatat(scratch, "s", &st, AT_SYMLINK_NOFOLLOW), 0);
                assert_int_equal(st.st_mode & 07777, modes[i]);
        }
}

static void a_dead_socket_file_is_replaced(void **state)
{
        _cleanup_close_ int second = -EBADF, client = -EBADF;
        int first = sock_listen(scratch, "s", SOCK_STREAM, 0600, NULL);

        (void)state;
        (void)close_fd(first);
        assert_int_equal(sock_connect(scratch, "s", SOCK_STREAM, NULL), -ECONNREFUSED);
        second = sock_listen(scratch, "s", SOCK_STREAM, 0600, NULL);
        assert_true(second >= 0);
        client = sock_connect(scratch, "s", SOCK_STREAM, NULL);
        assert_true(client >= 0);
}

static void a_deep_directory_is_no_obstacle(void **state)
{
        _cleanup_close_ int deep = -EBADF, listener = -EBADF, client = -EBADF;
        char path[10 * 21 + 1] = "";

        (void)state;
        for (int i = 0; i < 10; i++)
                memcpy(path + i * 21, "aaaaaaaaaaaaaaaaaaaa/", 22);
        assert_int_equal(fd_make_dirs(scratch, path, 0700, NULL), 0);
        deep = openat(scratch, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        listener = sock_listen(deep, "s", SOCK_STREAM, 0600, NULL);
        assert_true(listener >= 0);
        client = sock_connect(deep, "s", SOCK_STREAM, NULL);
        assert_true(client >= 0);
}

static void a_name_that_does_not_fit_is_refused(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char name[200];

        (void)state;
        memset(name, 'a', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        assert_int_equal(sock_listen(scratch, name, SOCK_STREAM, 0600, &err), -ENAMETOOLONG);
        assert_int_equal(err.code, ENAMETOOLONG);
        assert_int_equal(sock_connect(scratch, name, SOCK_STREAM, &err), -ENAMETOOLONG);
}

static void connecting_to_nothing_is_told_with_the_name(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(sock_connect(scratch, "none", SOCK_STREAM, &err), -ENOENT);
        assert_string_equal(croft_error_cause(&err, 0), "connect to 'none': No such file or directory");
}

static int receive(void *context)
{
        struct sock_packet p = {0};
        int r;

        (void)context;
        /* one that a run before has left because of its failure is taken first */
        while (recv(pair[1], &(char){0}, 1, MSG_DONTWAIT) >= 0)
                continue;
        r = sock_send_packet(pair[0], "hello", 5, &scratch, 1);
        if (r == 0)
                r = sock_receive_packet(pair[1], 100, &p);
        sock_packet_done(&p);
        return r;
}

static void packets_survive_the_failure_of_every_call(void **state)
{
        (void)state;
        assert_int_equal(fault_walk(FAULT_ALLOCATION, false, receive, NULL), 1);
        assert_int_equal(fault_walk(FAULT_CALL, false, receive, NULL), 2);
}

static int listen_and_connect(void *context)
{
        _cleanup_close_ int listener = sock_listen(scratch, "s", SOCK_STREAM, 0600, context);
        _cleanup_close_ int client = -EBADF;

        if (listener < 0)
                return listener;
        client = sock_connect(scratch, "s", SOCK_STREAM, context);
        return client;
}

static void sockets_survive_the_failure_of_every_call(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        /* the unlink of an old socket file may fail unnoticed: it is the usual case that there is none */
        assert_true(fault_walk(FAULT_CALL, true, listen_and_connect, &err) >= 5);
        assert_int_equal(err.code, EIO);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_packet_arrives_whole),
                TEST(descriptors_arrive_in_order_and_close_on_exec),
                TEST(a_taken_descriptor_is_forgotten_by_the_packet),
                TEST(a_packet_longer_than_the_bound_is_refused_with_its_descriptors),
                TEST(a_packet_of_exactly_the_bound_is_taken),
                TEST(too_many_descriptors_are_refused_and_closed),
                TEST(sending_too_many_descriptors_is_refused),
                TEST(a_packet_whose_descriptors_find_no_room_is_refused),
                TEST(an_empty_packet_is_not_sent_because_it_reads_as_the_end),
                TEST(a_hostile_empty_packet_counts_as_the_end_and_leaves_nothing),
                TEST(the_end_of_the_peer_is_told_on_both_sides),
                TEST(a_nonblocking_socket_without_a_packet_says_again),
                TEST(a_packet_larger_than_the_socket_buffer_is_refused),
                TEST(a_listener_is_reached_by_its_name),
                TEST(the_socket_file_has_the_mode_asked_for_whatever_the_umask),
                TEST(a_dead_socket_file_is_replaced),
                TEST(a_deep_directory_is_no_obstacle),
                TEST(a_name_that_does_not_fit_is_refused),
                TEST(connecting_to_nothing_is_told_with_the_name),
                TEST(packets_survive_the_failure_of_every_call),
                TEST(sockets_survive_the_failure_of_every_call),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
