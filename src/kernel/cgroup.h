/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup.h - croft's subtree of the control groups, in every hierarchy that the host has.
 *
 * <own cgroup>/croft.<tag>/<id>/ in the unified hierarchy and, on a hybrid or v1 host, in each v1 hierarchy of cpu,
 * cpuacct, cpuset, memory, blkio and pids.  Limits have the names and the syntax of cgroup v2 everywhere and are
 * translated where v1 rules; a limit for which the host has no controller is refused with -EOPNOTSUPP and a sentence
 * that says so. Source: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.
 */
#ifndef CROFT_KERNEL_CGROUP_H
#define CROFT_KERNEL_CGROUP_H

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroup_tree;

/* Finds the hierarchies (from /proc/self/mountinfo and /proc/self/cgroup) and makes croft.<tag> in each.  own: the
 * directory below which to build, as in /proc/self/cgroup; NULL: the caller's own cgroup of each hierarchy.  On a pure
 * v2 host the caller is moved to the leaf croftd.<tag> first, so that controllers can be enabled (not in the root
 * cgroup).  The caller frees *ret with cgroup_tree_free(). */
int cgroup_tree_open(const char *tag, const char *own, struct cgroup_tree **ret, struct croft_error *err);
struct cgroup_tree *cgroup_tree_free(struct cgroup_tree *tree);
void cgroup_tree_freep(struct cgroup_tree **tree);
/* Removes croft.<tag> everywhere when no partition is left in it (-EBUSY otherwise).  For a clean shutdown. */
int cgroup_tree_remove(struct cgroup_tree *tree, struct croft_error *err);

/* What rules a controller here.  For `croft check`. */
enum cgroup_rule { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };
enum cgroup_rule cgroup_tree_rule(const struct cgroup_tree *tree, const char *controller);
/* Depth of a partition's cgroup in the unified hierarchy as bpf_get_current_ancestor_cgroup_id() counts (the root is
 * 0). */
unsigned int cgroup_tree_level(const struct cgroup_tree *tree);

/* Makes the partition's cgroups; idempotent.  The unified one is delegated to owner (directory, cgroup.procs,
 * cgroup.threads, cgroup.subtree_control): limits stay ours. */
int cgroup_create(struct cgroup_tree *tree, uint64_t id, uid_t owner, struct croft_error *err);
/* Removes them, nested ones too; idempotent. -EBUSY: a process is still inside. */
int cgroup_remove(struct cgroup_tree *tree, uint64_t id, struct croft_error *err);
/* A descriptor (O_RDONLY|O_DIRECTORY) of the unified one, for CLONE_INTO_CGROUP; the caller closes it. */
int cgroup_open(struct cgroup_tree *tree, uint64_t id, struct croft_error *err);
/* The kernel's id of the unified one (what BPF sees). */
int cgroup_kernel_id(struct cgroup_tree *tree, uint64_t id, uint64_t *ret, struct croft_error *err);
/* Moves a process (with all its threads) into the v1 ones; nothing to do on a pure v2 host. */
int cgroup_attach_v1(struct cgroup_tree *tree, uint64_t id, pid_t pid, struct croft_error *err);

/* key: memory.max memory.swap.max cpu.weight cpu.max cpuset.cpus pids.max io.max, value in v2 syntax ("max" lifts a
 * limit; io.max may hold several lines).  Works while processes run. -EOPNOTSUPP, -EINVAL, -EBUSY (below what is in
 * use) as the kernel says. */
int cgroup_set(struct cgroup_tree *tree, uint64_t id, const char *key, const char *value, struct croft_error *err);

/* cgroup.kill of the whole subtree (5.14). */
int cgroup_kill(struct cgroup_tree *tree, uint64_t id, struct croft_error *err);
/* Waits until no process is inside: 0, or -ETIMEDOUT. */
int cgroup_wait_empty(struct cgroup_tree *tree, uint64_t id, unsigned int timeout_ms, struct croft_error *err);
/* cgroup.freeze and the wait for "frozen 1" / "frozen 0". */
int cgroup_freeze(struct cgroup_tree *tree, uint64_t id, bool frozen, unsigned int timeout_ms, struct croft_error *err);

struct cgroup_usage {
        uint64_t cpu_us;       /* user + system time */
        uint64_t memory_bytes; /* UINT64_MAX: not accounted here */
        uint64_t processes;    /* in the subtree */
        bool frozen;
};
int cgroup_usage(struct cgroup_tree *tree, uint64_t id, struct cgroup_usage *ret, struct croft_error *err);
/* Calls f for each partition id that has a directory (to find what a dead croftd left).  Stops at and returns the first
 * non-zero. */
int cgroup_each(struct cgroup_tree *tree, int (*f)(uint64_t id, void *context), void *context, struct croft_error *err);

#endif
