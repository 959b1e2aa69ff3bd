/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kit.c - see kit.h.
 */
#include "kit.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int64_t bench_now_ns(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return x < y ? -1 : x > y;
}

double bench_median(double *values, size_t n)
{
        qsort(values, n, sizeof(*values), compare);
        return values[n / 2];
}

int bench_load_empty(void)
{
        const struct bpf_insn nothing[] = {
                {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0}, {.code = BPF_JMP | BPF_EXIT}};
        LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);

        return bpf_prog_load(
                BPF_PROG_TYPE_SYSCALL, "empty", "GPL", nothing, sizeof(nothing) / sizeof(*nothing), &options);
}

int bench_run(int program, void *context, uint32_t size)
{
        union bpf_attr attr = {.test = {.prog_fd = (__u32)program}};

        attr.test.ctx_in = (uint64_t)(uintptr_t)context;
        attr.test.ctx_size_in = size;
        return syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)) < 0 ? -errno : (int)attr.test.retval;
}

int bench_cgroup_make(struct bench_cgroup *ret)
{
        const char *unified =
                access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0 ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup";
        _cleanup_free_ char *own = NULL;
        const char *at;
        char path[512];

        if (fd_read_file(AT_FDCWD, "/proc/self/cgroup", 4096, &own, NULL) < 0 || !(at = strstr(own, "0::")))
                return -ENOENT;
        (void)snprintf(path, sizeof(path), "%s%.*s", unified, (int)strcspn(at + 3, "\n"), at + 3);
        (void)snprintf(ret->path, sizeof(ret->path), "%s/croft-bench.%d", unified, (int)getpid());
        if (mkdir(ret->path, 0755) < 0)
                return -errno;
        ret->parent = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        ret->directory = open(ret->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return ret->parent < 0 || ret->directory < 0 ? -errno : 0;
}

int bench_cgroup_enter(const struct bench_cgroup *cgroup)
{
        return fd_write_file(cgroup->directory, "cgroup.procs", "0");
}

int bench_cgroup_leave(const struct bench_cgroup *cgroup)
{
        return fd_write_file(cgroup->parent, "cgroup.procs", "0");
}

void bench_cgroup_remove(struct bench_cgroup *cgroup)
{
        (void)close_fd(cgroup->directory);
        (void)close_fd(cgroup->parent);
        (void)rmdir(cgroup->path);
}
