/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * t-switches THREADS TURNS: that many threads, each of which waits TURNS times and ends; then says how often it was
 * switched, `VOLUNTARY INVOLUNTARY`, by getrusage(2), and ends when there is something to read.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64

static void *wait_in_turns(void *turns)
{
        /* Long enough for the thread to be off its CPU before that is over; else it isn't switched. */
        const struct timespec moment = {.tv_nsec = 1000000};

        for (int i = *(int *)turns; i > 0; i--)
                (void)nanosleep(&moment, NULL);
        return NULL;
}

int main(int argc, char **argv)
{
        pthread_t thread[THREADS_MAX];
        struct rusage usage;
        int n, turns;
        char c;

        if (argc != 3 || (n = atoi(argv[1])) > THREADS_MAX)
                return 2;
        turns = atoi(argv[2]);
        for (int i = 0; i < n; i++)
                if (pthread_create(&thread[i], NULL, wait_in_turns, &turns) != 0)
                        return 1;
        for (int i = 0; i < n; i++)
                if (pthread_join(thread[i], NULL) != 0)
                        return 1;
        if (getrusage(RUSAGE_SELF, &usage) < 0)
                return 1;
        (void)printf("%ld %ld\n", usage.ru_nvcsw, usage.ru_nivcsw);
        (void)fflush(stdout);
        return read(STDIN_FILENO, &c, 1) < 0;
}
