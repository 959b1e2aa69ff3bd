/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * net_link.h - the few acts of rtnetlink that net.c is made of.  Not for others: they use net.h.
 *
 * Each returns 0 or a negative errno and sets no error text; net.c knows what it was for.
 */
#ifndef CROFT_KERNEL_NET_LINK_H
#define CROFT_KERNEL_NET_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct nl_sock;

/* A socket in the network namespace netns_fd, or in the caller's (-1).  The caller ends it with net_socket_free(). */
int net_socket(int netns_fd, struct nl_sock **ret);
void net_socket_freep(struct nl_sock **s);

struct net_link {
        int index;
        char name[IFNAMSIZ];
        char kind[32];   /* "bridge", "veth"; "" for hardware */
        char alias[256]; /* "" for none */
        int master;      /* index, 0: none */
        uint32_t mtu;
        uint8_t mac[6];
};
/* -ENODEV: there is none. */
int net_link_by_name(struct nl_sock *s, const char *name, struct net_link *ret);
int net_link_by_index(struct nl_sock *s, int index, struct net_link *ret);
/* Calls f for each; stops at the first non-zero and returns it. */
int net_link_each(struct nl_sock *s, int (*f)(const struct net_link *link, void *context), void *context);

int net_link_up(struct nl_sock *s, int index);
int net_link_set_alias(struct nl_sock *s, int index, const char *alias);
int net_link_rename(struct nl_sock *s, int index, const char *name);
int net_link_delete(struct nl_sock *s, int index);
int net_bridge_add(struct nl_sock *s, const char *name, const uint8_t mac[6]);
/* Makes the pair at once: the host's end is a port of the bridge and up, the peer is born in its namespace under its
 * final name. */
struct net_pair {
        const char *host_name;
        int bridge; /* index */
        uint32_t mtu;
        const char *peer_name;
        const uint8_t *peer_mac;
        int peer_netns; /* descriptor */
};
int net_pair_add(struct nl_sock *s, const struct net_pair *pair);
/* Moves a link to another namespace under that name and, unless 0, that index. */
int net_link_move(struct nl_sock *s, int index, int netns_fd, const char *new_name, int new_index);

/* "ADDR/LEN"; one that is there already is fine. */
int net_address_add(struct nl_sock *s, int index, const char *address);
int net_gateway_add(struct nl_sock *s, int index, const char *gateway);
/* Are there default routes, and do all go through that link? */
int net_has_only_default(struct nl_sock *s, int index, bool *ret);

#endif
