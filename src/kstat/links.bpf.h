/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * links.bpf.h - walks over the interfaces of a network namespace.  It takes no lock: an interface that goes meanwhile
 * ends the walk early or is passed over, and the next read shows it right.
 */
#ifndef CROFT_KSTAT_LINKS_BPF_H
#define CROFT_KSTAT_LINKS_BPF_H

#include "plane/kernel.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define LINK_STEPS_MAX 4096 /* interfaces of a namespace that are looked at */

struct link_walk {
        __u64 head, at; /* list_head of the namespace, of the next interface */
        __u64 found;    /* the interface, 0: not yet */
        __s64 ifindex;  /* which */
};

static __always_inline struct net_device *link_of(__u64 at)
{
        return (struct net_device *)(at - bpf_core_field_offset(struct net_device, dev_list));
}

static long link_step(__u32 i, void *context)
{
        struct link_walk *w = context;
        struct net_device *dev = link_of(w->at);

        (void)i;
        if (!w->at || w->at == w->head)
                return 1;
        w->at = (__u64)BPF_CORE_READ(dev, dev_list.next);
        if (BPF_CORE_READ(dev, ifindex) != w->ifindex)
                return 0;
        w->found = (__u64)dev;
        return 1;
}

/* The one behind `at` in the list, behind 0 the first; 0: there is none. */
static __noinline __attribute__((unused)) __u64 link_next(__u64 net, __u64 at)
{
        struct net *n = (struct net *)net;
        __u64 next =
                at ? (__u64)BPF_CORE_READ(link_of(at), dev_list.next) : (__u64)BPF_CORE_READ(n, dev_base_head.next);

        return next == net + bpf_core_field_offset(struct net, dev_base_head) ? 0 : next;
}

/* The interface with that number, 0: there is none. */
static __noinline __attribute__((unused)) __u64 link_find(__u64 net, __u32 ifindex)
{
        struct net *n = (struct net *)net;
        struct link_walk w = {.head = net + bpf_core_field_offset(struct net, dev_base_head),
                .at = (__u64)BPF_CORE_READ(n, dev_base_head.next),
                .ifindex = ifindex};

        bpf_loop(LINK_STEPS_MAX, link_step, &w, 0);
        return w.found;
}

#endif
