/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * kext_object.bpf.c - BPF objects for test_kext_bpf.sh: one that partitions may have, in two generations, and some that
 * none may.  Which one, the build says.
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#ifdef DROP
/* Lets no packet go to that port of IPv4, and nobody connect to the next one; counts them. */
struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 2);
        __type(key, __u32);
        __type(value, __u64);
} refused SEC(".maps");

static int refuse(__u32 which)
{
        __u64 *count = bpf_map_lookup_elem(&refused, &which);

        if (count)
                __sync_fetch_and_add(count, 1);
        return 0;
}

SEC("cgroup_skb/egress")
int drop_packets(struct __sk_buff *skb)
{
        __u8 first = 0;
        __u16 port = 0;

        if (bpf_skb_load_bytes(skb, 0, &first, sizeof(first)) < 0 || first >> 4 != 4 ||
                bpf_skb_load_bytes(skb, (first & 15) * 4 + 2, &port, sizeof(port)) < 0)
                return 1;
        return bpf_ntohs(port) == DROP ? refuse(0) : 1;
}

SEC("cgroup/connect4")
int refuse_connect(struct bpf_sock_addr *call)
{
        return bpf_ntohl(call->user_port) >> 16 == DROP + 1 ? refuse(1) : 1;
}
#endif

#ifdef XDP
SEC("xdp")
int of_a_device(struct xdp_md *packet)
{
        return packet ? XDP_DROP : XDP_PASS;
}
#endif

#ifdef PINNED
struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __uint(pinning, LIBBPF_PIN_BY_NAME);
        __type(key, __u32);
        __type(value, __u64);
} shared SEC(".maps");

SEC("cgroup/sock_create")
int count_sockets(struct bpf_sock *sock)
{
        __u32 zero = 0;

        return sock && bpf_map_lookup_elem(&shared, &zero) ? 1 : 0;
}
#endif

#ifdef BOTH_WAYS
SEC("cgroup/skb")
int whichever_way(struct __sk_buff *skb)
{
        return skb->len > 0;
}
#endif

#ifdef LARGE
struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1 << 20);
        __type(key, __u32);
        __type(value, __u64[12]);
} large SEC(".maps");

SEC("cgroup/sock_create")
int count_sockets(struct bpf_sock *sock)
{
        __u32 zero = 0;

        return sock->family && bpf_map_lookup_elem(&large, &zero) ? 1 : 0;
}
#endif

#ifdef STRAYS
SEC("cgroup/sock_create")
int strays(struct bpf_sock *sock)
{
        char *beyond = (char *)sock + 4711;

        return *beyond & 1;
}
#endif

#ifdef NOSY
/* The kernel's memory is none of an extension's of a partition. */
SEC("cgroup/sock_create")
int nosy(struct bpf_sock *sock)
{
        __u64 word = 0;

        (void)bpf_probe_read_kernel(&word, sizeof(word), sock);
        return word != 0;
}
#endif

#ifdef ASKS
/* Whether the kernel has a type that none has. */
struct of_no_kernel {
        int field;
} __attribute__((preserve_access_index));

SEC("cgroup/sock_create")
int asks(struct bpf_sock *sock)
{
        struct of_no_kernel *none = 0;

        return sock->family && !bpf_core_field_exists(none->field);
}
#endif

#ifdef MANY
/* More than half of what the kernel attaches to a control group. */
#define SAME(n)                                                                                                        \
        SEC("cgroup/sock_create")                                                                                      \
        int same_##n(struct bpf_sock *sock)                                                                            \
        {                                                                                                              \
                return sock->family < MANY;                                                                            \
        }
#define TEN(n)                                                                                                         \
        SAME(n##0) SAME(n##1) SAME(n##2) SAME(n##3) SAME(n##4) SAME(n##5) SAME(n##6) SAME(n##7) SAME(n##8) SAME(n##9)
TEN(1) TEN(2) TEN(3) TEN(4)
#endif
