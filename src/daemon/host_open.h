/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * host_open.h - makes what all partitions share: directories, lock, store, control groups, images, filters.
 */
#ifndef CROFT_DAEMON_HOST_OPEN_H
#define CROFT_DAEMON_HOST_OPEN_H

#include "daemon/store.h"
#include "partition/host.h"

#include <croft/error.h>

struct host_options {
        const char *state_dir, *run_dir;
        const char *cgroup;                /* NULL: the own one */
        const char *config_dir, *cdi_dirs; /* as in struct host; borrowed for as long as that lives */
        const char *tools_dir;             /* static programs for partitions; NULL: beside croftd, or installed */
};

/* A host with what has to be given back. */
struct daemon_host {
        struct host host; /* to be lent to the life cycle */
        struct store *store;
        int lock; /* flock on STATE/lock: one croftd a state directory */
        char warden_path[4096], kext_path[4096];
};

/* -EBUSY: another croftd has that state or run directory.  On failure *ret is empty. */
int daemon_host_open(const struct host_options *options, struct daemon_host *ret, struct croft_error *err);
/* clean: no partition is left; then croft's control groups and the plane go, too. */
void daemon_host_close(struct daemon_host *h, bool clean);

#endif
