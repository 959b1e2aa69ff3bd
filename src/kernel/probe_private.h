/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * probe_private.h - what the files of probe*.c share.
 */
#ifndef CROFT_KERNEL_PROBE_PRIVATE_H
#define CROFT_KERNEL_PROBE_PRIVATE_H

#include "kernel/probe.h"

#include <stdint.h>

/* No partition ever has it: ids are counted upwards. */
#define PROBE_PARTITION UINT64_MAX

struct kernel_types;

/* What several probes need, made once. */
struct probe_context {
        int state_dir;
        struct cgroup_tree *cgroups;
        int cgroup;                 /* the unified cgroup of PROBE_PARTITION, -EBADF: none */
        int userns;                 /* maps 65,536 ids, -EBADF: none */
        int userns_error;           /* why, negative errno */
        struct kernel_types *types; /* NULL: none */
};

/* Tries one thing: 0 or the negative errno of the failure.  May write to detail. */
typedef int (*probe_function)(const struct probe_context *c, struct probe_result *result);

/* Runs f in a child made with CLONE_* flags; 0, the negative errno f returns, or that of clone3.  The child shares
 * nothing and may be that of a threaded process: f allocates no memory.  It sends no SIGCHLD, so that nobody else
 * waits for it. */
int probe_in_child(uint64_t flags, int (*f)(const void *arg), const void *arg);
/* The same, born in the cgroup. */
int probe_in_cgroup(int cgroup_fd, int (*f)(const void *arg), const void *arg);
/* A child that sleeps until it is killed by probe_end_child(). */
int probe_start_child(uint64_t flags, int cgroup_fd, int *ret_pid);
void probe_end_child(int pid);

/* probe_ns.c */
int probe_make_userns(int *ret_fd);
int probe_user_namespace(const struct probe_context *c, struct probe_result *result);
int probe_pid_namespace(const struct probe_context *c, struct probe_result *result);
int probe_mount_namespace(const struct probe_context *c, struct probe_result *result);
int probe_uts_namespace(const struct probe_context *c, struct probe_result *result);
int probe_ipc_namespace(const struct probe_context *c, struct probe_result *result);
int probe_network_namespace(const struct probe_context *c, struct probe_result *result);
int probe_cgroup_namespace(const struct probe_context *c, struct probe_result *result);
int probe_time_namespace(const struct probe_context *c, struct probe_result *result);
int probe_mount_api(const struct probe_context *c, struct probe_result *result);
int probe_idmapped_mount(const struct probe_context *c, struct probe_result *result);
int probe_overlay(const struct probe_context *c, struct probe_result *result);
int probe_fresh_proc(const struct probe_context *c, struct probe_result *result);
int probe_fresh_sys(const struct probe_context *c, struct probe_result *result);
int probe_mqueue(const struct probe_context *c, struct probe_result *result);

/* probe_bpf.c */
int probe_btf(const struct probe_context *c, struct probe_result *result);
int probe_bpffs(const struct probe_context *c, struct probe_result *result);
int probe_bpf_syscall(const struct probe_context *c, struct probe_result *result);
int probe_bpf_device(const struct probe_context *c, struct probe_result *result);
int probe_bpf_iterator(const struct probe_context *c, struct probe_result *result);
int probe_bpf_tracepoint(const struct probe_context *c, struct probe_result *result);
int probe_bpf_trampoline(const struct probe_context *c, struct probe_result *result);
int probe_bpf_lsm(const struct probe_context *c, struct probe_result *result);
int probe_bpf_ringbuf(const struct probe_context *c, struct probe_result *result);

#endif
