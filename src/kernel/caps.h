/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * caps.h - capabilities: the bounding set of a partition, and giving all of them up.  By system calls: the warden links
 * with nothing but the C library.
 */
#ifndef CROFT_KERNEL_CAPS_H
#define CROFT_KERNEL_CAPS_H

#include <croft/error.h>
#include <stdint.h>

/* Drops from the bounding set what no partition has: those that only ever work in the initial user namespace, so that
 * programs inside (systemd's ConditionCapability=, sudo, libcap) see what is true. */
int caps_bound(struct croft_error *err);

/* Takes every capability out of the bounding set: no execve can bring one back. */
int caps_drop_bounding(struct croft_error *err);

/* Gives up all capabilities but those whose bits are set (1 << CAP_SYS_ADMIN), in all sets, for ever; they need to be
 * there.  Programs that it executes have none of them but as root. */
int caps_keep(uint64_t kept, struct croft_error *err);

/* Gives up every capability, in all sets, for ever. */
int caps_drop_all(struct croft_error *err);

#endif
