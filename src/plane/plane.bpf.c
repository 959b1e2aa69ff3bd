/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * plane.bpf.c - who asks: the partition of a process, for the process itself.  See caller.bpf.h.
 */
#include "plane/caller.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct plane_info);
} info SEC(".maps");

SEC("syscall")
int whoami(struct plane_whoami *answer)
{
        __u64 caller = 0;
        int r = find_caller(&caller);

        if (r == 0)
                answer->id = caller;
        return r;
}
