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

int seccomp_install(int fd, struct croft_error *err)
{
        _cleanup_free_ struct sock_filter *code = NULL;
        struct sock_fprog program;
        struct stat st;
        int seals = fcntl(fd, F_GET_SEALS);

        if (seals < 0 || (seals & F_SEAL_WRITE) == 0 || fstat(fd, &st) < 0 || st.st_size <= 0 ||
                st.st_size % (off_t)sizeof(*code) != 0 || st.st_size / (off_t)sizeof(*code) > BPF_MAXINSNS)
                return croft_error_set(err, EBADMSG, "the system call filter is no sealed filter.");
        code = malloc((size_t)st.st_size);
        if (!code)
                return croft_error_set(err, ENOMEM, "install the system call filter");
        if (pread(fd, code, (size_t)st.st_size, 0) != (ssize_t)st.st_size)
                return croft_error_set(err, EIO, "read the system call filter");
        program = (struct sock_fprog){.len = (unsigned short)(st.st_size / (off_t)sizeof(*code)), .filter = code};
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
                return croft_error_set(err, errno, "install the system call filter");
        return 0;
}
