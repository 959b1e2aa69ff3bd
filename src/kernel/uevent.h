/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * uevent.h - what the kernel says of its devices, as it happens (netlink, NETLINK_KOBJECT_UEVENT).
 *
 * Only messages of the kernel itself are heard: udev's copies and whoever else speaks on that family are dropped by the
 * sender's address, which the kernel vouches for.
 */
#ifndef CROFT_KERNEL_UEVENT_H
#define CROFT_KERNEL_UEVENT_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>

/* A non-blocking socket; the caller closes it. */
int uevent_open(struct croft_error *err);

/* Takes everything that has arrived: bit i if any of it was about subsystems[i] ("cpu", at most 32), all if something
 * was lost. */
unsigned int uevent_take(int fd, const char *const *subsystems, size_t n);

/* Is that message ("online@/devices/system/cpu/cpu1\0ACTION=online\0SUBSYSTEM=cpu\0...") of the subsystem?  Pure. */
bool uevent_is_of(const char *message, size_t size, const char *subsystem);

#endif
