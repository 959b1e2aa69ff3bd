/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * become.h - the last steps before a process of ours becomes a program of a partition: init and every exec'd command go
 * through the same door.
 */
#ifndef CROFT_WARDEN_BECOME_H
#define CROFT_WARDEN_BECOME_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct become {
        char *const *argv;
        char *const *environment;
        int stdio[3];       /* borrowed; become 0, 1, 2 */
        bool session;       /* setsid() first */
        bool terminal;      /* stdio[0] becomes the controlling terminal */
        bool block_signals; /* leave all signals blocked: what is sent before the program is ready isn't lost */
        int filter;         /* base filter; < 0: none */
        uint64_t nofile;    /* RLIMIT_NOFILE's hard limit, 0: as it is */
        uid_t uid;          /* inside */
        gid_t gid;
        const gid_t *groups;
        size_t n_groups;
        const char *directory;  /* NULL: / ; entered as the user */
        bool directory_or_root; /* a missing directory is no error: / then */
};

/* Two steps that can be done ahead, and the last, in this order and with the same.  After a failure the process must
 * end: it is half changed. */

/* Signals, limits, bounding set: afterwards it can do all that it could do. */
int become_prepare(const struct become *b, struct croft_error *err);
/* Session, standard descriptors, filter, user, directory; all other descriptors are closed by the next execve. */
int become_confine(const struct become *b, struct croft_error *err);
/* Doesn't return on success.  The code of *err is that of execve when the program couldn't be run. */
int become_run(const struct become *b, struct croft_error *err);

/* From outside, while it waits: a process that is to be the partition's is no dearer to the OOM killer than any other,
 * whatever croftd is. */
void become_ordinary(pid_t pid);

/* Makes the calling process root of the partition whose user namespace it is in. */
int become_root(struct croft_error *err);

#endif
