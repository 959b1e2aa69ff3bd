/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * percpu.bpf.h - where per-CPU variables of the kernel are: how far behind `kernel_cpustat`, to which the root of
 * cpuacct leads.  The kernel's type information has that for all of them; its table of symbols only where it was
 * configured to.
 */
#ifndef CROFT_KSTAT_PERCPU_BPF_H
#define CROFT_KSTAT_PERCPU_BPF_H

#include <linux/types.h>

/* V(name): as the kernel calls it. */
#define KSTAT_PERCPU_VARIABLES(V)                                                                                      \
        V(root_cpuacct_cpuusage) /* for comparison: the root of cpuacct leads there, too */                            \
        V(kstat)                                                                                                       \
        V(irq_stat)                                                                                                    \
        V(mce_exception_count)                                                                                         \
        V(mce_poll_count)

#define KSTAT_PERCPU_MEMBER(name) __s64 name;
struct kstat_percpu { /* bytes; 0: this kernel hasn't got it */
        KSTAT_PERCPU_VARIABLES(KSTAT_PERCPU_MEMBER)
};

#endif
