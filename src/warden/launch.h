/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * launch.h - makes PID 1 of a partition: its namespaces, its root, and a stub of ours that waits to become init.
 *
 *   warden, in a root of its own                  stub (PID 1 of the partition)
 *   clone3(user, pid) into the cgroup             born, waits
 *   id maps                              GO ->    root of the partition; has its proc made, detached
 *   idmapped, read-only layers        <- proc     uts, ipc, net, time namespaces
 *   covers files of it                <- sysfs    has it made in these, too; signals, limits
 *                                     <- the listener of its intercepted calls
 *   covers files of it; JOIN             GO ->    v1 control groups; unshare(mount): the kernel locks what the
 *   BORN (croftd: statistics, CPUs)               warden set; overlay, /dev, /proc ..., cgroup namespace, console
 *   takes the console                 <- READY
 *   LOADED (croftd: network, mounts)              pivot_root, session, privileges, filter
 *                                        GO ->    execve(init)
 *   gives up its privileges
 *                                     <- end of file: init runs; or a report of what failed
 *
 * The stub dies with the warden (end of file on their socket) until it has become init.
 */
#ifndef CROFT_WARDEN_LAUNCH_H
#define CROFT_WARDEN_LAUNCH_H

#include "kernel/cgroup.h"
#include "kernel/mount.h"
#include "partition/warden_msg.h"
#include "warden/cover.h"
#include "warden/views.h"

#define LAUNCH_SHARES_MAX 16

/* Where systemd inside finds what croft wants of units ($SYSTEMD_UNIT_PATH). */
#define LAUNCH_UNITS "run/croft/systemd"

struct share {
        char *path; /* inside, "/usr"; owned */
        int fd;     /* detached */
};

/* What the partition's root is made from, detached, and where it is attached (stage.c): the warden's own root, which
 * has the host's proc and sysfs at their places, whole ones with nothing mounted on them. */
struct stage {
        int lower, rw, tools, dev, programs; /* of tools and programs there may be none */
        int proc, sys;                       /* the partition's */
        int root, own;                       /* directories: "/" and the one for the partition's proc and sysfs */
        struct masks masks;
};
#define STAGE_OWN "own"

struct launch {
        struct launch_spec spec;
        /* Borrowed from nobody: owned, closed by launch_done(). */
        int cgroup, filter;
        int notify;  /* filter of intercepted calls; -EBADF: none are */
        bool joined; /* in the stub: it is in all v1 cgroups already */
        struct share shares[LAUNCH_SHARES_MAX];
        size_t n_shares;
        int stub;   /* socket to the stub */
        bool apart; /* the stub and we may be kept on different CPUs */
        int cpu;    /* on which the stub stays until it becomes init; -1: it and we run anywhere */
        struct stage stage;
        /* Called when PID 1 builds its root; pid and pidfd are set. */
        void (*born)(const struct launch *l, void *context);
        /* Waits for JOIN; the caller closes fds[0..*ret_n). */
        int (*wait_join)(int fds[CGROUP_HIERARCHIES_MAX], size_t *ret_n, void *context, struct croft_error *err);
        void *context;
        struct views *views; /* borrowed; NULL: none */
        bool covered;        /* there are views over its /proc */
        /* Results. */
        pid_t pid;
        uint64_t start_time;
        int pidfd, netns, console, dev; /* dev: O_PATH, the root of /dev */
        uint64_t last_mount;            /* as in struct warden_state */
        int listener;                   /* of init's intercepted calls; -EBADF: none, or it isn't running yet */
};

void launch_init(struct launch *l);
void launch_done(struct launch *l);

/* Before it is known for whom: moves the warden to a root of its own, out of sight of the host's mounts. */
int launch_prepare(struct launch *l, struct croft_error *err);

/* Takes the descriptors of a LAUNCH packet and its body, and makes of the root what needs no PID 1. */
int launch_take(struct launch *l, struct warden_packet *p, struct croft_error *err);

/* Phase 1, with the descriptors of PLACE. */
int launch_load(struct launch *l, struct warden_packet *p, struct croft_error *err);

/* Puts the caller into a mount namespace of its own, with no way back to the host's mounts by propagation. */
int launch_isolate(struct croft_error *err);

/* Moves the warden (isolated) to an empty, read-only root. */
int launch_leave(struct croft_error *err);

/* Phase 2: init's program is to be run. */
int launch_go(struct launch *l, struct croft_error *err);
/* Returns when it is, or with why it could not be; a process that became no init ends by itself. */
int launch_wait(struct launch *l, struct croft_error *err);

/* Between the files of the launcher. */

/* stage.c: a root of the warden's own, and what is attached in it. */
void stage_init(struct stage *s);
void stage_done(struct stage *s);
/* Moves the calling process to it. */
int stage_enter(struct stage *s, struct croft_error *err);
int stage_make(struct stage *s, const struct launch *l, struct croft_error *err);
/* What is mapped to the partition's ids. */
int stage_attach(struct stage *s, const struct launch *l, int userns, struct croft_error *err);
/* Attach what the stub has made, and cover what there isn't to be seen of the host. */
int stage_cover_proc(struct stage *s, const struct launch *l, struct croft_error *err);
int stage_cover_sys(struct stage *s, const struct launch *l, struct croft_error *err);

/* root.c: in the stub, below the staged root.  The partition's root, to be entered by mount_pivot(). */
int root_build(const struct launch *l, int *ret_master, int *ret_slave, struct croft_error *err);
int root_mount_cgroup(int root, struct croft_error *err);

/* stub.c: never returns. */
enum stub_word { STUB_FAILED, STUB_PROC, STUB_SYS, STUB_LISTENER, STUB_READY, STUB_WORDS };
struct stub_report { /* with one descriptor, or none */
        uint32_t word;
        uint64_t last_mount; /* with STUB_READY */
        struct croft_error error;
};
void stub_main(struct launch *l, int socket) __attribute__((noreturn));

#endif
