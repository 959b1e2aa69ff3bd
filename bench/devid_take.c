/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devid_take.c - what it costs to take a device number and to give it back, beside an empty program called the same
 * way; how many are given out a second when all ask at once.  Prints ratios; asserts nothing.
 */
#include "base/cleanup.h"
#include "devid/client.h"
#include "devid/devid.h"
#include "kit.h"
#include "plane/plane.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define ROUNDS 101
#define BATCH 1000
#define PROCESSES 512 /* as 64 of each of 8 partitions */
#define FAMILY "c60"

static int program = -EBADF, empty = -EBADF;

/* false: it failed. */
static bool call_devid(enum devid_op op, const char *family, unsigned int i)
{
        struct devid_call call;
        char instance[16];

        (void)snprintf(instance, sizeof(instance), "unit%u", i);
        return devid_client_prepare(&call, op, family, instance) && bench_run(program, &call, sizeof(call)) == 0;
}

static bool run_empty(unsigned int i)
{
        struct devid_call call;
        char instance[16];

        (void)snprintf(instance, sizeof(instance), "unit%u", i);
        return devid_client_prepare(&call, DEVID_OP_ALLOC, FAMILY, instance) &&
               bench_run(empty, &call, sizeof(call)) == 0;
}

static void measure(void)
{
        double nothing[ROUNDS], take[ROUNDS], again[ROUNDS], give[ROUNDS];
        bool good = true;

        for (int r = 0; r < ROUNDS && good; r++) {
                int64_t t[5];

                t[0] = bench_now_ns();
                for (unsigned int i = 0; i < BATCH; i++)
                        good = run_empty(i) && good;
                t[1] = bench_now_ns();
                for (unsigned int i = 0; i < BATCH; i++)
                        good = call_devid(DEVID_OP_ALLOC, FAMILY, i) && good;
                t[2] = bench_now_ns();
                for (unsigned int i = 0; i < BATCH; i++)
                        good = call_devid(DEVID_OP_ALLOC, FAMILY, i) && good;
                t[3] = bench_now_ns();
                for (unsigned int i = 0; i < BATCH; i++)
                        good = call_devid(DEVID_OP_RELEASE, FAMILY, i) && good;
                t[4] = bench_now_ns();
                nothing[r] = (double)(t[1] - t[0]) / BATCH;
                take[r] = (double)(t[2] - t[1]) / BATCH;
                again[r] = (double)(t[3] - t[2]) / BATCH;
                give[r] = (double)(t[4] - t[3]) / BATCH;
        }
        if (!good) {
                printf("# left out: a call failed\n");
                return;
        }
        double base = bench_median(nothing, ROUNDS),
               ns[3] = {bench_median(take, ROUNDS), bench_median(again, ROUNDS), bench_median(give, ROUNDS)};
        const char *what[3] = {"a number that is free", "the same once more", "given back"};

        printf("%-42s %7.0f ns\n", "an empty program with the same context", base);
        for (int i = 0; i < 3; i++)
                printf("%-42s %7.0f ns  %5.2f, in the kernel %.0f ns\n", what[i], ns[i], ns[i] / base, ns[i] - base);
}

/* Numbers a second, taken and given back by all at once. */
static void measure_crowd(void)
{
        atomic_uint *begin = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int64_t began;
        unsigned int done = 0;

        if (begin == MAP_FAILED)
                return;
        for (unsigned int p = 0; p < PROCESSES; p++)
                if (fork() == 0) {
                        while (!atomic_load(begin))
                                (void)usleep(1000);
                        for (unsigned int i = 0; i < 200; i++)
                                if (!call_devid(DEVID_OP_ALLOC, FAMILY, p * 4 + i % 4) ||
                                        !call_devid(DEVID_OP_RELEASE, FAMILY, p * 4 + i % 4))
                                        _exit(1);
                        _exit(0);
                }
        began = bench_now_ns();
        atomic_store(begin, 1);
        for (unsigned int p = 0; p < PROCESSES; p++) {
                int status;

                if (wait(&status) > 0 && status == 0)
                        done += 200;
        }
        printf("%u processes at once: %.2f million numbers taken and given back a second\n", PROCESSES,
                done * 1e3 / (double)(bench_now_ns() - began));
        (void)munmap(begin, 4096);
}

/* Median of opening /dev/null and closing it, in ns. */
static double time_open(void)
{
        double rounds[ROUNDS];

        for (int r = 0; r < ROUNDS; r++) {
                int64_t began = bench_now_ns();

                for (int i = 0; i < BATCH; i++) {
                        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

                        if (fd >= 0)
                                (void)close(fd);
                }
                rounds[r] = (double)(bench_now_ns() - began) / BATCH;
        }
        return bench_median(rounds, ROUNDS);
}

/* What the check of the devices that a partition may open adds, in turns. */
static void measure_gate(struct plane *plane, struct devid *devid)
{
        double outside[5], partition[5];
        struct bench_cgroup cgroup;
        struct stat st;

        if (bench_cgroup_make(&cgroup) < 0 || fstat(cgroup.directory, &st) < 0 ||
                plane_add(plane, st.st_ino, 1, 100000, NULL) < 0 || devid_enforce(devid, cgroup.directory, NULL) < 0) {
                printf("# left out: opening a device\n");
                return;
        }
        for (int i = 0; i < 5; i++) {
                outside[i] = time_open();
                (void)bench_cgroup_enter(&cgroup);
                partition[i] = time_open();
                (void)bench_cgroup_leave(&cgroup);
        }
        printf("/dev/null opened and closed: outside %.0f ns, in a partition %.0f ns: %.0f more\n",
                bench_median(outside, 5), bench_median(partition, 5),
                bench_median(partition, 5) - bench_median(outside, 5));
        (void)plane_remove_partition(plane, 1, NULL);
        bench_cgroup_remove(&cgroup);
}

int main(void)
{
        char directory[] = "/tmp/croft-bench.XXXXXX", programs[64], line[CROFT_ERROR_TEXT_MAX];
        struct croft_error err = CROFT_ERROR_INIT;
        struct devid *devid = NULL;
        struct plane *plane = NULL;
        struct utsname name;
        int run_dir = mkdtemp(directory) ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        int r = run_dir < 0 ? -errno : plane_open(run_dir, "bench", 1, &plane, &err), fd = -EBADF;

        if (r == 0)
                r = devid_open(plane, &devid, &err);
        if (r == 0)
                r = fd = plane_open_programs(plane, &err);
        (void)snprintf(programs, sizeof(programs), "/proc/self/fd/%d", fd);
        if (r >= 0)
                r = program = devid_client_open(programs);
        empty = bench_load_empty();
        if (r < 0 || empty < 0 || !call_devid(DEVID_OP_ALLOC, DEVID_CHAR_MAJORS, 0)) {
                printf("left out: %s\n", croft_error_line(&err, line, sizeof(line)));
        } else {
                (void)uname(&name);
                printf("device numbers, median of %d rounds of %d; Linux %s\n", ROUNDS, BATCH, name.release);
                measure();
                measure_crowd();
                measure_gate(plane, devid);
        }
        if (devid) {
                (void)devid_release_all(devid, 0, NULL);
                (void)devid_remove(devid, NULL);
        }
        devid_free(devid);
        (void)close_fd(fd);
        if (plane)
                (void)plane_remove(plane, NULL);
        plane_free(plane);
        (void)close_fd(run_dir);
        (void)rmdir(directory);
        return r < 0;
}
