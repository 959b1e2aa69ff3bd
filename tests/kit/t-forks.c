/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * t-forks FORKS VFORKS THREADS EXECS: makes just so many, one after the other, and ends.  Programs are begun in its own
 * place, without a fork.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void *nothing(void *argument)
{
        return argument;
}

static void end(pid_t child)
{
        if (child < 0 || waitpid(child, NULL, 0) != child)
                exit(1);
}

static void make_fork(void)
{
        pid_t child = fork();

        if (child == 0)
                _exit(0);
        end(child);
}

static void make_vfork(void)
{
        pid_t child = vfork();

        if (child == 0)
                _exit(0);
        end(child);
}

static void make_thread(void)
{
        pthread_t thread;

        if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
                exit(1);
}

int main(int argc, char **argv)
{
        static void (*const make[])(void) = {make_fork, make_vfork, make_thread};
        char left[16];

        if (argc != 5)
                return 2;
        for (int kind = 0; kind < 3; kind++)
                for (int i = atoi(argv[kind + 1]); i > 0; i--)
                        make[kind]();
        (void)snprintf(left, sizeof(left), "%d", atoi(argv[4]) - 1);
        if (atoi(argv[4]) > 0)
                (void)execl("/proc/self/exe", argv[0], "0", "0", "0", left, (char *)NULL);
        return atoi(argv[4]) > 0;
}
