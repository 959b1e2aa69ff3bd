/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ns.h - namespaces: clone3, id maps, entering by pidfd, a clock that starts at zero.
 */
#ifndef CROFT_KERNEL_NS_H
#define CROFT_KERNEL_NS_H

#include <croft/error.h>
#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

#define NS_ALL                                                                                                         \
        (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP |   \
                CLONE_NEWTIME)

/* clone3(2) as fork: 0 in the child, its pid in the parent, or a negative errno.  flags: CLONE_NEW*, CLONE_PARENT.
 * cgroup_fd >= 0: the child is born there (-EBUSY: that cgroup hands its controllers to children).  ret_pidfd may be
 * NULL; the caller closes it. */
pid_t ns_clone(uint64_t flags, int cgroup_fd, int *ret_pidfd);

/* The same into a new user namespace (CLONE_NEWUSER is added) that belongs to the host's user owner instead of root;
 * for that one system call the caller's effective id is owner, with all its capabilities.  In the child it stays so,
 * until ids are mapped. */
pid_t ns_clone_owned(uid_t owner, uint64_t flags, int cgroup_fd, int *ret_pidfd);

/* Maps ids 0..count-1 of the process's user namespace to base.. of ours, users and groups.  setgroups() stays allowed.
 */
int ns_write_maps(pid_t pid, uint32_t base, uint32_t count, struct croft_error *err);

/* Opens the directory /proc/PID/ns (O_PATH). */
int ns_open_all(pid_t pid);

/* Opens /proc/PID/ns/NAME.  The descriptor, or a negative errno. */
int ns_open(pid_t pid, const char *name);

/* setns(2) by pidfd into those of flags; 0 or a negative errno. */
int ns_enter(int pidfd, int flags);

/* Brings up the loopback interface of the caller's network namespace. */
int ns_loopback_up(struct croft_error *err);

/* Puts the calling (single-threaded) process into a new time namespace whose clocks begin at zero now.  -EOPNOTSUPP:
 * the kernel has none (CONFIG_TIME_NS); nothing was changed then. */
int ns_restart_clocks(struct croft_error *err);

/* Field 22 of /proc/PID/stat: with the pid it names a process for ever. */
int ns_start_time(pid_t pid, uint64_t *ret);

#endif
