/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cpu_info.h - what a CPU is, for the statistic cpu_info:N.
 */
#ifndef CROFT_KSTAT_CPU_INFO_H
#define CROFT_KSTAT_CPU_INFO_H

#include "kstat/catalogue.bpf.h"

#include <stdbool.h>

/* From the text of /proc/cpuinfo; what isn't said there (another architecture, a CPU that is offline) is 0 or empty, -1
 * for chip and core.  Pure. */
void cpu_info_parse(const char *cpuinfo, unsigned int cpu, bool online, struct kstat_data_cpu_info *ret);
/* The same of this machine, as it is now. */
void cpu_info_read(unsigned int cpu, bool online, struct kstat_data_cpu_info *ret);

#endif
