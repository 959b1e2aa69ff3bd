/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * kstat_source.bpf.c - runs one source of statistics, for test_kstat_sources.c: the record is in a map, nobody is asked
 * who he is.
 */
#include <linux/bpf.h>
#include <linux/errno.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "kstat/kstat.bpf.h"
#include "plane/kernel.bpf.h"
#include "plane/plane.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct kstat_record);
} record SEC(".maps");

#include "kstat/source.bpf.h"

SEC("syscall")
int read_source(struct kstat_call *call)
{
        __u32 zero = 0;
        struct kstat_record *r = bpf_map_lookup_elem(&record, &zero);

        return r ? source_fill_small(call, r) : -ENXIO;
}
