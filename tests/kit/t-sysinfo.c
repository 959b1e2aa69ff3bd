/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * t-sysinfo WHAT [ARGUMENT]: calls sysinfo(2) in ways that programs do, and in ways that only the hostile do.
 *
 *   show ABI       ABI 64, x32 or i386: totalram freeram totalswap freeswap procs uptime load1
 *                  (memory in bytes)
 *   loop FILE      calls until FILE is there; prints how many calls; fails when one did
 *   storm THREADS  so many threads with bad pointers; fails when an answer isn't EFAULT
 *   race           one thread calls, another takes the memory away meanwhile
 *   killed N       N callers that are killed in the middle of their calls
 *   mapped FILE    the memory is a private mapping of FILE
 *   refused        a filter of one's own refuses the call
 *   listener       tries to get a listener of its own; prints the error
 *   time N         N calls, 100 times; prints the median, in nanoseconds a call
 *   pipe N         the same of a byte to a process and back: two switches and nothing else
 *   notify N       the same of calls that a process of its own answers, which does no more for it than it must: takes
 * one, writes to the caller's memory, answers
 *
 * A static program, so that it runs on any root.  Where nothing else is said, the exit status is what counts.
 */
#include "i386.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Linux 6.6, newer than Debian 12's headers. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

#define X32 0x40000000L

static void print(uint64_t unit, const uint64_t words[7])
{
        for (int i = 0; i < 4; i++)
                printf("%llu ", (unsigned long long)(words[i] * unit));
        printf("%llu %llu %llu\n", (unsigned long long)words[4], (unsigned long long)words[5],
                (unsigned long long)words[6]);
}

static int show_i386(void)
{
#ifdef __x86_64__
        uint32_t *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        long result;

        if (w == MAP_FAILED)
                return 1;
        __asm__ volatile("int $0x80" : "=a"(result) : "a"(116L), "b"(w) : "memory", "r8", "r9", "r10", "r11");
        if (result != 0)
                return 1;
        print(w[13], (uint64_t[]){w[4], w[5], w[8], w[9], w[10] & 0xffff, w[0], w[1]});
        return w[16] == 0 ? 0 : 1; /* nothing is written behind it */
#else
        return 1;
#endif
}

/* 2: this kernel has none of these calls. */
static int show_i386_if_any(void)
{
        return has_i386() ? show_i386() : 2;
}

static int show(const char *abi)
{
        struct sysinfo info = {0};

        if (strcmp(abi, "i386") == 0)
                return show_i386_if_any();
        if (syscall((strcmp(abi, "x32") == 0 ? X32 : 0) | SYS_sysinfo, &info) < 0)
                return 1;
        print(info.mem_unit, (uint64_t[]){info.totalram, info.freeram, info.totalswap, info.freeswap, info.procs,
                                     (uint64_t)info.uptime, info.loads[0]});
        return 0;
}

static int loop(const char *file)
{
        struct sysinfo info;
        unsigned long n = 0;

        while (n % 64 != 0 || access(file, F_OK) < 0) {
                if (syscall(SYS_sysinfo, &info) < 0) {
                        printf("call %lu: %s\n", n, strerror(errno));
                        return 1;
                }
                n++;
        }
        printf("%lu\n", n);
        return 0;
}

static int failures;

static void *call_badly(void *pointer)
{
        for (int i = 0; i < 2; i++)
                if (syscall(SYS_sysinfo, pointer) != -1 || errno != EFAULT)
                        __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
        return NULL;
}

static int storm(int threads)
{
        void *const bad[] = {NULL, (void *)1, (void *)-1L, (void *)0x800000000000, (void *)0xffff888000000000};
        pthread_t *list = calloc((size_t)threads, sizeof(*list));
        pthread_attr_t attributes;
        int n = 0;

        if (!list || pthread_attr_init(&attributes) != 0 || pthread_attr_setstacksize(&attributes, 16384) != 0)
                return 1;
        while (n < threads && pthread_create(&list[n], &attributes, call_badly, bad[n % 5]) == 0)
                n++;
        for (int i = 0; i < n; i++)
                (void)pthread_join(list[i], NULL);
        printf("%d threads, %d answers that weren't EFAULT\n", n, failures);
        return n == threads && failures == 0 ? 0 : 1;
}

static void *take_away(void *page)
{
        while (!__atomic_load_n(&failures, __ATOMIC_RELAXED)) {
                (void)munmap(page, 4096);
                (void)mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        }
        return NULL;
}

static int race(void)
{
        void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        pthread_t thread;
        int r = 0;

        if (page == MAP_FAILED || pthread_create(&thread, NULL, take_away, page) != 0)
                return 1;
        for (int i = 0; i < 5000 && r == 0; i++)
                r = syscall(SYS_sysinfo, page) < 0 && errno != EFAULT;
        __atomic_store_n(&failures, 1, __ATOMIC_RELAXED);
        (void)pthread_join(thread, NULL);
        return r;
}

static int killed(int n)
{
        for (int i = 0; i < n; i++) {
                struct sysinfo info;
                pid_t pid = fork();

                if (pid < 0)
                        return 1;
                while (pid == 0)
                        (void)syscall(SYS_sysinfo, &info);
                for (volatile int wait = 0; wait < i * 50; wait++)
                        ;
                (void)kill(pid, SIGKILL);
                (void)waitpid(pid, NULL, 0);
        }
        return 0;
}

static int mapped(const char *file)
{
        int fd = open(file, O_RDONLY | O_CLOEXEC);
        struct sysinfo *info = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

        if (fd < 0)
                return 1;
        if (info == MAP_FAILED) {
                printf("can't be mapped: %s\n", strerror(errno));
                return 0;
        }
        if (syscall(SYS_sysinfo, info) < 0) {
                printf("%s\n", strerror(errno));
                return errno == EFAULT ? 0 : 1;
        }
        printf("answered\n");
        return info->totalram != 0 ? 0 : 1;
}

static int install(uint32_t action, unsigned int flags)
{
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sysinfo, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, action),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {.len = 4, .filter = code};

        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static int refused(void)
{
        struct sysinfo info;

        if (install(SECCOMP_RET_ERRNO | EACCES, 0) < 0)
                return 1;
        return syscall(SYS_sysinfo, &info) < 0 && errno == EACCES ? 0 : 1;
}

static int listener(void)
{
        int fd = install(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);

        puts(fd < 0 ? strerror(errno) : "got one");
        return 0;
}

static int there[2], back[2];

static int call_once(void)
{
        struct sysinfo info;

        return (int)syscall(SYS_sysinfo, &info);
}

static int pass_byte(void)
{
        char byte = 0;

        return write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1 ? 0 : -1;
}

static int by_size(const void *a, const void *b)
{
        const double *x = a, *y = b;

        return *x < *y ? -1 : *x > *y;
}

static int measure(long n, int (*f)(void))
{
        double times[100];

        for (int round = 0; round < 100; round++) {
                struct timespec a, b;

                (void)clock_gettime(CLOCK_MONOTONIC, &a);
                for (long i = 0; i < n; i++)
                        if (f() < 0)
                                return 1;
                (void)clock_gettime(CLOCK_MONOTONIC, &b);
                times[round] = ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / (double)n;
        }
        qsort(times, 100, sizeof(*times), by_size);
        printf("%.0f\n", times[50]);
        return 0;
}

static int measure_pipe(long n)
{
        char byte;
        pid_t pid;
        int r;

        if (pipe(there) < 0 || pipe(back) < 0 || (pid = fork()) < 0)
                return 1;
        if (pid == 0) {
                (void)close(there[1]);
                while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
                        ;
                _exit(0);
        }
        r = measure(n, pass_byte);
        (void)close(there[1]);
        (void)waitpid(pid, NULL, 0);
        return r;
}

/* Until it is killed. */
static void answer_calls(int fd)
{
        struct sysinfo info = {.mem_unit = 1};

        for (;;) {
                struct seccomp_notif call = {0};
                struct seccomp_notif_resp answer = {0};
                struct iovec from = {&info, sizeof(info)}, to = {NULL, sizeof(info)};

                if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
                        continue;
                to.iov_base = (void *)(uintptr_t)call.data.args[0];
                answer.id = call.id;
                if (process_vm_writev((pid_t)call.pid, &from, 1, &to, 1, 0) != sizeof(info))
                        answer.error = -EFAULT;
                (void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
        }
}

static int measure_notify(long n)
{
        int fd = install(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER), r;
        pid_t pid;

        if (fd < 0)
                return 1;
        (void)ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP); /* Linux 6.6 */
        pid = fork();
        if (pid < 0)
                return 1;
        if (pid == 0)
                answer_calls(fd);
        r = measure(n, call_once);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return r;
}

int main(int argc, char **argv)
{
        const char *what = argc > 1 ? argv[1] : "", *argument = argc > 2 ? argv[2] : "";

        if (strcmp(what, "show") == 0)
                return show(argument);
        if (strcmp(what, "loop") == 0)
                return loop(argument);
        if (strcmp(what, "storm") == 0)
                return storm(atoi(argument));
        if (strcmp(what, "race") == 0)
                return race();
        if (strcmp(what, "killed") == 0)
                return killed(atoi(argument));
        if (strcmp(what, "mapped") == 0)
                return mapped(argument);
        if (strcmp(what, "refused") == 0)
                return refused();
        if (strcmp(what, "listener") == 0)
                return listener();
        if (strcmp(what, "time") == 0)
                return measure(atol(argument), call_once);
        if (strcmp(what, "pipe") == 0)
                return measure_pipe(atol(argument));
        if (strcmp(what, "notify") == 0)
                return measure_notify(atol(argument));
        fputs("usage: t-sysinfo show|loop|storm|race|killed|mapped|refused|listener|time|pipe|notify [ARGUMENT]\n",
                stderr);
        return 2;
}
