/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_intercept.c - intercepted calls are answered by the thread: children of the test call, and it serves them.
 */
#include "../kit/i386.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sock.h"
#include "kernel/notify.h"
#include "kernel/seccomp.h"
#include "partition/broker_msg.h"
#include "partition/listeners.h"
#include "warden/intercept.h"

#include <linux/filter.h>
#include <linux/loop.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#include <cmocka.h>

#define X32 0x40000000L
#define MIB (1ULL << 20)

static int samples, sample_fails;

static int fake_sample(void *context, struct kstat_sample *ret)
{
        (void)context;
        __atomic_add_fetch(&samples, 1, __ATOMIC_RELAXED);
        if (__atomic_load_n(&sample_fails, __ATOMIC_RELAXED))
                return -ENXIO;
        memset(ret, 0, sizeof(*ret));
        ret->threads = 7;
        ret->memory = (struct kstat_sample_memory){.limit = 64 * MIB, .usage = MIB, .swap_limit = KSTAT_NONE};
        return 0;
}

static int fake_machine(struct view_machine *ret)
{
        *ret = (struct view_machine){.memory_bytes = 1024 * MIB, .page_bytes = 4096};
        return 0;
}

struct bench {
        struct intercept *intercept;
        struct notify_area *area;
        int area_fd, filter;
};

static struct intercept_config config_of(const struct bench *b)
{
        return (struct intercept_config){
                .area = b->area_fd, .broker = -EBADF, .sample = fake_sample, .machine = fake_machine};
}

static int setup(void **state)
{
        struct bench *b = calloc(1, sizeof(*b));
        struct intercept_config config;

        assert_non_null(b);
        b->area_fd = notify_area_new(NULL);
        b->filter = seccomp_build_notify(0, NULL);
        config = config_of(b);
        samples = sample_fails = 0;
        assert_int_equal(notify_area_map(b->area_fd, &b->area, NULL), 0);
        assert_int_equal(intercept_start(&config, &b->intercept, NULL), 0);
        *state = b;
        return 0;
}

static int teardown(void **state)
{
        struct bench *b = *state;

        b->intercept = intercept_stop(b->intercept);
        notify_area_unmap(b->area);
        close_fd(b->area_fd);
        close_fd(b->filter);
        free(b);
        return 0;
}

/* A child that installs the filter, hands over its listener and does f; nothing but system calls in between. */
static pid_t caller(int filter, int (*f)(void), int *ret_listener)
{
        _cleanup_(sock_packet_done) struct sock_packet p = {0};
        int pair[2];
        pid_t pid;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                int listener = -EBADF;

                (void)alarm(60); /* hanging is failing */
                (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                if (seccomp_install_listener(filter, &listener, NULL) < 0 ||
                        sock_send_packet(pair[1], "l", 1, &listener, 1) < 0)
                        _exit(99);
                close_fd(listener);
                _exit(f());
        }
        close_fd(pair[1]);
        assert_int_equal(sock_receive_packet(pair[0], 8, &p), 1);
        *ret_listener = sock_packet_take_fd(&p, 0);
        assert_true(*ret_listener >= 0);
        close_fd(pair[0]);
        return pid;
}

static int end_of(pid_t pid)
{
        int status = 0;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int served(struct bench *b, int filter, int (*f)(void))
{
        static uint32_t number;
        int listener;
        pid_t pid = caller(filter, f, &listener);

        assert_int_equal(intercept_add(b->intercept, ++number, listener), 0);
        return end_of(pid);
}

static bool told(long number)
{
        struct sysinfo info = {0};

        return syscall(number, &info) == 0 && info.totalram == 64 * MIB && info.freeram == 63 * MIB && info.procs == 7;
}

static int call_wide(void)
{
        return told(SYS_sysinfo) ? 0 : 1;
}

static void sysinfo_tells_the_sample(void **state)
{
        struct bench *b = *state;

        assert_int_equal(served(b, b->filter, call_wide), 0);
}

#ifdef __x86_64__
static int call_x32(void)
{
        return told(X32 | SYS_sysinfo) ? 0 : 1;
}

static void x32_is_told_in_its_own_layout(void **state)
{
        struct bench *b = *state;

        assert_int_equal(served(b, b->filter, call_x32), 0);
}

static int call_i386(void)
{
        uint32_t *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        long result;

        if (low == MAP_FAILED)
                return 1;
        __asm__ volatile("int $0x80" : "=a"(result) : "a"(116L), "b"(low) : "memory", "r8", "r9", "r10", "r11");
        return result == 0 && low[4] == 64 * MIB && low[5] == 63 * MIB && low[10] == 7 && low[16] == 0 ? 0 : 2;
}

static void i386_is_told_in_its_own_layout(void **state)
{
        struct bench *b = *state;

        if (!has_i386())
                skip();
        assert_int_equal(served(b, b->filter, call_i386), 0);
}
#endif

static int call_bad(void)
{
        return syscall(SYS_sysinfo, NULL) < 0 && errno == EFAULT && told(SYS_sysinfo) ? 0 : 1;
}

static void a_bad_pointer_is_the_callers_fault(void **state)
{
        struct bench *b = *state;

        assert_int_equal(served(b, b->filter, call_bad), 0);
}

static int call_often(void)
{
        for (int i = 0; i < 500; i++)
                if (!told(SYS_sysinfo))
                        return 1;
        return 0;
}

static void a_sample_serves_more_than_one_call(void **state)
{
        struct bench *b = *state;

        assert_int_equal(served(b, b->filter, call_often), 0);
        assert_in_range(samples, 1, 499);
}

static int call_in_vain(void)
{
        struct sysinfo info;

        return syscall(SYS_sysinfo, &info) < 0 && errno == EIO ? 0 : 1;
}

static void without_a_sample_the_call_fails_and_the_next_one_asks_again(void **state)
{
        struct bench *b = *state;

        __atomic_store_n(&sample_fails, 1, __ATOMIC_RELAXED);
        assert_int_equal(served(b, b->filter, call_in_vain), 0);
        __atomic_store_n(&sample_fails, 0, __ATOMIC_RELAXED);
        assert_int_equal(served(b, b->filter, call_wide), 0);
}

static int call_unknown(void)
{
        return syscall(SYS_getppid) < 0 && errno == ENOSYS ? 0 : 1;
}

static void a_call_that_nobody_judges_is_not_there(void **state)
{
        const struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        _cleanup_close_ int filter = fd_sealed("filter", code, sizeof(code));
        struct bench *b = *state;

        assert_int_equal(served(b, filter, call_unknown), 0);
}

static atomic_int refused;

static void count_refusal(void *context)
{
        (void)context;
        atomic_fetch_add(&refused, 1);
}

static int call_modules(void)
{
        static const long numbers[] = {SYS_init_module, SYS_finit_module, SYS_delete_module};

        for (size_t i = 0; i < ELEMENTS(numbers); i++)
                if (syscall(numbers[i], 8, 8, 8) == 0 || errno != EPERM)
                        return 1;
        return 0;
}

static void calls_about_modules_are_refused_unless_they_are_passed_on(void **state)
{
        struct bench *b = *state;
        struct intercept_config config = config_of(b);
        struct intercept *i = NULL;
        int listener;
        pid_t pid;

        config.refused = count_refusal;
        assert_int_equal(intercept_start(&config, &i, NULL), 0);
        pid = caller(b->filter, call_modules, &listener);
        assert_int_equal(intercept_add(i, 77, listener), 0);
        assert_int_equal(end_of(pid), 0);
        assert_int_equal(atomic_load(&refused), 3);
        intercept_pass_modules(i, true); /* to nobody, who can't allow it either */
        pid = caller(b->filter, call_modules, &listener);
        assert_int_equal(intercept_add(i, 78, listener), 0);
        assert_int_equal(end_of(pid), 0);
        intercept_stop(i);
}

/* --- what the broker answers --- */

static int loop_control(void)
{
        return ioctl(STDIN_FILENO, LOOP_CTL_GET_FREE);
}

static int call_for_seven(void)
{
        return loop_control() == 7 ? 0 : 1;
}

static int call_refused(void)
{
        return loop_control() < 0 && errno == ENOSPC ? 0 : 1;
}

static int call_broken(void)
{
        return loop_control() < 0 && errno == EIO ? 0 : 1;
}

static int call_nobody(void)
{
        return loop_control() < 0 && errno == ENOTTY ? 0 : 1;
}

static int call_not_allowed(void)
{
        return loop_control() < 0 && errno == EPERM ? 0 : 1;
}

struct broker_bench {
        struct bench b;
        int ours, filter;
        uint32_t number;
};

static void with_broker(struct broker_bench *t, int (*body)(struct broker_bench *t))
{
        struct intercept_config config;
        int pair[2];

        *t = (struct broker_bench){
                .b.area_fd = notify_area_new(NULL), .filter = seccomp_build_notify(SECCOMP_TOLD_LOOPS, NULL)};
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        t->ours = pair[0];
        config = config_of(&t->b);
        config.broker = pair[1];
        assert_int_equal(intercept_start(&config, &t->b.intercept, NULL), 0);
        assert_int_equal(body(t), 0);
        t->b.intercept = intercept_stop(t->b.intercept);
        close_fd(pair[0]);
        close_fd(pair[1]);
        close_fd(t->b.area_fd);
        close_fd(t->filter);
}

static pid_t begin(struct broker_bench *t, int (*f)(void))
{
        int listener;
        pid_t pid = caller(t->filter, f, &listener);

        assert_int_equal(intercept_add(t->b.intercept, ++t->number, listener), 0);
        return pid;
}

/* The call as the broker gets it, with a descriptor that is its listener. */
static struct broker_call passed_on(struct broker_bench *t)
{
        _cleanup_(sock_packet_done) struct sock_packet p = {0};
        struct broker_call call;

        assert_int_equal(sock_receive_packet(t->ours, sizeof(call), &p), 1);
        assert_int_equal(p.size, sizeof(call));
        assert_int_equal(p.n_fds, 1);
        assert_true(notify_is_listener(p.fds[0]));
        memcpy(&call, p.data, sizeof(call));
        return call;
}

static void say(struct broker_bench *t, uint64_t id, uint32_t slot, int64_t value, int code)
{
        const struct broker_answer answer = {.id = id, .slot = slot, .value = value, .code = code};

        assert_int_equal(sock_send_packet(t->ours, &answer, sizeof(answer), NULL, 0), 0);
}

static int two_are_answered_in_any_order(struct broker_bench *t)
{
        pid_t first = begin(t, call_for_seven), second;
        struct broker_call a = passed_on(t), b;

        assert_int_equal(a.pid, first);
        assert_int_equal(a.args[0], STDIN_FILENO);
        assert_int_equal(a.args[1], LOOP_CTL_GET_FREE);
        second = begin(t, call_refused);
        b = passed_on(t);
        assert_int_equal(b.pid, second);
        assert_true(a.id != b.id || a.slot != b.slot);
        say(t, b.id, b.slot, 0, ENOSPC);
        assert_int_equal(end_of(second), 0);
        say(t, a.id + 1000, a.slot, 8, 0); /* of no call that waits there */
        say(t, a.id, NOTIFY_SLOTS, 8, 0);
        say(t, a.id, a.slot, 7, 0);
        assert_int_equal(end_of(first), 0);
        return 0;
}

static void the_broker_answers_what_is_passed_on(void **state)
{
        struct broker_bench t;

        (void)state;
        with_broker(&t, two_are_answered_in_any_order);
}

static int others_are_answered_meanwhile(struct broker_bench *t)
{
        pid_t waiting = begin(t, call_broken), other;

        (void)passed_on(t);
        other = begin(t, call_wide);
        assert_int_equal(end_of(other), 0);
        say(t, 0, 0, 0, EIO); /* a broker has died */
        assert_int_equal(end_of(waiting), 0);
        return 0;
}

static void one_that_waits_for_the_broker_keeps_no_other(void **state)
{
        struct broker_bench t;

        (void)state;
        with_broker(&t, others_are_answered_meanwhile);
}

static void without_a_broker_there_is_no_such_device(void **state)
{
        _cleanup_close_ int filter = seccomp_build_notify(SECCOMP_TOLD_LOOPS, NULL);
        struct bench *b = *state;

        assert_int_equal(served(b, filter, call_nobody), 0);
        assert_int_equal(served(b, b->filter, call_not_allowed), 0);
}

/* How many listeners it has, as croftd is told. */
static uint32_t count(struct bench *b)
{
        _cleanup_(warden_packet_done) struct warden_packet p = {0};
        struct listeners_note note;
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(intercept_send(b->intercept, pair[0]), 0);
        assert_int_equal(warden_receive(pair[1], &p), 1);
        assert_int_equal(listeners_note_get(&p.body, &note), 0);
        assert_true(note.complete);
        close_fd(pair[0]);
        close_fd(pair[1]);
        return note.n;
}

static void a_listener_goes_with_its_last_process(void **state)
{
        struct bench *b = *state;
        int listener;
        pid_t pid = caller(b->filter, call_wide, &listener);
        _cleanup_close_ int kept = fd_dup(listener); /* croftd's */

        assert_int_equal(intercept_add(b->intercept, 5, listener), 0);
        assert_int_equal(end_of(pid), 0);
        while (count(b) > 0)
                (void)sched_yield();
        /* Its number is free, and nothing of the old one is in the way. */
        pid = caller(b->filter, call_wide, &listener);
        assert_int_equal(intercept_add(b->intercept, 5, listener), 0);
        assert_int_equal(end_of(pid), 0);
}

static void a_second_one_of_the_same_number_is_refused(void **state)
{
        struct bench *b = *state;
        int listener, again;
        pid_t pid = caller(b->filter, call_often, &listener);

        again = fd_dup(listener);
        assert_int_equal(intercept_add(b->intercept, 5, listener), 0);
        assert_int_equal(intercept_add(b->intercept, 5, again), -EEXIST);
        assert_true(fcntl(again, F_GETFD) < 0);
        assert_int_equal(end_of(pid), 0);
}

static void several_listeners_are_served(void **state)
{
        struct bench *b = *state;
        pid_t pids[5];
        int listener;

        for (uint32_t i = 0; i < ELEMENTS(pids); i++) {
                pids[i] = caller(b->filter, call_often, &listener);
                assert_int_equal(intercept_add(b->intercept, 10 + i, listener), 0);
        }
        for (uint32_t i = 0; i < ELEMENTS(pids); i++)
                assert_int_equal(end_of(pids[i]), 0);
}

static void what_a_dead_warden_took_is_answered(void **state)
{
        struct bench *b = *state;
        struct notify_slot *slot = NULL;
        struct pollfd p = {.events = POLLIN};
        int listener;
        pid_t pid = caller(b->filter, call_wide, &listener);

        p.fd = listener;
        assert_int_equal(poll(&p, 1, -1), 1);
        assert_int_equal(notify_receive(listener, 77, b->area, &slot), 0);
        /* All there are, but it: that must not be taken for the end of its caller. */
        assert_int_equal(intercept_add(b->intercept, 77, listener), 0);
        intercept_complete(b->intercept);
        assert_int_equal(end_of(pid), 0);
        while (__atomic_load_n(&slot->call.id, __ATOMIC_RELAXED) != 0)
                (void)sched_yield();
}

static void what_nobody_waits_for_is_cleared(void **state)
{
        struct bench *b = *state;

        b->area->slots[3].listener = 99;
        b->area->slots[3].call.id = 4711;
        intercept_complete(b->intercept);
        while (__atomic_load_n(&b->area->slots[3].call.id, __ATOMIC_RELAXED) != 0)
                (void)sched_yield();
}

static int refuse(void *context, struct croft_error *err)
{
        (void)context;
        return croft_error_set(err, EPERM, "give up.");
}

static void a_thread_that_can_not_be_shut_in_serves_nothing(void **state)
{
        struct bench *b = *state;
        struct intercept_config config = config_of(b);
        struct croft_error err = CROFT_ERROR_INIT;
        struct intercept *i = NULL;

        config.confine = refuse;
        assert_int_equal(intercept_start(&config, &i, &err), -EPERM);
        assert_null(i);
        assert_int_equal(err.code, EPERM);
        config.confine = NULL;
        config.area = -EBADF;
        assert_int_equal(intercept_start(&config, &i, NULL), -EBADMSG);
        assert_null(intercept_stop(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(sysinfo_tells_the_sample, setup, teardown),
#ifdef __x86_64__
                cmocka_unit_test_setup_teardown(x32_is_told_in_its_own_layout, setup, teardown),
                cmocka_unit_test_setup_teardown(i386_is_told_in_its_own_layout, setup, teardown),
#endif
                cmocka_unit_test_setup_teardown(a_bad_pointer_is_the_callers_fault, setup, teardown),
                cmocka_unit_test_setup_teardown(a_sample_serves_more_than_one_call, setup, teardown),
                cmocka_unit_test_setup_teardown(
                        without_a_sample_the_call_fails_and_the_next_one_asks_again, setup, teardown),
                cmocka_unit_test_setup_teardown(a_call_that_nobody_judges_is_not_there, setup, teardown),
                cmocka_unit_test_setup_teardown(
                        calls_about_modules_are_refused_unless_they_are_passed_on, setup, teardown),
                cmocka_unit_test(the_broker_answers_what_is_passed_on),
                cmocka_unit_test(one_that_waits_for_the_broker_keeps_no_other),
                cmocka_unit_test_setup_teardown(without_a_broker_there_is_no_such_device, setup, teardown),
                cmocka_unit_test_setup_teardown(a_listener_goes_with_its_last_process, setup, teardown),
                cmocka_unit_test_setup_teardown(a_second_one_of_the_same_number_is_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(several_listeners_are_served, setup, teardown),
                cmocka_unit_test_setup_teardown(what_a_dead_warden_took_is_answered, setup, teardown),
                cmocka_unit_test_setup_teardown(what_nobody_waits_for_is_cleared, setup, teardown),
                cmocka_unit_test_setup_teardown(a_thread_that_can_not_be_shut_in_serves_nothing, setup, teardown),
        };

        return cmocka_run_group_tests_name("intercept", tests, NULL, NULL);
}
