/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * percpu.h - finds per-CPU variables of the kernel by its type information.
 */
#ifndef CROFT_KSTAT_PERCPU_H
#define CROFT_KSTAT_PERCPU_H

#include "kstat/percpu.bpf.h"

struct kernel_types;

/* What that type information (borrowed) says; all 0 if it doesn't say where kernel_cpustat is. */
void kstat_percpu_find(const struct kernel_types *types, struct kstat_percpu *ret);
/* Of the running kernel; all 0 if it doesn't tell. */
void kstat_percpu_read(struct kstat_percpu *ret);

#endif
