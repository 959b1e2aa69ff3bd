/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_tool.c - renders the views of a partition that doesn't exist into a directory, for tests of the text:
 *
 *   view-tool DIRECTORY [FIELD=NUMBER]...
 *
 * Fields of the sample: cpus and configured (masks of the first 64), elapsed_ms, user_ms, nice_ms, system_ms (of each
 * CPU), n_cpus, limit, usage, file, anon, shmem, inactive_file, active_file, slab, swap_limit, swap_usage, load
 * (1/2048), running, threads, pid, forks, switches, major, minor, reads, read_bytes, writes, written_bytes,
 * pressure_us.  view-tool bench [FIELD=NUMBER]...: what a render costs.
 */
#include "base/cleanup.h"
#include "kstat/view.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define SIZE_MAX_OF_VIEW (4u << 20)
#define MS 1000000ULL

static char text[SIZE_MAX_OF_VIEW];

static const char *value_of(char **fields, const char *name)
{
        size_t length = strlen(name);

        for (; *fields; fields++)
                if (strncmp(*fields, name, length) == 0 && (*fields)[length] == '=')
                        return *fields + length + 1;
        return NULL;
}

static uint64_t number(char **fields, const char *name, uint64_t otherwise)
{
        const char *value = value_of(fields, name);

        return value ? strtoull(value, NULL, 0) : otherwise;
}

static void fill_memory(struct kstat_sample_memory *m, char **fields)
{
        m->limit = number(fields, "limit", KSTAT_NONE);
        m->usage = number(fields, "usage", 100 << 20);
        m->file = number(fields, "file", 40 << 20);
        m->shmem = number(fields, "shmem", 0);
        m->anon = number(fields, "anon", 30 << 20);
        m->active_anon = m->anon;
        m->inactive_file = number(fields, "inactive_file", 20 << 20);
        m->active_file = number(fields, "active_file", 20 << 20);
        m->slab_reclaimable = number(fields, "slab", 1 << 20);
        m->swap_limit = number(fields, "swap_limit", KSTAT_NONE);
        m->swap_usage = number(fields, "swap_usage", 0);
        m->pgfault = number(fields, "pgfault", 12345);
}

static void fill_times(struct kstat_sample *s, char **fields)
{
        s->start_ns = 1000000000;
        s->boottime_ns = s->start_ns + number(fields, "elapsed_ms", 100000) * MS;
        s->now_ns = s->boottime_ns;
        s->n_cpus = (uint32_t)number(fields, "n_cpus", 2);
        for (uint32_t i = 0; i < s->n_cpus && i < KSTAT_CPUS_MAX; i++) {
                s->cpu[i].user_ns = number(fields, "user_ms", 2000) * MS;
                s->cpu[i].nice_ns = number(fields, "nice_ms", 0) * MS;
                s->cpu[i].system_ns = number(fields, "system_ms", 1000) * MS;
        }
}

static void fill(struct kstat_sample *s, char **fields)
{
        *s = (struct kstat_sample){.version = KSTAT_SAMPLE_VERSION, .size = sizeof(*s)};
        s->cpus[0] = number(fields, "cpus", 1);
        s->configured[0] = number(fields, "configured", s->cpus[0]);
        for (size_t i = 0; i < 3; i++) {
                s->load[i] = (uint32_t)number(fields, "load", 1024);
                s->pressure[i][0].total_us = number(fields, "pressure_us", 0);
        }
        s->running = (uint32_t)number(fields, "running", 1);
        s->threads = (uint32_t)number(fields, "threads", 7);
        s->processes_last = (uint32_t)number(fields, "pid", 42);
        s->forks = number(fields, "forks", 99);
        s->switches = number(fields, "switches", 5000);
        if (value_of(fields, "major"))
                s->disks[s->n_disks++] = (struct kstat_sample_disk){(uint32_t)number(fields, "major", 0),
                        (uint32_t)number(fields, "minor", 0), number(fields, "reads", 0),
                        number(fields, "read_bytes", 0), number(fields, "writes", 0),
                        number(fields, "written_bytes", 0)};
        fill_memory(&s->memory, fields);
        fill_times(s, fields);
}

static void die(const char *what)
{
        perror(what);
        exit(1);
}

/* Makes the directories in front of a file's name. */
static void make_parents(int dir_fd, const char *path)
{
        _cleanup_free_ char *copy = strdup(path);

        for (char *p = copy; p && (p = strchr(p, '/')); *p++ = '/') {
                *p = '\0';
                if (mkdirat(dir_fd, copy, 0755) < 0 && errno != EEXIST)
                        die(copy);
        }
}

static void write_file(int dir_fd, const char *path, size_t size)
{
        _cleanup_close_ int fd = -EBADF;

        make_parents(dir_fd, path);
        fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0 || write(fd, text, size) != (ssize_t)size)
                die(path);
}

static void write_tree(struct view *v, uint64_t node, const struct kstat_sample *s, int dir_fd, const char *path)
{
        struct view_entry entry;
        int r;

        for (size_t i = 0; (r = view_list(v, node, s, i, &entry)) > 0; i++) {
                _cleanup_free_ char *child = NULL;
                ssize_t size = 0;

                if (asprintf(&child, "%s/%s", path, entry.name) < 0)
                        die(path);
                if (entry.kind == VIEW_DIRECTORY) {
                        write_tree(v, entry.node, s, dir_fd, child);
                        continue;
                }
                size = view_read(v, entry.node, s, text, sizeof(text) - 1);
                if (size < 0)
                        die(child);
                text[size] = '\0';
                if (entry.kind == VIEW_FILE)
                        write_file(dir_fd, child, (size_t)size);
                else if (symlinkat(text, dir_fd, child) < 0 && errno != EEXIST)
                        die(child);
        }
        if (r < 0)
                die(path);
}

static void write_all(struct view *v, const struct kstat_sample *s, const char *directory)
{
        _cleanup_close_ int dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (dir_fd < 0)
                die(directory);
        for (size_t i = 0; i < view_count(); i++) {
                ssize_t size = view_render(v, i, s, text, sizeof(text));

                if (size < 0)
                        die(view_path(i));
                write_file(dir_fd, view_path(i), (size_t)size);
        }
        for (size_t i = 0; i < view_tree_count(); i++) {
                _cleanup_free_ char *inside = NULL;

                if (asprintf(&inside, "%s/", view_tree_path(i)) < 0)
                        die(directory);
                make_parents(dir_fd, inside);
                write_tree(v, view_tree_node(i), s, dir_fd, view_tree_path(i));
        }
}

static double now_ns(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void bench(struct view *v, struct kstat_sample *s)
{
        const int rounds = 100000;

        for (size_t i = 0; i < view_count(); i++) {
                ssize_t size = view_render(v, i, s, text, sizeof(text));
                double start = now_ns(), each;

                for (int k = 0; k < rounds; k++) {
                        s->now_ns++; /* each time another sample is taken in */
                        s->boottime_ns++;
                        size = view_render(v, i, s, text, sizeof(text));
                }
                each = (now_ns() - start) / rounds;
                printf("%-32s %6zd bytes %8.0f ns\n", view_path(i), size, each);
        }
}

int main(int argc, char **argv)
{
        _cleanup_(view_facts_freep) struct view_facts *facts = NULL;
        _cleanup_(view_freep) struct view *v = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        static struct kstat_sample sample;
        struct stat st;
        void *data;
        int fd;

        if (argc < 2)
                return 2;
        fd = view_facts_memfd(&err);
        if (fd < 0 || fstat(fd, &st) < 0) {
                fprintf(stderr, "%s\n", croft_error_line(&err, text, sizeof(text)));
                return 1;
        }
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (data == MAP_FAILED || view_facts_decode(data, (size_t)st.st_size, &facts) < 0 || view_new(facts, &v) < 0)
                die("facts");
        fill(&sample, argv + 2);
        if (strcmp(argv[1], "bench") == 0)
                bench(v, &sample);
        else
                write_all(v, &sample, argv[1]);
        return 0;
}
