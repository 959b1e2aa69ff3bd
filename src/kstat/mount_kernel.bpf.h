/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * mount_kernel.bpf.h - the kernel's structures, as far as the programs for mounts read them.
 *
 * Only names and types matter, CO-RE knows the offsets.  Each name ends in ___m (a flavour, which CO-RE ignores), so
 * that this can stand beside other declarations of the same structures.  Fields that are not on all kernels are read
 * behind bpf_core_field_exists().
 */
#ifndef CROFT_KSTAT_MOUNT_KERNEL_BPF_H
#define CROFT_KSTAT_MOUNT_KERNEL_BPF_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr___m {
        __u32 len;
        const unsigned char *name;
};

struct dentry___m {
        struct dentry___m *d_parent;
        struct qstr___m d_name;
};

struct file_system_type___m {
        const char *name;
};

struct super_block___m {
        __u32 s_dev;
        unsigned long s_flags;
        struct file_system_type___m *s_type;
};

struct vfsmount___m {
        struct dentry___m *mnt_root;
        struct super_block___m *mnt_sb;
        int mnt_flags;
};

struct list_head___m {
        struct list_head___m *next;
};

struct user_namespace___m {
        int level; /* 0: the initial one, and no other */
};

struct mount___m;

struct mnt_namespace___m {
        struct mount___m *root;
        struct user_namespace___m *user_ns;
        __u64 event;
};

struct mount___m {
        struct mount___m *mnt_parent;
        struct dentry___m *mnt_mountpoint;
        struct vfsmount___m mnt;
        struct list_head___m mnt_mounts; /* its children ... */
        struct list_head___m mnt_child;  /* ... are linked by this */
        const char *mnt_devname;
        struct mnt_namespace___m *mnt_ns; /* NULL from the moment it is unmounted, lazily or not */
        int mnt_id;
        __u64 mnt_id_unique; /* since 6.8 (98d2b43081972) */
};

struct counter___m {
        int value;
};

struct nsproxy___m {
        struct counter___m count; /* atomic_t, or refcount_t: four bytes */
        struct mnt_namespace___m *mnt_ns;
};

struct kernfs_node___m {
        __u64 id;
};

struct cgroup___m {
        int level;
        struct kernfs_node___m *kn;
        struct cgroup___m *ancestors[]; /* since 6.1 (7f203bc89eb66) */
};

struct css_set___m {
        struct cgroup___m *dfl_cgrp;
};

struct path___m {
        struct vfsmount___m *mnt;
};

struct file___m {
        struct path___m f_path;
};

struct fdtable___m {
        unsigned int max_fds;
        struct file___m **fd;
};

struct files_struct___m {
        struct fdtable___m *fdt;
};

struct thread_info___m {
        __u32 status;
};

struct task_struct___m {
        struct thread_info___m thread_info;
        struct files_struct___m *files;
        struct nsproxy___m *nsproxy;
        struct css_set___m *cgroups;
};

struct pt_regs___m {
        unsigned long r10, bx, dx, cx, si, di, orig_ax;
};

struct bpf_iter__task___m {
        struct task_struct___m *task;
};

#pragma clang attribute pop

#endif
