/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * confine.h - what croft-kext gives up before it looks into what it has read.
 */
#ifndef CROFT_KEXT_CONFINE_H
#define CROFT_KEXT_CONFINE_H

#include <croft/error.h>

/* Nobody's ids, no capability, no file but those that are open, few system calls. */
int confine_to_memory(struct croft_error *err);
/* The same, but bpf(2) for what is attached to control groups, and files that everybody may read: the kernel's types
 * are one.  Without CAP_PERFMON: a program that would read the kernel's memory isn't verified. */
int confine_to_bpf(struct croft_error *err);
/* As the first, with root as its root, in which it may read everything. */
int confine_to_tree(int root, struct croft_error *err);
/* The same, to have directories in it watched, not to read anything. */
int confine_to_watch(int root, struct croft_error *err);

#endif
