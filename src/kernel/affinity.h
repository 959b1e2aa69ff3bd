/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * affinity.h - processes that work for one another at the same time, each on a CPU of its own.
 *
 * The kernel wakes who is sent something on the sender's CPU, and there it waits, or the sender does, though others may
 * be idle: a virtual CPU that is halted doesn't count as idle to it (available_idle_cpu() in kernel/sched).  So who is
 * needed elsewhere is kept off a CPU for a moment.  Only processes that may run anywhere are: what somebody has chosen
 * for us stays.
 */
#ifndef CROFT_KERNEL_AFFINITY_H
#define CROFT_KERNEL_AFFINITY_H

#include <stdbool.h>
#include <sys/types.h>

/* May it (0: the calling thread) run on each of at least two CPUs? */
bool affinity_is_free(pid_t pid);

/* What was free is kept off the CPU that the caller is on; false: it stays as it is. */
bool affinity_keep_off_ours(pid_t pid);

/* The calling thread is kept off the CPU that another process has been bound to, if it is one; false: it runs anywhere
 * still. */
bool affinity_keep_off_that_of(pid_t pid);

/* For the calling thread, and what it clones from then on: on that CPU only (-1: on the one where it is, which is
 * returned; -1: it runs anywhere still), and off that CPU. */
int affinity_stay(int cpu);
void affinity_keep_off(int cpu);

/* Undoes all of these. */
void affinity_let_run(pid_t pid);

#endif
