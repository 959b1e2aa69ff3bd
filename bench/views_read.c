/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * views_read.c - how long it takes to read a file: views-read DIRECTORY ROUNDS PAUSE_MS open|kept FILE... prints for
 * each file the median and the 99th percentile in nanoseconds.  `open`: it is opened, read and closed, as by who reads
 * it once. `kept`: it stays open, and is read from its beginning by lseek(2) and read(2), as procps's top(1), vmstat(8)
 * and free(1) do from their second look on.  Static: it runs inside a partition.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* A partition without disks has an empty diskstats. */
static int read_once(const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

        return fd < 0 || close(fd) < 0 || n < 0 ? -1 : 0;
}

static int read_again(int fd)
{
        return lseek(fd, 0, SEEK_SET) < 0 || read(fd, buf, sizeof(buf)) < 0 ? -1 : 0;
}

static int measure(const char *path, bool kept, long *times, long rounds, useconds_t pause)
{
        int fd = kept ? open(path, O_RDONLY | O_CLOEXEC) : -1, r = 0;

        for (long i = 0; i < rounds && r == 0; i++) {
                long begin = now_ns();

                r = kept ? read_again(fd) : read_once(path);
                times[i] = now_ns() - begin;
                if (pause)
                        (void)usleep(pause);
        }
        if (kept && fd >= 0)
                (void)close(fd);
        qsort(times, (size_t)rounds, sizeof(*times), by_size);
        return r;
}

int main(int argc, char **argv)
{
        bool kept = argc > 5 && strcmp(argv[4], "kept") == 0;
        long rounds = argc > 5 ? strtol(argv[2], NULL, 10) : 0;
        useconds_t pause = argc > 5 ? (useconds_t)strtol(argv[3], NULL, 10) * 1000 : 0;
        long *times = rounds > 0 ? calloc((size_t)rounds, sizeof(*times)) : NULL;
        char path[512];

        if (!times)
                return 2;
        for (int i = 5; i < argc; i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", argv[1], argv[i]);
                if (measure(path, kept, times, rounds, pause) < 0)
                        printf("%s - -\n", argv[i]);
                else
                        printf("%s %ld %ld\n", argv[i], times[rounds / 2], times[rounds * 99 / 100]);
        }
        free(times);
        return 0;
}
