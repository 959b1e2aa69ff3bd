/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * notify.h - system calls of a partition that its warden answers (seccomp user notification): taking one, reading and
 * writing the caller's memory, answering.  Each function is one or two system calls; who decides is elsewhere.
 *
 * A call that was taken lies in a slot of a memory area that croftd holds, too.  The kernel writes it there itself, so
 * there is no instant at which only the process that took it knows of it: one that dies before it has answered leaves
 * the call to its successor.  Without that the caller would wait for ever; no kernel gives such a call back.
 *
 * Hazards: between any two of our steps the caller may be killed, its number given to another process and its memory
 * changed by its other threads.  What was read may be believed only while the call is still held (notify_read() asks),
 * and only the copy that was read.  A page of the caller's may lie in a file that our own process serves: whoever calls
 * notify_read() or notify_write() must not be the one that answers for such files.
 */
#ifndef CROFT_KERNEL_NOTIFY_H
#define CROFT_KERNEL_NOTIFY_H

#include <croft/error.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOTIFY_SLOTS 32
#define NOTIFY_X32_BIT 0x40000000 /* of numbers of calls by the ABI x32 */

struct notify_slot {
        struct seccomp_notif call; /* id 0: the slot is free */
        uint32_t listener;         /* number of the listener that it came from, given by who keeps them */
        uint32_t note;             /* of who judges it, for a successor; 0 when it is taken */
        uint8_t reserved[128 - sizeof(struct seccomp_notif) - 2 * sizeof(uint32_t)];
};
_Static_assert(sizeof(struct notify_slot) == 128, "layout");

struct notify_area {
        struct notify_slot slots[NOTIFY_SLOTS];
};

/* A new area, empty, as a memfd that can't change its size.  Returns the descriptor or a negative errno. */
int notify_area_new(struct croft_error *err);
/* Maps one (fd is borrowed).  The caller ends *ret with notify_area_unmap().  -EBADMSG: it is none; -EOPNOTSUPP: this
 * kernel's notifications don't fit. */
int notify_area_map(int fd, struct notify_area **ret, struct croft_error *err);
void notify_area_unmap(struct notify_area *area);

/* Is this descriptor a listener?  Looks at /proc/self/fd. */
bool notify_is_listener(int fd);
/* Asks for wake-ups that stay on the caller's CPU, where the kernel knows that (Linux 6.6); else nothing. */
void notify_prefer_same_cpu(int listener);

/* Takes a call of a listener on which poll(2) says POLLIN.  -EBUSY: all slots are in use; -ENOENT: its caller has gone
 * meanwhile; -EINTR. */
int notify_receive(int listener, uint32_t number, struct notify_area *area, struct notify_slot **ret);
/* Is the caller still in that call? */
bool notify_holds(int listener, const struct notify_slot *slot);
/* The caller's memory, all of it or nothing that may be used.  -EFAULT: it isn't there (or ends, or is read-only);
 * -ENOENT: the caller has gone; -EPERM: this host lets nobody do that. */
int notify_read(int listener, const struct notify_slot *slot, uint64_t address, void *data, size_t size);
int notify_write(int listener, const struct notify_slot *slot, uint64_t address, const void *data, size_t size);
/* Ends the call: it returns value or, with code > 0, fails with that errno.  The slot is free afterwards, whatever
 * happened; -ENOENT: the caller had gone. */
int notify_answer(int listener, struct notify_slot *slot, int64_t value, int code);

enum mount_call { MOUNT_CALL_MOUNT = 1, MOUNT_CALL_UMOUNT2 };
/* Not in mount.h: who calls mount(2) himself has <sys/mount.h>, which clashes with that.  Which of the calls about
 * mounts this is, by the ABI; 0: none. */
enum mount_call mount_call_of(uint32_t arch, int32_t number);

#endif
