/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fault.c - failing allocations and system calls.  See fault.h.
 *
 * Invariant: with nothing armed each wrapper is the function it wraps.  The list of wrapped names is in meson.build.
 */
#include "fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* cmocka.h wants these before it. */
#include <setjmp.h>

#include <cmocka.h>

static struct {
        enum fault_kind kind;
        unsigned int left; /* calls until the failure; 0: nothing armed */
        bool hit;
} fault;

void fault_arm(enum fault_kind kind, unsigned int nth)
{
        fault.kind = kind;
        fault.left = nth;
        fault.hit = false;
}

bool fault_disarm(void)
{
        fault.left = 0;
        return fault.hit;
}

static bool fails(enum fault_kind kind)
{
        if (fault.left == 0 || kind != fault.kind || --fault.left > 0)
                return false;
        fault.hit = true;
        errno = kind == FAULT_ALLOCATION ? ENOMEM : EIO;
        return true;
}

size_t fault_count_fds(void)
{
        DIR *dir = opendir("/proc/self/fd");
        size_t n = 0;

        if (!dir)
                return 0;
        while (readdir(dir))
                n++;
        (void)closedir(dir);
        return n;
}

unsigned int fault_walk(enum fault_kind kind, bool may_succeed, int (*run)(void *context), void *context)
{
        for (unsigned int n = 1;; n++) {
                size_t fds = fault_count_fds();
                bool hit;
                int r;

                fault_arm(kind, n);
                r = run(context);
                hit = fault_disarm();
                if (hit && r >= 0 && !may_succeed)
                        fail_msg("the failure of call %u was not told", n);
                if (!hit && r < 0)
                        fail_msg("run %u failed without a reason: %d", n, r);
                if (fault_count_fds() != fds)
                        fail_msg("the failure of call %u left a descriptor open", n);
                if (!hit)
                        return n - 1;
        }
}

/* One wrapper: what it fails with, and the call of the real function. */
#define WRAP(kind, type, name, failure, parameters, arguments)                                                         \
        type __real_##name parameters;                                                                                 \
        type __wrap_##name parameters;                                                                                 \
        type __wrap_##name parameters                                                                                  \
        {                                                                                                              \
                return fails(kind) ? (failure) : __real_##name arguments;                                              \
        }

WRAP(FAULT_ALLOCATION, void *, malloc, NULL, (size_t size), (size))
WRAP(FAULT_ALLOCATION, void *, calloc, NULL, (size_t count, size_t size), (count, size))
WRAP(FAULT_ALLOCATION, void *, realloc, NULL, (void *p, size_t size), (p, size))
WRAP(FAULT_ALLOCATION, void *, reallocarray, NULL, (void *p, size_t count, size_t size), (p, count, size))
WRAP(FAULT_ALLOCATION, char *, strdup, NULL, (const char *s), (s))
WRAP(FAULT_ALLOCATION, char *, strndup, NULL, (const char *s, size_t size), (s, size))
WRAP(FAULT_ALLOCATION, DIR *, fdopendir, NULL, (int fd), (fd))
WRAP(FAULT_CALL, int, mkdirat, -1, (int dir_fd, const char *path, mode_t mode), (dir_fd, path, mode))
WRAP(FAULT_CALL, int, unlinkat, -1, (int dir_fd, const char *path, int flags), (dir_fd, path, flags))
WRAP(FAULT_CALL, int, renameat, -1, (int dir_fd, const char *path, int new_dir_fd, const char *new_path),
        (dir_fd, path, new_dir_fd, new_path))
WRAP(FAULT_CALL, int, fstat, -1, (int fd, struct stat *st), (fd, st))
WRAP(FAULT_CALL, int, fstat64, -1, (int fd, struct stat *st), (fd, st))
WRAP(FAULT_CALL, int, fsync, -1, (int fd), (fd))
WRAP(FAULT_CALL, ssize_t, read, -1, (int fd, void *buf, size_t size), (fd, buf, size))
WRAP(FAULT_CALL, ssize_t, write, -1, (int fd, const void *buf, size_t size), (fd, buf, size))
WRAP(FAULT_CALL, ssize_t, sendmsg, -1, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
WRAP(FAULT_CALL, ssize_t, recvmsg, -1, (int fd, struct msghdr *message, int flags), (fd, message, flags))
WRAP(FAULT_CALL, int, socket, -1, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(FAULT_CALL, int, bind, -1, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size))
WRAP(FAULT_CALL, int, listen, -1, (int fd, int backlog), (fd, backlog))
WRAP(FAULT_CALL, int, connect, -1, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size))
WRAP(FAULT_CALL, int, memfd_create, -1, (const char *name, unsigned int flags), (name, flags))

/* The C library takes the mode from the variable part only when flags ask for it; so do these. */
#define WRAP_OPENAT(name)                                                                                              \
        int __real_##name(int dir_fd, const char *path, int flags, ...);                                               \
        int __wrap_##name(int dir_fd, const char *path, int flags, ...);                                               \
        int __wrap_##name(int dir_fd, const char *path, int flags, ...)                                                \
        {                                                                                                              \
                mode_t mode = 0;                                                                                       \
                                                                                                                       \
                if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {                                                  \
                        va_list ap;                                                                                    \
                                                                                                                       \
                        va_start(ap, flags);                                                                           \
                        mode = va_arg(ap, mode_t);                                                                     \
                        va_end(ap);                                                                                    \
                }                                                                                                      \
                return fails(FAULT_CALL) ? -1 : __real_##name(dir_fd, path, flags, mode);                              \
        }

WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)

/* Both spellings of asprintf and vasprintf: with and without _FORTIFY_SOURCE. */
int __wrap_vasprintf(char **ret, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));
int __wrap_asprintf(char **ret, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap___vasprintf_chk(char **ret, int flag, const char *format, va_list ap) __attribute__((format(printf, 3, 0)));
int __wrap___asprintf_chk(char **ret, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));
int __real_vasprintf(char **ret, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));

int __wrap_vasprintf(char **ret, const char *format, va_list ap)
{
        return fails(FAULT_ALLOCATION) ? -1 : __real_vasprintf(ret, format, ap);
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
        va_list ap;
        int n;

        va_start(ap, format);
        n = __wrap_vasprintf(ret, format, ap);
        va_end(ap);
        return n;
}

int __wrap___vasprintf_chk(char **ret, int flag, const char *format, va_list ap)
{
        (void)flag;
        return __wrap_vasprintf(ret, format, ap);
}

int __wrap___asprintf_chk(char **ret, int flag, const char *format, ...)
{
        va_list ap;
        int n;

        (void)flag;
        va_start(ap, format);
        n = __wrap_vasprintf(ret, format, ap);
        va_end(ap);
        return n;
}
