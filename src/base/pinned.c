/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pinned.c - see pinned.h.
 */
#include "base/pinned.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#define INSIDE "/run/croft/programs"
#define GLOBAL "/run/croft/bpf/programs"

int pinned_bpf(int command, union bpf_attr *attr)
{
        long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

        return r < 0 ? -errno : (int)r;
}

int pinned_open(const char *directory, const char *name)
{
        _cleanup_free_ char *path = NULL;
        union bpf_attr attr;

        if (asprintf(&path, "%s/%s", directory, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        memset(&attr, 0, sizeof(attr));
        attr.pathname = (uintptr_t)path;
        attr.file_flags = BPF_F_RDONLY;        /* all that a partition may: programs are pinned with mode 0444 */
        return pinned_bpf(BPF_OBJ_GET, &attr); /* the kernel makes it CLOEXEC */
}

int pinned_run(int program, void *context, size_t size, int *ret)
{
        union bpf_attr attr;
        int r;

        memset(&attr, 0, sizeof(attr));
        attr.test.prog_fd = (uint32_t)program;
        /* In and out: a SYSCALL program's context is written back to where it came from. */
        attr.test.ctx_in = (uintptr_t)context;
        attr.test.ctx_size_in = (uint32_t)size;
        r = pinned_bpf(BPF_PROG_TEST_RUN, &attr);
        if (r < 0)
                return r;
        r = (int)attr.test.retval;
        *ret = r > 0 ? -EIO : r;
        return 0;
}

static bool is_there(const char *path)
{
        return faccessat(AT_FDCWD, path, F_OK, 0) == 0;
}

/* "/a/b/croft.sock": "/a/b/bpf/programs". */
static char *beside(const char *socket)
{
        const char *slash = strrchr(socket, '/');
        char *path;

        if (!slash)
                return strdup("bpf/programs");
        return asprintf(&path, "%.*s/bpf/programs", (int)(slash - socket), socket) < 0 ? NULL : path;
}

char *pinned_programs(void)
{
        const char *given = secure_getenv("CROFT_KSTAT"), *socket = secure_getenv("CROFT_SOCKET");
        _cleanup_free_ char *path = NULL;

        if (given && *given)
                return strdup(given);
        if (socket && *socket) {
                path = beside(socket);
                if (!path || is_there(path))
                        return TAKE(path);
        }
        return strdup(is_there(INSIDE) ? INSIDE : GLOBAL);
}
