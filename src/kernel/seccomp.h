/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * seccomp.h - system call filters: built once by croftd (libseccomp), handed on as sealed memfds that hold an array of
 * struct sock_filter, installed by those who only know system calls.
 */
#ifndef CROFT_KERNEL_SECCOMP_H
#define CROFT_KERNEL_SECCOMP_H

#include <croft/error.h>
#include <stdbool.h>

/* What a partition's warden is told of beside sysinfo(2). */
enum seccomp_told {
        SECCOMP_TOLD_LOOPS = 1,   /* what is asked of loop devices and of loop-control; else that is refused */
        SECCOMP_TOLD_MOUNTS = 2,  /* new mounts, binds of one alone, unmounts that are not lazy; the base filter says
                                     then that there is no fsopen(2), so that programs use mount(2) */
        SECCOMP_TOLD_MODULES = 4, /* what loads and unloads kernel modules, in any case; the base filter lets it pass
                                     then, and the kernel refuses it where nobody is told */
};

/* The base filter of every process of a partition, for x86-64, i386 and x32: refuses what reaches past the namespaces.
 * A sealed memfd, or a negative errno. */
int seccomp_build_base(unsigned int told, struct croft_error *err);

/* The calls of a partition that its warden answers (notify.h), for the three ABIs: sysinfo(2), those about kernel
 * modules and those of a set of enum seccomp_told; installed beside the base filter. A filter of its own, because it is
 * installed before there is a process of the partition's, and so that a host that can have none needs no second base
 * filter.  Where one says no and another one asks the warden, no holds. */
int seccomp_build_notify(unsigned int told, struct croft_error *err);

/* What a warden and a session may call once they are set up; everything else is answered with EPERM. */
int seccomp_build_warden(struct croft_error *err);

/* What a broker (warden/broker.h) and its processes may call; everything else is answered with EPERM. */
int seccomp_build_broker(struct croft_error *err);

/* Installs the filter in fd for the calling thread; needs no_new_privs or CAP_SYS_ADMIN in its user namespace.
 * -EBADMSG: not a sealed filter. */
int seccomp_install(int fd, struct croft_error *err);
/* The same, with a listener for the calls that it tells of (CLOEXEC), in *ret.  -EBUSY: a filter that holds already
 * has one, and the kernel allows no second (croft inside a container whose manager intercepts calls). */
int seccomp_install_listener(int fd, int *ret, struct croft_error *err);

#endif
