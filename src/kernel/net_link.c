/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * net_link.c - links, addresses and routes by rtnetlink.  See net_link.h.
 *
 * Another namespace is reached by a socket that a short-lived thread opened there: a socket belongs to the namespace
 * it was made in, whoever uses it, and the process itself never leaves its own.
 */
#include "kernel/net_link.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#ifndef IFLA_NEW_IFINDEX /* 5.13; older headers lack it */
#define IFLA_NEW_IFINDEX 49
#endif

/* libnl has fewer errors than the kernel; what the kernel said comes through as this and the errno. */
#define KERNEL_ERROR 100000

static int keep_kernel_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
        (void)from;
        (void)arg;
        return -KERNEL_ERROR + error->error;
}

/* What libnl makes of errno, undone. */
static int errno_of(int nl_error)
{
        static const struct {
                int nl, sys;
        } table[] = {{NLE_EXIST, EEXIST}, {NLE_OBJ_NOTFOUND, ENODEV}, {NLE_NODEV, ENODEV}, {NLE_BUSY, EBUSY},
                {NLE_PERM, EPERM}, {NLE_NOACCESS, EACCES}, {NLE_NOMEM, ENOMEM}, {NLE_INVAL, EINVAL},
                {NLE_OPNOTSUPP, EOPNOTSUPP}, {NLE_RANGE, ERANGE}, {NLE_NOADDR, EADDRNOTAVAIL}, {NLE_AGAIN, EAGAIN},
                {NLE_INTR, EINTR}, {NLE_MSG_OVERFLOW, ENOBUFS}, {NLE_AF_NOSUPPORT, EAFNOSUPPORT}, {NLE_NOATTR, ENODATA},
                {NLE_MSG_TRUNC, EMSGSIZE}, {NLE_DUMP_INTR, EINTR}};

        if (nl_error >= 0)
                return 0;
        if (nl_error <= -KERNEL_ERROR)
                return nl_error + KERNEL_ERROR;
        for (size_t i = 0; i < ELEMENTS(table); i++)
                if (table[i].nl == -nl_error)
                        return -table[i].sys;
        return -EIO;
}

static void link_putp(struct rtnl_link **link)
{
        rtnl_link_put(*link);
}

static void addr_putp(struct nl_addr **addr)
{
        nl_addr_put(*addr);
}

static void cache_freep(struct nl_cache **cache)
{
        nl_cache_free(*cache);
}

static void rtnl_addr_putp(struct rtnl_addr **addr)
{
        rtnl_addr_put(*addr);
}

static void route_putp(struct rtnl_route **route)
{
        rtnl_route_put(*route);
}

void net_socket_freep(struct nl_sock **s)
{
        nl_socket_free(*s);
        *s = NULL;
}

static int connect_here(struct nl_sock **ret)
{
        struct nl_sock *s = nl_socket_alloc();
        int r;

        if (!s)
                return -ENOMEM;
        r = errno_of(nl_connect(s, NETLINK_ROUTE));
        if (r == 0)
                r = errno_of(nl_socket_modify_err_cb(s, NL_CB_CUSTOM, keep_kernel_error, NULL));
        if (r < 0) {
                nl_socket_free(s);
                return r;
        }
        *ret = s;
        return 0;
}

struct visit {
        int netns_fd;
        struct nl_sock *socket;
        int result;
};

static void *visit_namespace(void *arg)
{
        struct visit *visit = arg;

        if (setns(visit->netns_fd, CLONE_NEWNET) < 0)
                visit->result = -errno;
        else
                visit->result = connect_here(&visit->socket);
        return NULL;
}

int net_socket(int netns_fd, struct nl_sock **ret)
{
        struct visit visit = {.netns_fd = netns_fd};
        pthread_t thread;
        int r;

        if (netns_fd < 0)
                return connect_here(ret);
        r = pthread_create(&thread, NULL, visit_namespace, &visit);
        if (r != 0)
                return -r;
        (void)pthread_join(thread, NULL); /* fails for our bugs only */
        if (visit.result == 0)
                *ret = visit.socket;
        return visit.result;
}

static void describe(struct rtnl_link *from, struct net_link *ret)
{
        struct nl_addr *mac = rtnl_link_get_addr(from);
        const char *name = rtnl_link_get_name(from), *kind = rtnl_link_get_type(from),
                   *alias = rtnl_link_get_ifalias(from);

        *ret = (struct net_link){.index = rtnl_link_get_ifindex(from),
                .master = rtnl_link_get_master(from),
                .mtu = rtnl_link_get_mtu(from)};
        (void)str_copy(ret->name, sizeof(ret->name), name ? name : "");
        (void)str_copy(ret->kind, sizeof(ret->kind), kind ? kind : "");
        (void)str_copy(ret->alias, sizeof(ret->alias), alias ? alias : "");
        if (mac && nl_addr_get_len(mac) == sizeof(ret->mac))
                memcpy(ret->mac, nl_addr_get_binary_addr(mac), sizeof(ret->mac));
}

static int get_link(struct nl_sock *s, int index, const char *name, struct net_link *ret)
{
        _cleanup_(link_putp) struct rtnl_link *link = NULL;
        int r = errno_of(rtnl_link_get_kernel(s, index, name, &link));

        if (r == 0)
                describe(link, ret);
        return r;
}

int net_link_by_name(struct nl_sock *s, const char *name, struct net_link *ret)
{
        return get_link(s, 0, name, ret);
}

int net_link_by_index(struct nl_sock *s, int index, struct net_link *ret)
{
        return get_link(s, index, NULL, ret);
}

int net_link_each(struct nl_sock *s, int (*f)(const struct net_link *link, void *context), void *context)
{
        _cleanup_(cache_freep) struct nl_cache *cache = NULL;
        int r = errno_of(rtnl_link_alloc_cache(s, AF_UNSPEC, &cache));

        for (struct nl_object *o = r == 0 ? nl_cache_get_first(cache) : NULL; o && r == 0; o = nl_cache_get_next(o)) {
                struct net_link link;

                describe((struct rtnl_link *)o, &link);
                r = f(&link, context);
        }
        return r;
}

/* A request about one link, for attributes that libnl doesn't know or treats in its own way. */
static struct nl_msg *link_request(int type, int index, unsigned int flags)
{
        struct ifinfomsg head = {.ifi_index = index, .ifi_flags = flags, .ifi_change = flags};
        struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST);

        if (msg && nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) == 0)
                return msg;
        nlmsg_free(msg);
        return NULL;
}

/* Sends it and waits for the answer; frees it. */
static int ask(struct nl_sock *s, struct nl_msg *msg, bool complete)
{
        if (!msg || !complete) {
                nlmsg_free(msg);
                return -ENOMEM;
        }
        return errno_of(nl_send_sync(s, msg));
}

int net_link_up(struct nl_sock *s, int index)
{
        return ask(s, link_request(RTM_SETLINK, index, IFF_UP), true);
}

int net_link_set_alias(struct nl_sock *s, int index, const char *alias)
{
        struct nl_msg *msg = link_request(RTM_SETLINK, index, 0);

        /* Without the NUL: an empty attribute takes the alias away. */
        return ask(s, msg, msg && nla_put(msg, IFLA_IFALIAS, (int)strlen(alias), alias) == 0);
}

int net_link_rename(struct nl_sock *s, int index, const char *name)
{
        struct nl_msg *msg = link_request(RTM_SETLINK, index, 0);

        return ask(s, msg, msg && nla_put_string(msg, IFLA_IFNAME, name) == 0);
}

int net_link_delete(struct nl_sock *s, int index)
{
        return ask(s, link_request(RTM_DELLINK, index, 0), true);
}

int net_link_move(struct nl_sock *s, int index, int netns_fd, const char *new_name, int new_index)
{
        struct nl_msg *msg = link_request(RTM_SETLINK, index, 0);
        bool complete = msg && nla_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)netns_fd) == 0 &&
                        nla_put_string(msg, IFLA_IFNAME, new_name) == 0 &&
                        (new_index == 0 || nla_put_u32(msg, IFLA_NEW_IFINDEX, (uint32_t)new_index) == 0);

        return ask(s, msg, complete);
}

static int set_mac(struct rtnl_link *link, const uint8_t mac[6])
{
        uint8_t copy[6];
        _cleanup_(addr_putp) struct nl_addr *addr = NULL;

        memcpy(copy, mac, sizeof(copy));
        addr = nl_addr_build(AF_LLC, copy, sizeof(copy));
        if (!addr)
                return -ENOMEM;
        rtnl_link_set_addr(link, addr);
        return 0;
}

int net_bridge_add(struct nl_sock *s, const char *name, const uint8_t mac[6])
{
        _cleanup_(link_putp) struct rtnl_link *link = rtnl_link_alloc();
        int r;

        if (!link)
                return -ENOMEM;
        rtnl_link_set_name(link, name);
        r = errno_of(rtnl_link_set_type(link, "bridge"));
        if (r == 0)
                r = set_mac(link, mac);
        if (r == 0)
                r = errno_of(rtnl_link_add(s, link, NLM_F_CREATE | NLM_F_EXCL));
        return r;
}

int net_pair_add(struct nl_sock *s, const struct net_pair *pair)
{
        _cleanup_(link_putp) struct rtnl_link *link = rtnl_link_veth_alloc(), *peer = NULL;
        int r;

        if (!link)
                return -ENOMEM;
        peer = rtnl_link_veth_get_peer(link);
        rtnl_link_set_name(link, pair->host_name);
        rtnl_link_set_master(link, pair->bridge);
        rtnl_link_set_mtu(link, pair->mtu);
        rtnl_link_set_flags(link, IFF_UP);
        rtnl_link_set_name(peer, pair->peer_name);
        rtnl_link_set_mtu(peer, pair->mtu);
        rtnl_link_set_ns_fd(peer, pair->peer_netns);
        r = set_mac(peer, pair->peer_mac);
        if (r == 0)
                r = errno_of(rtnl_link_add(s, link, NLM_F_CREATE | NLM_F_EXCL));
        return r;
}

int net_address_add(struct nl_sock *s, int index, const char *address)
{
        _cleanup_(rtnl_addr_putp) struct rtnl_addr *to = rtnl_addr_alloc();
        _cleanup_(addr_putp) struct nl_addr *addr = NULL;
        int r;

        if (!to)
                return -ENOMEM;
        r = errno_of(nl_addr_parse(address, AF_UNSPEC, &addr));
        if (r == 0) {
                rtnl_addr_set_ifindex(to, index);
                r = errno_of(rtnl_addr_set_local(to, addr));
        }
        /* Who sets an address by hand knows that it is free; duplicate detection would keep it from use for seconds. */
        if (r == 0 && nl_addr_get_family(addr) == AF_INET6)
                rtnl_addr_set_flags(to, IFA_F_NODAD);
        if (r == 0)
                r = errno_of(rtnl_addr_add(s, to, 0));
        return r == -EEXIST ? 0 : r;
}

int net_gateway_add(struct nl_sock *s, int index, const char *gateway)
{
        _cleanup_(route_putp) struct rtnl_route *route = rtnl_route_alloc();
        _cleanup_(addr_putp) struct nl_addr *via = NULL, *any = NULL;
        struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
        int r;

        if (route && hop) {
                rtnl_route_add_nexthop(route, hop); /* owns it from here on */
                r = errno_of(nl_addr_parse(gateway, AF_UNSPEC, &via));
        } else {
                rtnl_route_nh_free(hop);
                return -ENOMEM;
        }
        if (r < 0)
                return r;
        any = nl_addr_alloc(16);
        if (!any)
                return -ENOMEM;
        nl_addr_set_family(any, nl_addr_get_family(via));
        nl_addr_set_prefixlen(any, 0);
        rtnl_route_nh_set_ifindex(hop, index);
        rtnl_route_nh_set_gateway(hop, via);
        rtnl_route_set_family(route, (uint8_t)nl_addr_get_family(via));
        r = errno_of(rtnl_route_set_dst(route, any));
        if (r == 0)
                r = errno_of(rtnl_route_add(s, route, NLM_F_CREATE | NLM_F_EXCL));
        return r == -EEXIST ? 0 : r;
}

/* Counts the default routes of the main table, and those of them through the link. */
static int count_defaults(struct nl_sock *s, int family, int index, unsigned int count[2])
{
        _cleanup_(cache_freep) struct nl_cache *cache = NULL;
        int r = errno_of(rtnl_route_alloc_cache(s, family, 0, &cache));

        for (struct nl_object *o = r == 0 ? nl_cache_get_first(cache) : NULL; o; o = nl_cache_get_next(o)) {
                struct rtnl_route *route = (struct rtnl_route *)o;
                struct nl_addr *to = rtnl_route_get_dst(route);

                if ((to && nl_addr_get_prefixlen(to) != 0) || rtnl_route_get_table(route) != RT_TABLE_MAIN ||
                        rtnl_route_get_type(route) != RTN_UNICAST)
                        continue;
                for (int i = 0; i < rtnl_route_get_nnexthops(route); i++)
                        count[rtnl_route_nh_get_ifindex(rtnl_route_nexthop_n(route, i)) == index]++;
        }
        return r;
}

int net_has_only_default(struct nl_sock *s, int index, bool *ret)
{
        unsigned int count[2] = {0, 0};
        int r = count_defaults(s, AF_INET, index, count);

        if (r == 0)
                r = count_defaults(s, AF_INET6, index, count);
        if (r == 0)
                *ret = count[1] > 0 && count[0] == 0;
        return r;
}
