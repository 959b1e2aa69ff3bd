/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plane.h - what lives in the kernel: BPF objects, pinned below RUN/bpf, that know which process is in which partition.
 *
 * They outlive croftd and every warden; the next croftd adopts them.  Objects of another version are never mixed with
 * ours: they are replaced while no partition is on record, and refused while there is one.  The plane is optional: on a
 * kernel, or with a permission, that has no BPF, plane_open() says what is missing.
 *
 * All functions may be called from any thread.
 */
#ifndef CROFT_PLANE_PLANE_H
#define CROFT_PLANE_PLANE_H

#include <croft/error.h>
#include <stddef.h>
#include <stdint.h>

struct plane;

/* Mounts croft's own bpffs on "bpf" in run_dir (borrowed, for the life of *ret) unless it is there, and loads or adopts
 * the objects.  tag: the instance.  level: cgroup_tree_level().  The caller frees *ret with plane_free().
 * -EOPNOTSUPP: this kernel can't; -EPERM: we may not; -ESTALE: objects of another version, instance or level are in
 * use.
 */
int plane_open(int run_dir, const char *tag, unsigned int level, struct plane **ret, struct croft_error *err);
/* Lets go; what is pinned stays. */
struct plane *plane_free(struct plane *plane);
void plane_freep(struct plane **plane);
/* Takes the objects and the mount away, for a clean end.  -EBUSY: a partition is on record; nothing was changed. */
int plane_remove(struct plane *plane, struct croft_error *err);

/* From now on processes below that cgroup (the kernel's id, cgroup_kernel_id()) are in partition id.  Idempotent; an
 * older entry of the same partition goes.  -ENOSPC: PLANE_PARTITIONS_MAX are there. */
int plane_add(struct plane *plane, uint64_t cgroup_id, uint64_t id, uint32_t uid_base, struct croft_error *err);
/* Forgets partition id, wherever it was.  Idempotent. */
int plane_remove_partition(struct plane *plane, uint64_t id, struct croft_error *err);

/* For the systems that keep objects of their own beside these (borrowed): the root of the bpffs, map `partitions`, and
 * the level of plane_open(). */
int plane_directory(const struct plane *plane);
int plane_partitions(const struct plane *plane);
unsigned int plane_level(const struct plane *plane);

/* The directory of pinned programs that partitions see, all of them, as an O_PATH descriptor; the caller closes it. Any
 * process may run what is in there, without privilege: each program asks the kernel who runs it.  To show it in a
 * partition, take it by open_tree(OPEN_TREE_CLONE) in croftd's mount namespace and move that. */
int plane_open_programs(const struct plane *plane, struct croft_error *err);

struct plane_entry {
        uint64_t cgroup_id;
        uint64_t id;
        uint32_t uid_base;
};
/* A new array of all, in no order; the caller frees it. */
int plane_list(struct plane *plane, struct plane_entry **ret, size_t *ret_count, struct croft_error *err);

/* The pinned program `whoami` as an O_PATH descriptor; the caller closes it.  To show it in a partition, take it by
 * open_tree(OPEN_TREE_CLONE) in croftd's mount namespace and move that; any process may run it, without privilege. */
int plane_open_whoami(struct plane *plane, struct croft_error *err);
/* Asks a pinned whoami (a path, or "/proc/self/fd/N"): who am I?  *ret: the partition, 0: global.  -EPERM: neither. */
int plane_ask(const char *path, uint64_t *ret);
/* The same with a descriptor of the program; whoever opened it, the answer is about the one who asks. */
int plane_ask_fd(int program, uint64_t *ret);

#endif
