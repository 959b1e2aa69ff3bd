/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ids.h - the host ids of partitions (ADR 0010, ADR 0012).
 */
#ifndef CROFT_PARTITION_IDS_H
#define CROFT_PARTITION_IDS_H

#include <stdint.h>
#include <sys/types.h>

/* User and group ids of partitions: 2048 ranges of 65,536 from here.  Above the ranges of useradd (to 600100000),
 * systemd-nspawn (524288 to 1879048191) and sssd (200000 to 2000200000), below the sign bit. */
#define PARTITION_IDS 65536 /* of each partition */
#define PARTITION_RANGES 2048
#define PARTITION_UID_FIRST UINT32_C(0x78000000)
/* Just below them: one more id for each range, that no process of a partition has. */
#define PARTITION_OWNER_FIRST (PARTITION_UID_FIRST - PARTITION_RANGES)

/* The host id that owns the user namespace of the partition whose ids begin at uid_base, and that its warden and its
 * exec sessions run as.  The kernel counts what a user namespace's processes hold (inotify instances, pending signals,
 * locked memory, nested namespaces) against the owner of the namespace, too: with one owner for all, one partition
 * could use up what all may have (C-15).  And as the owner its warden may signal the partition's processes and nobody
 * else's.  Source: user_namespaces(7), kernel/ucount.c. */
static inline uid_t partition_owner(uint32_t uid_base)
{
        return PARTITION_OWNER_FIRST + uid_base / PARTITION_IDS % PARTITION_RANGES;
}

#endif
