/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * kernel.bpf.h - the kernel's structures, as far as our programs read them.
 *
 * CO-RE moves each access to where the running kernel has the field: only names and types matter here, no offsets.  A
 * generated vmlinux.h would bind the build to a machine that has BTF, and be a thousand times longer.
 */
#ifndef CROFT_PLANE_KERNEL_BPF_H
#define CROFT_PLANE_KERNEL_BPF_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct user_namespace {
        int level; /* 0: the initial one, and no other */
};

struct cred {
        struct user_namespace *user_ns;
};

struct task_struct {
        const struct cred *cred;
};

#pragma clang attribute pop

#endif
