/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * partition.c - names of states, and the ownership of what struct partition is made of.  See partition.h.
 */
#include "partition/partition.h"

#include "base/cleanup.h"
#include "partition/property.h"

const char *partition_state_name(enum partition_state state)
{
        static const char *const names[] = {
                [PARTITION_DEFINED] = "Defined",
                [PARTITION_LOADED] = "Loaded",
                [PARTITION_ACTIVE] = "Active",
                [PARTITION_FROZEN] = "Frozen",
                [PARTITION_PAUSED] = "Paused",
                [PARTITION_MAINTENANCE] = "Maintenance",
                [PARTITION_MOVING] = "Moving",
                [PARTITION_BROKEN] = "Broken",
                [PARTITION_TRANSITIONAL] = "Transitional",
        };

        return (size_t)state < ELEMENTS(names) ? names[state] : "Unknown";
}

int partition_def_copy(const struct partition_def *def, struct partition_def *ret)
{
        bool ok;

        *ret = *def;
        ret->properties = property_copy(def->properties, &ok);
        if (ok)
                return 0;
        *ret = (struct partition_def){.id = 0};
        return -ENOMEM;
}

void partition_def_done(struct partition_def *def)
{
        def->properties = property_free(def->properties);
}

void partition_run_init(struct partition_run *run)
{
        *run = (struct partition_run){
                .pidfd = -EBADF,
                .netns = -EBADF,
                .console = -EBADF,
                .listen = -EBADF,
                .log = -EBADF,
                .notify_area = -EBADF,
                .fuse = -EBADF,
                .fuse_memory = -EBADF,
                .sample = -EBADF,
                .requests = -EBADF,
                .dev = -EBADF,
                .warden = -EBADF,
                .warden_pidfd = -EBADF,
                .exit_status = -1,
        };
}

void partition_run_done(struct partition_run *run)
{
        close_fd(run->pidfd);
        close_fd(run->netns);
        close_fd(run->console);
        close_fd(run->listen);
        close_fd(run->log);
        close_fd(run->notify_area);
        listeners_done(&run->listeners);
        close_fd(run->fuse);
        close_fd(run->fuse_memory);
        close_fd(run->sample);
        close_fd(run->requests);
        close_fd(run->dev);
        close_fd(run->warden);
        close_fd(run->warden_pidfd);
        partition_run_init(run);
}
