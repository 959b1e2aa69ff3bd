/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * transport.c - runs the pinned programs by bpf(2), with nothing but the C library: libkstat must load anywhere.
 *
 * Both programs are opened at the beginning, because a process may shut itself in afterwards.  Invariant: a struct
 * pinned that was given out has at least the small one open.
 */
#include "libkstat/transport.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#define INSIDE "/run/croft/kstat"
#define GLOBAL "/run/croft/bpf/kstat"

struct pinned {
        int small, large;
};

static int bpf(int command, union bpf_attr *attr)
{
        long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

        return r < 0 ? -errno : (int)r;
}

/* Returns the descriptor; the kernel makes it CLOEXEC. */
static int open_program(const char *directory, const char *name)
{
        _cleanup_free_ char *path = NULL;
        union bpf_attr attr;

        if (asprintf(&path, "%s/%s", directory, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        memset(&attr, 0, sizeof(attr));
        attr.pathname = (uintptr_t)path;
        attr.file_flags = BPF_F_RDONLY; /* all that a partition may: the pins are 0444 */
        return bpf(BPF_OBJ_GET, &attr);
}

static int pinned_call(void *context, struct kstat_call *call, bool large)
{
        const struct pinned *p = context;
        union bpf_attr attr;
        int r;

        if (large && p->large < 0)
                return -ENOMEM;
        memset(&attr, 0, sizeof(attr));
        attr.test.prog_fd = (uint32_t)(large ? p->large : p->small);
        /* In and out: a SYSCALL program's context is written back to where it came from. */
        attr.test.ctx_in = (uintptr_t)call;
        attr.test.ctx_size_in = large ? sizeof(struct kstat_call_large) : sizeof(*call);
        r = bpf(BPF_PROG_TEST_RUN, &attr);
        if (r < 0)
                return r == -ENOMEM ? r : -EIO;
        r = (int)attr.test.retval;
        return r > 0 ? -EIO : r;
}

static void pinned_close(void *context)
{
        struct pinned *p = context;

        (void)close_fd(p->small);
        (void)close_fd(p->large);
        free(p);
}

static bool is_there(const char *path)
{
        return faccessat(AT_FDCWD, path, F_OK, 0) == 0;
}

/* "/a/b/croft.sock": "/a/b/bpf/kstat". */
static char *beside(const char *socket)
{
        const char *slash = strrchr(socket, '/');
        char *path;

        if (!slash)
                return strdup("bpf/kstat");
        return asprintf(&path, "%.*s/bpf/kstat", (int)(slash - socket), socket) < 0 ? NULL : path;
}

char *kstat_transport_directory(void)
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

int kstat_transport_open(const char *directory, struct kstat_transport *ret)
{
        _cleanup_free_ char *found = directory ? NULL : kstat_transport_directory();
        _cleanup_close_ int small = -EBADF, large = -EBADF;
        struct pinned *p;

        if (!directory)
                directory = found;
        if (!directory)
                return -ENOMEM;
        small = open_program(directory, "kstat");
        if (small < 0)
                return small;
        large = open_program(directory, "kstat_large");
        if (large < 0 && large != -ENOENT)
                return large;
        p = malloc(sizeof(*p));
        if (!p)
                return -ENOMEM;
        *p = (struct pinned){.small = TAKE_FD(small), .large = TAKE_FD(large)};
        *ret = (struct kstat_transport){.call = pinned_call, .close = pinned_close, .context = p, .fd = p->small};
        return 0;
}
