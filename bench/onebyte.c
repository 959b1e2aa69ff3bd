/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * onebyte.c - for bench/mount-stats: how long a pread(2) of one byte of that file takes, and a getppid(2), in ns: the
 * medians of 11 times 100,000 calls.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CALLS 100000
#define ROUNDS 11

static double now(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
        const double *x = a, *y = b;

        return *x < *y ? -1 : *x > *y;
}

int main(int argc, char **argv)
{
        double reads[ROUNDS], others[ROUNDS];
        int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
        char byte;

        if (fd < 0)
                return 1;
        for (int i = 0; i < ROUNDS; i++) {
                double begin = now();

                for (int j = 0; j < CALLS; j++)
                        if (pread(fd, &byte, 1, 0) != 1)
                                return 1;
                reads[i] = (now() - begin) / CALLS;
                begin = now();
                for (int j = 0; j < CALLS; j++)
                        (void)getppid();
                others[i] = (now() - begin) / CALLS;
        }
        qsort(reads, ROUNDS, sizeof(reads[0]), compare);
        qsort(others, ROUNDS, sizeof(others[0]), compare);
        printf("%.1f %.1f\n", reads[ROUNDS / 2], others[ROUNDS / 2]);
        return 0;
}
