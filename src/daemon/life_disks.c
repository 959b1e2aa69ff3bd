/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_disks.c - has the kernel count I/O on every block device, those that come later too.
 *
 * Only where v1 rules I/O is there anything to do (cgroup_count_io()).  A thread of its own: the kernel may have to
 * wait for a device, and nobody else is to wait with it.
 */
#include "base/log.h"
#include "daemon/life_private.h"
#include "kernel/cgroup.h"

#include <errno.h>

static void *count(void *context)
{
        struct life *life = context;
        bool told = false;

        for (;;) {
                struct croft_error err = CROFT_ERROR_INIT;
                bool ending;

                (void)pthread_mutex_lock(&life->queue_lock);
                while (!life->disks_changed && !life->ending)
                        (void)pthread_cond_wait(&life->disks_wanted, &life->queue_lock);
                life->disks_changed = false;
                ending = life->ending;
                (void)pthread_mutex_unlock(&life->queue_lock);
                if (ending)
                        return NULL;
                if (cgroup_count_io(life->host->cgroups, &err) < 0 && !told) {
                        log_error(LOG_LEVEL_WARNING, &err, "partitions don't see what they read and write there");
                        told = true; /* or each device that comes would tell of the same one again */
                }
        }
}

void life_disks_watch(struct life *life)
{
        struct croft_error err = CROFT_ERROR_INIT;

        if (!life->host->cgroups || cgroup_tree_rule(life->host->cgroups, "io") != CGROUP_V1)
                return;
        life->disks_changed = true;
        if (pthread_create(&life->disks_thread, NULL, count, life) == 0) {
                life->counts_disks = true;
                return;
        }
        croft_error_set(&err, EAGAIN, "start a thread");
        log_error(LOG_LEVEL_WARNING, &err, "partitions may not see what they read from and write to disks");
}

void life_disks_changed(struct life *life)
{
        (void)pthread_mutex_lock(&life->queue_lock);
        life->disks_changed = true;
        (void)pthread_cond_signal(&life->disks_wanted);
        (void)pthread_mutex_unlock(&life->queue_lock);
}

void life_disks_close(struct life *life)
{
        if (!life->counts_disks)
                return;
        (void)pthread_mutex_lock(&life->queue_lock);
        life->ending = true;
        (void)pthread_cond_signal(&life->disks_wanted);
        (void)pthread_mutex_unlock(&life->queue_lock);
        (void)pthread_join(life->disks_thread, NULL);
        life->counts_disks = false;
}
