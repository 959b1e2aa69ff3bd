/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * oom_kit.h - processes of "partition" a (plane_kit.h) that the kernel kills for want of memory.
 */
#ifndef CROFT_TESTS_OOM_KIT_H
#define CROFT_TESTS_OOM_KIT_H

#include <stdbool.h>

/* A limit for what oom_kill_one() makes: in a v1 cgroup of its own, or that of a.  Undone by oom_end(). */
void oom_begin(void);
void oom_end(void);

/* A process that takes more than there is.  True: it was killed. */
bool oom_kill_one(void);

/* The caller isn't killed, although it shares the limit: what was killed is no victim any more some time before its
 * memory isn't counted any more, and then another one would be. */
void oom_spare(void);

#endif
