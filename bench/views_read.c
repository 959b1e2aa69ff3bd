/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * views_read.c - how long it takes to open, read and close a file: views-read DIRECTORY ROUNDS PAUSE_MS FILE... prints
 * for each file the median and the 99th percentile in nanoseconds.  Static: it runs inside a partition.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char buf[1 << 20];

static long now_ns(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1000000000L + now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
        long x = *(const long *)a, y = *(const long *)b;

        return (x > y) - (x < y);
}

static int measure(const char *path, long *times, long rounds, useconds_t pause)
{
        for (long i = 0; i < rounds; i++) {
                long begin = now_ns();
                int fd = open(path, O_RDONLY | O_CLOEXEC);

                if (fd < 0 || read(fd, buf, sizeof(buf)) < 0) /* a partition without disks has an empty diskstats */
                        return -1;
                (void)close(fd);
                times[i] = now_ns() - begin;
                if (pause)
                        (void)usleep(pause);
        }
        qsort(times, (size_t)rounds, sizeof(*times), by_size);
        return 0;
}

int main(int argc, char **argv)
{
        long rounds = argc > 4 ? strtol(argv[2], NULL, 10) : 0;
        useconds_t pause = argc > 4 ? (useconds_t)strtol(argv[3], NULL, 10) * 1000 : 0;
        long *times = rounds > 0 ? calloc((size_t)rounds, sizeof(*times)) : NULL;
        char path[512];

        if (!times)
                return 2;
        for (int i = 4; i < argc; i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", argv[1], argv[i]);
                if (measure(path, times, rounds, pause) < 0)
                        printf("%s - -\n", argv[i]);
                else
                        printf("%s %ld %ld\n", argv[i], times[rounds / 2], times[rounds * 99 / 100]);
        }
        free(times);
        return 0;
}
