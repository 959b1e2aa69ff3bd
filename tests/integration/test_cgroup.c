/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cgroup.c - the control groups of partitions on the real kernel: limits bite, nothing escapes, nothing is left.
 *
 * where: here guest
 *
 * Runs as root below its own cgroup, whatever the hierarchies are (v1, hybrid, v2).
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/cgroup.h"
#include "tap.h"

#include <inttypes.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define OWNER 1000000
#define MANY_MS 30000 /* far more than anything here takes, even under emulation */

static struct cgroup_tree *tree;
static struct croft_error err;
static char tag[32];

static void nap(unsigned int ms)
{
        struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

        (void)nanosleep(&t, NULL);
}

static uint64_t now_us(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* A process in all cgroups of the partition, from its first instruction on (as the launcher does it). */
static pid_t start_in(uint64_t id, void (*body)(void *), void *arg)
{
        int fds[CGROUP_HIERARCHIES_MAX];
        size_t n = 0;
        _cleanup_close_ int fd = cgroup_open(tree, id, &err);
        struct clone_args args = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)fd};
        long pid;

        if (fd < 0 || cgroup_open_v1(tree, id, fds, &n, &err) < 0)
                return -1;
        (void)fflush(stdout);
        pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (cgroup_join_v1(fds, n) < 0)
                        _exit(99);
                body(arg);
                _exit(0);
        }
        while (n > 0)
                close_fd(fds[--n]);
        return (pid_t)pid;
}

static int status_of(pid_t pid)
{
        int status = -1;

        (void)waitpid(pid, &status, 0);
        return status;
}

static void sleep_forever(void *arg)
{
        (void)arg;
        for (;;)
                pause();
}

/* The attribute of the partition's cgroup that rules the controller, found as the kernel shows it for the process. */
static char *attribute(pid_t pid, const char *controller, const char *file)
{
        _cleanup_fclose_ FILE *f = NULL;
        char path[64], line[512], full[1024];

        (void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
        f = fopen(path, "re");
        while (f && fgets(line, sizeof(line), f)) {
                char *names = strchr(line, ':'), *at = names ? strchr(names + 1, ':') : NULL, *text;

                if (!at)
                        continue;
                *at++ = '\0';
                at[strcspn(at, "\n")] = '\0';
                if (cgroup_tree_rule(tree, controller) == CGROUP_V1 && strcmp(names + 1, controller) == 0)
                        (void)snprintf(full, sizeof(full), "/sys/fs/cgroup/%s%s/%s", controller, at, file);
                else if (cgroup_tree_rule(tree, controller) == CGROUP_V2 && strncmp(line, "0:", 2) == 0)
                        (void)snprintf(full, sizeof(full), "/sys/fs/cgroup%s/%s", at, file);
                else
                        continue;
                return fd_read_file(AT_FDCWD, full, 4096, &text, NULL) == 0 ? text : NULL;
        }
        return NULL;
}

static bool round_trips(const char *key, const char *value, const char *expect)
{
        _cleanup_free_ char *is = NULL;
        bool truth = cgroup_set(tree, 1, key, value, &err) == 0 && cgroup_get(tree, 1, key, &is, &err) == 0;

        truth = truth && strcmp(is, expect ? expect : value) == 0;
        if (!ok(truth, "%s=%s is in force as it was asked for", key, value)) {
                char line[CROFT_ERROR_TEXT_MAX];

                printf("# is %s; %s\n", is ? is : "-", croft_error_line(&err, line, sizeof(line)));
        }
        croft_error_clear(&err);
        return truth;
}

/* "7:0" of the nth block device. */
static bool find_device(unsigned int nth, char *ret, size_t size)
{
        _cleanup_closedir_ DIR *dir = opendir("/sys/block");
        struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                _cleanup_free_ char *dev = NULL;
                char path[512];

                (void)snprintf(path, sizeof(path), "/sys/block/%s/dev", entry->d_name);
                if (entry->d_name[0] == '.' || nth-- > 0 || fd_read_file(AT_FDCWD, path, 32, &dev, NULL) < 0)
                        continue;
                dev[strcspn(dev, "\n")] = '\0';
                (void)snprintf(ret, size, "%s", dev);
                return true;
        }
        return false;
}

static void values_in_force_are_those_asked_for(void)
{
        static const char *const table[][2] = {{"memory.max", "67108864"}, {"memory.swap.max", "16777216"},
                {"memory.max", "134217728"}, {"memory.swap.max", "0"}, {"memory.max", "33554432"},
                {"memory.swap.max", "1073741824"}, {"memory.swap.max", "max"}, {"memory.max", "max"},
                {"cpu.weight", "1"}, {"cpu.weight", "10000"}, {"cpu.weight", "437"}, {"cpu.max", "50000 100000"},
                {"cpu.max", "150000 200000"}, {"cpu.max", "20000 20000"}, {"cpu.max", "max 100000"},
                {"cpuset.cpus", "0"}, {"pids.max", "100"}, {"pids.max", "max"}};
        char device[40], second[40], one[128], other[128], both[256];
        _cleanup_free_ char *is = NULL;

        for (size_t i = 0; i < ELEMENTS(table); i++)
                (void)round_trips(table[i][0], table[i][1], NULL);
        (void)round_trips("memory.max", "64M", "67108864");
        (void)round_trips("memory.max", "", "max");
        (void)round_trips("cpu.weight", "", "100");
        if (!ok(find_device(0, device, sizeof(device)) && find_device(1, second, sizeof(second)),
                    "there are block devices to limit"))
                return;
        (void)snprintf(one, sizeof(one), "%s rbps=1048576 wbps=2097152 riops=100 wiops=max", device);
        (void)snprintf(other, sizeof(other), "%s rbps=max wbps=2097152 riops=max wiops=7", device);
        (void)round_trips("io.max", one, NULL);
        (void)round_trips("io.max", other, NULL);
        (void)snprintf(one, sizeof(one), "%s rbps=4096 wbps=max riops=max wiops=max", second);
        (void)snprintf(both, sizeof(both), "%s\n%s", other, one);
        (void)ok_r(cgroup_set(tree, 1, "io.max", one, &err), &err, "io.max of a second device");
        (void)ok(cgroup_get(tree, 1, "io.max", &is, &err) == 0 && strstr(is, one) && strstr(is, other) &&
                         strlen(is) == strlen(both),
                "leaves that of the first");
        (void)round_trips("io.max", "max", "");
}

static void wrong_values_are_refused_with_the_rule(void)
{
        static const char *const table[][2] = {{"memory.max", "64Q"}, {"memory.max", "-1"}, {"memory.swap.max", "much"},
                {"cpu.weight", "0"}, {"cpu.weight", "10001"}, {"cpu.max", "50%"}, {"cpuset.cpus", "a-b"},
                {"cpuset.cpus", "4000"}, {"pids.max", "0"}, {"pids.max", "1.5"}, {"io.max", "sda rbps=1"},
                {"memory.low", "1"}};

        for (size_t i = 0; i < ELEMENTS(table); i++) {
                char claim[128];

                (void)snprintf(claim, sizeof(claim), "%s=%s is refused", table[i][0], table[i][1]);
                (void)ok_fails(cgroup_set(tree, 1, table[i][0], table[i][1], &err), EINVAL, &err, claim);
        }
        (void)ok_fails(cgroup_set(tree, 1, "io.max", "4095:9 rbps=1", &err), ENODEV, &err,
                "io.max of a device that doesn't exist is refused");
        if (cgroup_tree_rule(tree, "memory") == CGROUP_V1)
                (void)ok_fails(cgroup_set(tree, 1, "memory.swap.max", "1M", &err), EOPNOTSUPP, &err,
                        "v1 can't limit swap without memory, and says so");
}

static void eat_memory(void *arg)
{
        size_t size = 64U << 20;
        char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        (void)arg;
        if (p == MAP_FAILED)
                _exit(1);
        for (size_t i = 0; i < size; i += 4096)
                p[i] = 1;
}

static void memory_max_ends_who_takes_more(void)
{
        int status;

        (void)ok_r(cgroup_set(tree, 1, "memory.max", "16M", &err), &err, "memory.max=16M");
        (void)ok_r(cgroup_set(tree, 1, "memory.swap.max", "0", &err), &err, "memory.swap.max=0");
        status = status_of(start_in(1, eat_memory, NULL));
        (void)ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "who takes 64M of 16M is killed");
        (void)ok_r(cgroup_set(tree, 1, "memory.max", "256M", &err), &err, "memory.max=256M, raised with the sum of v1");
        status = status_of(start_in(1, eat_memory, NULL));
        (void)ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "who takes 64M of 256M is left alone");
        (void)ok_r(cgroup_set(tree, 1, "memory.swap.max", "", &err), &err, "memory.swap.max unset");
        (void)ok_r(cgroup_set(tree, 1, "memory.max", "", &err), &err, "memory.max unset");
}

static void fork_ten(void *arg)
{
        int made = 0;

        (void)arg;
        for (int i = 0; i < 10; i++) {
                pid_t pid = fork();

                if (pid == 0)
                        sleep_forever(NULL);
                made += pid > 0;
        }
        _exit(made);
}

static void pids_max_refuses_more_processes(void)
{
        int status;

        (void)ok_r(cgroup_set(tree, 1, "pids.max", "5", &err), &err, "pids.max=5");
        status = status_of(start_in(1, fork_ten, NULL));
        (void)ok(WIFEXITED(status) && WEXITSTATUS(status) == 4, "of ten forks four succeed beside the one who forks");
        (void)ok_r(cgroup_kill(tree, 1, &err), &err, "kill them");
        (void)ok_r(cgroup_wait_empty(tree, 1, MANY_MS, &err), &err, "the partition is empty");
        (void)ok_r(cgroup_create(tree, 1, OWNER, &err), &err, "its cgroups are made anew");
        status = status_of(start_in(1, fork_ten, NULL));
        (void)ok(WIFEXITED(status) && WEXITSTATUS(status) == 10, "then the next process isn't killed, nor limited");
        (void)ok_r(cgroup_kill(tree, 1, &err), &err, "kill its children");
        (void)ok_r(cgroup_wait_empty(tree, 1, MANY_MS, &err), &err, "the partition is empty again");
        (void)ok_r(cgroup_create(tree, 1, OWNER, &err), &err, "and made anew again");
}

static void spin(void *arg)
{
        volatile uint64_t *counter = arg;

        for (;;)
                (*counter)++;
}

static uint64_t throttled(pid_t pid)
{
        _cleanup_free_ char *stat = attribute(pid, "cpu", "cpu.stat");
        const char *at = stat ? strstr(stat, "nr_throttled ") : NULL;

        return at ? strtoull(at + strlen("nr_throttled "), NULL, 10) : 0;
}

static void cpu_max_throttles(volatile uint64_t *counter)
{
        pid_t pid = start_in(1, spin, (void *)(uintptr_t)counter);

        (void)ok(throttled(pid) == 0, "nobody is throttled without cpu.max");
        (void)ok_r(cgroup_set(tree, 1, "cpu.max", "5000 50000", &err), &err, "cpu.max=a tenth, while it runs");
        for (int i = 0; i < 500 && throttled(pid) == 0; i++)
                nap(20);
        (void)ok(throttled(pid) > 0, "who spins is throttled");
        (void)ok_r(cgroup_set(tree, 1, "cpu.max", "max", &err), &err, "cpu.max=max, while it runs");
        (void)kill(pid, SIGKILL);
        (void)status_of(pid);
}

static void freeze_stops_and_thaw_goes_on(volatile uint64_t *counter)
{
        pid_t pid = start_in(1, spin, (void *)(uintptr_t)counter);
        struct cgroup_usage usage;
        uint64_t before;

        before = *counter;
        for (int i = 0; i < 1000 && *counter == before; i++)
                nap(10);
        (void)ok(*counter != before, "a process of the partition runs");
        (void)ok_r(cgroup_freeze(tree, 1, true, MANY_MS, &err), &err, "freeze");
        before = *counter;
        nap(50);
        (void)ok(*counter == before, "a frozen process doesn't run");
        (void)ok(cgroup_usage(tree, 1, &usage, &err) == 0 && usage.frozen, "usage says frozen");
        (void)ok(usage.processes == 1 && usage.cpu_us > 0, "usage counts one process and its time");
        (void)ok_r(cgroup_freeze(tree, 1, false, MANY_MS, &err), &err, "thaw");
        for (int i = 0; i < 1000 && *counter == before; i++)
                nap(10);
        (void)ok(*counter != before, "a thawed process goes on");
        (void)ok_fails(
                cgroup_wait_empty(tree, 1, 20, &err), ETIMEDOUT, &err, "the wait for a living process times out");
        (void)ok_fails(cgroup_remove(tree, 1, &err), EBUSY, &err, "a partition with a process isn't removed");
        (void)ok_r(cgroup_freeze(tree, 1, true, MANY_MS, &err), &err, "freeze again");
        (void)ok_r(cgroup_kill(tree, 1, &err), &err, "kill what is frozen");
        (void)ok_r(cgroup_wait_empty(tree, 1, MANY_MS, &err), &err, "it ends");
        (void)status_of(pid);
        (void)ok_r(cgroup_freeze(tree, 1, false, MANY_MS, &err), &err, "thaw the empty partition");
        (void)ok_r(cgroup_create(tree, 1, OWNER, &err), &err, "its cgroups are made anew");
}

static void bomb(void *arg)
{
        (void)arg;
        (void)signal(SIGCHLD, SIG_IGN);
        for (;;)
                (void)fork();
}

static void kill_ends_a_fork_bomb(void)
{
        struct cgroup_usage usage = {0};
        pid_t pid;

        (void)ok_r(cgroup_set(tree, 1, "pids.max", "150", &err), &err, "pids.max=150");
        pid = start_in(1, bomb, NULL);
        for (int i = 0; i < 1000 && usage.processes < 100; i++) {
                nap(5);
                (void)cgroup_usage(tree, 1, &usage, &err);
        }
        (void)ok(usage.processes >= 100, "the bomb has gone off");
        (void)ok_r(cgroup_kill(tree, 1, &err), &err, "one kill");
        (void)ok_r(cgroup_wait_empty(tree, 1, MANY_MS, &err), &err, "ends all of it");
        (void)status_of(pid);
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
        (void)ok_r(cgroup_create(tree, 1, OWNER, &err), &err, "its cgroups are made anew");
}

static void a_process_can_be_moved_in_later(void)
{
        pid_t pid = fork();
        _cleanup_close_ int fd = cgroup_open(tree, 1, &err);
        _cleanup_free_ char *procs = NULL;
        char text[16];
        uint64_t start = now_us();

        if (pid == 0)
                sleep_forever(NULL);
        (void)ok_r(cgroup_attach_v1(tree, 1, pid, &err), &err, "a process is moved into the v1 hierarchies");
        printf("# cgroup_attach_v1: %" PRIu64 " us\n", now_us() - start);
        (void)snprintf(text, sizeof(text), "%d", (int)pid);
        (void)ok(fd_write_file(fd, "cgroup.procs", text) == 0, "and into the unified one");
        procs = attribute(pid, "memory", "cgroup.procs");
        (void)ok(procs && strtol(procs, NULL, 10) == pid, "the memory controller has it");
        (void)kill(pid, SIGKILL);
        (void)status_of(pid);
}

static void nested_cgroups_go_with_the_partition(void)
{
        _cleanup_close_ int fd = cgroup_open(tree, 1, &err);
        _cleanup_close_ int deep = fd_dup(fd);
        unsigned int made = 0, depth = 0;
        struct stat st, limit;

        (void)ok(fstat(fd, &st) == 0 && st.st_uid == OWNER, "the partition's root owns its cgroup");
        (void)ok(fstatat(fd, "cgroup.procs", &st, 0) == 0 && st.st_uid == OWNER, "and cgroup.procs");
        (void)ok(fstatat(fd, "cgroup.max.depth", &limit, 0) == 0 && limit.st_uid == 0, "but no limit");
        for (unsigned int i = 0; i < 300; i++) {
                char name[32];

                (void)snprintf(name, sizeof(name), i % 2 ? "unit %u.service" : "%u", i);
                made += mkdirat(fd, name, 0755) == 0;
        }
        (void)ok(made == 300, "300 cgroups are made inside");
        while (depth < 100 && mkdirat(deep, "d", 0755) == 0) {
                int next = openat(deep, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                close_fd(deep);
                deep = next;
                depth++;
        }
        (void)ok(depth == 32 && errno == EAGAIN, "nesting ends at a depth of 32");
        (void)ok_r(cgroup_remove(tree, 1, &err), &err, "all are removed with the partition");
        (void)ok_r(cgroup_remove(tree, 1, &err), &err, "removing again is no error");
        (void)ok(cgroup_open(tree, 1, &err) == -ENOENT, "it is gone");
        croft_error_clear(&err);
}

static int note_id(uint64_t id, void *context)
{
        uint64_t *sum = context;

        *sum += id;
        return 0;
}

static void partitions_are_found_again_from_another_cgroup(void)
{
        _cleanup_(cgroup_tree_freep) struct cgroup_tree *other = NULL;
        uint64_t sum = 0;
        pid_t pid;

        (void)ok_r(cgroup_create(tree, 7, OWNER, &err), &err, "partition 7");
        (void)ok_r(cgroup_create(tree, 30, OWNER, &err), &err, "partition 30");
        (void)ok(cgroup_each(tree, note_id, &sum, &err) == 0 && sum == 37, "each partition is told once");
        /* What a new croftd does that was started from somewhere else: here, from inside partition 7. */
        (void)fflush(stdout);
        pid = fork();
        if (pid == 0) {
                _cleanup_close_ int fd = cgroup_open(tree, 7, &err);
                int fds[CGROUP_HIERARCHIES_MAX];
                size_t n;

                if (fd_write_file(fd, "cgroup.procs", "0") < 0 || cgroup_open_v1(tree, 7, fds, &n, &err) < 0 ||
                        cgroup_join_v1(fds, n) < 0 || cgroup_tree_open(tag, cgroup_tree_own(tree), &other, &err) < 0)
                        _exit(99);
                sum = 0;
                _exit(cgroup_each(other, note_id, &sum, &err) == 0 ? (int)sum : 98);
        }
        (void)ok(status_of(pid) == 37 << 8, "and found again by who starts in another cgroup");
        (void)ok_fails(cgroup_tree_remove(tree, &err), EBUSY, &err, "a tree with partitions isn't removed");
        (void)ok_r(cgroup_remove(tree, 7, &err), &err, "remove 7");
        (void)ok_r(cgroup_remove(tree, 30, &err), &err, "remove 30");
}

static void the_id_is_that_of_the_kernel(void)
{
        _cleanup_close_ int fd = cgroup_open(tree, 1, &err);
        struct stat st;
        uint64_t id = 0;

        (void)ok_r(cgroup_kernel_id(tree, 1, &id, &err), &err, "the kernel's id is told");
        (void)ok(fstat(fd, &st) == 0 && st.st_ino == id, "it is the number of the directory");
}

/* Where v2 rules: a cgroup that isn't the root and holds a process. */
static int leaf_child(int own_fd, bool crowd)
{
        _cleanup_(cgroup_tree_freep) struct cgroup_tree *mine = NULL;
        pid_t pid = 0;
        int r;

        if (fd_write_file(own_fd, "cgroup.procs", "0") < 0)
                return 90;
        if (crowd) {
                pid = fork();
                if (pid == 0)
                        sleep_forever(NULL);
        }
        r = cgroup_tree_open("leaf", NULL, &mine, &err);
        if (pid > 0) {
                (void)kill(pid, SIGKILL);
                (void)status_of(pid);
                printf("# %s\n", croft_error_cause(&err, 0));
                (void)fflush(stdout);
                return -r;
        }
        if (r < 0)
                return -r;
        if (cgroup_tree_rule(mine, "memory") != CGROUP_V2 || cgroup_create(mine, 1, OWNER, &err) < 0 ||
                cgroup_set(mine, 1, "memory.max", "64M", &err) < 0)
                return 91;
        /* Started again in the leaf, as after an upgrade: the same tree. */
        mine = cgroup_tree_free(mine);
        if (cgroup_tree_open("leaf", NULL, &mine, &err) < 0 || cgroup_remove(mine, 1, &err) < 0)
                return 92;
        return cgroup_tree_remove(mine, &err) < 0 ? 93 : 0;
}

static void a_leaf_makes_room_for_controllers(void)
{
        static const char own[] = "/sys/fs/cgroup/croft-test-own";
        _cleanup_close_ int fd = -EBADF;
        pid_t pid;

        for (int crowd = 1; crowd >= 0; crowd--) {
                (void)mkdir(own, 0755);
                fd = close_fd(fd);
                fd = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                (void)fflush(stdout);
                pid = fork();
                if (pid == 0)
                        _exit(leaf_child(fd, crowd));
                if (crowd)
                        (void)ok(status_of(pid) == EBUSY << 8, "another process in the own cgroup is named");
                else
                        (void)ok(status_of(pid) == 0, "croftd moves to a leaf, and to the same when it comes again");
        }
        (void)unlinkat(fd, "croftd.leaf", AT_REMOVEDIR);
        (void)unlinkat(fd, "croft.leaf", AT_REMOVEDIR);
        (void)ok(rmdir(own) == 0, "nothing is left of it");
}

static void one_who_joins_a_partition_with_controllers_gets_a_leaf(void)
{
        _cleanup_close_ int top = cgroup_open(tree, 1, &err), fd = -EBADF;
        struct stat a, b;

        fd = cgroup_open_exec(tree, 1, OWNER, &err);
        (void)ok(fstat(top, &a) == 0 && fstat(fd, &b) == 0 && a.st_ino == b.st_ino,
                "without enabled controllers one joins the partition's cgroup itself");
        if (cgroup_tree_rule(tree, "pids") != CGROUP_V2)
                return;
        (void)ok(fd_write_file(top, "cgroup.subtree_control", "+pids") == 0, "the partition enables a controller");
        fd = close_fd(fd);
        fd = cgroup_open_exec(tree, 1, OWNER, &err);
        (void)ok(fd >= 0 && fd_write_file(fd, "cgroup.procs", "0") == 0, "then one joins a leaf");
        (void)ok(fd_write_file(AT_FDCWD, "/sys/fs/cgroup/cgroup.procs", "0") == 0, "and leaves it");
        (void)unlinkat(top, "croft.exec", AT_REMOVEDIR);
        (void)ok(fd_write_file(top, "cgroup.subtree_control", "-pids") == 0, "the controller is disabled again");
}

static void measure(void)
{
        uint64_t start = now_us(), made, all;

        for (uint64_t i = 0; i < 50; i++)
                (void)cgroup_create(tree, 1000 + i, OWNER, &err);
        made = now_us() - start;
        for (uint64_t i = 0; i < 50; i++)
                (void)cgroup_remove(tree, 1000 + i, &err);
        all = now_us() - start;
        printf("# a partition: %" PRIu64 " us to make its cgroups, %" PRIu64 " us to remove them\n", made / 50,
                (all - made) / 50);
}

/* 6.1 lets nobody mount a cgroup namespace who may not pass through the directories above it. */
static void everybody_may_pass_through_whatever_the_umask(void)
{
        mode_t before = umask(077);
        _cleanup_close_ int fd = -EBADF;
        struct stat own = {0}, above = {0};

        (void)ok_r(cgroup_create(tree, 40, OWNER, &err), &err, "partition 40 is made with a narrow umask");
        (void)umask(before);
        fd = cgroup_open(tree, 40, &err);
        (void)ok(fd >= 0 && fstat(fd, &own) == 0 && fstatat(fd, "..", &above, 0) == 0 && (own.st_mode & 0777) == 0755 &&
                         (above.st_mode & 0777) == 0755,
                "its directory and the one above have mode 0755 (%o, %o)", own.st_mode & 0777, above.st_mode & 0777);
        (void)ok_r(cgroup_remove(tree, 40, &err), &err, "partition 40 is removed");
}

int main(void)
{
        volatile uint64_t *counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        static const char *const controllers[] = {"cpu", "cpuacct", "cpuset", "memory", "io", "pids"};

        (void)snprintf(tag, sizeof(tag), "test%d", (int)getpid());
        if (!ok_r(cgroup_tree_open(tag, NULL, &tree, &err), &err, "the hierarchies are found"))
                return tap_end();
        printf("# level %u, own:\n# %s\n", cgroup_tree_level(tree), cgroup_tree_own(tree));
        for (size_t i = 0; i < ELEMENTS(controllers); i++)
                (void)ok(cgroup_tree_rule(tree, controllers[i]) != CGROUP_NONE, "there is a controller %s (v%d)",
                        controllers[i], (int)cgroup_tree_rule(tree, controllers[i]));
        (void)ok_r(cgroup_create(tree, 1, OWNER, &err), &err, "partition 1 is made");
        (void)ok_r(cgroup_create(tree, 1, OWNER, &err), &err, "making it again is no error");
        the_id_is_that_of_the_kernel();
        everybody_may_pass_through_whatever_the_umask();
        values_in_force_are_those_asked_for();
        wrong_values_are_refused_with_the_rule();
        memory_max_ends_who_takes_more();
        pids_max_refuses_more_processes();
        cpu_max_throttles(counter);
        freeze_stops_and_thaw_goes_on(counter);
        kill_ends_a_fork_bomb();
        a_process_can_be_moved_in_later();
        one_who_joins_a_partition_with_controllers_gets_a_leaf();
        nested_cgroups_go_with_the_partition();
        partitions_are_found_again_from_another_cgroup();
        if (cgroup_tree_rule(tree, "memory") == CGROUP_V2)
                a_leaf_makes_room_for_controllers();
        measure();
        (void)ok_r(cgroup_tree_remove(tree, &err), &err, "the tree is removed");
        tree = cgroup_tree_free(tree);
        return tap_end();
}
