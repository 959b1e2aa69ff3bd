/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * t-flood.c - t-flood N EXTENSION GATE BEGUN: asks the kernel N times at once to load an extension.
 *
 * Once GATE is gone there are N threads that ask, each once, by finit_module(2).  When all have begun and none has been
 * answered BEGUN is made.  At the end one line says how often there was which errno ("0 1", "EAGAIN 4095").  Status 1:
 * one was answered before all had begun.
 *
 * Invariant: a thread counts as begun just before its call and as answered just after it, so while all have begun and
 * none is answered there are N calls pending, but for what a thread does between two instructions.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EACH 2048 /* threads of a process, which may have 65,530 mappings; each takes two */
#define STACK ((size_t)64 << 10)
#define ERRNOS 140

struct counts {
        atomic_uint begun, answered, errnos[ERRNOS];
};
static struct counts *counts; /* shared by all processes */
static int extension;

static void *ask(void *unused)
{
        int r;

        (void)unused;
        atomic_fetch_add(&counts->begun, 1);
        r = syscall(SYS_finit_module, extension, "", 0) < 0 ? errno : 0;
        atomic_fetch_add(&counts->errnos[r < ERRNOS ? r : ERRNOS - 1], 1);
        atomic_fetch_add(&counts->answered, 1);
        return NULL;
}

static _Noreturn void ask_all(unsigned int n)
{
        static pthread_t threads[EACH];
        pthread_attr_t attributes;

        if (pthread_attr_init(&attributes) != 0 || pthread_attr_setstacksize(&attributes, STACK) != 0)
                exit(1);
        for (unsigned int i = 0; i < n; i++) {
                if (pthread_create(&threads[i], &attributes, ask, NULL) != 0) {
                        fprintf(stderr, "t-flood: no thread %u: %s\n", i, strerror(errno));
                        exit(1);
                }
        }
        for (unsigned int i = 0; i < n; i++)
                (void)pthread_join(threads[i], NULL);
        exit(0);
}

static void wait_for_children(int *status)
{
        int one;

        while (wait(&one) > 0)
                *status |= one != 0;
}

int main(int argc, char **argv)
{
        unsigned int n = argc == 5 ? (unsigned int)strtoul(argv[1], NULL, 10) : 0;
        int status = 0;

        extension = n > 0 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
        counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (extension < 0 || counts == MAP_FAILED) {
                fprintf(stderr, "usage: t-flood N EXTENSION GATE BEGUN\n");
                return 2;
        }
        while (access(argv[3], F_OK) == 0)
                usleep(20000);
        for (unsigned int left = n; left > 0; left -= left < EACH ? left : EACH)
                if (fork() == 0)
                        ask_all(left < EACH ? left : EACH);
        while (atomic_load(&counts->begun) < n && atomic_load(&counts->answered) == 0)
                usleep(20000);
        status = atomic_load(&counts->answered) != 0;
        (void)close(open(argv[4], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        wait_for_children(&status);
        for (int r = 0; r < ERRNOS; r++)
                if (counts->errnos[r] > 0)
                        printf("%s %u\n", r == 0 ? "0" : strerrorname_np(r), counts->errnos[r]);
        return status;
}
