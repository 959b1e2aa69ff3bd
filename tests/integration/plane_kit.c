/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plane_kit.c - see plane_kit.h.
 */
#include "plane_kit.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

char run_path[64];
int run_dir = -EBADF;
static char cgroup_path[PATH_MAX]; /* of the test, in the file system */
int cgroups = -EBADF;              /* the directory that partitions are in */
unsigned int level;
struct plane *plane;

/* ---- a place to work in ---- */

static int find_unified(char *ret, size_t size)
{
        _cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
        char line[1024], point[512];

        while (f && fgets(line, sizeof(line), f))
                if (strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %*s %511s", point) == 1)
                        return snprintf(ret, size, "%s", point) < (int)size ? 0 : -1;
        return -1;
}

/* The caller's cgroup in the unified hierarchy, "" for the root. */
static int find_own(char *ret, size_t size)
{
        _cleanup_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
        char line[1024];

        while (f && fgets(line, sizeof(line), f)) {
                line[strcspn(line, "\n")] = '\0';
                if (strncmp(line, "0::", 3) == 0)
                        return snprintf(ret, size, "%s", strcmp(line + 3, "/") == 0 ? "" : line + 3) < (int)size ? 0
                                                                                                                 : -1;
        }
        return -1;
}

int make_cgroups(void **state)
{
        char unified[512], own[1024];

        (void)state;
        if (find_unified(unified, sizeof(unified)) < 0 || find_own(own, sizeof(own)) < 0)
                return -1;
        level = 2;
        for (const char *p = own; *p; p++)
                level += *p == '/';
        (void)snprintf(cgroup_path, sizeof(cgroup_path), "%s%s/croft-test-plane.%d", unified, own, (int)getpid());
        if (mkdir(cgroup_path, 0755) < 0)
                return -1;
        cgroups = open(cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return cgroups < 0 ? -1 : 0;
}

int remove_cgroups(void **state)
{
        (void)state;
        cgroups = close_fd(cgroups);
        return rmdir(cgroup_path);
}

void make_cgroup(const char *name)
{
        assert_int_equal(mkdirat(cgroups, name, 0755), 0);
}

void remove_cgroup(const char *name)
{
        assert_int_equal(unlinkat(cgroups, name, AT_REMOVEDIR), 0);
}

uint64_t cgroup_id(const char *name)
{
        union {
                struct file_handle handle;
                char room[sizeof(struct file_handle) + sizeof(uint64_t)];
        } h = {.handle = {.handle_bytes = sizeof(uint64_t)}};
        uint64_t id;
        int mount_id;

        assert_int_equal(name_to_handle_at(cgroups, name, &h.handle, &mount_id, 0), 0);
        memcpy(&id, h.handle.f_handle, sizeof(id));
        return id;
}

struct plane *open_plane(void)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct plane *opened = NULL;
        char line[CROFT_ERROR_TEXT_MAX];

        if (plane_open(run_dir, TAG, level, &opened, &err) < 0)
                fail_msg("%s", croft_error_line(&err, line, sizeof(line)));
        return opened;
}

static void new_plane(void)
{
        (void)snprintf(run_path, sizeof(run_path), "/tmp/croft-test-plane.XXXXXX");
        assert_non_null(mkdtemp(run_path));
        run_dir = open(run_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        plane = open_plane();
}

static void end_plane(void)
{
        struct stat st;

        assert_int_equal(plane_remove(plane, NULL), 0);
        plane = plane_free(plane);
        assert_int_equal(fstatat(run_dir, "bpf", &st, 0), -1);
        run_dir = close_fd(run_dir);
        assert_int_equal(rmdir(run_path), 0);
}

int add_partitions(void **state)
{
        (void)state;
        make_cgroup("a");
        make_cgroup("b");
        assert_int_equal(plane_add(plane, cgroup_id("a"), 101, 100000, NULL), 0);
        assert_int_equal(plane_add(plane, cgroup_id("b"), 102, 200000, NULL), 0);
        return 0;
}

int remove_partitions(void **state)
{
        static const char *const made[] = {"a/nested/deep", "a/nested", "a", "b", "c"}; /* some by tests that failed */
        _cleanup_free_ struct plane_entry *entries = NULL;
        size_t count = 0;

        (void)state;
        assert_int_equal(plane_list(plane, &entries, &count, NULL), 0);
        for (size_t i = 0; i < count; i++)
                assert_int_equal(plane_remove_partition(plane, entries[i].id, NULL), 0);
        for (size_t i = 0; i < ELEMENTS(made); i++)
                (void)unlinkat(cgroups, made[i], AT_REMOVEDIR);
        return 0;
}

int set_up(void **state)
{
        new_plane();
        return add_partitions(state);
}

int tear_down(void **state)
{
        (void)remove_partitions(state);
        end_plane();
        return 0;
}

int make_plane(void **state)
{
        int r = make_cgroups(state);

        if (r == 0)
                new_plane();
        return r;
}

int remove_plane(void **state)
{
        end_plane();
        return remove_cgroups(state);
}

/* ---- asking ---- */

int enter_cgroup(const char *name)
{
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/cgroup.procs", name);
        return fd_write_file(cgroups, path, "0");
}

static int drop_capabilities(void)
{
        cap_t none = cap_init();
        int r = none ? cap_set_proc(none) : -1;

        (void)cap_free(none);
        return r;
}

/* A new user namespace, in which the caller's user and group have names, so that it may make another one inside. */
static int new_user_ns(void)
{
        char uid_map[32], gid_map[32];

        (void)snprintf(uid_map, sizeof(uid_map), "0 %u 1", (unsigned int)geteuid());
        (void)snprintf(gid_map, sizeof(gid_map), "0 %u 1", (unsigned int)getegid());
        /* what a change of credentials makes undumpable has its maps in /proc owned by root */
        if (unshare(CLONE_NEWUSER) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0)
                return -1;
        if (fd_write_file(AT_FDCWD, "/proc/self/setgroups", "deny") < 0)
                return -1;
        if (fd_write_file(AT_FDCWD, "/proc/self/uid_map", uid_map) < 0)
                return -1;
        return fd_write_file(AT_FDCWD, "/proc/self/gid_map", gid_map);
}

static int new_time_ns(void)
{
        _cleanup_close_ int ns = -EBADF;

        if (unshare(CLONE_NEWTIME) < 0 ||
                fd_write_file(AT_FDCWD, "/proc/self/timens_offsets", "monotonic 1000000 0\nboottime 1000000 0\n") < 0)
                return -1;
        ns = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
        return ns < 0 ? -1 : setns(ns, CLONE_NEWTIME);
}

int become(enum as as)
{
        if ((as & AS_OTHER_CLOCK) && new_time_ns() < 0)
                return -1;
        if ((as & AS_NOBODY) && (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0))
                return -1;
        if ((as & AS_USER_NS) && new_user_ns() < 0)
                return -1;
        if ((as & AS_NESTED_NS) && new_user_ns() < 0)
                return -1;
        return as & AS_NO_CAPABILITY ? drop_capabilities() : 0;
}

void as(const char *cgroup, enum as who, void (*f)(void *context), void *context)
{
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
                require(!cgroup || enter_cgroup(cgroup) == 0);
                require(become(who) == 0);
                f(context);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}
