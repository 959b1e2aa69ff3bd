/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * t-views.c - reads files of /proc at full speed and says when one isn't whole.  Static: it runs inside a partition.
 *
 * t-views [--same] READS|--until STOP FILE...: reads each file so many times, in one read that must be followed by the
 * end of the file. Whole is: not empty, no NUL byte, the same first word as the first time, a newline at the end, never
 * shorter than before.  --same: the last number of the first line and of the last line are equal (whoever makes the
 * figures sees to that).  --until: not so many times, but until the file STOP is there.  Says that it begins, then the
 * number of reads and the longest one; ends with 1 at the first that failed or wasn't whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char buf[1 << 20];

struct file {
        const char *path;
        char first[32];
        size_t size;
};

static bool fail(const struct file *f, const char *what, ssize_t n)
{
        printf("%s: %s (%zd bytes, before %zu, errno %d)\n%.*s\n", f->path, what, n, f->size, errno,
                n > 0 ? (int)(n < 400 ? n : 400) : 0, buf);
        return false;
}

static long last_number(const char *line, const char *end)
{
        while (end > line && (end[-1] < '0' || end[-1] > '9'))
                end--;
        while (end > line && end[-1] >= '0' && end[-1] <= '9')
                end--;
        return strtol(end, NULL, 10);
}

static bool is_same(size_t n)
{
        const char *first_end = memchr(buf, '\n', n), *last = buf + n - 1;

        while (last > buf && last[-1] != '\n')
                last--;
        return last_number(buf, first_end) == last_number(last, buf + n);
}

static bool is_whole(struct file *f, ssize_t n, bool same)
{
        char first[sizeof(f->first)];

        if (n <= 0)
                return fail(f, n < 0 ? "read failed" : "empty", n);
        if (memchr(buf, 0, (size_t)n))
                return fail(f, "torn: a NUL byte", n);
        if (buf[n - 1] != '\n')
                return fail(f, "torn: no newline at the end", n);
        if ((size_t)n < f->size)
                return fail(f, "short", n);
        (void)snprintf(first, sizeof(first), "%.*s", (int)strcspn(buf, " \t:.\n"), buf);
        if (f->size && buf[0] >= 'A' && strcmp(first, f->first) != 0)
                return fail(f, "torn: another first word", n);
        if (same && !is_same((size_t)n))
                return fail(f, "torn: of two instants", n);
        (void)memcpy(f->first, first, sizeof(first));
        f->size = (size_t)n;
        return true;
}

static bool read_once(struct file *f, bool same)
{
        int fd = open(f->path, O_RDONLY | O_CLOEXEC);
        char more[64];
        ssize_t n, end = 0;
        bool ok;

        if (fd < 0)
                return fail(f, "open failed", -1);
        n = read(fd, buf, sizeof(buf));
        if (n > 0)
                end = read(fd, more, sizeof(more));
        ok = is_whole(f, n, same) && (end == 0 || fail(f, "more behind the end", end));
        (void)close(fd);
        return ok;
}

static long now_us(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

/* READS, or the path behind --until.  Takes what it has read of the arguments. */
static bool read_limit(int *argc, char ***argv, long *ret_count, const char **ret_stop)
{
        if (*argc > 1 && strcmp((*argv)[0], "--until") == 0) {
                *ret_stop = (*argv)[1];
                *argc -= 2;
                *argv += 2;
                return true;
        }
        *ret_count = *argc > 0 ? strtol((*argv)[0], NULL, 10) : 0;
        (*argc)--;
        (*argv)++;
        return *ret_count > 0;
}

int main(int argc, char **argv)
{
        bool same = argc > 1 && strcmp(argv[1], "--same") == 0;
        long count = 0, longest = 0, done = 0;
        const char *stop = NULL;
        struct file files[32] = {{0}};
        int n = 0;

        argc -= same ? 2 : 1;
        argv += same ? 2 : 1;
        if (!read_limit(&argc, &argv, &count, &stop) || argc <= 0) {
                fprintf(stderr, "t-views [--same] READS|--until STOP FILE...\n");
                return 2;
        }
        for (int i = 0; i < argc && n < 32; i++)
                files[n++].path = argv[i];
        printf("begun\n");
        (void)fflush(stdout);
        for (; stop ? access(stop, F_OK) < 0 : done < count; done++)
                for (int i = 0; i < n; i++) {
                        long begin = now_us(), took;

                        if (!read_once(&files[i], same))
                                return 1;
                        took = now_us() - begin;
                        longest = took > longest ? took : longest;
                }
        printf("reads %ld longest_us %ld\n", done * n, longest);
        return 0;
}
