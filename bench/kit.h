/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kit.h - for benchmarks in C: a clock, medians, and the program that does nothing.
 */
#ifndef CROFT_BENCH_KIT_H
#define CROFT_BENCH_KIT_H

#include <stddef.h>
#include <stdint.h>

int64_t bench_now_ns(void); /* CLOCK_MONOTONIC */

double bench_median(double *values, size_t n); /* sorts them */

/* A SYSCALL program that returns 0 at once, or a negative errno. */
int bench_load_empty(void);

/* Runs one as libkstat does it: one system call, nothing around it.  What it returned, or a negative errno. */
int bench_run(int program, void *context, uint32_t size);

/* A control group of its own in the unified hierarchy: its directory, to attach programs to, which the caller closes;
 * or a negative errno.  enter: the caller goes there, and back to where it was. */
struct bench_cgroup {
        char path[256];
        int directory, parent;
};
int bench_cgroup_make(struct bench_cgroup *ret);
int bench_cgroup_enter(const struct bench_cgroup *cgroup);
int bench_cgroup_leave(const struct bench_cgroup *cgroup);
void bench_cgroup_remove(struct bench_cgroup *cgroup);

#endif
