/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * partition.h - one partition as croftd holds it: its definition (kept in the database) and its run (kept in the
 * kernel, and here).
 */
#ifndef CROFT_PARTITION_PARTITION_H
#define CROFT_PARTITION_PARTITION_H

#include "base/str.h"
#include "kernel/cgroup.h"
#include "partition/ids.h"
#include "partition/listeners.h"

#include <croft/error.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* C-7.  The names shown are these, capitalised as there. */
enum partition_state {
        PARTITION_DEFINED,
        PARTITION_LOADED, /* configured in the kernel, no program of its own runs yet */
        PARTITION_ACTIVE,
        PARTITION_FROZEN,
        PARTITION_PAUSED,
        PARTITION_MAINTENANCE, /* configured and mounted, no process */
        PARTITION_MOVING,
        PARTITION_BROKEN,      /* a stop failed: something is left; `stop --force` tries again */
        PARTITION_TRANSITIONAL /* an operation is under way */
};
const char *partition_state_name(enum partition_state state); /* "Defined", ... */

/* What the database holds.  Copied by value; strings are fixed. */
struct partition_def {
        uint64_t id; /* pid64: never reused (C-3) */
        char name[NAME_LENGTH_MAX + 1];
        char image[65];              /* image id; a native partition's template has one too */
        bool native;                 /* shares the host's /usr and /opt */
        uint32_t uid_base;           /* first of PARTITION_IDS host ids */
        int64_t created;             /* seconds since the epoch */
        struct property *properties; /* owned list, by key; see property.h */
};

/* Deep copy and end of a definition (the properties are an own list of each).  -ENOMEM: *ret is empty. */
int partition_def_copy(const struct partition_def *def, struct partition_def *ret);
void partition_def_done(struct partition_def *def);

/* What runs.  All descriptors are -EBADF when there is none. */
struct partition_run {
        pid_t pid;           /* PID 1, host's number; 0: none */
        uint64_t start_time; /* with pid names the process */
        int pidfd, netns, console, listen, log;
        int notify_area;            /* memfd for intercepted calls (kernel/notify.h); -EBADF: none are intercepted */
        struct listeners listeners; /* duplicates of the warden's */
        int fuse, fuse_memory;      /* of its /proc views: what a warden leaves to its successor */
        int sample;                 /* where its figures come from */
        int requests;               /* where its warden's calls for the broker come; -EBADF: it has none */
        bool told_loops;            /* of what it asks loop devices that warden is told */
        int dev;                    /* O_PATH: root of its /dev, whatever is mounted over it inside */
        int warden;                 /* SEQPACKET to the warden */
        int warden_pidfd;
        pid_t warden_pid; /* 0: none */
        uint64_t warden_start_time;
        uint64_t last_mount; /* as in struct warden_state: of before its first program; not kept across croftds */
        int64_t started;     /* seconds since the epoch */
        int64_t exit_status; /* as warden_state */
};

/* Nothing runs: no process, every descriptor -EBADF. */
void partition_run_init(struct partition_run *run);
/* Closes the descriptors; what they stand for runs on. */
void partition_run_done(struct partition_run *run);

/* How the next stop is to be done; set by the life cycle before it runs the facets. */
struct partition_stop {
        unsigned int timeout_ms; /* how long init may take */
        bool force;              /* init isn't asked, all is killed at once */
};

struct host; /* what all partitions share: directories, cgroups, filters, instance tag (host.h) */

struct partition {
        struct partition_def def;
        struct partition_run run;
        struct partition_stop stop;
        enum partition_state state;
        const char *operation; /* the one in force ("start"), NULL: none */
        struct host *host;
        pthread_mutex_t lock; /* held over state, operation and run; not while an operation blocks */
};

#endif
