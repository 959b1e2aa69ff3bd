/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_transport.c - which way libkstat takes to the kernel, and when it takes the other one.
 *
 * bpf(2) and sockets are played by the test (--wrap); descriptors are real ones, so that lost ones are found.
 */
#include "fault.h"
#include "libkstat/transport.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define KID_BPF 1
#define KID_SOCKET 2

/* What the played kernel does, as errno; 0: it works. */
static struct {
        int small, large; /* opening the pinned programs */
        int run;          /* running one */
        int result;       /* what the program returns */
        int family;       /* the only one whose sockets answer; 0: none */
        int set, get;
        int others; /* requests of another process that come in between */
        socklen_t size;
        int runs, sets, gets; /* calls */
        struct kstat_request request;
} kernel;

long __wrap_syscall(long number, int command, union bpf_attr *attr, size_t size);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *size);

static int fails(int error)
{
        errno = error;
        return error ? -1 : 0;
}

static void fill(struct kstat_call *call, uint64_t kid)
{
        call->head.kid = kid;
}

long __wrap_syscall(long number, int command, union bpf_attr *attr, size_t size)
{
        const char *path;

        assert_int_equal(number, SYS_bpf);
        assert_int_equal(size, sizeof(*attr));
        if (command == BPF_OBJ_GET) {
                path = (const char *)(uintptr_t)attr->pathname;
                if (fails(strstr(path, "_large") ? kernel.large : kernel.small) < 0)
                        return -1;
                return open("/dev/null", O_RDONLY | O_CLOEXEC);
        }
        assert_int_equal(command, BPF_PROG_TEST_RUN);
        kernel.runs++;
        if (fails(kernel.run) < 0)
                return -1;
        fill((struct kstat_call *)(uintptr_t)attr->test.ctx_in, KID_BPF);
        attr->test.retval = (uint32_t)kernel.result;
        return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
        int family = 0;

        assert_int_equal(__real_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &(socklen_t){sizeof(family)}), 0);
        assert_int_equal(level, KSTAT_SOCKOPT_LEVEL);
        assert_int_equal(name, KSTAT_SOCKOPT_CALL);
        assert_int_equal(size, sizeof(kernel.request));
        kernel.sets++;
        memcpy(&kernel.request, value, size);
        return fails(family == kernel.family ? kernel.set : ENOPROTOOPT);
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
        struct kstat_call *call = value;

        assert_true(fd >= 0);
        assert_int_equal(level, KSTAT_SOCKOPT_LEVEL);
        assert_int_equal(name, KSTAT_SOCKOPT_CALL);
        assert_int_equal(*size, sizeof(*call));
        kernel.gets++;
        if (fails(kernel.get) < 0)
                return -1;
        if (kernel.others > 0) {
                kernel.others--;
                kernel.request.kid += 1000;
        }
        memcpy(call, &kernel.request, sizeof(kernel.request));
        call->op |= (uint32_t)-kernel.result << 16;
        fill(call, KID_SOCKET);
        *size = kernel.size;
        return 0;
}

static size_t fds_before;

static int set_up(void **state)
{
        (void)state;
        memset(&kernel, 0, sizeof(kernel));
        kernel.family = AF_UNIX;
        kernel.size = sizeof(struct kstat_call);
        fds_before = fault_count_fds();
        return unsetenv("CROFT_KSTAT");
}

static int tear_down(void **state)
{
        (void)state;
        assert_int_equal(fault_count_fds(), fds_before);
        return 0;
}

/* Opens, asks once, and ends; the errno of whichever failed. */
static int ask(const char *directory, uint64_t *ret_kid, bool large)
{
        struct kstat_call_large answer = {.call = {.op = KSTAT_OP_READ, .at = 3, .kid = 77, .partition = 5}};
        struct kstat_transport transport;
        int r = kstat_transport_open(directory, &transport);

        if (r < 0)
                return r;
        assert_true(transport.fd >= 0);
        r = transport.call(transport.context, &answer.call, large);
        transport.close(transport.context);
        assert_int_equal(answer.call.op, KSTAT_OP_READ);
        assert_int_equal(answer.call.kid, 77);
        assert_int_equal(answer.call.partition, 5);
        *ret_kid = answer.call.head.kid;
        return r;
}

static void pinned_programs_are_taken_where_they_can_be_had(void **state)
{
        uint64_t kid = 0;

        (void)state;
        assert_int_equal(ask(NULL, &kid, false), 0);
        assert_int_equal(kid, KID_BPF);
        assert_int_equal(kernel.sets, 0);
        kernel.large = ENOENT; /* older ones have but the small one */
        assert_int_equal(ask(NULL, &kid, false), 0);
        assert_int_equal(ask(NULL, &kid, true), -ENOMEM);
}

static void what_a_program_returns_is_no_refusal(void **state)
{
        static const int results[] = {-EPERM, -EACCES, -ENOSYS, -ENXIO, -EAGAIN};
        uint64_t kid = 0;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(results); i++) {
                kernel.result = results[i];
                assert_int_equal(ask(NULL, &kid, false), results[i]);
        }
        assert_int_equal(kernel.sets, 0);
}

static void a_socket_is_taken_where_programs_can_not_be_opened(void **state)
{
        static const int refusals[] = {EPERM, ENOSYS, EACCES, ENOENT};
        uint64_t kid;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(refusals); i++) {
                kernel.small = refusals[i];
                kid = 0;
                assert_int_equal(ask(NULL, &kid, false), 0);
                assert_int_equal(kid, KID_SOCKET);
        }
        assert_int_equal(kernel.runs, 0);
        kernel.small = 0;
        kernel.large = EPERM;
        assert_int_equal(ask(NULL, &kid, false), 0);
        assert_int_equal(kid, KID_SOCKET);
}

static void answers_come_with_their_results(void **state)
{
        static const int results[] = {0, -ENXIO, -EAGAIN, -EPERM, -EINVAL, -ESRCH, -ENOMEM};
        uint64_t kid;

        (void)state;
        kernel.small = EPERM;
        for (size_t i = 0; i < ELEMENTS(results); i++) {
                kernel.result = results[i];
                assert_int_equal(ask(NULL, &kid, false), results[i]);
        }
        kernel.result = 0;
        assert_int_equal(ask(NULL, &kid, true), -ENOMEM); /* a page is all there is */
}

static void a_given_directory_is_the_only_way(void **state)
{
        uint64_t kid = 0;

        (void)state;
        kernel.small = EPERM;
        assert_int_equal(ask("/there", &kid, false), -EPERM);
        kernel.small = 0;
        kernel.run = EPERM;
        assert_int_equal(ask("/there", &kid, false), -EIO);
        assert_int_equal(kernel.sets, 0);
}

static void without_any_way_the_first_error_is_told(void **state)
{
        uint64_t kid = 0;

        (void)state;
        kernel.small = ENOENT;
        kernel.set = ENOPROTOOPT; /* global */
        assert_int_equal(ask(NULL, &kid, false), -ENOENT);
        kernel.set = 0;
        kernel.get = EOPNOTSUPP;
        assert_int_equal(ask(NULL, &kid, false), -ENOENT);
        kernel.get = 0;
        kernel.size = 4; /* somebody else's option */
        assert_int_equal(ask(NULL, &kid, false), -ENOENT);
        kernel.family = 0;
        assert_int_equal(ask(NULL, &kid, false), -ENOENT);
}

static void any_family_of_sockets_will_do(void **state)
{
        static const int families[] = {AF_UNIX, AF_INET};
        uint64_t kid;

        (void)state;
        kernel.small = EPERM;
        for (size_t i = 0; i < ELEMENTS(families); i++) {
                kernel.family = families[i];
                assert_int_equal(ask(NULL, &kid, false), 0);
        }
        kernel.family = AF_NETLINK;
        assert_int_equal(ask(NULL, &kid, false), -EPERM);
}

static void who_loses_bpf_takes_the_socket_and_stays_with_it(void **state)
{
        struct kstat_call call = {.op = KSTAT_OP_READ};
        struct kstat_transport transport;

        (void)state;
        assert_int_equal(kstat_transport_open(NULL, &transport), 0);
        assert_int_equal(transport.call(transport.context, &call, false), 0);
        assert_int_equal(call.head.kid, KID_BPF);
        kernel.run = ENOSYS;
        for (int i = 0; i < 3; i++) {
                assert_int_equal(transport.call(transport.context, &call, false), 0);
                assert_int_equal(call.head.kid, KID_SOCKET);
        }
        assert_int_equal(kernel.runs, 2); /* the one that worked and the one that was refused */
        transport.close(transport.context);
}

static void what_is_no_refusal_changes_nothing(void **state)
{
        uint64_t kid = 0;

        (void)state;
        kernel.run = EFAULT;
        assert_int_equal(ask(NULL, &kid, false), -EIO);
        kernel.run = ENOMEM;
        assert_int_equal(ask(NULL, &kid, false), -ENOMEM);
        assert_int_equal(kernel.sets, 0);
        kernel.run = EPERM;
        kernel.family = 0;
        assert_int_equal(ask(NULL, &kid, false), -EIO);
}

static void an_answer_to_somebody_else_is_asked_for_again(void **state)
{
        struct kstat_call call = {.op = KSTAT_OP_READ, .kid = 77};
        struct kstat_transport transport;

        (void)state;
        kernel.small = EPERM;
        assert_int_equal(kstat_transport_open(NULL, &transport), 0);
        kernel.others = 1;
        assert_int_equal(transport.call(transport.context, &call, false), -EAGAIN);
        assert_int_equal(call.kid, 77); /* so that it can be */
        assert_int_equal(transport.call(transport.context, &call, false), 0);
        transport.close(transport.context);
}

static void a_number_that_is_no_operation_goes_nowhere(void **state)
{
        struct kstat_call call = {.op = 0x10003};
        struct kstat_transport transport;
        int sets;

        (void)state;
        kernel.small = EPERM;
        assert_int_equal(kstat_transport_open(NULL, &transport), 0);
        sets = kernel.sets;
        assert_int_equal(transport.call(transport.context, &call, false), -EINVAL);
        assert_int_equal(kernel.sets, sets);
        transport.close(transport.context);
}

static int open_and_ask(void *context)
{
        uint64_t kid;
        int r = ask(context, &kid, false);

        return r;
}

static void without_memory_nothing_is_lost(void **state)
{
        static char there[] = "/there";

        (void)state;
        assert_int_equal(setenv("CROFT_KSTAT", there, 1), 0);
        assert_true(fault_walk(FAULT_ALLOCATION, false, open_and_ask, NULL) >= 3);
        assert_true(fault_walk(FAULT_ALLOCATION, false, open_and_ask, there) >= 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(pinned_programs_are_taken_where_they_can_be_had),
                TEST(what_a_program_returns_is_no_refusal),
                TEST(a_socket_is_taken_where_programs_can_not_be_opened),
                TEST(answers_come_with_their_results),
                TEST(a_given_directory_is_the_only_way),
                TEST(without_any_way_the_first_error_is_told),
                TEST(any_family_of_sockets_will_do),
                TEST(who_loses_bpf_takes_the_socket_and_stays_with_it),
                TEST(what_is_no_refusal_changes_nothing),
                TEST(an_answer_to_somebody_else_is_asked_for_again),
                TEST(a_number_that_is_no_operation_goes_nowhere),
                TEST(without_memory_nothing_is_lost),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
