/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_probe.c - what the kernel offers: croft can run here, what is missing is found out, and trying leaves nothing.
 *
 * where: here guest
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/cgroup.h"
#include "kernel/probe.h"
#include "tap.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static struct croft_error err;
static struct cgroup_tree *tree;

static const struct probe_result *find(const struct probe_result *results, size_t count, const char *name)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(results[i].name, name) == 0)
                        return &results[i];
        abort();
}

static int entries_in(const char *path)
{
        _cleanup_closedir_ DIR *dir = opendir(path);
        int count = 0;

        while (dir && readdir(dir))
                count++;
        return count;
}

static bool is_complete(const struct probe_result *r)
{
        if (!r->name || !r->use || memchr(r->detail, 0, sizeof(r->detail)) == NULL)
                return false;
        switch (r->status) {
        case PROBE_OK:
                return !r->fallback && !r->lost;
        case PROBE_FALLBACK:
                return r->fallback && r->lost && r->detail[0];
        case PROBE_MISSING:
                return !r->fallback && r->lost && r->detail[0];
        }
        return false;
}

static void show(const struct probe_result *results, size_t count)
{
        for (size_t i = 0; i < count; i++)
                printf("# %-22s %-9s %s%s%s\n", results[i].name, probe_status_name(results[i].status),
                        results[i].detail, results[i].lost ? "; lost: " : "", results[i].lost ? results[i].lost : "");
}

static void croft_can_run_here_and_trying_leaves_nothing(int state_dir, const char *path)
{
        _cleanup_free_ struct probe_result *results = NULL, *again = NULL;
        _cleanup_free_ char *before = NULL, *after = NULL;
        int fds = entries_in("/proc/self/fd"), complete = 0, alike = 0;
        struct probe_result one;
        struct timespec t[2];
        size_t count = 0;

        (void)fd_read_file(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &before, NULL);
        (void)clock_gettime(CLOCK_MONOTONIC, &t[0]);
        if (!ok_r(probe_run(state_dir, tree, &results, &count, &err), &err, "the features are tried"))
                return;
        (void)clock_gettime(CLOCK_MONOTONIC, &t[1]);
        show(results, count);
        printf("# all of it took %.1f ms\n",
                (double)(t[1].tv_sec - t[0].tv_sec) * 1e3 + (double)(t[1].tv_nsec - t[0].tv_nsec) / 1e6);
        for (size_t i = 0; i < count; i++)
                complete += is_complete(&results[i]);
        (void)ok(count > 30 && complete == (int)count, "each says what is lost without it, and only then");
        (void)ok(probe_blocker(results, count) == NULL, "nothing essential is missing");
        (void)ok(!probe_essential(state_dir, tree, &one), "nor when only that is tried, as croftd does");
        (void)fd_read_file(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &after, NULL);
        (void)ok(strcmp(before, after) == 0, "no mount is left");
        (void)ok(entries_in("/proc/self/fd") == fds, "no descriptor is left");
        (void)ok(entries_in(path) == 2, "the state directory is empty as before");
        (void)ok(waitpid(-1, NULL, __WALL | WNOHANG) < 0 && errno == ECHILD, "no child is left");
        (void)ok(cgroup_open(tree, UINT64_MAX, NULL) == -ENOENT, "no cgroup is left");
        (void)probe_run(state_dir, tree, &again, &count, &err);
        for (size_t i = 0; i < count; i++)
                alike += again[i].status == results[i].status;
        (void)ok(alike == (int)count, "trying again gives the same answers");
}

/* Runs the probes in a child that has spoilt something, and says whether that, and the blocker, is found out. */
static bool child_finds(int state_dir, bool (*spoil)(void), const char *feature)
{
        int status = -1;
        pid_t pid;

        (void)fflush(stdout);
        pid = fork();
        if (pid == 0) {
                const struct probe_result *blocker;
                struct probe_result *results, one;
                size_t count;

                if (!spoil() || probe_run(state_dir, tree, &results, &count, NULL) < 0)
                        _exit(2);
                blocker = probe_blocker(results, count);
                printf("# %s: %s; blocker: %s\n", feature, find(results, count, feature)->detail,
                        blocker ? blocker->name : "-");
                (void)fflush(stdout);
                if (!blocker || !probe_essential(state_dir, tree, &one) || strcmp(one.name, blocker->name) != 0)
                        _exit(1);
                _exit(find(results, count, feature)->status == PROBE_MISSING ? 0 : 1);
        }
        (void)waitpid(pid, &status, 0);
        return status == 0;
}

static bool drop_mknod(void)
{
        struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2];

        if (syscall(SYS_capget, &head, data) < 0)
                return false;
        data[0].effective &= ~(1U << CAP_MKNOD);
        return syscall(SYS_capset, &head, data) == 0;
}

static bool mask_proc(void)
{
        return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
               mount("none", "/proc/sys/kernel", "tmpfs", 0, NULL) == 0;
}

static bool forbid_user_namespaces(void)
{
        return syscall(SYS_setresuid, -1, 65534, -1) == 0;
}

static bool spoil_nothing(void)
{
        return true;
}

int main(void)
{
        char path[] = "/var/tmp/croft-probe-XXXXXX", tag[32];
        _cleanup_close_ int state_dir = -EBADF, proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        (void)snprintf(tag, sizeof(tag), "probe%d", (int)getpid());
        state_dir = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -EBADF;
        if (!ok(state_dir >= 0, "a state directory") ||
                !ok_r(cgroup_tree_open(tag, NULL, &tree, &err), &err, "a tree of cgroups"))
                return tap_end();
        croft_can_run_here_and_trying_leaves_nothing(state_dir, path);
        (void)ok(child_finds(state_dir, drop_mknod, "privileges"), "a capability that is missing is found out");
        (void)ok(child_finds(state_dir, mask_proc, "fresh-proc"), "a masked /proc is found out");
        (void)ok(child_finds(state_dir, forbid_user_namespaces, "user-namespace"), "who isn't root is told so");
        (void)ok(child_finds(proc, spoil_nothing, "idmapped-mount"),
                "a file system without idmapped mounts is found out");
        (void)ok_r(cgroup_tree_remove(tree, &err), &err, "the tree is removed");
        tree = cgroup_tree_free(tree);
        (void)ok(rmdir(path) == 0, "the state directory, too");
        return tap_end();
}
