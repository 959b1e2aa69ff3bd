/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * host_parts.h - what the parts of croftd that a host may lack are for, in words: for `croft check` and croftd's log.
 */
#ifndef CROFT_DAEMON_HOST_PARTS_H
#define CROFT_DAEMON_HOST_PARTS_H

#include "kernel/probe.h"
#include "partition/host.h"

/* As one more feature of the list that probe_run() gives.  Strings but detail are static. */
void host_part_judge(const struct host *host, enum host_part part, struct probe_result *ret);

#endif
