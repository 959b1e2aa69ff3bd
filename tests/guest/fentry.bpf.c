/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * fentry.bpf.c - two programs that only a kernel with BPF trampolines takes; fentry_attach.c runs them.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

__u64 calls[2]; /* of fentry, of the security module */

SEC("fentry/do_unlinkat")
int count_unlink(void *context)
{
        __sync_fetch_and_add(&calls[0], 1);
        return 0;
}

SEC("lsm/inode_unlink")
int count_permission(void *context)
{
        __sync_fetch_and_add(&calls[1], 1);
        return 0;
}
