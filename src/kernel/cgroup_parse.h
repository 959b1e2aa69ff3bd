/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup_parse.h - pure functions over the text of /proc/self/mountinfo and /proc/self/cgroup, and over limits.
 *
 * They touch nothing.  cgroup.c decides with them which directory of which mount is the own cgroup of a hierarchy;
 * cgroup_limits.c translates limits of cgroup v2 to files of v1 with them.  Invariant: whatever the text is, the answer
 * is a valid structure or a negative errno.
 */
#ifndef CROFT_KERNEL_CGROUP_PARSE_H
#define CROFT_KERNEL_CGROUP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A mount of a cgroup file system; strings owned. */
struct cgroup_mount {
        bool v2;
        char *root;    /* which directory of the hierarchy is mounted, as /proc/self/cgroup would name it */
        char *point;   /* where */
        char *options; /* of the super block: holds the controllers of a v1 hierarchy, separated by commas */
};

/* A line of /proc/self/cgroup; strings owned. */
struct cgroup_membership {
        bool v2;
        char *controllers; /* "cpu,cpuacct"; "" for v2, "name=systemd" for one without controllers */
        char *path;
};

/* Takes the cgroup mounts out of mountinfo, in its order.  Other lines and malformed ones are passed over.  -ENOMEM.
 * The caller ends *ret with cgroup_mounts_free(). */
int cgroup_parse_mounts(const char *text, struct cgroup_mount **ret, size_t *ret_count);
void cgroup_mounts_free(struct cgroup_mount *mounts, size_t count);

/* Malformed lines are passed over.  -ENOMEM.  The caller ends *ret with cgroup_memberships_free(). */
int cgroup_parse_memberships(const char *text, struct cgroup_membership **ret, size_t *ret_count);
void cgroup_memberships_free(struct cgroup_membership *memberships, size_t count);

/* The path below the mount point that shows `path` of the hierarchy when `root` of it is mounted there ("." for the
 * point itself); NULL: it isn't shown there, or holds "..".  Borrowed from path. */
const char *cgroup_path_below(const char *root, const char *path);

/* Number of components of a path: 0 for "/". */
unsigned int cgroup_path_depth(const char *path);

/* cpu.weight (1..10000, 100 is usual) to cpu.shares (2..262144, 1024 is usual) as the scheduler itself does it for v2:
 * weight * 1024 / 100 to the nearest (kernel/sched/core.c, cpu_weight_write_u64; systemd uses the same ratio).  The
 * way back is exact for every weight. */
uint64_t cgroup_weight_to_shares(uint64_t weight);
uint64_t cgroup_shares_to_weight(uint64_t shares);

/* "max", "QUOTA" or "QUOTA PERIOD", in microseconds.  *ret_quota is UINT64_MAX for max; *ret_period is 0 when the text
 * doesn't say.  false: not that, or out of what the kernel takes (quota from 1000, period 1000..1000000). */
bool cgroup_parse_cpu_max(const char *text, uint64_t *ret_quota, uint64_t *ret_period);

/* A list of CPUs: "0-3,5". */
bool cgroup_is_cpu_list(const char *text);

enum cgroup_io_key { CGROUP_IO_RBPS, CGROUP_IO_WBPS, CGROUP_IO_RIOPS, CGROUP_IO_WIOPS, CGROUP_IO_KEYS };
#define CGROUP_IO_DEVICES_MAX 64
extern const char *const cgroup_io_key_name[CGROUP_IO_KEYS]; /* "rbps" ... */

struct cgroup_io_limit {
        uint32_t major, minor;
        uint64_t value[CGROUP_IO_KEYS]; /* UINT64_MAX: no limit */
};

struct cgroup_io_limits {
        size_t count;
        struct cgroup_io_limit device[CGROUP_IO_DEVICES_MAX];
};

/* io.max: "MAJ:MIN key=value..." a line for each device; ';' parts lines, too.  Sizes may have a suffix (64M).  "" and
 * "max" are no limits at all.  0, -EINVAL, -E2BIG (too many devices). */
int cgroup_parse_io_max(const char *text, struct cgroup_io_limits *ret);
/* The limits of the device, added with no limit when there is none yet; NULL: no room. */
struct cgroup_io_limit *cgroup_io_device(struct cgroup_io_limits *limits, uint32_t major, uint32_t minor);
/* Enters a file of v1 ("MAJ:MIN value" lines) as the values of key; other lines are passed over. */
void cgroup_io_add_v1(struct cgroup_io_limits *limits, enum cgroup_io_key key, const char *text);
/* The text of v2, a line for each device that has a limit; new string, NULL: no memory. */
char *cgroup_io_format(const struct cgroup_io_limits *limits);

/* Which of the two v1 limits is written first, so that memory <= memory + swap holds at every moment. */
bool cgroup_memsw_first(uint64_t old_memsw, uint64_t new_memsw);
/* Likewise: the period of cpu.cfs_* before the quota, so that the share of time is never above both the old and the
 * new. */
bool cgroup_period_first(uint64_t old_period, uint64_t new_period);

#endif
