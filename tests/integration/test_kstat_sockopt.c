/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kstat_sockopt.c - statistics by options of a socket, for those who may not use bpf(2): the same answers, to
 * whoever calls, whosever the socket is.
 * where: here guest
 *
 * What is asked is asked by a child in the control group of a partition.
 */
#include "base/cleanup.h"
#include "libkstat/client.h"
#include "sockopt_kit.h"

#include <bpf/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

/* --- the same answers --- */

/* Both ways with the same question; what differs is the time. */
static void require_same(int fd, const struct kstat_call *question)
{
        struct kstat_call a = *question, b = *question;
        int r = by_bpf(&a);

        require(by_socket(fd, &b) == r);
        require(b.head.snaptime >= a.head.snaptime);
        b.head.snaptime = a.head.snaptime;
        require(memcmp(&a, &b, sizeof(a)) == 0);
}

static void compare_all(void *context)
{
        struct kstat_call list = {.op = KSTAT_OP_LIST}, call;
        int fd = new_socket();
        uint64_t kids[KSTAT_PAGE_KIDS];

        (void)context;
        require_same(fd, &list);
        require(by_socket(fd, &list) == 0 && list.n > 3);
        memcpy(kids, list.data, sizeof(kids));
        for (uint32_t i = 0; i < list.n; i++) {
                call = (struct kstat_call){.op = KSTAT_OP_READ, .kid = kids[i]};
                require_same(fd, &call);
        }
        for (int instance = 0; instance < 4; instance++) {
                call = to_find("mount", instance, "io");
                require_same(fd, &call);
        }
        for (uint32_t op = 0; op < 12; op++)
                for (uint64_t kid = 0; kid < 4; kid++) {
                        call = (struct kstat_call){.op = op, .kid = kid, .at = kid == 3 ? KSTAT_PAGE_FIELDS : 0};
                        require_same(fd, &call);
                }
        call = (struct kstat_call){.op = KSTAT_OP_CHAIN, .partition = B};
        require_same(fd, &call);
        call.op |= 0x10000;
        require(by_socket(fd, &call) == -EINVAL);
}

static void the_answers_are_those_of_bpf_to_the_last_byte(void **state)
{
        (void)state;
        (void)make_for("mount", 1, 1111, A);
        (void)make_for("mount", 2, 2222, B);
        as("a", AS_IS, compare_all, NULL);
        as("b", AS_IS, compare_all, NULL);
}

static void read_as_library(void *context)
{
        struct kstat_client *client = NULL;
        struct kstat_answer answer;
        struct kstat_kids kids = {.n = 0};
        bool found = false;

        refuse_bpf(*(const unsigned int *)context);
        require(bpf_obj_get("/nowhere") < 0 && errno == (int)*(const unsigned int *)context);
        require(kstat_client_open("/nowhere", &client) < 0); /* that one and no other */
        require(kstat_client_open(NULL, &client) == 0);
        require(kstat_client_find(client, "mount", 1, "io", &answer) == 0 && answer.head->size == WORDS * 8);
        require(((const uint64_t *)(const void *)answer.data)[WORDS - 1] == 1111);
        require(kstat_client_find(client, "mount", 2, "io", &answer) == -ENXIO);
        require(kstat_client_list(client, &kids) == 0);
        for (size_t i = 0; i < kids.n; i++)
                if (kstat_client_read(client, kids.kids[i], &answer) == 0 &&
                        strcmp(answer.head->key.module, "mount") == 0)
                        found = true;
        require(found && kids.n > 3);
        require(kstat_client_write(client, kids.kids[0]) == -EPERM);
        free(kids.kids);
        kstat_client_free(client);
}

static void without_bpf_a_program_lists_and_reads(void **state)
{
        unsigned int refusals[] = {EPERM, ENOSYS};

        (void)state;
        (void)make_for("mount", 1, 1111, A);
        (void)make_for("mount", 2, 2222, B);
        for (size_t i = 0; i < ELEMENTS(refusals); i++)
                as("a", AS_IS, read_as_library, &refusals[i]);
        as("a", AS_NOBODY | AS_USER_NS | AS_NO_CAPABILITY, read_as_library, &refusals[0]);
}

/* A process that shuts itself in later. */
static void shut_in(void *context)
{
        struct kstat_client *client = NULL;
        uint64_t before = 0, after = 0, caller = 0;

        require(setenv("CROFT_KSTAT", context, 1) == 0);
        require(kstat_client_open(NULL, &client) == 0);
        require(kstat_client_chain(client, &before, &caller) == 0 && caller == A);
        refuse_bpf(EPERM);
        require(kstat_client_chain(client, &after, &caller) == 0 && caller == A && after == before);
        kstat_client_free(client);
}

static void a_program_that_loses_bpf_goes_on(void **state)
{
        _cleanup_close_ int directory = plane_open_programs(plane, NULL);
        char path[64];

        (void)state;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", directory);
        as("a", AS_IS, shut_in, path);
}

/* --- who is answered --- */

static void invisible_and_unknown(void *context)
{
        struct kstat_call invisible = to_find("mount", 2, "io"), unknown = to_find("mount", 3, "io");
        struct kstat_call guessed = {.op = KSTAT_OP_READ, .kid = *(const uint64_t *)context};
        struct kstat_call nothing = {.op = KSTAT_OP_READ, .kid = guessed.kid + 1000};
        int fd = new_socket();

        require(by_socket(fd, &invisible) == -ENXIO && by_socket(fd, &unknown) == -ENXIO);
        unknown.key.instance = 2;
        require(memcmp(&invisible, &unknown, sizeof(unknown)) == 0);
        require(by_socket(fd, &guessed) == -ENXIO && by_socket(fd, &nothing) == -ENXIO);
        nothing.kid = guessed.kid;
        require(memcmp(&guessed, &nothing, sizeof(guessed)) == 0);
        for (size_t i = 0; i < sizeof(guessed.data); i++)
                require(guessed.data[i] == 0);
}

static void invisible_is_unknown_to_the_last_byte(void **state)
{
        uint64_t of_b = make_for("mount", 2, 2222, B);

        (void)state;
        as("a", AS_IS, invisible_and_unknown, &of_b);
}

/* Makes a socket, asks for something, and sends the socket on. */
static void make_and_pass(void *context)
{
        const int pipe = *(const int *)context, fd = new_socket();
        struct kstat_call call = to_find("net", 0, "io");
        union {
                struct cmsghdr head;
                char room[CMSG_SPACE(sizeof(int))];
        } control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
        char byte = 0;
        struct iovec part = {.iov_base = &byte, .iov_len = 1};
        struct msghdr message = {
                .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

        (void)put_request(fd, &call); /* refused in global */
        memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
        require(sendmsg(pipe, &message, 0) == 1);
}

static int take(int pipe)
{
        union {
                struct cmsghdr head;
                char room[CMSG_SPACE(sizeof(int))];
        } control;
        char byte;
        struct iovec part = {.iov_base = &byte, .iov_len = 1};
        struct msghdr message = {
                .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
        int fd;

        assert_int_equal(recvmsg(pipe, &message, MSG_CMSG_CLOEXEC), 1);
        memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
        return fd;
}

static int made_in(const char *cgroup)
{
        int pipe[2], fd;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pipe), 0);
        as(cgroup, AS_IS, make_and_pass, &pipe[1]);
        fd = take(pipe[0]);
        close_fd(pipe[0]);
        close_fd(pipe[1]);
        return fd;
}

struct use {
        int fd;
        uint64_t caller, value;
};

/* Answers what another has asked, then what the user asks: the same, for the next one. */
static void use_socket(void *context)
{
        const struct use *u = context;
        struct kstat_call call = {.op = 0}, own = to_find("net", 0, "io"),
                          other = {.op = KSTAT_OP_CHAIN, .partition = A};

        require(get_answer(u->fd, &call) == 0 && call.caller == u->caller && first_word(&call) == u->value);
        require(by_socket(u->fd, &other) == (u->caller ? -EPERM : 0));
        require(by_socket(u->fd, &own) == 0 && own.caller == u->caller && first_word(&own) == u->value);
}

static void use_in_vain(void *context)
{
        struct kstat_call call = to_find("net", 0, "io");

        require(is_not_here(by_socket(*(const int *)context, &call)));
}

/* C-2 */
static void a_socket_that_was_passed_answers_its_user(void **state)
{
        struct use use;
        int fd;

        (void)state;
        (void)make_for("net", 0, 1, A);
        (void)make_for("net", 0, 2, B);
        (void)make_for("net", 0, 3, GLOBAL);
        fd = made_in("a");
        use = (struct use){.fd = fd, .caller = A, .value = 1};
        as("a", AS_IS, use_socket, &use);
        use = (struct use){.fd = fd, .caller = B, .value = 2};
        as("b", AS_IS, use_socket, &use);
        as("b", AS_NOBODY | AS_USER_NS, use_socket, &use);
        use = (struct use){.fd = fd, .caller = GLOBAL, .value = 3};
        as(NULL, AS_IS, use_socket, &use);
        close_fd(fd);
        fd = made_in(NULL);
        as("a", AS_IS, use_in_vain, &fd);
        close_fd(fd);
}

/* Two processes with one client: the child's is a copy, with the same socket. */
static void share(void *context)
{
        struct kstat_client *client = NULL;
        struct kstat_answer answer;
        int instance, status;
        pid_t pid;

        (void)context;
        require(kstat_client_open(NULL, &client) == 0);
        pid = fork();
        require(pid >= 0);
        instance = pid == 0 ? 1 : 2;
        for (int i = 0; i < 3000; i++) {
                require(kstat_client_find(client, "mount", instance, "io", &answer) == 0);
                require(*(const uint64_t *)(const void *)answer.data == (uint64_t)instance);
                require(kstat_client_find(client, "none", instance, "io", &answer) == -ENXIO);
        }
        if (pid == 0)
                _exit(0);
        require(waitpid(pid, &status, 0) == pid && status == 0);
}

static void processes_that_share_a_socket_get_each_their_own(void **state)
{
        (void)state;
        (void)make_for("mount", 1, 1, A);
        (void)make_for("mount", 2, 2, A);
        as("a", AS_IS, share, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_attached, tear_down_kstats)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(the_answers_are_those_of_bpf_to_the_last_byte),
                TEST(without_bpf_a_program_lists_and_reads),
                TEST(a_program_that_loses_bpf_goes_on),
                TEST(invisible_is_unknown_to_the_last_byte),
                TEST(a_socket_that_was_passed_answers_its_user),
                TEST(processes_that_share_a_socket_get_each_their_own),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, make_kstats, remove_kstats);
}
