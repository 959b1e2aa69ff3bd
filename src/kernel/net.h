/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * net.h - a partition's network: its loopback, a veth pair to a bridge, or an interface of the host moved in.  By
 * rtnetlink (libnl-route).
 *
 * The `net` property: "none" (loopback only, the default)
 *   | "bridge=NAME[,address=ADDR/LEN...][,gateway=ADDR...][,name=eth0][,mac=..][,mtu=N][,bridge-address=ADDR/LEN]" veth
 * to a bridge; without address the partition runs its own DHCP; a bridge that doesn't exist is made by croft, bears the
 * interface alias "croft <tag>", gets bridge-address, and goes with its last user |
 * "interface=IFNAME[,name=..][,address=..][,gateway=..]"   the host's interface itself, given back when the partition
 * stops. IPv4 and IPv6.  Host side of the pair: "cr<id in base 36>" (at most 15 bytes).
 */
#ifndef CROFT_KERNEL_NET_H
#define CROFT_KERNEL_NET_H

#include <croft/error.h>
#include <stdint.h>

enum net_kind { NET_NONE, NET_BRIDGE, NET_INTERFACE };
#define NET_ADDRESSES_MAX 8

struct net_spec {
        enum net_kind kind;
        char link[16];  /* the bridge, or the host's interface */
        char name[16];  /* inside; "eth0" unless said otherwise */
        uint8_t mac[6]; /* all zero: the kernel's choice */
        uint32_t mtu;   /* 0: that of the bridge */
        char address[NET_ADDRESSES_MAX][64];
        char gateway[2][64];
        char bridge_address[64];
};

/* Decides only; touches nothing. -EINVAL with the word at fault. */
int net_spec_parse(const char *text, struct net_spec *ret, struct croft_error *err);

/* Makes the partition's network from the host's side: netns_fd is the partition's network namespace.  Brings lo up.
 * Idempotent; on failure nothing of it is left but what net_release() takes away. tag: the instance, for what croft
 * makes. */
int net_setup(const struct net_spec *spec, const char *tag, uint64_t id, int netns_fd, struct croft_error *err);
/* Takes it down.  netns_fd may be -1 (the namespace is gone: the kernel has deleted the pair; a moved hardware
 * interface came back by itself; a moved virtual one died with it).  Removes the bridge if croft made it and nobody
 * else is on it.  Idempotent. */
int net_release(const struct net_spec *spec, const char *tag, uint64_t id, int netns_fd, struct croft_error *err);

#endif
