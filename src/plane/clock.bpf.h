/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * clock.bpf.h - times of the machine, told by the clocks of who asks.  Those of a partition began with it (a time
 * namespace): it isn't told how long the machine has been up.  Less than 0: before that clock began.
 */
#ifndef CROFT_PLANE_CLOCK_BPF_H
#define CROFT_PLANE_CLOCK_BPF_H

#include "plane/kernel.bpf.h"

#include <bpf/bpf_helpers.h>

#define NSEC_IN_SEC 1000000000LL

static __always_inline __s64 callers_monotonic(__s64 machines)
{
        struct task_struct *task = bpf_get_current_task_btf();
        struct time_namespace *ns = task->nsproxy->time_ns;

        return machines + ns->offsets.monotonic.tv_sec * NSEC_IN_SEC + ns->offsets.monotonic.tv_nsec;
}

static __always_inline __s64 callers_boottime(__s64 machines)
{
        struct task_struct *task = bpf_get_current_task_btf();
        struct time_namespace *ns = task->nsproxy->time_ns;

        return machines + ns->offsets.boottime.tv_sec * NSEC_IN_SEC + ns->offsets.boottime.tv_nsec;
}

#endif
