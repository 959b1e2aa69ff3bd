/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * t-cpus.c - readers of the CPUs that a process may run on, as fast as they can, in processes, threads and new
 * children, until a file appears.
 *
 *     t-cpus READERS FILE
 *
 * Prints "samples N changes N many N none N elsewhere N": how often the set was looked at, was another than the time
 * before, had more than one CPU, had none, and how often the reader was found on a CPU outside of what it was before
 * and after.  Static: it runs inside a partition.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_EVERY 512

struct counts {
        unsigned long samples, changes, many, none, elsewhere;
};

static struct counts *shared;
static const char *stop;

static void add(unsigned long *to, unsigned long n)
{
        (void)__atomic_add_fetch(to, n, __ATOMIC_RELAXED);
}

/* One look; *last is the set of the time before. */
static void look(cpu_set_t *last)
{
        cpu_set_t set, after;
        int cpu, n;

        if (sched_getaffinity(0, sizeof(set), &set) < 0)
                return;
        cpu = sched_getcpu();
        (void)sched_getaffinity(0, sizeof(after), &after);
        n = CPU_COUNT(&set);
        add(&shared->samples, 1);
        add(&shared->many, n > 1);
        add(&shared->none, n < 1);
        add(&shared->changes, CPU_COUNT(last) > 0 && !CPU_EQUAL(last, &set));
        add(&shared->elsewhere, cpu >= 0 && !CPU_ISSET(cpu, &set) && !CPU_ISSET(cpu, &after));
        *last = set;
}

/* What is born while the set changes has the old one or the new one. */
static void look_in_a_child(void)
{
        cpu_set_t last;
        pid_t pid = fork();

        if (pid == 0) {
                CPU_ZERO(&last);
                for (int i = 0; i < 32; i++)
                        look(&last);
                _exit(0);
        }
        if (pid > 0)
                (void)waitpid(pid, NULL, 0);
}

static void *read_on(void *argument)
{
        cpu_set_t last;

        (void)argument;
        CPU_ZERO(&last);
        for (unsigned long i = 1;; i++) {
                look(&last);
                if (i % CHILD_EVERY == 0) {
                        look_in_a_child();
                        if (access(stop, F_OK) == 0)
                                return NULL;
                }
        }
}

static void read_with_threads(void)
{
        pthread_t thread;

        if (pthread_create(&thread, NULL, read_on, NULL) != 0)
                _exit(1);
        (void)read_on(NULL);
        (void)pthread_join(thread, NULL);
        _exit(0);
}

int main(int argc, char **argv)
{
        int readers = argc == 3 ? atoi(argv[1]) : 0, failed = 0, status;

        if (readers <= 0) {
                (void)fprintf(stderr, "t-cpus READERS FILE\n");
                return 2;
        }
        stop = argv[2];
        shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED)
                return 1;
        memset(shared, 0, sizeof(*shared));
        for (int i = 0; i < readers; i++)
                if (fork() == 0)
                        read_with_threads();
        while (wait(&status) > 0)
                failed |= status;
        (void)printf("samples %lu changes %lu many %lu none %lu elsewhere %lu\n", shared->samples, shared->changes,
                shared->many, shared->none, shared->elsewhere);
        return failed ? 1 : 0;
}
