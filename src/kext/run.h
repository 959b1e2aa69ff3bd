/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * run.h - croft-kext from croftd's side: started, listened to until it is time, ended.
 */
#ifndef CROFT_KEXT_RUN_H
#define CROFT_KEXT_RUN_H

#include "kext/msg.h"

#include <sys/types.h>

struct run {
        int socket, pidfd; /* -EBADF: not running */
        pid_t pid;
        int64_t deadline_ms; /* CLOCK_MONOTONIC */
        int stop;            /* borrowed: once it is readable nobody wants to know any more; -EBADF: never */
};
#define RUN_INIT                                                                                                       \
        {                                                                                                              \
                .socket = -EBADF, .pidfd = -EBADF, .stop = -EBADF                                                      \
        }

/* Starts it with extra[i] (borrowed) as descriptor 4 + i; words: what follows the parent's pid, NULL-ended. */
int run_start(const char *worker, const char *mode, char *const words[], const int *extra, size_t n_extra,
        int timeout_ms, struct run *ret, struct croft_error *err);
/* The next message that isn't a fault.  A fault is an error like -ETIMEDOUT when its time is over, -EIO when it
 * ends without a word, and -ECANCELED by run.stop. */
int run_next(struct run *run, struct msg *ret, struct croft_error *err);
/* The same, with the descriptor that comes with it (the caller closes it), -EBADF: none. */
int run_next_fd(struct run *run, struct msg *ret, int *ret_fd, struct croft_error *err);
/* Kills it if it still runs.  One that can't die yet, as in a file system that never answers, is reaped when another
 * one is ended, or by the main thread (life_reap()). */
void run_end(struct run *run);

#endif
