/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_net.c - networks of partitions on the real kernel: packets flow, addresses stay, and nothing is left.
 *
 * where: here guest
 *
 * The test makes a network namespace and plays the host in it: interfaces of the real host are never touched.
 */
#include "base/cleanup.h"
#include "kernel/net.h"
#include "kernel/net_link.h"
#include "tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define TAG "0a1b2c3d"
#define A 1
#define B 40

static struct croft_error err;
static struct nl_sock *host;

/* A partition: a process with a network namespace that belongs to a user namespace of its own. */
struct place {
        pid_t pid;
        int netns;
};

static struct place place_new(void)
{
        struct place p = {.netns = -EBADF};
        char path[64], byte;
        int ready[2];

        (void)fflush(stdout);
        if (pipe2(ready, O_CLOEXEC) < 0)
                return p;
        p.pid = fork();
        if (p.pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
                        (void)!write(ready[1], "", 1);
                for (;;)
                        pause();
        }
        close_fd(ready[1]);
        (void)!read(ready[0], &byte, 1);
        close_fd(ready[0]);
        (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)p.pid);
        p.netns = open(path, O_RDONLY | O_CLOEXEC);
        return p;
}

static void place_end(struct place *p)
{
        p->netns = close_fd(p->netns);
        if (p->pid > 0) {
                (void)kill(p->pid, SIGKILL);
                (void)waitpid(p->pid, NULL, 0);
        }
        p->pid = 0;
}

struct socket_order {
        int netns, family, fd;
};

static void *socket_thread(void *arg)
{
        struct socket_order *o = arg;

        o->fd = o->netns < 0 || setns(o->netns, CLONE_NEWNET) == 0 ? socket(o->family, SOCK_DGRAM | SOCK_CLOEXEC, 0)
                                                                   : -1;
        return NULL;
}

/* A datagram socket in a namespace; -1: the host's. */
static int socket_in(int netns, int family)
{
        struct socket_order o = {.netns = netns, .family = family, .fd = -1};
        pthread_t thread;

        if (pthread_create(&thread, NULL, socket_thread, &o) == 0)
                (void)pthread_join(thread, NULL);
        return o.fd;
}

static socklen_t fill(struct sockaddr_storage *to, const char *address, uint16_t port)
{
        struct sockaddr_in *v4 = (struct sockaddr_in *)to;
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

        *to = (struct sockaddr_storage){0};
        if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
                v4->sin_family = AF_INET;
                v4->sin_port = htons(port);
                return sizeof(*v4);
        }
        (void)inet_pton(AF_INET6, address, &v6->sin6_addr);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        return sizeof(*v6);
}

/* Does a datagram from one namespace arrive in the other, and an answer come back? */
static bool reaches(int from, int to, const char *address)
{
        struct sockaddr_storage at, back;
        socklen_t size = fill(&at, address, 4711), back_size = sizeof(back);
        _cleanup_close_ int client = socket_in(from, at.ss_family), server = socket_in(to, at.ss_family);
        struct pollfd p = {.fd = server, .events = POLLIN};
        char word[16] = "";

        if (bind(server, (struct sockaddr *)&at, size) < 0 || connect(client, (struct sockaddr *)&at, size) < 0 ||
                send(client, "there", 5, 0) != 5 || poll(&p, 1, 10000) != 1 ||
                recvfrom(server, word, sizeof(word), 0, (struct sockaddr *)&back, &back_size) != 5 ||
                sendto(server, "back", 4, 0, (struct sockaddr *)&back, back_size) != 4)
                return false;
        p.fd = client;
        return poll(&p, 1, 10000) == 1 && recv(client, word, sizeof(word), 0) == 4 && memcmp(word, "back", 4) == 0;
}

/* Would a datagram to the address leave the namespace? */
static bool has_route(int netns, const char *address)
{
        struct sockaddr_storage to;
        socklen_t size = fill(&to, address, 9);
        _cleanup_close_ int fd = socket_in(netns, to.ss_family);

        return connect(fd, (struct sockaddr *)&to, size) == 0;
}

static int count_link(const struct net_link *link, void *context)
{
        (void)link;
        (*(int *)context)++;
        return 0;
}

static int links_in(int netns)
{
        _cleanup_(net_socket_freep) struct nl_sock *s = NULL;
        int count = 0;

        return net_socket(netns, &s) == 0 && net_link_each(s, count_link, &count) == 0 ? count : -1;
}

static bool link_in(int netns, const char *name, struct net_link *ret)
{
        _cleanup_(net_socket_freep) struct nl_sock *s = NULL;

        return net_socket(netns, &s) == 0 && net_link_by_name(s, name, ret) == 0;
}

static bool link_is_up(int netns, const char *name)
{
        _cleanup_close_ int fd = socket_in(netns, AF_INET);
        struct ifreq request = {0};

        (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
        return ioctl(fd, SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_UP;
}

static bool take_down(int netns, const char *name)
{
        _cleanup_close_ int fd = socket_in(netns, AF_INET);
        struct ifreq request = {0};

        (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
        return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

/* A bridge as the administrator may have made it. */
static bool add_bridge(const char *name)
{
        static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};

        return net_bridge_add(host, name, mac) == 0;
}

/* An interface that isn't croft's: an end of a veth pair (every kernel has those), whose other end stays on the host.
 */
static bool add_link(const char *name, int master)
{
        static const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};
        _cleanup_close_ int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        char peer[IFNAMSIZ];
        struct net_pair pair = {.host_name = name,
                .bridge = master,
                .mtu = 1500,
                .peer_name = peer,
                .peer_mac = mac,
                .peer_netns = here};

        (void)snprintf(peer, sizeof(peer), "p.%.8s", name);
        return net_pair_add(host, &pair) == 0;
}

static bool delete_link(const char *name)
{
        struct net_link link;

        return net_link_by_name(host, name, &link) == 0 && net_link_delete(host, link.index) == 0;
}

static struct net_spec spec_of(const char *text)
{
        struct net_spec spec = {0};

        if (net_spec_parse(text, &spec, &err) < 0)
                (void)ok(false, "'%s' is a good property: %s", text, croft_error_cause(&err, 0));
        return spec;
}

static void no_network_is_nothing_but_the_loopback(void)
{
        struct place p = place_new();
        struct net_spec spec = spec_of("none");

        (void)ok_r(net_setup(&spec, TAG, A, p.netns, &err), &err, "none is set up");
        (void)ok(links_in(p.netns) == 1 && links_in(-1) == 1, "there is nothing else, inside and on the host");
        (void)ok_r(net_release(&spec, TAG, A, p.netns, &err), &err, "none is released");
        place_end(&p);
}

static void two_partitions_meet_on_a_bridge(void)
{
        struct place a = place_new(), b = place_new();
        struct net_spec sa = spec_of("bridge=croft0,address=10.9.0.2/24,address=2001:db8:9::2/64,gateway=10.9.0.1,"
                                     "gateway=2001:db8:9::1,bridge-address=10.9.0.1/24");
        struct net_spec sb = spec_of("bridge=croft0,address=10.9.0.3/24,address=2001:db8:9::3/64,name=lan0");
        struct net_link bridge, link, again;
        char name[16];
        uint8_t mac[6];

        (void)ok_r(net_setup(&sa, TAG, A, a.netns, &err), &err, "the first partition on a bridge that doesn't exist");
        (void)ok_r(net_setup(&sb, TAG, B, b.netns, &err), &err, "the second partition on it");
        (void)ok(net_link_by_name(host, "croft0", &bridge) == 0 && strcmp(bridge.kind, "bridge") == 0 &&
                         strcmp(bridge.alias, "croft " TAG) == 0,
                "the bridge is there and says whose it is");
        net_host_name(TAG, B, name);
        (void)ok(net_link_by_name(host, name, &link) == 0 && link.master == bridge.index, "%s is a port of it", name);
        (void)ok(links_in(a.netns) == 2 && links_in(b.netns) == 2, "inside there are lo and one interface");
        net_derived_mac(TAG, A, mac);
        (void)ok(link_in(a.netns, "eth0", &link) && memcmp(link.mac, mac, 6) == 0, "eth0 has the derived address");
        (void)ok(link_in(b.netns, "lan0", &link), "name= is the name inside");
        (void)ok(reaches(a.netns, b.netns, "10.9.0.3"), "IPv4 from the first to the second and back");
        (void)ok(reaches(b.netns, a.netns, "10.9.0.2"), "IPv4 from the second to the first and back");
        (void)ok(reaches(a.netns, b.netns, "2001:db8:9::3"), "IPv6 from the first to the second, at once");
        (void)ok(reaches(b.netns, a.netns, "2001:db8:9::2"), "IPv6 from the second to the first");
        (void)ok(reaches(a.netns, -1, "10.9.0.1"), "bridge-address is the host's on it");
        (void)ok(has_route(a.netns, "198.51.100.1") && has_route(a.netns, "2001:db8:ffff::1"),
                "a gateway is a way to everywhere");
        (void)ok(!has_route(b.netns, "198.51.100.1"), "without a gateway there is none");
        (void)ok_r(net_setup(&sa, TAG, A, a.netns, &err), &err, "setting up again is no error");
        (void)ok(reaches(a.netns, b.netns, "10.9.0.3") && links_in(a.netns) == 2, "and it works as before");
        (void)ok_r(net_release(&sa, TAG, A, a.netns, &err), &err, "the first is released");
        (void)ok(net_link_by_name(host, "croft0", &again) == 0 && memcmp(again.mac, bridge.mac, 6) == 0,
                "the bridge stays for the second, with its address");
        (void)ok(links_in(a.netns) == 1, "the first has no interface left");
        (void)ok_r(net_release(&sb, TAG, B, b.netns, &err), &err, "the second is released");
        (void)ok_r(net_release(&sb, TAG, B, b.netns, &err), &err, "releasing again is no error");
        (void)ok(links_in(-1) == 1, "nothing is left on the host");
        place_end(&a);
        place_end(&b);
}

static void a_dead_partition_leaves_nothing(void)
{
        struct place p = place_new();
        struct net_spec spec = spec_of("bridge=croft0");

        (void)ok_r(net_setup(&spec, TAG, A, p.netns, &err), &err, "a partition with DHCP of its own");
        place_end(&p);
        (void)ok_r(net_release(&spec, TAG, A, -1, &err), &err, "is released when its namespace has gone");
        (void)ok(links_in(-1) == 1, "nothing is left on the host");
}

static void instances_with_equal_ids_do_not_meet(void)
{
        struct place p = place_new(), q = place_new();
        struct net_spec spec = spec_of("bridge=croft0");
        struct net_link bridge;

        (void)ok_r(net_setup(&spec, TAG, A, p.netns, &err), &err, "partition 1 of one croftd");
        (void)ok_r(net_setup(&spec, "ffffffff", A, q.netns, &err), &err, "partition 1 of another on the same bridge");
        (void)ok_r(net_release(&spec, TAG, A, p.netns, &err), &err, "the first goes");
        (void)ok(net_link_by_name(host, "croft0", &bridge) == 0 && links_in(q.netns) == 2, "the other is unharmed");
        (void)ok_r(net_release(&spec, "ffffffff", A, q.netns, &err), &err, "the other goes");
        (void)ok(net_link_by_name(host, "croft0", &bridge) == 0, "a bridge of the first isn't the other's to remove");
        (void)ok_r(net_release(&spec, TAG, A, -1, &err), &err, "the first, asked again, removes it");
        (void)ok(links_in(-1) == 1, "nothing is left on the host");
        place_end(&p);
        place_end(&q);
}

static void the_mtu_is_that_of_the_bridge_or_as_asked(void)
{
        struct place p = place_new();
        struct net_spec like = spec_of("bridge=br9"), own = spec_of("bridge=br9,mtu=1400");
        _cleanup_close_ int fd = socket_in(-1, AF_INET);
        struct ifreq request = {.ifr_name = "br9", .ifr_mtu = 1300};
        struct net_link link;

        (void)ok(add_bridge("br9") && ioctl(fd, SIOCSIFMTU, &request) == 0, "a bridge of the host, mtu 1300");
        (void)ok_r(net_setup(&like, TAG, A, p.netns, &err), &err, "a partition on it");
        (void)ok(link_in(p.netns, "eth0", &link) && link.mtu == 1300, "has its mtu");
        (void)ok_r(net_release(&like, TAG, A, p.netns, &err), &err, "released");
        (void)ok_r(net_setup(&own, TAG, A, p.netns, &err), &err, "a partition with mtu=1400");
        (void)ok(link_in(p.netns, "eth0", &link) && link.mtu == 1400, "has that");
        (void)ok_r(net_release(&own, TAG, A, p.netns, &err), &err, "released");
        (void)ok(delete_link("br9"), "the host's own bridge has stayed");
        place_end(&p);
}

static void what_cannot_be_is_refused_and_leaves_nothing(void)
{
        struct place p = place_new();
        struct net_spec on_dummy = spec_of("bridge=dum0"), missing = spec_of("interface=nothere"),
                        gateway = spec_of("bridge=croft0,address=10.9.0.2/24,gateway=10.8.0.1"),
                        gateway6 = spec_of("bridge=croft0,address=2001:db8::2/64,gateway=2001:db8:1::1"),
                        taken = spec_of("bridge=croft0,name=eth7"), port = spec_of("interface=dum1");
        struct net_link bridge;

        (void)ok(add_link("dum0", 0), "an interface that is no bridge");
        (void)ok_fails(net_setup(&on_dummy, TAG, A, p.netns, &err), EEXIST, &err, "is no bridge to join");
        (void)ok_fails(
                net_setup(&missing, TAG, A, p.netns, &err), ENODEV, &err, "an interface that isn't there isn't moved");
        (void)ok_fails(net_setup(&gateway, TAG, A, p.netns, &err), EINVAL, &err, "a gateway elsewhere is refused");
        (void)ok_fails(net_setup(&gateway6, TAG, A, p.netns, &err), EINVAL, &err, "for IPv6, too");
        (void)ok(links_in(-1) == 3 && links_in(p.netns) == 1, "neither bridge nor pair is left");
        (void)ok(add_bridge("br9") && net_link_by_name(host, "br9", &bridge) == 0 && add_link("dum1", bridge.index),
                "an interface that is a port of a bridge");
        (void)ok_fails(net_setup(&port, TAG, A, p.netns, &err), EBUSY, &err, "isn't moved");
        (void)ok(net_setup(&taken, TAG, B, p.netns, &err) == 0 && net_setup(&taken, TAG, A, p.netns, &err) == -EEXIST,
                "a name that is taken inside is refused");
        croft_error_clear(&err);
        (void)ok_r(net_release(&taken, TAG, B, p.netns, &err), &err, "released");
        (void)ok(delete_link("dum0") && delete_link("dum1") && delete_link("br9"), "the host's own have stayed");
        (void)ok(links_in(-1) == 1, "nothing else is left");
        place_end(&p);
}

static void the_only_way_out_is_not_taken(void)
{
        struct place p = place_new();
        struct net_spec spec = spec_of("interface=dum0");
        struct net_link a, b;

        (void)ok(add_link("dum0", 0) && add_link("dum1", 0) && net_link_by_name(host, "dum0", &a) == 0 &&
                         net_link_by_name(host, "dum1", &b) == 0 && net_link_up(host, a.index) == 0 &&
                         net_link_up(host, b.index) == 0 && net_address_add(host, a.index, "192.0.2.2/24") == 0 &&
                         net_gateway_add(host, a.index, "192.0.2.1") == 0,
                "an interface with the host's only default route");
        (void)ok_fails(net_setup(&spec, TAG, A, p.netns, &err), EBUSY, &err, "isn't moved");
        (void)ok(delete_link("dum0") && delete_link("dum1"), "tidied up");
        place_end(&p);
}

static void a_moved_interface_comes_back(void)
{
        struct place a = place_new(), b = place_new();
        struct net_spec spec = spec_of("interface=dum0,address=192.0.2.7/24,gateway=192.0.2.1"),
                        wan = spec_of("interface=dum0,name=wan");
        _cleanup_(net_socket_freep) struct nl_sock *inside = NULL;
        struct net_link before, link;

        (void)ok(add_link("dum0", 0) && net_link_by_name(host, "dum0", &before) == 0, "an interface of the host");
        (void)ok_r(net_setup(&spec, TAG, A, a.netns, &err), &err, "is moved into a partition");
        (void)ok(link_in(a.netns, "eth0", &link) && memcmp(link.mac, before.mac, 6) == 0 && links_in(-1) == 2,
                "it is there as eth0 and gone from the host");
        (void)ok(link_is_up(a.netns, "eth0") && has_route(a.netns, "198.51.100.1"), "up, with address and gateway");
        (void)ok_r(net_setup(&spec, TAG, A, a.netns, &err), &err, "setting up again is no error");
        (void)ok_fails(net_setup(&spec, TAG, B, b.netns, &err), ENODEV, &err, "a second partition can't have it");
        (void)ok(link_is_up(a.netns, "eth0"), "and the first keeps it");
        (void)ok(take_down(a.netns, "eth0") && net_socket(a.netns, &inside) == 0 &&
                         net_link_rename(inside, link.index, "mine") == 0 &&
                         net_link_set_alias(inside, link.index, "stolen") == 0,
                "the partition gives it another name and alias");
        (void)ok_r(net_release(&spec, TAG, A, a.netns, &err), &err, "it is released");
        (void)ok(net_link_by_name(host, "dum0", &link) == 0 && memcmp(link.mac, before.mac, 6) == 0 && !link.alias[0],
                "it is back under its name and without a trace");
        (void)ok_r(net_release(&spec, TAG, A, a.netns, &err), &err, "releasing again is no error");
        (void)ok_r(net_setup(&wan, TAG, B, b.netns, &err), &err, "it is moved into the second");
        (void)ok(link_in(b.netns, "wan", &link), "as wan");
        (void)ok_r(net_release(&wan, TAG, B, b.netns, &err), &err, "and released");
        /* What a hardware interface does when its namespace dies: it falls back to the host under some name. */
        (void)ok(net_link_by_name(host, "dum0", &link) == 0 &&
                         net_link_set_alias(host, link.index, "croft " TAG " 1 dum0") == 0 &&
                         net_link_rename(host, link.index, "dev7") == 0,
                "an interface that fell back by itself");
        (void)ok_r(net_release(&spec, TAG, A, -1, &err), &err, "is found by its alias");
        (void)ok(net_link_by_name(host, "dum0", &link) == 0 && !link.alias[0], "and gets its name back");
        (void)ok(delete_link("dum0") && links_in(-1) == 1, "nothing else is left");
        place_end(&a);
        place_end(&b);
}

struct crowd {
        struct place place;
        uint64_t id;
        int failed;
};

static void *come_and_go(void *arg)
{
        struct crowd *c = arg;
        struct net_spec spec = {.kind = NET_BRIDGE, .link = "croft0", .name = "eth0"};
        struct croft_error e = CROFT_ERROR_INIT;

        for (int i = 0; i < 10; i++) {
                c->failed += net_setup(&spec, TAG, c->id, c->place.netns, &e) < 0;
                c->failed += net_release(&spec, TAG, c->id, c->place.netns, &e) < 0;
        }
        return NULL;
}

static void many_come_and_go_at_once(void)
{
        struct crowd crowd[6];
        pthread_t threads[6];
        int failed = 0;

        for (size_t i = 0; i < ELEMENTS(crowd); i++)
                crowd[i] = (struct crowd){.place = place_new(), .id = 100 + i};
        for (size_t i = 0; i < ELEMENTS(crowd); i++)
                (void)pthread_create(&threads[i], NULL, come_and_go, &crowd[i]);
        for (size_t i = 0; i < ELEMENTS(crowd); i++) {
                (void)pthread_join(threads[i], NULL);
                failed += crowd[i].failed;
                place_end(&crowd[i].place);
        }
        (void)ok(failed == 0, "six partitions come to a bridge and go, ten times each, at once");
        (void)ok(links_in(-1) == 1, "nothing is left on the host");
}

static void measure(void)
{
        struct place p = place_new();
        struct net_spec spec = spec_of("bridge=croft0,address=10.9.0.2/24,gateway=10.9.0.1");
        struct timespec t[3];
        double made = 0, gone = 0;

        for (int i = 0; i < 20; i++) {
                (void)clock_gettime(CLOCK_MONOTONIC, &t[0]);
                (void)net_setup(&spec, TAG, A, p.netns, &err);
                (void)clock_gettime(CLOCK_MONOTONIC, &t[1]);
                (void)net_release(&spec, TAG, A, p.netns, &err);
                (void)clock_gettime(CLOCK_MONOTONIC, &t[2]);
                made += (double)(t[1].tv_sec - t[0].tv_sec) * 1e3 + (double)(t[1].tv_nsec - t[0].tv_nsec) / 1e6;
                gone += (double)(t[2].tv_sec - t[1].tv_sec) * 1e3 + (double)(t[2].tv_nsec - t[1].tv_nsec) / 1e6;
        }
        printf("# bridge, pair, address and gateway: %.2f ms to set up, %.2f ms to release\n", made / 20, gone / 20);
        place_end(&p);
}

int main(void)
{
        if (!ok(unshare(CLONE_NEWNET) == 0 && net_socket(-1, &host) == 0, "a network namespace plays the host"))
                return tap_end();
        (void)net_link_up(host, 1);
        no_network_is_nothing_but_the_loopback();
        two_partitions_meet_on_a_bridge();
        a_dead_partition_leaves_nothing();
        instances_with_equal_ids_do_not_meet();
        the_mtu_is_that_of_the_bridge_or_as_asked();
        what_cannot_be_is_refused_and_leaves_nothing();
        the_only_way_out_is_not_taken();
        a_moved_interface_comes_back();
        many_come_and_go_at_once();
        measure();
        net_socket_freep(&host);
        return tap_end();
}
