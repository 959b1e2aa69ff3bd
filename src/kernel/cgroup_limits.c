/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup_limits.c - limits of a partition, in the words of cgroup v2, on v2 and on v1 hierarchies.
 *
 * One table of keys; each has a setter and a getter for both worlds.  What is asked is checked before anything is
 * written, so that a wrong value says what is allowed instead of "Invalid argument".
 */
#include "kernel/cgroup.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/cgroup_parse.h"
#include "kernel/cgroup_tree.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define MEMSW "memory.memsw.limit_in_bytes"
#define MEMLIMIT "memory.limit_in_bytes"

struct limit {
        const char *key;
        enum cgroup_controller controller;
        const char *otherwise; /* the default */
        int (*set)(int fd, bool v2, const char *value, struct croft_error *err);
        int (*get)(int fd, bool v2, char **ret);
};

/* Writes a number, or the word for no limit. */
static int write_u64(int fd, const char *file, uint64_t value, const char *none)
{
        char text[24];

        if (value == UINT64_MAX)
                return fd_write_file(fd, file, none);
        (void)snprintf(text, sizeof(text), "%" PRIu64, value);
        return fd_write_file(fd, file, text);
}

static int format_u64(uint64_t value, char **ret)
{
        int n = value == UINT64_MAX ? asprintf(ret, "max") : asprintf(ret, "%" PRIu64, value);

        return n < 0 ? -ENOMEM : 0;
}

/* v1 counts pages in a long and knows no word for "no limit": what it reads as that. */
static uint64_t v1_memory(uint64_t bytes)
{
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

        return bytes >= (uint64_t)INT64_MAX / page * page ? UINT64_MAX : bytes;
}

static int read_v1_memory(int fd, const char *file, uint64_t *ret)
{
        int r = cgroup_read_u64(fd, file, ret);

        if (r == 0)
                *ret = v1_memory(*ret);
        return r;
}

/* Writes both limits of v1 in the order in which limit <= memsw holds throughout.  When the second is refused the
 * first is put back. */
static int write_v1_memory(int fd, const uint64_t old[2], const uint64_t new[2])
{
        static const char *const files[2] = {MEMLIMIT, MEMSW};
        size_t first = cgroup_memsw_first(old[1], new[1]) ? 1 : 0, second = 1 - first;
        int r = write_u64(fd, files[first], new[first], "-1");

        if (r < 0)
                return r;
        r = write_u64(fd, files[second], new[second], "-1");
        if (r < 0)
                (void)write_u64(fd, files[first], old[first], "-1"); /* it was allowed a moment ago */
        return r;
}

static int set_memory_v1(int fd, uint64_t bytes, struct croft_error *err)
{
        uint64_t old[2], new[2] = {bytes, UINT64_MAX};
        int r = read_v1_memory(fd, MEMLIMIT, &old[0]);

        if (r == 0) {
                r = read_v1_memory(fd, MEMSW, &old[1]);
                if (r == -ENOENT) /* swap isn't accounted: there is but one limit */
                        r = write_u64(fd, MEMLIMIT, bytes, "-1");
                else if (r == 0 && old[1] == UINT64_MAX)
                        r = write_v1_memory(fd, old, new);
                else if (r == 0 && bytes == UINT64_MAX)
                        return croft_error_set(err, EOPNOTSUPP,
                                "memory.max can't be lifted while memory.swap.max is set: cgroup v1 limits memory and "
                                "swap as one sum (lift memory.swap.max first).");
                else if (r == 0) {
                        new[1] = bytes + (old[1] - old[0]);
                        r = write_v1_memory(fd, old, new);
                }
        }
        if (r == -EBUSY)
                return croft_error_set(err, EBUSY, "memory.max: more than %" PRIu64 " bytes are in use.", bytes);
        return r < 0 ? croft_error_set(err, r, "write %s", MEMLIMIT) : 0;
}

static int set_memory(int fd, bool v2, const char *value, struct croft_error *err)
{
        uint64_t bytes;
        int r;

        if (!str_to_size(value, &bytes) || (bytes > INT64_MAX && bytes != UINT64_MAX))
                return croft_error_set(
                        err, EINVAL, "memory.max is a number of bytes, as 64M, or max; not '%s'.", value);
        if (!v2)
                return set_memory_v1(fd, bytes, err);
        r = write_u64(fd, "memory.max", bytes, "max");
        return r < 0 ? croft_error_set(err, r, "write memory.max") : 0;
}

static int get_memory(int fd, bool v2, char **ret)
{
        uint64_t bytes;
        int r = v2 ? cgroup_read_u64(fd, "memory.max", &bytes) : read_v1_memory(fd, MEMLIMIT, &bytes);

        return r < 0 ? r : format_u64(bytes, ret);
}

static int set_swap_v1(int fd, uint64_t bytes, struct croft_error *err)
{
        uint64_t limit, memsw;
        int r = read_v1_memory(fd, MEMLIMIT, &limit);

        if (r == 0)
                r = read_v1_memory(fd, MEMSW, &memsw);
        if (r < 0)
                return r;
        if (bytes != UINT64_MAX && limit == UINT64_MAX)
                return croft_error_set(err, EOPNOTSUPP,
                        "memory.swap.max needs a memory.max here: cgroup v1 limits memory and swap as one sum.");
        if (bytes != UINT64_MAX && (__builtin_add_overflow(bytes, limit, &bytes) || bytes > INT64_MAX))
                bytes = UINT64_MAX;
        return write_u64(fd, MEMSW, bytes, "-1");
}

static int set_swap(int fd, bool v2, const char *value, struct croft_error *err)
{
        uint64_t bytes;
        int r;

        if (!str_to_size(value, &bytes) || (bytes > INT64_MAX && bytes != UINT64_MAX))
                return croft_error_set(
                        err, EINVAL, "memory.swap.max is a number of bytes, as 64M, or max; not '%s'.", value);
        r = v2 ? write_u64(fd, "memory.swap.max", bytes, "max") : set_swap_v1(fd, bytes, err);
        switch (r) {
        case 0:
        case -EOPNOTSUPP: /* already told */
                return r;
        case -ENOENT:
                return croft_error_set(err, EOPNOTSUPP,
                        "memory.swap.max: this kernel does not account swap (boot it with swapaccount=1).");
        case -EBUSY:
                return croft_error_set(err, EBUSY, "memory.swap.max: more swap is in use.");
        default:
                return croft_error_set(err, r, "write memory.swap.max");
        }
}

static int get_swap(int fd, bool v2, char **ret)
{
        uint64_t limit, memsw;
        int r;

        if (v2) {
                r = cgroup_read_u64(fd, "memory.swap.max", &memsw);
                return r < 0 ? r : format_u64(memsw, ret);
        }
        r = read_v1_memory(fd, MEMLIMIT, &limit);
        if (r == 0)
                r = read_v1_memory(fd, MEMSW, &memsw);
        if (r < 0)
                return r;
        return format_u64(memsw == UINT64_MAX ? memsw : memsw - limit, ret);
}

static int set_weight(int fd, bool v2, const char *value, struct croft_error *err)
{
        uint64_t weight;
        int r;

        if (!str_to_u64(value, 10000, &weight) || weight == 0)
                return croft_error_set(err, EINVAL, "cpu.weight is a number from 1 to 10000; not '%s'.", value);
        r = v2 ? write_u64(fd, "cpu.weight", weight, "")
               : write_u64(fd, "cpu.shares", cgroup_weight_to_shares(weight), "");
        return r < 0 ? croft_error_set(err, r, "write %s", v2 ? "cpu.weight" : "cpu.shares") : 0;
}

static int get_weight(int fd, bool v2, char **ret)
{
        uint64_t value;
        int r = cgroup_read_u64(fd, v2 ? "cpu.weight" : "cpu.shares", &value);

        return r < 0 ? r : format_u64(v2 ? value : cgroup_shares_to_weight(value), ret);
}

/* Quota and period of v1 are two files, and each write is judged with the other's value of then. */
static int set_cpu_max_v1(int fd, uint64_t quota, uint64_t period)
{
        uint64_t old = 0;
        bool first;
        int r = 0;

        if (period)
                r = cgroup_read_u64(fd, "cpu.cfs_period_us", &old);
        first = period && cgroup_period_first(old, period);
        if (r == 0 && first)
                r = write_u64(fd, "cpu.cfs_period_us", period, "");
        if (r == 0)
                r = write_u64(fd, "cpu.cfs_quota_us", quota, "-1");
        if (r == 0 && period && !first)
                r = write_u64(fd, "cpu.cfs_period_us", period, "");
        return r;
}

static int set_cpu_max(int fd, bool v2, const char *value, struct croft_error *err)
{
        uint64_t quota, period;
        int r;

        if (!cgroup_parse_cpu_max(value, &quota, &period))
                return croft_error_set(err, EINVAL,
                        "cpu.max is 'QUOTA PERIOD' or 'max PERIOD' in microseconds (quota from 1000, period 1000 to "
                        "1000000); not '%s'.",
                        value);
        r = v2 ? fd_write_file(fd, "cpu.max", value) : set_cpu_max_v1(fd, quota, period);
        if (r == -EINVAL && !v2)
                return croft_error_set(err, EINVAL,
                        "cpu.max: '%s' is more than croftd's own cgroup has (cgroup v1 forbids it).", value);
        return r < 0 ? croft_error_set(err, r, "write cpu.max") : 0;
}

static int get_cpu_max(int fd, bool v2, char **ret)
{
        uint64_t quota, period;
        int r;

        if (v2)
                return cgroup_read(fd, "cpu.max", ret);
        r = cgroup_read_u64(fd, "cpu.cfs_quota_us", &quota);
        if (r == 0)
                r = cgroup_read_u64(fd, "cpu.cfs_period_us", &period);
        if (r < 0)
                return r;
        if (quota == UINT64_MAX)
                return asprintf(ret, "max %" PRIu64, period) < 0 ? -ENOMEM : 0;
        return asprintf(ret, "%" PRIu64 " %" PRIu64, quota, period) < 0 ? -ENOMEM : 0;
}

/* "": all that croft has.  v1 wants that spelt out; v2 means it by an empty list. */
static int set_cpus(int fd, bool v2, const char *value, struct croft_error *err)
{
        _cleanup_free_ char *all = NULL;
        int r = 0;

        if (*value && !cgroup_is_cpu_list(value))
                return croft_error_set(err, EINVAL, "cpu.set is a list of CPUs, as 0-3,5; not '%s'.", value);
        if (!*value && !v2) {
                r = cgroup_read(fd, "../cpuset.cpus", &all);
                value = r == 0 ? all : value;
        }
        if (r == 0)
                r = fd_write_file(fd, "cpuset.cpus", *value ? value : "\n");
        if (r == -EACCES || r == -EINVAL || r == -ERANGE)
                return croft_error_set(
                        err, EINVAL, "cpu.set: '%s' are not all CPUs that croftd's own cgroup has.", value);
        if (r == -ENOSPC)
                return croft_error_set(err, ENOSPC, "cpu.set: processes are inside and need a CPU.");
        return r < 0 ? croft_error_set(err, r, "write cpuset.cpus") : 0;
}

static int get_cpus(int fd, bool v2, char **ret)
{
        (void)v2; /* the same file in both */
        return cgroup_read(fd, "cpuset.cpus", ret);
}

static int set_pids(int fd, bool v2, const char *value, struct croft_error *err)
{
        uint64_t count = UINT64_MAX;
        int r;

        (void)v2; /* the same file in both */
        if (strcmp(value, "max") != 0 && (!str_to_u64(value, 4194304, &count) || count == 0))
                return croft_error_set(err, EINVAL, "pids.max is a number from 1 to 4194304, or max; not '%s'.", value);
        r = write_u64(fd, "pids.max", count, "max");
        return r < 0 ? croft_error_set(err, r, "write pids.max") : 0;
}

static int get_pids(int fd, bool v2, char **ret)
{
        (void)v2;
        return cgroup_read(fd, "pids.max", ret);
}

static const char *const io_file_v1[CGROUP_IO_KEYS] = {
        "blkio.throttle.read_bps_device",
        "blkio.throttle.write_bps_device",
        "blkio.throttle.read_iops_device",
        "blkio.throttle.write_iops_device",
};

static int read_io(int fd, bool v2, struct cgroup_io_limits *ret)
{
        *ret = (struct cgroup_io_limits){0};
        for (int k = 0; k < (v2 ? 1 : CGROUP_IO_KEYS); k++) {
                _cleanup_free_ char *text = NULL;
                int r = cgroup_read(fd, v2 ? "io.max" : io_file_v1[k], &text);

                if (r < 0)
                        return r;
                if (v2)
                        return cgroup_parse_io_max(text, ret);
                cgroup_io_add_v1(ret, (enum cgroup_io_key)k, text);
        }
        return 0;
}

/* One device at a time: the kernel takes no more in one write. */
static int write_io_device(int fd, bool v2, const struct cgroup_io_limit *limit)
{
        char text[160];
        int n = snprintf(text, sizeof(text), "%u:%u", limit->major, limit->minor), r = 0;

        for (int k = 0; k < CGROUP_IO_KEYS && r == 0; k++) {
                uint64_t value = limit->value[k];

                if (v2 && value == UINT64_MAX)
                        n += snprintf(text + n, sizeof(text) - (size_t)n, " %s=max", cgroup_io_key_name[k]);
                else if (v2)
                        n += snprintf(text + n, sizeof(text) - (size_t)n, " %s=%" PRIu64, cgroup_io_key_name[k], value);
                else {
                        (void)snprintf(text + n, sizeof(text) - (size_t)n, " %" PRIu64,
                                value == UINT64_MAX ? 0 : value); /* 0 lifts it */
                        r = fd_write_file(fd, io_file_v1[k], text);
                }
        }
        return v2 ? fd_write_file(fd, "io.max", text) : r;
}

/* All devices that have limits, each without any. */
static int lift_all_io(int fd, bool v2, struct cgroup_io_limits *ret)
{
        int r = read_io(fd, v2, ret);

        for (size_t i = 0; r == 0 && i < ret->count; i++)
                for (int k = 0; k < CGROUP_IO_KEYS; k++)
                        ret->device[i].value[k] = UINT64_MAX;
        return r;
}

static int set_io(int fd, bool v2, const char *value, struct croft_error *err)
{
        struct cgroup_io_limits wanted;
        int r = cgroup_parse_io_max(value, &wanted);

        if (r == -E2BIG)
                return croft_error_set(err, EINVAL, "io.max names more than %d devices.", CGROUP_IO_DEVICES_MAX);
        if (r < 0)
                return croft_error_set(err, r,
                        "io.max is 'MAJOR:MINOR rbps=BYTES wbps=BYTES riops=N wiops=N' (any of the four, or max), "
                        "devices parted by ';'; not '%s'.",
                        value);
        if (wanted.count == 0) {
                r = lift_all_io(fd, v2, &wanted);
                if (r < 0)
                        return croft_error_set(err, r, "read io.max");
        }
        for (size_t i = 0; i < wanted.count; i++) {
                const struct cgroup_io_limit *d = &wanted.device[i];

                r = write_io_device(fd, v2, d);
                if (r < 0)
                        return croft_error_set(err, r, "set io.max of block device %u:%u", d->major, d->minor);
        }
        return 0;
}

static int get_io(int fd, bool v2, char **ret)
{
        struct cgroup_io_limits limits;
        int r = read_io(fd, v2, &limits);

        if (r < 0)
                return r;
        *ret = cgroup_io_format(&limits);
        return *ret ? 0 : -ENOMEM;
}

static const struct limit limits_table[] = {
        {"memory.max", CGROUP_MEMORY, "max", set_memory, get_memory},
        {"memory.swap.max", CGROUP_MEMORY, "max", set_swap, get_swap},
        {"cpu.weight", CGROUP_CPU, "100", set_weight, get_weight},
        {"cpu.max", CGROUP_CPU, "max 100000", set_cpu_max, get_cpu_max},
        {"cpuset.cpus", CGROUP_CPUSET, "", set_cpus, get_cpus},
        {"pids.max", CGROUP_PIDS, "max", set_pids, get_pids},
        {"io.max", CGROUP_IO, "", set_io, get_io},
};

/* Finds the key and opens the directory where it rules. */
static int open_limit(
        struct cgroup_tree *tree, uint64_t id, const char *key, const struct limit **ret_limit, struct croft_error *err)
{
        for (size_t i = 0; i < ELEMENTS(limits_table); i++) {
                const struct limit *limit = &limits_table[i];
                int by = tree->by[limit->controller], fd;

                if (strcmp(key, limit->key) != 0)
                        continue;
                if (by < 0)
                        return croft_error_set(err, EOPNOTSUPP, "%s: there is no %s controller for it here (%s).", key,
                                cgroup_controllers[limit->controller].name, tree->why[limit->controller]);
                fd = cgroup_directory(tree, (size_t)by, id);
                if (fd < 0)
                        return croft_error_set(err, fd, "open cgroup '%s/%" PRIu64 "'", tree->directory, id);
                *ret_limit = limit;
                return fd;
        }
        return croft_error_set(err, EINVAL, "'%s' is no limit that croft knows.", key);
}

int cgroup_set(struct cgroup_tree *tree, uint64_t id, const char *key, const char *value, struct croft_error *err)
{
        const struct limit *limit = NULL;
        _cleanup_close_ int fd = open_limit(tree, id, key, &limit, err);

        if (fd < 0)
                return fd;
        return limit->set(fd, tree->h[tree->by[limit->controller]].v2, value && *value ? value : limit->otherwise, err);
}

int cgroup_get(struct cgroup_tree *tree, uint64_t id, const char *key, char **ret, struct croft_error *err)
{
        const struct limit *limit = NULL;
        _cleanup_close_ int fd = open_limit(tree, id, key, &limit, err);
        int r;

        if (fd < 0)
                return fd;
        r = limit->get(fd, tree->h[tree->by[limit->controller]].v2, ret);
        if (r == -ENOENT)
                return croft_error_set(err, EOPNOTSUPP, "%s: this kernel has no such limit.", key);
        return r < 0 ? croft_error_set(err, r, "read %s", key) : 0;
}
