/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cleanup.h - scope-bound ownership: acquire into a `_cleanup_` variable, give away with TAKE() or TAKE_FD().
 */
#ifndef CROFT_BASE_CLEANUP_H
#define CROFT_BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(croft_freep)
#define _cleanup_close_ _cleanup_(croft_closep)
#define _cleanup_fclose_ _cleanup_(croft_fclosep)
#define _cleanup_closedir_ _cleanup_(croft_closedirp)

/* Yields the pointer and leaves NULL behind. */
#define TAKE(p)                                                                                                        \
        ({                                                                                                             \
                __typeof__(p) _taken = (p);                                                                            \
                (p) = NULL;                                                                                            \
                _taken;                                                                                                \
        })

/* Yields the descriptor and leaves -EBADF behind. */
#define TAKE_FD(fd)                                                                                                    \
        ({                                                                                                             \
                int _taken_fd = (fd);                                                                                  \
                (fd) = -EBADF;                                                                                         \
                _taken_fd;                                                                                             \
        })

#define ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

static inline void croft_freep(void *p)
{
        void **q = p;

        free(*q);
        *q = NULL;
}

/* close(2) that keeps errno and takes a negative number; returns -EBADF to assign. */
static inline int close_fd(int fd)
{
        int saved = errno;

        if (fd >= 0)
                (void)close(fd); /* nothing to be done about a failure; the descriptor is gone either way */
        errno = saved;
        return -EBADF;
}

static inline void croft_closep(int *fd)
{
        *fd = close_fd(*fd);
}

static inline void croft_fclosep(FILE **f)
{
        if (*f)
                (void)fclose(*f); /* writers check fflush() before */
}

static inline void croft_closedirp(DIR **d)
{
        if (*d)
                (void)closedir(*d);
}

#endif
