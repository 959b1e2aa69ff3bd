/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstat_read.c - what a read of a statistic by key costs beside an empty program called the same way, with few and many
 * partitions and statistics on record; and by options of a socket, and what these cost other options.  Prints ratios;
 * asserts nothing.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kit.h"
#include "kstat/kstat.h"
#include "plane/plane.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>

#define CALLS 20000
#define ROUNDS 15

/* The median of rounds, in ns a call; the call is filled in anew each time, as a caller has to. */
static double time_calls(int program, const struct kstat_call *what, uint32_t size, int expected)
{
        double rounds[ROUNDS];
        struct kstat_call call;

        for (int r = 0; r < ROUNDS; r++) {
                int64_t began = bench_now_ns();

                for (int i = 0; i < CALLS; i++) {
                        call.op = what->op;
                        call.at = what->at;
                        call.kid = what->kid;
                        call.key = what->key;
                        call.partition = 0;
                        if (bench_run(program, &call, size) != expected)
                                return -1;
                }
                rounds[r] = (double)(bench_now_ns() - began) / CALLS;
        }
        return bench_median(rounds, ROUNDS);
}

/* --- by options of a socket --- */

static int ask_socket(int fd, const struct kstat_request *request, struct kstat_call *call)
{
        socklen_t size = sizeof(*call);

        if (request && setsockopt(fd, KSTAT_SOCKOPT_LEVEL, KSTAT_SOCKOPT_CALL, request, sizeof(*request)) < 0)
                return -errno;
        if (getsockopt(fd, KSTAT_SOCKOPT_LEVEL, KSTAT_SOCKOPT_CALL, call, &size) < 0)
                return -errno;
        return KSTAT_SOCKOPT_RESULT(call);
}

/* As time_calls(); again: what was asked once is only read. */
static double time_socket(int fd, const struct kstat_call *what, bool again)
{
        const struct kstat_request request = {what->op, what->at, what->kid, what->key, 0};
        double rounds[ROUNDS];
        struct kstat_call call;

        if (ask_socket(fd, &request, &call) != 0)
                return -1;
        for (int r = 0; r < ROUNDS; r++) {
                int64_t began = bench_now_ns();

                for (int i = 0; i < CALLS; i++)
                        if (ask_socket(fd, again ? NULL : &request, &call) != 0)
                                return -1;
                rounds[r] = (double)(bench_now_ns() - began) / CALLS;
        }
        return bench_median(rounds, ROUNDS);
}

/* An option of the kernel's own. */
static double time_other(int fd, bool set)
{
        double rounds[ROUNDS];
        socklen_t size = sizeof(int);
        int value = 0;

        for (int r = 0; r < ROUNDS; r++) {
                int64_t began = bench_now_ns();

                for (int i = 0; i < CALLS; i++)
                        if ((set ? setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, size)
                                 : getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size)) < 0)
                                return -1;
                rounds[r] = (double)(bench_now_ns() - began) / CALLS;
        }
        return bench_median(rounds, ROUNDS);
}

/* A socket made in a control group to which the programs are attached. */
static int open_socket(struct kstats *kstats, const struct bench_cgroup *cgroup)
{
        int fd = -1;

        if (kstats_attach(kstats, cgroup->directory, NULL) == 0 && bench_cgroup_enter(cgroup) == 0) {
                fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
                (void)bench_cgroup_leave(cgroup);
        }
        return fd;
}

static void measure_socket(struct kstats *kstats, int program, const struct kstat_call *find)
{
        _cleanup_close_ int without = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), fd = -EBADF;
        struct bench_cgroup cgroup;

        if (bench_cgroup_make(&cgroup) < 0) {
                printf("# left out: options of sockets\n");
                return;
        }
        fd = open_socket(kstats, &cgroup);
        if (fd < 0) {
                printf("# left out: options of sockets\n");
        } else {
                printf("by key: bpf(2) %.0f, setsockopt and getsockopt %.0f, getsockopt again %.0f (ns)\n",
                        time_calls(program, find, sizeof(*find), 0), time_socket(fd, find, false),
                        time_socket(fd, find, true));
                printf("other options, outside: set %.0f, get %.0f; in partitions: set %.0f, get %.0f (ns)\n",
                        time_other(without, true), time_other(without, false), time_other(fd, true),
                        time_other(fd, false));
        }
        bench_cgroup_remove(&cgroup);
}

static int open_program(const struct plane *plane)
{
        _cleanup_close_ int directory = plane_open_programs(plane, NULL);
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/kstat", directory);
        return bpf_obj_get(path);
}

static int fill(struct kstats *kstats, uint64_t partition, size_t n)
{
        _cleanup_free_ struct kstat_def *defs = calloc(n, sizeof(*defs));
        const uint64_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};

        for (size_t i = 0; defs && i < n; i++)
                defs[i] = (struct kstat_def){.module = "bench",
                        .instance = (int32_t)i,
                        .name = "io",
                        .class = "bench",
                        .subject = partition,
                        .data = data,
                        .size = sizeof(data)};
        return defs ? kstats_create(kstats, defs, n, &partition, 1, NULL, NULL) : -ENOMEM;
}

/* Brings the numbers up to these. */
static int grow(struct kstats *kstats, size_t *partitions, size_t want_partitions, size_t *statistics, size_t want)
{
        int r = 0;

        while (r == 0 && *partitions < want_partitions)
                r = kstats_add_partition(kstats, 1000 + (*partitions)++, NULL);
        while (r == 0 && *statistics < want) {
                size_t n = want - *statistics < 1000 ? want - *statistics : 1000;

                r = kstats_add_partition(kstats, 100000 + *statistics, NULL);
                if (r == 0)
                        r = fill(kstats, 100000 + *statistics, n);
                *statistics += n;
        }
        return r;
}

static void measure(const struct plane *plane, struct kstats *kstats, int empty)
{
        static const size_t sizes[][2] = {{1, 100}, {100, 1000}, {1000, 10000}, {1000, 100000}};
        _cleanup_close_ int program = open_program(plane);
        size_t partitions = 0, statistics = 0;
        struct kstat_call find = {.op = KSTAT_OP_FIND, .key = {.module = "mine", .name = "io"}};
        const uint64_t global[] = {0}, data[8] = {1};
        const struct kstat_def def = {
                .module = "mine", .name = "io", .class = "bench", .data = data, .size = sizeof(data)};
        struct kstat_call read = {.op = KSTAT_OP_READ}, chain = {.op = KSTAT_OP_CHAIN}, list = {.op = KSTAT_OP_LIST};

        if (kstats_create(kstats, &def, 1, global, 1, (uint64_t *)&read.kid, NULL) < 0)
                return;
        printf("%-12s%-12s%10s%10s%10s%10s%10s%10s   (ns a call; x: by key against empty)\n", "partitions",
                "statistics", "empty", "by key", "x", "by kid", "chain", "list");
        for (size_t i = 0; i < ELEMENTS(sizes); i++) {
                double none, key;

                if (grow(kstats, &partitions, sizes[i][0], &statistics, sizes[i][1]) < 0) {
                        printf("# no room for %zu statistics\n", sizes[i][1]);
                        return;
                }
                none = time_calls(empty, &find, sizeof(find), 0);
                key = time_calls(program, &find, sizeof(find), 0);
                printf("%-12zu%-12zu%10.0f%10.0f%10.2f%10.0f%10.0f%10.0f\n", sizes[i][0], sizes[i][1], none, key,
                        key / none, time_calls(program, &read, sizeof(read), 0),
                        time_calls(program, &chain, sizeof(chain), 0), time_calls(program, &list, sizeof(list), 0));
        }
        measure_socket(kstats, program, &find);
}

int main(void)
{
        char path[] = "/tmp/croft-bench-kstat.XXXXXX", line[CROFT_ERROR_TEXT_MAX];
        struct croft_error err = CROFT_ERROR_INIT;
        struct kstats *kstats = NULL;
        struct plane *plane = NULL;
        struct utsname name;
        int run_dir = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, empty = bench_load_empty(),
            r;

        r = run_dir < 0 ? -errno : plane_open(run_dir, "bench", 2, &plane, &err);
        if (r == 0)
                r = kstats_open(plane, &kstats, &err);
        if (r < 0 || empty < 0) {
                printf("left out: %s\n", croft_error_line(&err, line, sizeof(line)));
        } else {
                (void)uname(&name);
                printf("statistics by key, median of %d rounds of %d calls; Linux %s, %ld CPUs\n", ROUNDS, CALLS,
                        name.release, sysconf(_SC_NPROCESSORS_ONLN));
                measure(plane, kstats, empty);
                (void)kstats_remove(kstats, NULL);
        }
        kstats_free(kstats);
        if (plane)
                (void)plane_remove(plane, NULL);
        plane_free(plane);
        (void)rmdir(path);
        return 0;
}
