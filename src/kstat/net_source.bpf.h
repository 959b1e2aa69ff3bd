/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * net_source.bpf.h - the part of source.bpf.h about the network namespace of a partition: its protocols and its
 * interfaces.
 *
 * An interface is found by its number each time: it may be gone, and its address another's.  What drivers count by
 * themselves can't be asked from here; what the kernel's own per-CPU counters have can: loopback, veth, and since 6.8
 * whatever else says that it uses them.
 */
#ifndef CROFT_KSTAT_NET_SOURCE_BPF_H
#define CROFT_KSTAT_NET_SOURCE_BPF_H

#include "kstat/links.bpf.h"
#include "kstat/mibs.bpf.h"
#include "kstat/source_kit.bpf.h"

#include <linux/snmp.h>

/* <linux/if.h>, which wants the C library's. */
#define IFF_UP 1
#define IFF_LOOPBACK 8
#define IF_OPER_UNKNOWN 0
#define IF_OPER_UP 6

/* --- protocols --- */

FIGURE __u64 mib_on(__u64 percpu, __u32 index, __u32 cpu)
{
        __u64 one = 0;

        bpf_probe_read_kernel(&one, sizeof(one), (void *)(percpu + cpu_offset_of(cpu) + index * sizeof(one)));
        return one;
}

/* The sum of a counter of the network namespace over the CPUs. */
FIGURE __u64 mib(__u64 percpu, __u32 index)
{
        __u32 n = count_cpus();
        __u64 sum = 0;

        FOR_EACH_CPU(cpu, n)
        sum += mib_on(percpu, index, cpu);
        return sum;
}

static __always_inline struct net *source_net(const struct source *s)
{
        struct net *net = (struct net *)s->objects->net;

        return net && BPF_CORE_READ(net, ns.inum) == s->objects->net_inum ? net : NULL;
}

/* Set before loading. */
const volatile struct kstat_mibs mibs = {0};

/* Counters lie at the beginning of each of those structures, in the order of <linux/snmp.h>, but for IP's. */
#define SOURCE_MIB(field, number) PUT(field, mib(at, number));
#define SOURCE_IP(field, name, place) PUT(field, mib(at, mibs.field));

SOURCE source_net_ip(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_net_ip data;
        struct net *net = source_net(s);
        __u64 at = net ? (__u64)BPF_CORE_READ(net, mib.ip_statistics) : 0;

        if (!at)
                return -ENXIO;
        KSTAT_MIBS(SOURCE_IP)
        return 0;
}

SOURCE source_net_tcp(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_net_tcp data;
        struct net *net = source_net(s);
        __u64 at = net ? (__u64)BPF_CORE_READ(net, mib.tcp_statistics) : 0;

        if (!at)
                return -ENXIO;
        SOURCE_MIB(activeOpens, TCP_MIB_ACTIVEOPENS)
        SOURCE_MIB(passiveOpens, TCP_MIB_PASSIVEOPENS)
        SOURCE_MIB(attemptFails, TCP_MIB_ATTEMPTFAILS)
        SOURCE_MIB(estabResets, TCP_MIB_ESTABRESETS)
        SOURCE_MIB(currEstab, TCP_MIB_CURRESTAB)
        SOURCE_MIB(inSegs, TCP_MIB_INSEGS)
        SOURCE_MIB(outSegs, TCP_MIB_OUTSEGS)
        SOURCE_MIB(retransSegs, TCP_MIB_RETRANSSEGS)
        SOURCE_MIB(inErrs, TCP_MIB_INERRS)
        SOURCE_MIB(outRsts, TCP_MIB_OUTRSTS)
        return 0;
}

SOURCE source_net_udp(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_net_udp data;
        struct net *net = source_net(s);
        __u64 at = net ? (__u64)BPF_CORE_READ(net, mib.udp_statistics) : 0;

        if (!at)
                return -ENXIO;
        SOURCE_MIB(inDatagrams, UDP_MIB_INDATAGRAMS)
        SOURCE_MIB(noPorts, UDP_MIB_NOPORTS)
        SOURCE_MIB(inErrors, UDP_MIB_INERRORS)
        SOURCE_MIB(outDatagrams, UDP_MIB_OUTDATAGRAMS)
        SOURCE_MIB(rcvbufErrors, UDP_MIB_RCVBUFERRORS)
        SOURCE_MIB(sndbufErrors, UDP_MIB_SNDBUFERRORS)
        return 0;
}

/* <linux/icmp.h>, which wants the C library's, too. */
#define ICMP_ECHOREPLY 0
#define ICMP_DEST_UNREACH 3
#define ICMP_ECHO 8
#define ICMP_SENT 256 /* received ones are in front of these */

/* Those of one type. */
FIGURE __u64 icmp_messages(__u64 by_type, __u32 type)
{
        __u64 n = 0;

        bpf_probe_read_kernel(&n, sizeof(n), (void *)(by_type + type * sizeof(n)));
        return n;
}

SOURCE source_net_icmp(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_net_icmp data;
        struct net *net = source_net(s);
        __u64 at = net ? (__u64)BPF_CORE_READ(net, mib.icmp_statistics) : 0;
        __u64 by_type = net ? (__u64)BPF_CORE_READ(net, mib.icmpmsg_statistics) : 0;

        if (!at)
                return -ENXIO;
        SOURCE_MIB(inMsgs, ICMP_MIB_INMSGS)
        SOURCE_MIB(inErrors, ICMP_MIB_INERRORS)
        PUT(inDestUnreachs, icmp_messages(by_type, ICMP_DEST_UNREACH));
        PUT(inEchos, icmp_messages(by_type, ICMP_ECHO));
        PUT(inEchoReps, icmp_messages(by_type, ICMP_ECHOREPLY));
        SOURCE_MIB(outMsgs, ICMP_MIB_OUTMSGS)
        SOURCE_MIB(outErrors, ICMP_MIB_OUTERRORS)
        PUT(outDestUnreachs, icmp_messages(by_type, ICMP_SENT + ICMP_DEST_UNREACH));
        PUT(outEchos, icmp_messages(by_type, ICMP_SENT + ICMP_ECHO));
        PUT(outEchoReps, icmp_messages(by_type, ICMP_SENT + ICMP_ECHOREPLY));
        return 0;
}

/* --- interfaces --- */

struct link_counts {
        __u64 packets, bytes, rx_packets, rx_bytes; /* sent, received */
};

#define LINK_ADD(to, from)                                                                                             \
        ({                                                                                                             \
                __u64 _value = 0;                                                                                      \
                bpf_core_read(&_value, sizeof(_value), &(from));                                                       \
                (to) += _value;                                                                                        \
        })

/* What a device has counted on one CPU. */
FIGURE int link_on(__u64 at, bool both, struct link_counts *sum)
{
        struct pcpu_sw_netstats *t = (void *)at;
        struct pcpu_lstats *l = (void *)at;

        if (!sum)
                return 0;
        if (!both) {
                LINK_ADD(sum->packets, l->packets);
                LINK_ADD(sum->bytes, l->bytes);
                return 0;
        }
        LINK_ADD(sum->packets, t->tx_packets);
        LINK_ADD(sum->bytes, t->tx_bytes);
        LINK_ADD(sum->rx_packets, t->rx_packets);
        LINK_ADD(sum->rx_bytes, t->rx_bytes);
        return 0;
}

/* Does it count both ways per CPU (struct pcpu_sw_netstats), and not only what it has sent? */
FIGURE bool link_counts_both(__u64 dev)
{
        struct net_device *d = (struct net_device *)dev;

        if (!bpf_core_field_exists(d->pcpu_stat_type))
                return false;
        return BPF_CORE_READ_BITFIELD_PROBED(d, pcpu_stat_type) ==
               bpf_core_enum_value(enum netdev_stat_type, NETDEV_PCPU_STAT_TSTATS);
}

/* 0, -ENXIO: it doesn't count per CPU. */
FIGURE int link_sum(__u64 dev, struct link_counts *ret)
{
        struct net_device *d = (struct net_device *)dev;
        bool both = link_counts_both(dev);
        __u64 percpu = both ? (__u64)BPF_CORE_READ(d, tstats) : (__u64)BPF_CORE_READ(d, lstats);
        __u32 n = count_cpus();

        if (!percpu || !ret)
                return -ENXIO;
        FOR_EACH_CPU(cpu, n)
        link_on(percpu + cpu_offset_of(cpu), both, ret);
        return 0;
}

/* Of a pair: the other end. */
FIGURE __u64 link_peer(__u64 dev)
{
        struct net_device *d = (struct net_device *)dev;
        __u64 priv, peer = 0;

        if (bpf_core_field_exists(d->priv))
                priv = dev + bpf_core_field_offset(struct net_device, priv);
        else
                priv = dev + ((bpf_core_type_size(struct net_device) + 31) & ~31ULL); /* NETDEV_ALIGN */
        bpf_probe_read_kernel(&peer, sizeof(peer), (void *)priv); /* the first member of struct veth_priv */
        return peer;
}

FIGURE bool link_is_pair(__u64 dev)
{
        struct net_device *d = (struct net_device *)dev;
        struct rtnl_link_ops *ops = (struct rtnl_link_ops *)BPF_CORE_READ(d, rtnl_link_ops);
        char kind[8] = "";

        if (ops)
                bpf_probe_read_kernel_str(kind, sizeof(kind), BPF_CORE_READ(ops, kind));
        return kind[0] == 'v' && kind[1] == 'e' && kind[2] == 't' && kind[3] == 'h' && kind[4] == 0;
}

/* As the driver would answer. */
FIGURE int link_count(__u64 dev, struct link_counts *ret)
{
        struct net_device *d = (struct net_device *)dev;
        struct link_counts other = {0};
        __u64 peer;
        int r;

        if (!ret)
                return -ENXIO;
        if (BPF_CORE_READ(d, flags) & IFF_LOOPBACK) { /* all that is sent is received */
                r = link_sum(dev, ret);
                ret->rx_packets = ret->packets;
                ret->rx_bytes = ret->bytes;
                return r;
        }
        if (!link_is_pair(dev))
                return link_counts_both(dev) ? link_sum(dev, ret) : -ENXIO;
        r = link_sum(dev, ret);
        peer = link_peer(dev);
        if (r == 0 && peer)
                r = link_sum(peer, &other);
        if (peer != link_peer(dev)) /* it went meanwhile: what was read may be anything's */
                return -ENXIO;
        ret->rx_packets = other.packets;
        ret->rx_bytes = other.bytes;
        return r;
}

SOURCE source_link(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_link data;
        struct net *net = source_net(s);
        __u64 at = net ? link_find((__u64)net, s->argument) : 0;
        struct net_device *dev = (struct net_device *)at;
        struct link_counts counts = {0};
        __u32 state;
        int r;

        if (!at)
                return -ENXIO;
        r = link_count(at, &counts);
        if (r < 0)
                return r;
        if (link_find((__u64)net, s->argument) != at) /* as above */
                return -ENXIO;
        PUT(ipackets64, counts.rx_packets);
        PUT(opackets64, counts.packets);
        PUT(rbytes64, counts.rx_bytes);
        PUT(obytes64, counts.bytes);
        PUT(ipackets, (__u32)counts.rx_packets);
        PUT(opackets, (__u32)counts.packets);
        PUT(rbytes, (__u32)counts.rx_bytes);
        PUT(obytes, (__u32)counts.bytes);
        PUT(mtu, BPF_CORE_READ(dev, mtu));
        state = BPF_CORE_READ(dev, operstate);
        PUT(link_up, BPF_CORE_READ(dev, flags) & IFF_UP && (state == IF_OPER_UP || state == IF_OPER_UNKNOWN));
        PUT(ifindex, BPF_CORE_READ(dev, ifindex));
        return 0;
}

#endif
