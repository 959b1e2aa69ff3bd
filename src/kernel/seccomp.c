/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * seccomp.c - installs a filter from a sealed memfd.  Apart from seccomp_build.c so that wardens don't link libseccomp.
 */
#include "kernel/seccomp.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static int install(int fd, unsigned int flags, struct croft_error *err)
{
        _cleanup_free_ struct sock_filter *code = NULL;
        struct sock_fprog program;
        struct stat st;
        int seals = fcntl(fd, F_GET_SEALS), r;

        if (seals < 0 || (seals & F_SEAL_WRITE) == 0 || fstat(fd, &st) < 0 || st.st_size <= 0 ||
                st.st_size % (off_t)sizeof(*code) != 0 || st.st_size / (off_t)sizeof(*code) > BPF_MAXINSNS)
                return croft_error_set(err, EBADMSG, "the system call filter is no sealed filter.");
        code = malloc((size_t)st.st_size);
        if (!code)
                return croft_error_set(err, ENOMEM, "install the system call filter");
        if (pread(fd, code, (size_t)st.st_size, 0) != (ssize_t)st.st_size)
                return croft_error_set(err, EIO, "read the system call filter");
        program = (struct sock_fprog){.len = (unsigned short)(st.st_size / (off_t)sizeof(*code)), .filter = code};
        r = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
        return r < 0 ? croft_error_set(err, errno, "install the system call filter") : r;
}

int seccomp_install(int fd, struct croft_error *err)
{
        return install(fd, 0, err);
}

int seccomp_install_listener(int fd, int *ret, struct croft_error *err)
{
        /* A call that was taken is not given up for a signal with a handler: Linux 5.19. */
        int r = install(fd, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, err);

        if (r < 0)
                return r;
        *ret = r;
        return 0;
}
