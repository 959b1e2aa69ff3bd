/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * mibs.bpf.h - where the kernel has counters of IP among its others.  <linux/snmp.h> is no help: it is of the machine
 * where croft was built, and their order has changed (Linux 6.8).
 */
#ifndef CROFT_KSTAT_MIBS_BPF_H
#define CROFT_KSTAT_MIBS_BPF_H

#include <linux/types.h>

/* M(counter, its name in the kernel, its place where the kernel doesn't tell: up to 6.7).  Of two names that a kernel
 * has for one the later is meant: since 6.7 OUTPKTS are what went out, forwarded or not, and the requests are by
 * themselves. */
#define KSTAT_MIBS(M)                                                                                                  \
        M(inReceives, INPKTS, 1)                                                                                       \
        M(inOctets, INOCTETS, 2)                                                                                       \
        M(inDelivers, INDELIVERS, 3)                                                                                   \
        M(forwDatagrams, OUTFORWDATAGRAMS, 4)                                                                          \
        M(outRequests, OUTPKTS, 5)                                                                                     \
        M(outOctets, OUTOCTETS, 6)                                                                                     \
        M(inHdrErrors, INHDRERRORS, 7)                                                                                 \
        M(inAddrErrors, INADDRERRORS, 10)                                                                              \
        M(inDiscards, INDISCARDS, 13)                                                                                  \
        M(outDiscards, OUTDISCARDS, 14)                                                                                \
        M(outNoRoutes, OUTNOROUTES, 15)
#define KSTAT_MIB_REQUESTS "IPSTATS_MIB_OUTREQUESTS"

#define KSTAT_MIB_MEMBER(counter, name, place) __u32 counter;
#define KSTAT_MIB_PLACE(counter, name, place) .counter = (place),
struct kstat_mibs {
        KSTAT_MIBS(KSTAT_MIB_MEMBER)
};

#endif
