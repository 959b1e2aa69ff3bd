/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * confine.h - what croft-kext gives up before it looks into what it has read.
 */
#ifndef CROFT_KEXT_CONFINE_H
#define CROFT_KEXT_CONFINE_H

#include <croft/error.h>

/* Nobody's ids, no capability, no file but those that are open, few system calls. */
int confine_to_memory(struct croft_error *err);
/* The same, with root as its root, in which it may read everything. */
int confine_to_tree(int root, struct croft_error *err);

#endif
