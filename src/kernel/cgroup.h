/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup.h - croft's subtree of the control groups, in every hierarchy that the host has.
 *
 * <own cgroup>/croft.<tag>/<id>/ in the unified hierarchy and, on a hybrid or v1 host, in each v1 hierarchy of cpu,
 * cpuacct, cpuset, memory, blkio and pids.  Limits have the names and the syntax of cgroup v2 everywhere and are
 * translated where v1 rules; a limit for which the host has no controller is refused with -EOPNOTSUPP and a sentence
 * that says so.  Source: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.  Linux 5.14 (cgroup.kill) and a
 * mounted cgroup2 file system are needed.
 *
 * A tree is constant after cgroup_tree_open(): all functions may be called from any thread; calls for one partition are
 * serialised by the caller.
 */
#ifndef CROFT_KERNEL_CGROUP_H
#define CROFT_KERNEL_CGROUP_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroup_tree;

/* The unified hierarchy and one for each v1 controller. */
#define CGROUP_HIERARCHIES_MAX 7

/* Finds the hierarchies (from /proc/self/mountinfo and /proc/self/cgroup) and makes croft.<tag> in each.
 * own: where to build.  NULL: below the caller's own cgroup of each hierarchy.  "/dir": below that directory (as
 * /proc/self/cgroup would name it) in every hierarchy; its last part is made if missing.  A text as cgroup_tree_own()
 * returned it, kept from an earlier run: wherever a hierarchy still has the croft.<tag> of then, that one goes on,
 * whatever cgroup the caller is in now; elsewhere as with NULL. Where v2 rules controllers, the caller is moved to the
 * leaf croftd.<tag> of the own cgroup first, so that they can be enabled (not in the root cgroup); -EBUSY names a
 * foreign process that stands in the way. The caller frees *ret with cgroup_tree_free(). */
int cgroup_tree_open(const char *tag, const char *own, struct cgroup_tree **ret, struct croft_error *err);
struct cgroup_tree *cgroup_tree_free(struct cgroup_tree *tree);
void cgroup_tree_freep(struct cgroup_tree **tree);
/* The own cgroups, in the form of /proc/self/cgroup, to be kept and handed to the next cgroup_tree_open().  Borrowed.
 */
const char *cgroup_tree_own(const struct cgroup_tree *tree);
/* Removes croft.<tag> everywhere when no partition is left in it (-EBUSY otherwise).  For a clean shutdown.  The leaf
 * stays: the caller is in it. */
int cgroup_tree_remove(struct cgroup_tree *tree, struct croft_error *err);

/* What rules a controller (cpu cpuacct cpuset memory io pids) here.  For `croft check`. */
enum cgroup_rule { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };
enum cgroup_rule cgroup_tree_rule(const struct cgroup_tree *tree, const char *controller);
/* Depth of a partition's cgroup in the unified hierarchy as bpf_get_current_ancestor_cgroup_id() counts (the root is
 * 0), if croftd is in the initial cgroup namespace; inside another one, only the depth below that one's root can be
 * known. */
unsigned int cgroup_tree_level(const struct cgroup_tree *tree);

/* The directory in the unified hierarchy that all partitions' are in; borrowed. */
int cgroup_tree_unified(const struct cgroup_tree *tree);

/* Makes the partition's cgroups, empty ones of an earlier run anew; idempotent; on failure none is left.  The unified
 * one is delegated to owner (directory, cgroup.procs, cgroup.threads, cgroup.subtree_control): limits stay ours, among
 * them 4096 cgroups below it and a depth of 32. */
int cgroup_create(struct cgroup_tree *tree, uint64_t id, uid_t owner, struct croft_error *err);
/* The same in two: what a process is born into, and where it has to go then.  On failure that part isn't left. */
int cgroup_create_unified(struct cgroup_tree *tree, uint64_t id, uid_t owner, struct croft_error *err);
int cgroup_create_v1(struct cgroup_tree *tree, uint64_t id, struct croft_error *err);
bool cgroup_tree_has_v1(const struct cgroup_tree *tree);
/* Removes them, nested ones too; idempotent. -EBUSY: a process is still inside (it is given half a second to go). */
int cgroup_remove(struct cgroup_tree *tree, uint64_t id, struct croft_error *err);
/* A descriptor (O_RDONLY|O_DIRECTORY) of the unified one, for CLONE_INTO_CGROUP; the caller closes it. */
int cgroup_open(struct cgroup_tree *tree, uint64_t id, struct croft_error *err);
/* Likewise for a process that joins later: when the partition has enabled controllers in its own cgroup, processes may
 * only be in its leaves, and the leaf "croft.exec" is made and opened. */
int cgroup_open_exec(struct cgroup_tree *tree, uint64_t id, uid_t owner, struct croft_error *err);
/* That leaf in any case: what waits there keeps the partition from nothing that it may do with its own. */
int cgroup_open_leaf(struct cgroup_tree *tree, uint64_t id, uid_t owner, struct croft_error *err);
/* The kernel's id of the unified one (what BPF sees). */
int cgroup_kernel_id(struct cgroup_tree *tree, uint64_t id, uint64_t *ret, struct croft_error *err);

/* Moves a process (with all its threads) into the v1 ones where it isn't yet; nothing to do on a pure v2 host.  A move
 * costs an RCU grace period, 9 to 15 ms, unless the host mounts with favordynmods.  The way below costs 0.15 ms. */
int cgroup_attach_v1(struct cgroup_tree *tree, uint64_t id, pid_t pid, struct croft_error *err);
/* Opens the `tasks` files of the v1 ones, for cgroup_join_v1().  The caller closes fds[0..*ret_n); 0 of them on a pure
 * v2 host.  They are as mighty as the one who opened them: never leave one open in a partition. */
int cgroup_open_v1(
        struct cgroup_tree *tree, uint64_t id, int fds[CGROUP_HIERARCHIES_MAX], size_t *ret_n, struct croft_error *err);
/* Moves the calling *thread* there: a process that has just been cloned, before it starts threads.  Only write(2): may
 * be used between clone and exec.  The kernel needs no lock over all processes to move the caller itself, hence the
 * speed.  0 or a negative errno. */
int cgroup_join_v1(const int *fds, size_t n);

/* key: memory.max memory.swap.max cpu.weight cpu.max cpuset.cpus pids.max io.max, value in v2 syntax ("max" lifts a
 * limit; NULL or "" is back to the default; sizes may have a suffix).  io.max holds a line or ';'-separated part for
 * each device: keys of it that are not named have no limit afterwards, devices that are not named stay as they are;
 * "max" lifts the limits of all.  Works while processes run. -EOPNOTSUPP, -EINVAL, -EBUSY (v1: below what is in use; v2
 * reclaims and then kills), -ENODEV (io.max). On v1 memory.swap.max is kept as the distance of
 * memory.memsw.limit_in_bytes to memory.limit_in_bytes: it needs a memory.max (-EOPNOTSUPP without), so set that first.
 */
int cgroup_set(struct cgroup_tree *tree, uint64_t id, const char *key, const char *value, struct croft_error *err);
/* What is in force, in v2 syntax and in the kernel's normal form (memory in whole pages); new string. */
int cgroup_get(struct cgroup_tree *tree, uint64_t id, const char *key, char **ret, struct croft_error *err);

struct cpus;
/* The CPUs that croft's own cgroup may run on now. -EOPNOTSUPP: there is no cpuset controller. */
int cgroup_cpus_own(struct cgroup_tree *tree, struct cpus *ret, struct croft_error *err);
/* Lets the partition run on these and no others, wherever it has put its processes; "" (NULL): on all that croft's own
 * cgroup has.  One write that moves all tasks or none; nested v1 cpusets, which only the host's administrator can have
 * made, are narrowed with it while the partition is frozen.  Nothing is written when it is so already.  Errors as
 * cgroup_set(). */
int cgroup_cpus_set(struct cgroup_tree *tree, uint64_t id, const char *list, struct croft_error *err);
/* v1 forgets a CPU that is unplugged: takes it up again in croft.<tag>, as far as the own cgroup has it.  Call before
 * cgroup_cpus_set(); nothing to do on v2. */
int cgroup_cpus_repair(struct cgroup_tree *tree, struct croft_error *err);
/* v1 moves the processes of a cpuset that lost its last CPU to the parent: brings home those that aren't at home.  Call
 * after cgroup_cpus_set(); nothing to do on v2. */
int cgroup_cpus_bring_home(struct cgroup_tree *tree, struct croft_error *err);

/* Has the kernel count what each group reads from and writes to block devices, on those that there are now (v1
 * from 6.10 on; elsewhere it does anyway, or can't).  The first time it waits until each device has nothing to do: on
 * one that hangs, for as long as it hangs.  A device that fails doesn't stop the others. */
int cgroup_count_io(const struct cgroup_tree *tree, struct croft_error *err);

/* cgroup.kill of the whole subtree (5.14).  Afterwards the cgroup must be made anew (cgroup_create()) before anybody
 * clones into it: the kernel (seen on 6.18) counts the kills of a cgroup, compares the count of the target with that of
 * the *cloner's* own cgroup, and kills the child of CLONE_INTO_CGROUP at birth when they differ. */
int cgroup_kill(struct cgroup_tree *tree, uint64_t id, struct croft_error *err);
/* Waits until no process is inside: 0, or -ETIMEDOUT.  Missing cgroups are empty. */
int cgroup_wait_empty(struct cgroup_tree *tree, uint64_t id, unsigned int timeout_ms, struct croft_error *err);
/* cgroup.freeze and the wait for "frozen 1" / "frozen 0".  -ETIMEDOUT: what could not be frozen is thawed again. */
int cgroup_freeze(struct cgroup_tree *tree, uint64_t id, bool frozen, unsigned int timeout_ms, struct croft_error *err);

struct cgroup_usage {
        uint64_t cpu_us;       /* user + system time */
        uint64_t memory_bytes; /* UINT64_MAX: not accounted here */
        uint64_t processes;    /* tasks in the subtree (threads count); UINT64_MAX: not accounted here */
        bool frozen;
};
int cgroup_usage(struct cgroup_tree *tree, uint64_t id, struct cgroup_usage *ret, struct croft_error *err);
/* The text of an attribute of the partition, of the hierarchy that rules `controller` (NULL: of the unified one), by
 * its name in v1 or in v2; NULL: that hierarchy has none.  Caller frees.  -EOPNOTSUPP: nothing rules it, or no such
 * attribute; -ENOENT, -ENODEV: the partition ends just now. */
int cgroup_text(
        struct cgroup_tree *tree, uint64_t id, const char *controller, const char *v1, const char *v2, char **ret);
/* Calls f for each partition id that has a directory in any hierarchy (to find what a dead croftd left), each once.
 * Stops at and returns the first non-zero. */
int cgroup_each(struct cgroup_tree *tree, int (*f)(uint64_t id, void *context), void *context, struct croft_error *err);

#endif
