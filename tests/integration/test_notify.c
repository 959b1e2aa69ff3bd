/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_notify.c - intercepted calls on the real kernel: a caller in a user namespace, a server with no capability but
 * that it is the owner of that namespace, as a warden has it, and a keeper (this program) that holds listener and area.
 *
 * where: here guest
 */
#include "../kit/i386.h"
#include "base/cleanup.h"
#include "base/sock.h"
#include "kernel/notify.h"
#include "kernel/ns.h"
#include "kernel/seccomp.h"
#include "tap.h"
#include "turns.h"
#include "warden/warden.h"

#include <linux/audit.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>

#define OWNER 0x77ffff00u
#define BASE 0x7f0000u
#define TOTAL 123456789u
#define X32 0x40000000L

static int notify_filter = -EBADF, warden_filter = -EBADF;
static struct notify_area *area;
static int area_fd = -EBADF;

/* --- the server ----------------------------------------------------------------------------------------------------
 */

static void answer(int listener, struct notify_slot *slot)
{
        struct sysinfo info = {.totalram = TOTAL, .mem_unit = 1};
        bool compat = slot->call.data.arch == AUDIT_ARCH_I386;
        uint32_t old[16] = {0, 0, 0, 0, TOTAL};
        int r = compat ? notify_write(listener, slot, (uint32_t)slot->call.data.args[0], old, sizeof(old))
                       : notify_write(listener, slot, slot->call.data.args[0], &info, sizeof(info));

        (void)notify_answer(listener, slot, 0, -r);
}

/* die_at: which call it dies of, taken and not answered; 0: none. */
static void serve(int listener, int die_at)
{
        struct croft_error err = CROFT_ERROR_INIT;

        if (warden_confine(OWNER, warden_filter, &err) < 0)
                _exit(2);
        for (size_t i = 0; i < NOTIFY_SLOTS; i++)
                if (area->slots[i].call.id != 0)
                        answer(listener, &area->slots[i]);
        for (;;) {
                struct pollfd p = {.fd = listener, .events = POLLIN};
                struct notify_slot *slot;

                if (poll(&p, 1, -1) < 1 || (p.revents & POLLHUP))
                        _exit(0);
                if (!(p.revents & POLLIN) || notify_receive(listener, 1, area, &slot) < 0)
                        continue;
                if (--die_at == 0)
                        (void)kill(getpid(), SIGKILL);
                answer(listener, slot);
        }
}

static pid_t start_server(int listener, int die_at)
{
        pid_t pid = fork();

        if (pid == 0)
                serve(listener, die_at);
        return pid;
}

static void kill_server(pid_t pid)
{
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
}

/* --- the caller ----------------------------------------------------------------------------------------------------
 */

struct inside {
        pid_t pid;
        int listener;
};

static int counters = -EBADF; /* a memfd that those inside share with us */

static char *name_of(int (*f)(void));

/* By execve: memory belongs to the user namespace in which its program was executed, and that decides who may write. */
static void begin_inside(int socket, int (*f)(void))
{
        struct croft_error err = CROFT_ERROR_INIT;
        int listener = -EBADF;
        char go, program[] = "inside", *argv[] = {program, name_of(f), NULL};

        if (recv(socket, &go, 1, 0) != 1 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                _exit(99);
        if (seccomp_install_listener(notify_filter, &listener, &err) < 0)
                _exit(98);
        if (sock_send_packet(socket, "l", 1, &listener, 1) < 0)
                _exit(97);
        close_fd(listener);
        if (recv(socket, &go, 1, 0) != 1)
                _exit(96);
        if (counters >= 0)
                (void)dup2(counters, 9);
        (void)execv("/proc/self/exe", argv);
        _exit(95);
}

/* Runs f (0: well) in a user namespace of OWNER's, with the filter, once let_go() is called. */
static struct inside make_inside(int (*f)(void), int *ret_socket)
{
        struct inside in = {.pid = -1, .listener = -EBADF};
        _cleanup_(sock_packet_done) struct sock_packet packet = {0};
        struct croft_error err = CROFT_ERROR_INIT;
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                exit(1);
        in.pid = ns_clone_owned(OWNER, 0, -EBADF, NULL);
        if (in.pid == 0) {
                close_fd(pair[0]);
                begin_inside(pair[1], f);
        }
        close_fd(pair[1]);
        if (in.pid < 0 || ns_write_maps(in.pid, BASE, 65536, &err) < 0 || send(pair[0], "g", 1, MSG_NOSIGNAL) != 1 ||
                sock_receive_packet(pair[0], 16, &packet) != 1)
                exit(1);
        in.listener = sock_packet_take_fd(&packet, 0);
        *ret_socket = pair[0];
        return in;
}

static void let_go(int *socket)
{
        (void)send(*socket, "g", 1, MSG_NOSIGNAL);
        *socket = close_fd(*socket);
}

static int end_of(pid_t pid)
{
        int status = 0;

        (void)TEMP_FAILURE_RETRY(waitpid(pid, &status, 0));
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* f inside with one server: its exit status, and whether the server was alive at the end. */
static int run_inside(int (*f)(void), bool *ret_alive)
{
        int socket, status;
        struct inside in = make_inside(f, &socket);
        pid_t server = start_server(in.listener, 0);

        let_go(&socket);
        status = end_of(in.pid);
        *ret_alive = true;
        /* POLLHUP ends it properly. */
        if (end_of(server) != 0)
                *ret_alive = false;
        close_fd(in.listener);
        return status;
}

static void claim_inside(int (*f)(void), const char *claim)
{
        bool alive;
        int status = run_inside(f, &alive);

        if (!ok(status == 0 && alive, "%s", claim))
                printf("# status %d, server %s\n", status, alive ? "well" : "dead or in error");
}

/* --- what is done inside -------------------------------------------------------------------------------------------
 */

static bool told(void)
{
        struct sysinfo info = {0};

        return syscall(SYS_sysinfo, &info) == 0 && info.totalram == TOTAL;
}

static int calls_once(void)
{
        return told() ? 0 : 1;
}

static int calls_undumpable(void)
{
        return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && told() ? 0 : 1;
}

static int calls_as_other_user(void)
{
        return setresuid(1000, 1000, 1000) == 0 && told() ? 0 : 1;
}

static int calls_from_nested_namespace(void)
{
        return unshare(CLONE_NEWUSER) == 0 && told() ? 0 : 1;
}

#ifdef __x86_64__
static long call_i386(long number, void *argument)
{
        long result;

        __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(argument) : "memory", "r8", "r9", "r10", "r11");
        return result;
}

static int calls_by_i386(void)
{
        uint32_t *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

        if (low == MAP_FAILED || call_i386(116, low) != 0 || low[4] != TOTAL)
                return 1;
        return call_i386(116, NULL) == -EFAULT ? 0 : 2;
}

static int calls_by_x32(void)
{
        struct sysinfo info = {0};

        return syscall(X32 | SYS_sysinfo, &info) == 0 && info.totalram == TOTAL ? 0 : 1;
}
#endif

static int calls_with_bad_pointers(void)
{
        char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        void *const bad[] = {
                NULL, (void *)8, (void *)-1L, (void *)0x800000000000, (void *)0xffffffff81000000, two + 4090};

        if (two == MAP_FAILED || munmap(two + 4096, 4096) < 0)
                return 1;
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                if (syscall(SYS_sysinfo, bad[i]) != -1 || errno != EFAULT)
                        return 2;
        if (mprotect(two, 4096, PROT_READ) < 0 || syscall(SYS_sysinfo, two) != -1 || errno != EFAULT)
                return 3;
        return told() ? 0 : 4;
}

static void *take_away(void *stop)
{
        char *page = ((void **)stop)[1];

        while (!__atomic_load_n((int *)((void **)stop)[0], __ATOMIC_RELAXED)) {
                (void)munmap(page, 4096);
                (void)mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        }
        return NULL;
}

static int calls_while_memory_goes(void)
{
        void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int stop = 0;
        void *both[] = {&stop, page};
        pthread_t thread;

        if (page == MAP_FAILED || pthread_create(&thread, NULL, take_away, both) != 0)
                return 1;
        for (unsigned int i = 0; i < turns(20000); i++)
                if (syscall(SYS_sysinfo, page) < 0 && errno != EFAULT)
                        return 2;
        __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
        (void)pthread_join(thread, NULL);
        return told() ? 0 : 3;
}

static int calls_killed_in_flight(void)
{
        for (int i = 0; i < 300; i++) {
                pid_t pid = fork();

                if (pid < 0)
                        return 1;
                if (pid == 0)
                        for (;;)
                                (void)syscall(SYS_sysinfo, i % 2 ? NULL : (void *)&pid);
                for (volatile int wait = 0; wait < i * 100; wait++)
                        ;
                (void)kill(pid, SIGKILL);
                (void)waitpid(pid, NULL, 0);
        }
        return told() ? 0 : 2;
}

static int installs_listener(void)
{
        int listener = -EBADF;

        notify_filter = seccomp_build_notify(0, NULL);
        return seccomp_install_listener(notify_filter, &listener, NULL) == -EBUSY ? 0 : 1;
}

static void on_alarm(int signal)
{
        (void)signal;
}

/* A timer whose handler doesn't restart calls. */
static int calls_under_signals(void)
{
        struct sigaction action = {.sa_handler = on_alarm};
        struct itimerspec often = {.it_interval = {.tv_nsec = 50000}, .it_value = {.tv_nsec = 50000}};
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
        unsigned int n = turns(5000);
        int failed = 0, interrupted = 0;
        timer_t timer;

        action.sa_flags = SA_RESTART;
        if (sigaction(SIGALRM, &action, NULL) < 0 || timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 ||
                timer_settime(timer, 0, &often, NULL) < 0)
                return 1;
        for (unsigned int i = 0; i < n; i++)
                failed += !told();
        action.sa_flags = 0;
        (void)sigaction(SIGALRM, &action, NULL);
        for (unsigned int i = 0; i < n; i++)
                if (!told()) {
                        if (errno == EINTR)
                                interrupted++;
                        else
                                failed++;
                }
        printf("# %d of %u calls were interrupted by a handler without SA_RESTART\n", interrupted, n);
        (void)fflush(stdout);
        return failed ? 2 : 0;
}

/* --- servers that die ----------------------------------------------------------------------------------------------
 */

static int *calls_made; /* shared with those inside */

static int calls_until_told(void)
{
        if (calls_made == NULL)
                calls_made = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 9, 0);
        if (calls_made == MAP_FAILED)
                return 9;
        for (;;) {
                int n = __atomic_add_fetch(&calls_made[0], 1, __ATOMIC_RELAXED);

                if (!told())
                        return 1;
                if (__atomic_load_n(&calls_made[1], __ATOMIC_RELAXED) && n > 0)
                        return 0;
        }
}

static int two_call_until_told(void)
{
        pid_t pid = fork();
        int r, status = 0;

        r = calls_until_told();
        (void)waitpid(pid, &status, 0);
        return r || pid <= 0 || status ? r || status : 0;
}

/* One server and its end: every second one dies with a call in its hands, the others at an arbitrary instant.  false:
 * calls go on no more. */
static bool outlive(int listener, int i)
{
        int before = __atomic_load_n(&calls_made[0], __ATOMIC_RELAXED);
        pid_t server = start_server(listener, i % 2 ? 1 + i % 5 : 0);

        for (int wait = 0; wait < 20000; wait++) {
                if (i % 2 && waitpid(server, NULL, WNOHANG) == server)
                        return true;
                if (i % 2 == 0 && __atomic_load_n(&calls_made[0], __ATOMIC_RELAXED) > before + i % 7) {
                        kill_server(server);
                        return true;
                }
                (void)usleep(wait < 100 ? 20 : 1000);
        }
        kill_server(server);
        return false;
}

static void servers_are_killed(int times)
{
        int socket, status;
        struct inside in;
        bool stuck = false;

        counters = memfd_create("counters", MFD_CLOEXEC);
        if (ftruncate(counters, 4096) < 0)
                exit(1);
        calls_made = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, counters, 0);
        in = make_inside(two_call_until_told, &socket);
        let_go(&socket);
        for (int i = 0; i < times && !stuck; i++)
                stuck = !outlive(in.listener, i);
        ok(!stuck, "calls go on through %d servers killed by SIGKILL", times);
        __atomic_store_n(&calls_made[1], 1, __ATOMIC_RELAXED);
        {
                pid_t server = start_server(in.listener, 0);

                status = end_of(in.pid);
                (void)end_of(server);
        }
        ok(status == 0, "not one of %d calls failed", calls_made[0]);
        close_fd(in.listener);
        (void)munmap(calls_made, 4096);
        counters = close_fd(counters);
}

static int calls_in_vain(void)
{
        struct sysinfo info;

        return syscall(SYS_sysinfo, &info) == -1 && errno == ENOSYS ? 0 : 1;
}

static void nobody_serves(void)
{
        int socket;
        struct inside in = make_inside(calls_in_vain, &socket);
        struct notify_slot *slot = NULL;
        struct pollfd p;

        let_go(&socket);
        p = (struct pollfd){.fd = in.listener, .events = POLLIN};
        ok(poll(&p, 1, 30000) == 1 && notify_receive(in.listener, 1, area, &slot) == 0, "a call is taken");
        ok(slot && area->slots[0].call.id == slot->call.id && slot->listener == 1, "and lies in the area");
        ok(notify_holds(in.listener, slot), "it is held");
        close_fd(in.listener);
        ok(end_of(in.pid) == 0, "a call that was taken fails when nobody has the listener any more");
        if (slot)
                slot->call.id = 0;
        in = make_inside(calls_in_vain, &socket);
        close_fd(in.listener);
        let_go(&socket);
        ok(end_of(in.pid) == 0, "so does a later one");
}

static void slots_are_bounded(void)
{
        int socket;
        struct inside in = make_inside(calls_once, &socket);
        struct notify_slot *slot;
        pid_t server;

        for (size_t i = 0; i < NOTIFY_SLOTS; i++)
                area->slots[i].call.id = 1 + i;
        ok(notify_receive(in.listener, 1, area, &slot) == -EBUSY, "with all slots in use no call is taken");
        ok(!notify_holds(in.listener, &area->slots[3]), "a call that isn't the listener's isn't held");
        /* The next server finds them, and that they are nobody's. */
        server = start_server(in.listener, 0);
        let_go(&socket);
        ok(end_of(in.pid) == 0 && end_of(server) == 0, "what a dead server left is cleared by the next one");
        close_fd(in.listener);
}

static void what_is_no_area_is_refused(void)
{
        _cleanup_close_ int open = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING), none = -EBADF;
        struct croft_error err = CROFT_ERROR_INIT;
        struct notify_area *p;

        if (ftruncate(open, sizeof(struct notify_area)) < 0)
                exit(1);
        ok_fails(notify_area_map(open, &p, &err), EBADMSG, &err, "memory that can be cut short is refused");
        ok_fails(notify_area_map(none, &p, &err), EBADMSG, &err, "so is none");
        ok(!notify_is_listener(open) && !notify_is_listener(-1), "a file is no listener");
}

/* What this program does when it is executed inside. */
static const struct {
        const char *name;
        int (*f)(void);
} parts[] = {{"once", calls_once}, {"undumpable", calls_undumpable}, {"other-user", calls_as_other_user},
        {"nested", calls_from_nested_namespace},
#ifdef __x86_64__
        {"i386", calls_by_i386}, {"x32", calls_by_x32},
#endif
        {"bad", calls_with_bad_pointers}, {"going", calls_while_memory_goes}, {"killed", calls_killed_in_flight},
        {"signals", calls_under_signals}, {"listener", installs_listener}, {"two", two_call_until_told},
        {"vain", calls_in_vain}};

static char *name_of(int (*f)(void))
{
        static char name[32];

        for (size_t i = 0; i < ELEMENTS(parts); i++)
                if (parts[i].f == f)
                        (void)snprintf(name, sizeof(name), "%s", parts[i].name);
        return name;
}

static int play(const char *name)
{
        for (size_t i = 0; i < ELEMENTS(parts); i++)
                if (strcmp(parts[i].name, name) == 0)
                        return parts[i].f();
        return 94;
}

int main(int argc, char **argv)
{
        struct croft_error err = CROFT_ERROR_INIT;

        if (argc == 2)
                return play(argv[1]);
        notify_filter = seccomp_build_notify(0, &err);
        ok_r(notify_filter, &err, "the filter is made");
        warden_filter = seccomp_build_warden(&err);
        area_fd = notify_area_new(&err);
        if (!ok_r(area_fd, &err, "the area is made") ||
                !ok_r(notify_area_map(area_fd, &area, &err), &err, "and mapped"))
                return tap_end();
        claim_inside(
                calls_once, "a call is answered by the owner of the caller's user namespace, without capabilities");
        claim_inside(calls_undumpable, "that of a caller who can't be dumped, too");
        claim_inside(calls_as_other_user, "that of another user, too");
        claim_inside(calls_from_nested_namespace, "that of a nested user namespace, too");
#ifdef __x86_64__
        claim_inside(calls_by_x32, "those by the x32 ABI, too");
        if (has_i386())
                claim_inside(calls_by_i386, "those by the i386 ABI, too");
        else
                skip("those by the i386 ABI, too", "this kernel has no calls of i386");
#endif
        claim_inside(calls_with_bad_pointers, "bad pointers are EFAULT");
        claim_inside(calls_while_memory_goes, "memory that goes meanwhile is EFAULT");
        claim_inside(calls_killed_in_flight, "callers that are killed leave nothing behind");
        claim_inside(calls_under_signals, "signals whose handlers restart calls aren't noticed");
        claim_inside(installs_listener, "the kernel allows no second listener inside");
        slots_are_bounded();
        nobody_serves();
        servers_are_killed(300);
        what_is_no_area_is_refused();
        return tap_end();
}
