/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * net.c - a partition's network, made and taken down from the host's side.  See net.h.
 *
 * Nothing is remembered here: what belongs to a partition is found again by the derived name of the pair, by the alias
 * of a bridge, and by index and alias of a moved interface.  Names that are read out of a partition's namespace are
 * never trusted: its root may have renamed everything.
 */
#include "kernel/net.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "kernel/net_link.h"

#include <fcntl.h>
#include <inttypes.h>
#include <netlink/socket.h>
#include <pthread.h>
#include <string.h>

/* A moved interface gets this index, which the partition's root can't change. */
#define MOVED_INDEX 100
/* Another croftd may remove the bridge between our look at it and the making of the pair. */
#define BRIDGE_TRIES 16

/* Bridges of this process: made, joined, left and removed one at a time. */
static pthread_mutex_t bridge_lock = PTHREAD_MUTEX_INITIALIZER;

static void unlockp(pthread_mutex_t **lock)
{
        if (*lock)
                (void)pthread_mutex_unlock(*lock);
}

static void bridge_alias(const char *tag, char alias[64])
{
        (void)snprintf(alias, 64, "croft %s", tag);
}

static void moved_alias(const char *tag, uint64_t id, const char *name, char alias[96])
{
        (void)snprintf(alias, 96, "croft %s %" PRIu64 " %s", tag, id, name);
}

/* A bridge takes over the lowest address of its ports unless it has one of its own; neighbours would have to learn a
 * new one whenever a partition comes or goes.  Made of instance and name, it also tells a bridge of ours whose maker
 * was killed before it could set the alias. */
static void bridge_mac(const char *tag, const char *name, uint8_t mac[6])
{
        char both[64];

        (void)snprintf(both, sizeof(both), "%s %s", tag, name);
        net_derived_mac(both, 0, mac);
}

static bool bridge_is_ours(const struct net_link *bridge, const char *tag)
{
        char alias[64];
        uint8_t mac[6];

        bridge_alias(tag, alias);
        bridge_mac(tag, bridge->name, mac);
        return strcmp(bridge->kind, "bridge") == 0 &&
               (strcmp(bridge->alias, alias) == 0 || (!bridge->alias[0] && memcmp(bridge->mac, mac, sizeof(mac)) == 0));
}

/* Brings a bridge of ours to the state in which partitions find it. */
static int finish_bridge(struct nl_sock *host, const struct net_spec *spec, const char *tag,
        const struct net_link *bridge, struct croft_error *err)
{
        char alias[64];
        int r;

        bridge_alias(tag, alias);
        r = net_link_set_alias(host, bridge->index, alias);
        if (r == 0 && spec->bridge_address[0])
                r = net_address_add(host, bridge->index, spec->bridge_address);
        if (r == 0)
                r = net_link_up(host, bridge->index);
        return r < 0 ? croft_error_set(err, r, "set up bridge '%s'", spec->link) : 0;
}

/* Finds the bridge, or makes it. */
static int get_bridge(struct nl_sock *host, const struct net_spec *spec, const char *tag, struct net_link *ret,
        struct croft_error *err)
{
        uint8_t mac[6];
        int r = net_link_by_name(host, spec->link, ret);

        if (r == -ENODEV) {
                bridge_mac(tag, spec->link, mac);
                r = net_bridge_add(host, spec->link, mac);
                if (r < 0 && r != -EEXIST)
                        return croft_error_set(err, r, "make bridge '%s'", spec->link);
                r = net_link_by_name(host, spec->link, ret);
        }
        if (r < 0)
                return croft_error_set(err, r, "look for bridge '%s'", spec->link);
        if (strcmp(ret->kind, "bridge") != 0)
                return croft_error_set(err, EEXIST, "interface '%s' is no bridge%s%s.", spec->link,
                        ret->kind[0] ? " but of kind " : "", ret->kind);
        return bridge_is_ours(ret, tag) ? finish_bridge(host, spec, tag, ret, err) : 0;
}

static int note_port(const struct net_link *link, void *context)
{
        return link->master == *(const int *)context;
}

/* Removes the bridge if it is ours and has no port. */
static int put_bridge(struct nl_sock *host, const struct net_spec *spec, const char *tag, struct croft_error *err)
{
        struct net_link bridge;
        int r = net_link_by_name(host, spec->link, &bridge);

        if (r == -ENODEV || (r == 0 && !bridge_is_ours(&bridge, tag)))
                return 0;
        if (r == 0)
                r = net_link_each(host, note_port, &bridge.index);
        if (r == 0)
                r = net_link_delete(host, bridge.index);
        return r < 0 && r != -ENODEV ? croft_error_set(err, r, "remove bridge '%s'", spec->link) : 0;
}

/* Deletes the pair; its other end goes with it, wherever it is. */
static int delete_pair(struct nl_sock *host, const char *tag, uint64_t id, struct croft_error *err)
{
        struct net_link link;
        char name[IFNAMSIZ];
        int r;

        net_host_name(tag, id, name);
        r = net_link_by_name(host, name, &link);
        if (r == 0 && strcmp(link.kind, "veth") != 0)
                return croft_error_set(err, EEXIST, "interface '%s' isn't croft's but bears its name.", name);
        if (r == 0)
                r = net_link_delete(host, link.index);
        return r < 0 && r != -ENODEV ? croft_error_set(err, r, "delete interface '%s'", name) : 0;
}

/* Makes the pair; -ENODEV: the bridge went meanwhile. */
static int add_pair(
        struct nl_sock *host, const struct net_spec *spec, const char *tag, uint64_t id, const struct net_pair *like)
{
        static const uint8_t none[6] = {0};
        char name[IFNAMSIZ];
        uint8_t mac[6];
        struct net_pair pair = *like;

        net_host_name(tag, id, name);
        net_derived_mac(tag, id, mac);
        pair.host_name = name;
        pair.peer_name = spec->name;
        pair.peer_mac = memcmp(spec->mac, none, sizeof(none)) == 0 ? mac : spec->mac;
        return net_pair_add(host, &pair);
}

static int connect_bridge(struct nl_sock *host, const struct net_spec *spec, const char *tag, uint64_t id, int netns_fd,
        struct croft_error *err)
{
        _cleanup_(unlockp) pthread_mutex_t *locked = &bridge_lock;
        int r;

        (void)pthread_mutex_lock(locked); /* fails for our bugs only */
        r = delete_pair(host, tag, id, err);
        if (r < 0)
                return r;
        for (int i = 0; i < BRIDGE_TRIES; i++) {
                struct net_link bridge;

                r = get_bridge(host, spec, tag, &bridge, err);
                if (r == -ENODEV)
                        continue;
                if (r < 0)
                        return r;
                r = add_pair(host, spec, tag, id,
                        &(struct net_pair){.bridge = bridge.index,
                                .mtu = spec->mtu ? spec->mtu : bridge.mtu,
                                .peer_netns = netns_fd});
                if (r != -ENODEV)
                        break;
        }
        if (r == -EEXIST)
                return croft_error_set(err, r, "interface '%s' exists in the partition", spec->name);
        return r < 0 ? croft_error_set(err, r, "make the pair of interfaces on bridge '%s'", spec->link) : 0;
}

/* Is the interface fit to be taken from the host? */
static int check_movable(struct nl_sock *host, const struct net_link *link, struct croft_error *err)
{
        struct net_link master;
        bool only;
        int r;

        if (link->master && net_link_by_index(host, link->master, &master) == 0)
                return croft_error_set(
                        err, EBUSY, "interface '%s' is a port of '%s': take it out first.", link->name, master.name);
        r = net_has_only_default(host, link->index, &only);
        if (r < 0)
                return croft_error_set(err, r, "look at the host's routes");
        if (only)
                return croft_error_set(err, EBUSY, "interface '%s' carries the host's only default route.", link->name);
        return 0;
}

static int move_in(struct nl_sock *host, struct nl_sock *inside, const struct net_spec *spec, const char *alias,
        int netns_fd, struct croft_error *err)
{
        struct net_link link;
        int r = net_link_by_index(inside, MOVED_INDEX, &link);

        if (r == 0 && strcmp(link.alias, alias) == 0)
                return 0; /* by an earlier try */
        r = net_link_by_name(host, spec->link, &link);
        if (r == -ENODEV)
                return croft_error_set(err, ENODEV,
                        "the host has no interface '%s' (or another partition has it, or it bears another name).",
                        spec->link);
        if (r < 0)
                return croft_error_set(err, r, "look for interface '%s'", spec->link);
        r = check_movable(host, &link, err);
        if (r < 0)
                return r;
        r = net_link_set_alias(host, link.index, alias);
        if (r == 0)
                r = net_link_move(host, link.index, netns_fd, spec->name, MOVED_INDEX);
        if (r == -EINVAL)
                return croft_error_set(err, r, "interface '%s' can't be moved, says the kernel.", spec->link);
        return r < 0 ? croft_error_set(err, r, "move interface '%s' into the partition", spec->link) : 0;
}

static int find_alias(const struct net_link *link, void *context)
{
        struct net_link *wanted = context;

        if (strcmp(link->alias, wanted->alias) != 0)
                return 0;
        *wanted = *link;
        return 1;
}

/* Gives an interface that is on the host its name back: one that fell out of a dying namespace, or that was marked and
 * not yet moved. */
static int settle_on_host(struct nl_sock *host, const struct net_spec *spec, const char *alias, struct croft_error *err)
{
        struct net_link link = {0};
        int r;

        (void)str_copy(link.alias, sizeof(link.alias), alias);
        r = net_link_each(host, find_alias, &link);
        if (r == 1 && strcmp(link.name, spec->link) != 0) {
                r = net_link_rename(host, link.index, spec->link);
                if (r < 0)
                        return croft_error_set(err, r, "name interface '%s' '%s' again", link.name, spec->link);
                r = 1;
        }
        if (r == 1)
                r = net_link_set_alias(host, link.index, "");
        return r < 0 ? croft_error_set(err, r, "give interface '%s' back", spec->link) : 0;
}

static int move_out(struct nl_sock *host, const struct net_spec *spec, const char *tag, uint64_t id, int netns_fd,
        struct croft_error *err)
{
        _cleanup_(net_socket_freep) struct nl_sock *inside = NULL;
        _cleanup_close_ int home = -EBADF;
        struct net_link link;
        char alias[96];
        int r = 0;

        moved_alias(tag, id, spec->link, alias);
        if (netns_fd >= 0) {
                home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
                r = home < 0 ? -errno : net_socket(netns_fd, &inside);
                if (r == 0)
                        r = net_link_by_index(inside, MOVED_INDEX, &link);
                if (r == 0)
                        r = net_link_move(inside, MOVED_INDEX, home, spec->link, 0);
                if (r == -EEXIST)
                        return croft_error_set(err, r,
                                "interface '%s' can't come back: the host has one of that name now.", spec->link);
                if (r < 0 && r != -ENODEV)
                        return croft_error_set(err, r, "move interface '%s' back", spec->link);
                if (r == 0) { /* the partition's root may have changed the alias */
                        r = net_link_by_name(host, spec->link, &link);
                        if (r == 0)
                                r = net_link_set_alias(host, link.index, "");
                        return r < 0 ? croft_error_set(err, r, "give interface '%s' back", spec->link) : 0;
                }
        }
        return settle_on_host(host, spec, alias, err);
}

/* Addresses, gateways and the link itself, seen from inside. */
static int configure(struct nl_sock *inside, const struct net_spec *spec, int index, struct croft_error *err)
{
        int r = net_link_up(inside, index);

        if (r < 0)
                return croft_error_set(err, r, "bring interface '%s' up", spec->name);
        for (size_t i = 0; i < NET_ADDRESSES_MAX && spec->address[i][0]; i++) {
                r = net_address_add(inside, index, spec->address[i]);
                if (r < 0)
                        return croft_error_set(err, r, "give '%s' the address %s", spec->name, spec->address[i]);
        }
        for (size_t i = 0; i < ELEMENTS(spec->gateway) && spec->gateway[i][0]; i++) {
                r = net_gateway_add(inside, index, spec->gateway[i]);
                if (r == -ENETUNREACH || r == -EHOSTUNREACH || r == -EINVAL)
                        return croft_error_set(err, EINVAL, "net: gateway %s is in none of the networks of address=.",
                                spec->gateway[i]);
                if (r < 0)
                        return croft_error_set(err, r, "set the gateway %s", spec->gateway[i]);
        }
        return 0;
}

static int setup(const struct net_spec *spec, const char *tag, uint64_t id, int netns_fd, struct croft_error *err)
{
        _cleanup_(net_socket_freep) struct nl_sock *host = NULL, *inside = NULL;
        struct net_link link = {.index = MOVED_INDEX};
        char alias[96];
        int r = net_socket(-1, &host);

        if (r == 0)
                r = net_socket(netns_fd, &inside);
        if (r < 0)
                return croft_error_set(err, r, "open a socket in the partition's network namespace");
        if (spec->kind == NET_INTERFACE) {
                moved_alias(tag, id, spec->link, alias);
                r = move_in(host, inside, spec, alias, netns_fd, err);
        } else {
                r = connect_bridge(host, spec, tag, id, netns_fd, err);
                /* By name: nothing of the partition runs yet. */
                if (r == 0 && (r = net_link_by_name(inside, spec->name, &link)) < 0)
                        return croft_error_set(err, r, "look for interface '%s' in the partition", spec->name);
        }
        return r < 0 ? r : configure(inside, spec, link.index, err);
}

int net_setup(const struct net_spec *spec, const char *tag, uint64_t id, int netns_fd, struct croft_error *err)
{
        int r = spec->kind == NET_NONE ? 0 : setup(spec, tag, id, netns_fd, err);

        if (r < 0)
                (void)net_release(spec, tag, id, netns_fd, NULL); /* the first fault is what matters */
        return r;
}

int net_release(const struct net_spec *spec, const char *tag, uint64_t id, int netns_fd, struct croft_error *err)
{
        _cleanup_(unlockp) pthread_mutex_t *locked = NULL;
        _cleanup_(net_socket_freep) struct nl_sock *host = NULL;
        int r;

        if (spec->kind == NET_NONE)
                return 0;
        r = net_socket(-1, &host);
        if (r < 0)
                return croft_error_set(err, r, "open a netlink socket");
        if (spec->kind == NET_INTERFACE)
                return move_out(host, spec, tag, id, netns_fd, err);
        r = delete_pair(host, tag, id, err);
        if (r < 0)
                return r;
        (void)pthread_mutex_lock(&bridge_lock); /* fails for our bugs only */
        locked = &bridge_lock;
        return put_bridge(host, spec, tag, err);
}
