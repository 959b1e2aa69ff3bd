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

#endif
