/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * loop.h - the machine's loop devices, by number; loop(4).  Each function is one or a few system calls.
 *
 * Hazard: a device that nobody has bound belongs to whoever asks LOOP_CTL_GET_FREE next, and what was open on it before
 * is open on that one's file.  So a device is bound before anybody else can have it open, and when it is unbound nobody
 * else may have it open or be able to open it.
 */
#ifndef CROFT_KERNEL_LOOP_H
#define CROFT_KERNEL_LOOP_H

#include <croft/error.h>
#include <linux/loop.h>
#include <stdbool.h>
#include <stdint.h>

#define LOOP_MAJOR_NUMBER 7

/* Of the machine: to make, remove and open devices with.  No /dev has to be there. */
struct loop_machine {
        int control; /* loop-control */
        int nodes;   /* a tmpfs of our own, for nodes of what is to be opened */
};
/* Ended with loop_machine_close(). */
int loop_machine_open(struct loop_machine *ret, struct croft_error *err);
void loop_machine_close(struct loop_machine *m);

/* -EEXIST: there is one of that number. */
int loop_make(const struct loop_machine *m, uint32_t number);
/* Waits for the kernel to forget it, 50 ms.  -EBUSY: it is bound, or somebody has it open; -ENODEV: there is none, or
 * somebody else has removed it meanwhile. */
int loop_unmake(const struct loop_machine *m, uint32_t number);
/* flags: O_RDWR or O_RDONLY; minor: of the device.  The descriptor or a negative errno. */
int loop_open(const struct loop_machine *m, uint32_t minor, int flags);
/* With a file without content that nobody can change. */
int loop_bind_nothing(int device);
/* Its size, in sectors of 512 bytes. */
int loop_sectors(const struct loop_machine *m, uint32_t minor, uint64_t *ret);

/* Unbinds the device, unless somebody else has it open, too: false, and nothing is changed.  The caller has seen to it
 * that nobody opens it any more.  device is closed in any case; afterwards it is unbound. */
bool loop_unbind_alone(int device);
/* Unbinds it as soon as nobody has it open any more.  device is closed. */
void loop_unbind_later(int device);

#endif
