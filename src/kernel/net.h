/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * net.h - a partition's network: a veth pair to a bridge, or an interface of the host moved in.  By
 * rtnetlink (libnl-route).
 *
 * The `net` property, words parted by commas:
 *   none                     the loopback only (ns_loopback_up()), the default
 *   bridge=NAME[,...]        a veth pair to a bridge
 *       address=ADDR/LEN     up to 8; without one the partition runs its own DHCP client
 *       gateway=ADDR         one for IPv4, one for IPv6
 *       name=IFNAME          inside; eth0
 *       mac=XX:XX:XX:XX:XX:XX   else one derived from instance and partition: it stays, and so do DHCP leases
 *       mtu=N                else that of the bridge
 *       bridge-address=ADDR/LEN   for a bridge that croft makes
 *   interface=IFNAME[,name=..][,address=..][,gateway=..]   the host's interface itself, given back when the partition
 *                            stops
 *
 * A bridge that doesn't exist is made by croft, bears the interface alias "croft <tag>", gets bridge-address, and goes
 * with its last user; a bridge that does exist is used as it is.  The host's side of the pair is "cr<id in base
 * 36>-<tag>", cut to 15 bytes, so that instances don't meet.
 *
 * Limits: croft sets up no NAT, no forwarding and no packet filter; bridges are those of the kernel (no openvswitch).
 * An interface that is moved loses its addresses and routes on the host and comes back down, without them.  When the
 * namespace dies before net_release(), a hardware interface falls back to the initial namespace under some name, and
 * net_release() renames it; a virtual one (vlan, macvlan, dummy) dies with the namespace.
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
        uint8_t mac[6]; /* all zero: derived */
        uint32_t mtu;   /* 0: that of the bridge */
        char address[NET_ADDRESSES_MAX][64];
        char gateway[2][64];
        char bridge_address[64];
};

/* Decides only; touches nothing. -EINVAL with the word at fault. */
int net_spec_parse(const char *text, struct net_spec *ret, struct croft_error *err);

/* Makes the partition's network from the host's side: netns_fd is the partition's network namespace.  Brings lo up.
 * Idempotent; on failure nothing of it is left.  tag: the instance, for what croft makes.  May be called from any
 * thread; the caller is in the host's network namespace.
 * -EEXIST: the bridge's name is that of another kind of interface. -ENODEV: no such interface to move. -EBUSY: it is a
 * port of a bridge, or carries the host's only default route. */
int net_setup(const struct net_spec *spec, const char *tag, uint64_t id, int netns_fd, struct croft_error *err);
/* Takes it down.  netns_fd may be -1 (the namespace is gone).  Removes the bridge if croft made it and nobody else is
 * on it.  Idempotent.  The kernel takes about 20 ms to delete a pair and 35 ms to delete a bridge (grace periods of
 * RCU; measured on 6.18); several threads wait for them at once. */
int net_release(const struct net_spec *spec, const char *tag, uint64_t id, int netns_fd, struct croft_error *err);

/* Name of the host's side of the pair, and the derived hardware address. */
void net_host_name(const char *tag, uint64_t id, char ret[16]);
void net_derived_mac(const char *tag, uint64_t id, uint8_t ret[6]);

#endif
