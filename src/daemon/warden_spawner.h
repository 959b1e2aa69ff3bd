/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warden_spawner.h - makes wardens, without the cost of all the descriptors that croftd has.
 *
 * A child begins with a copy of its parent's descriptors, and closes them at execve: several for each partition, a
 * millisecond at some hundred partitions.  So children are made by a thread that has a table of descriptors of its own,
 * with hardly anything in it.
 */
#ifndef CROFT_DAEMON_WARDEN_SPAWNER_H
#define CROFT_DAEMON_WARDEN_SPAWNER_H

#include <croft/error.h>
#include <stdint.h>
#include <sys/types.h>

struct warden_process {
        int socket; /* our end of the SEQPACKET pair that it has as descriptor 3; nonblocking */
        int pidfd;
        pid_t pid;
        uint64_t start_time;
};

struct warden_spawner;

/* path: the croft-warden binary (copied).  The caller ends *ret with warden_spawner_free(). */
int warden_spawner_new(const char *path, struct warden_spawner **ret, struct croft_error *err);
struct warden_spawner *warden_spawner_free(struct warden_spawner *spawner);

/* Starts our croft-warden (mode: "warden", "successor" or "session"), in a session of its own, without any descriptor
 * but 0 to 3.  Any thread.  The caller closes both descriptors and reaps the child, which is the process's, not the
 * thread's. */
int warden_spawn(struct warden_spawner *spawner, const char *mode, struct warden_process *ret, struct croft_error *err);

#endif
