/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_sysinfo.h - what sysinfo(2) tells a partition of itself, laid out as its caller's ABI has it.
 */
#ifndef CROFT_KSTAT_VIEW_SYSINFO_H
#define CROFT_KSTAT_VIEW_SYSINFO_H

#include "kstat/view_totals.h"

#include <stddef.h>

enum view_sysinfo_abi {
        VIEW_SYSINFO_64, /* x86-64 and x32, whose longs have 64 bits here */
        VIEW_SYSINFO_32, /* i386 */
};

#define VIEW_SYSINFO_SIZE 112 /* the larger one */

/* Writes the structure into ret and returns its size.  boottime_ns: CLOCK_BOOTTIME of the host, now (the sample may be
 * older). */
size_t view_sysinfo(const struct kstat_sample *sample, const struct view_machine *machine, uint64_t boottime_ns,
        enum view_sysinfo_abi abi, uint8_t ret[VIEW_SYSINFO_SIZE]);

#endif
