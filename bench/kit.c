/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kit.c - see kit.h.
 */
#include "kit.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
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
