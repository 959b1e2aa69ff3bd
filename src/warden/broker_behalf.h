/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_behalf.h - becoming as the thread that is in a call: its namespaces, root, ids, capabilities and those of its
 * files that the call speaks of, and no more than it has; so that what is done then ends as if it had done it.
 *
 * Invariant: who has become so holds nothing of ours but what was kept for the call.  It can't be traced and dies with
 * its parent.
 */
#ifndef CROFT_WARDEN_BROKER_BEHALF_H
#define CROFT_WARDEN_BROKER_BEHALF_H

#include "warden/broker.h"

#define BEHALF_FILES_MAX 16

enum behalf_namespace {
        BEHALF_NET,
        BEHALF_IPC,
        BEHALF_UTS,
        BEHALF_CGROUP,
        BEHALF_MNT, /* those before and this one are entered while we are mighty */
        BEHALF_USER,
        BEHALF_PID,
        BEHALF_NAMESPACES,
};

struct behalf {
        int ns[BEHALF_NAMESPACES];
        int root, cwd;
        uid_t uids[4]; /* real, effective, saved, of files; by the host's numbers */
        gid_t gids[4];
        gid_t *groups;
        size_t n_groups;
        uint64_t inheritable, permitted, effective;
        struct {
                int number, fd; /* to be at that number */
        } files[BEHALF_FILES_MAX];
        size_t n_files; /* ascending */
};

/* Looks at the thread that is in the call.  The caller ends *ret with behalf_done(), also after a failure. */
int behalf_open(const struct asker *a, struct behalf *ret);
void behalf_done(struct behalf *b);

/* Keeps its files that the text names as "fd/N" or "fd=N", as many as there is room for: paths below /proc/self and
 * options of file systems say so. */
void behalf_keep_named(struct behalf *b, const struct asker *a, const char *text);
/* Keeps one of ours; at which number is returned. */
int behalf_keep(struct behalf *b, int fd);

/* As fork(2), into its pid namespace.  The pid, 0 in the child, or a negative errno. */
pid_t behalf_clone(const struct behalf *b);
/* The child becomes as that thread.  Only system calls afterwards. */
int behalf_become(struct behalf *b);

#endif
