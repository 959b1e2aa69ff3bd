/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mibs.h - finds the kernel's counters of IP by its type information.
 */
#ifndef CROFT_KSTAT_MIBS_H
#define CROFT_KSTAT_MIBS_H

#include "kstat/mibs.bpf.h"

struct kernel_types;

/* What that type information (borrowed) says; else as up to Linux 6.7. */
void kstat_mibs_find(const struct kernel_types *types, struct kstat_mibs *ret);
/* Of the running kernel, likewise. */
void kstat_mibs_read(struct kstat_mibs *ret);

#endif
