/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * mount.bpf.c - what partitions do on their mounts, and which mounts they have.
 *
 * Counting: at the end of the system calls that move data, in a tracepoint or, where the kernel has trampolines, behind
 * those calls only.  Only calls of a partition's processes on mounts of their own partition count, so that no number
 * mixes two partitions.  No entry and nothing to make one from: not ours, not counted.
 *
 * Scanning: an iterator over tasks walks the mount tables of one partition's namespaces.  It takes no lock; a table
 * that changed meanwhile is told, and croftd scans again.
 */
#include "kstat/mount.bpf.h"

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "kstat/mount_kernel.bpf.h"
#include "kstat/mount_source.bpf.h"
#include "plane/plane.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#include "kstat/mount_count.bpf.h"
#include "kstat/mount_scan.bpf.h"
