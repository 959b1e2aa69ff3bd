/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * t-whoami.c - asks the kernel plane who somebody is.
 *
 * t-whoami PIN: who am I?  t-whoami PIN PID: who is it that stands where process PID stands (its cgroup and its user
 * namespace; the program is opened before, here)?  Prints the partition's id, "global" or "refused".
 * t-whoami --count PIN: how many partitions are on record in that map?
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "plane/plane.h"

#include <bpf/bpf.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>

/* Finds the line that `want` accepts and copies what it gives; -ENOENT: there is none. */
static int find_line(const char *path, bool (*want)(const char *line, char *ret, size_t size), char *ret, size_t size)
{
        _cleanup_fclose_ FILE *f = fopen(path, "re");
        char line[1024];

        while (f && fgets(line, sizeof(line), f)) {
                line[strcspn(line, "\n")] = '\0';
                if (want(line, ret, size))
                        return 0;
        }
        return -ENOENT;
}

static bool is_unified_mount(const char *line, char *ret, size_t size)
{
        char point[512];

        return strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %*s %511s", point) == 1 &&
               str_copy(ret, size, point);
}

static bool is_unified_cgroup(const char *line, char *ret, size_t size)
{
        return str_has_prefix(line, "0::") && str_copy(ret, size, line + 3);
}

/* Goes where that process is. */
static int join(int pid)
{
        _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        char proc[64], mount[512], cgroup[512], path[1200];
        int r;

        (void)snprintf(proc, sizeof(proc), "/proc/%d/cgroup", pid);
        if (pidfd < 0)
                return -errno;
        r = find_line("/proc/self/mountinfo", is_unified_mount, mount, sizeof(mount));
        if (r == 0)
                r = find_line(proc, is_unified_cgroup, cgroup, sizeof(cgroup));
        if (r < 0)
                return r;
        (void)snprintf(path, sizeof(path), "%s%s/cgroup.procs", mount, cgroup);
        r = fd_write_file(AT_FDCWD, path, "0");
        if (r < 0)
                return r;
        return setns(pidfd, CLONE_NEWUSER) < 0 ? -errno : 0;
}

static int count(const char *pin)
{
        _cleanup_close_ int map = bpf_obj_get(pin);
        uint64_t key, *last = NULL;
        unsigned int n = 0;

        if (map < 0)
                return -errno;
        for (; bpf_map_get_next_key(map, last, &key) == 0; last = &key)
                n++;
        printf("%u\n", n);
        return 0;
}

static int ask(const char *pin, int pid)
{
        _cleanup_close_ int program = bpf_obj_get(pin);
        uint64_t id = 0;
        int r;

        if (program < 0)
                return -errno;
        r = pid ? join(pid) : 0;
        if (r < 0)
                return r;
        r = plane_ask_fd(program, &id);
        if (r == 0 && id)
                printf("%llu\n", (unsigned long long)id);
        else
                puts(r == 0 ? "global" : "refused");
        return r == -EPERM ? 0 : r;
}

int main(int argc, char **argv)
{
        int r;

        if (argc < 2 || argc > 3)
                return 2;
        r = strcmp(argv[1], "--count") == 0 && argc == 3 ? count(argv[2]) : ask(argv[1], argc == 3 ? atoi(argv[2]) : 0);
        if (r < 0)
                fprintf(stderr, "t-whoami: %s\n", strerror(-r));
        return r < 0;
}
