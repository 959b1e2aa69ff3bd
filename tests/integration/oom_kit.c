/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * oom_kit.c - see oom_kit.h.
 */
#include "oom_kit.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "plane_kit.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define LIMIT "33554432"
#define HOG (128U << 20)

static char v1[PATH_MAX]; /* "": there is v2 only */

/* Where v1's memory hierarchy is mounted, and where we are in it. */
static bool find_v1(char *ret, size_t size)
{
        _cleanup_fclose_ FILE *mounts = fopen("/proc/self/mountinfo", "re"), *own = fopen("/proc/self/cgroup", "re");
        char line[1024], point[512] = "", path[512] = "";

        while (mounts && fgets(line, sizeof(line), mounts))
                if (strstr(line, " - cgroup ") && strstr(line, ",memory"))
                        (void)sscanf(line, "%*s %*s %*s %*s %511s", point);
        while (own && fgets(line, sizeof(line), own))
                (void)sscanf(line, "%*d:memory:%511s", path);
        return *point && snprintf(ret, size, "%s%s/croft-test-oom.%d", point, strcmp(path, "/") == 0 ? "" : path,
                                 (int)getpid()) < (int)size;
}

static void write_file(int directory, const char *name, const char *text)
{
        int r = fd_write_file(directory, name, text);

        if (r < 0)
                fail_msg("write '%s' into %s: %s", text, name, strerror(-r));
}

/* The directory above that of the partitions, and that one. */
static void hand_down(const char *what)
{
        write_file(cgroups, "../cgroup.subtree_control", what);
        write_file(cgroups, "cgroup.subtree_control", what);
}

void oom_begin(void)
{
        _cleanup_close_ int directory = -EBADF;

        if (!find_v1(v1, sizeof(v1))) {
                *v1 = '\0';
                hand_down("+memory");
                write_file(cgroups, "a/memory.swap.max", "0");
                write_file(cgroups, "a/memory.max", LIMIT);
                return;
        }
        assert_int_equal(mkdir(v1, 0755), 0);
        directory = open(v1, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        write_file(directory, "memory.limit_in_bytes", LIMIT);
        (void)fd_write_file(directory, "memory.memsw.limit_in_bytes", LIMIT); /* where swap is counted */
}

void oom_end(void)
{
        if (*v1)
                assert_int_equal(rmdir(v1), 0);
        else
                write_file(cgroups, "a/memory.max", "max");
}

/* In the child: the dearest of all to the OOM killer. */
static void hog(void)
{
        char path[PATH_MAX + 16];
        char *memory = mmap(NULL, HOG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        (void)snprintf(path, sizeof(path), "%s/tasks", v1);
        require(memory != MAP_FAILED);
        require(!*v1 || fd_write_file(AT_FDCWD, path, "0") == 0);
        require(enter_cgroup("a") == 0);
        require(fd_write_file(AT_FDCWD, "/proc/self/oom_score_adj", "1000") == 0);
        for (size_t i = 0; i < HOG; i += 4096)
                ((volatile char *)memory)[i] = 1;
        _exit(0);
}

void oom_spare(void)
{
        require(*v1 || fd_write_file(AT_FDCWD, "/proc/self/oom_score_adj", "-1000") == 0);
}

bool oom_kill_one(void)
{
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0)
                hog();
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}
