/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_broker.c - brokers, started when a warden has passed a call on.  See life_broker.h.
 *
 * croftd holds the end of the socket where calls come and never reads it, but to refuse them; it gives a broker a copy
 * of that end.  What a broker that dies was at, it was at alone: the warden is told that all it has passed on fails.
 */
#include "daemon/life_broker.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/sock.h"
#include "base/str.h"
#include "daemon/facet_disks.h"
#include "devid/client.h"
#include "kernel/cgroup.h"
#include "kernel/notify.h"
#include "kernel/ns.h"
#include "kernel/process.h"
#include "partition/broker_msg.h"
#include "partition/devices.h"
#include "partition/property.h"
#include "partition/warden_msg.h"
#include "plane/plane.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define END_MS 5000
#define NOTES_MAX 64 /* that are heard at once */

bool broker_is_wanted(const struct partition *p)
{
        return p->host->devid && p->host->notify_filter >= 0 && p->host->loop_filter >= 0 && p->host->mount_filter >= 0;
}

bool broker_tells_loops(const struct partition *p)
{
        return devices_count(property_get(p->def.properties, "devices"), "loop") > 0 ||
               property_get(p->def.properties, "mount.allow");
}

/* The property may have been set since the start.  That a command's calls go other ways than init's changes nothing:
 * what a broker carries out for it ends as it would without. */
int broker_filter(const struct partition *p, int requests)
{
        if (requests < 0)
                return p->host->notify_filter;
        if (property_get(p->def.properties, "mount.allow"))
                return p->host->mount_filter;
        return p->run.told_loops ? p->host->loop_filter : p->host->notify_filter;
}

int broker_base_filter(const struct partition *p, int requests)
{
        return broker_filter(p, requests) == p->host->mount_filter && requests >= 0 ? p->host->mount_base_filter
                                                                                    : p->host->base_filter;
}

int broker_make_sockets(int *ret_warden, int *ret_broker, struct croft_error *err)
{
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return croft_error_set(err, errno, "make a socket for intercepted calls");
        *ret_warden = pair[0];
        *ret_broker = pair[1];
        return 0;
}

static bool is_readable(int socket)
{
        struct pollfd p = {.fd = socket, .events = POLLIN};

        return socket >= 0 && poll(&p, 1, 0) > 0 && p.revents & POLLIN;
}

static bool has_died(const struct unit *u)
{
        return u->broker.pidfd >= 0 && process_ended(u->broker.pidfd);
}

bool broker_wants_look(const struct unit *u)
{
        return has_died(u) || is_readable(u->broker.socket) || (u->broker.pidfd < 0 && is_readable(u->p.run.requests));
}

int broker_wakes(const struct unit *u)
{
        return u->broker.pidfd >= 0 ? u->broker.pidfd : u->p.run.requests;
}

static void take_broker(struct unit *u, const struct warden_process *broker)
{
        struct warden_process old;

        (void)pthread_mutex_lock(&u->p.lock);
        old = u->broker;
        u->broker = broker ? *broker : (struct warden_process){.socket = -EBADF, .pidfd = -EBADF};
        (void)pthread_mutex_unlock(&u->p.lock);
        close_fd(old.socket);
        close_fd(old.pidfd);
}

/* A wish for a module. */
struct module_wish {
        struct module_request request;
        int listener; /* that the call came from */
        int bytes;    /* of a load */
};

static void free_wish(struct module_wish *wish)
{
        close_fd(wish->listener);
        close_fd(wish->bytes);
        free(wish);
}

/* false: it makes no sense. */
static bool hear_wish(struct unit *u, struct warden_packet *packet)
{
        struct module_wish *wish = calloc(1, sizeof(*wish));

        if (!wish)
                return false;
        wish->listener = warden_packet_take_fd(packet, "listener");
        wish->bytes = warden_packet_take_fd(packet, "bytes");
        if (module_request_get(&packet->body, &wish->request) < 0 || wish->request.load != (wish->bytes >= 0) ||
                !notify_is_listener(wish->listener)) {
                free_wish(wish);
                return false;
        }
        u->wish = wish;
        return true;
}

/* Here, since each who is told in between is one more who must wake up.  The slot is the warden's, who is told by the
 * broker; what he answers then the kernel has no use for. */
static void answer(const struct unit *u, const struct module_wish *wish, int code)
{
        struct notify_slot slot = {.call = {.id = wish->request.call}};
        const struct module_answer answer = {.call = wish->request.call, .code = (uint32_t)code};
        struct wire_writer body = WIRE_WRITER_INIT;

        (void)notify_answer(wish->listener, &slot, 0, code); /* a caller that has gone needs none */
        module_answer_put(&body, &answer);
        (void)warden_send(u->broker.socket, WARDEN_MODULE_DONE, NULL, 0, &body); /* or it has died */
        wire_writer_done(&body);
}

void broker_serve(struct unit *u)
{
        struct module_wish *wish = TAKE(u->wish);

        answer(u, wish, -unit_kext_serve(u, &wish->request, wish->bytes));
        free_wish(wish);
}

int broker_wait(struct unit *u, int fd, unsigned int timeout_ms)
{
        const int64_t until = now_ms() + timeout_ms;

        for (;;) {
                struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = u->broker.socket, .events = POLLIN},
                        {.fd = broker_wakes(u), .events = POLLIN}};
                int64_t left = until - now_ms();

                if (poll(p, ELEMENTS(p), left > 0 ? (int)left : 0) < 0 && errno != EINTR)
                        return -errno;
                if (p[0].revents != 0)
                        return 0;
                if (left <= 0)
                        return -ETIMEDOUT;
                if (broker_look(u, NULL) == 1)
                        broker_serve(u);
        }
}

void broker_wait_a_moment(struct partition *p, unsigned int ms)
{
        (void)broker_wait(unit_of(p), -EBADF, ms);
}

static void record_late(struct unit *u)
{
        struct croft_error err = CROFT_ERROR_INIT;

        croft_error_set(&err, ETIMEDOUT, "'%s' wants to load an extension that couldn't be read within %d seconds.",
                u->p.def.name, MODULE_COPY_MS / 1000);
        errors_refuse_for_global(u, &err);
}

static void record_denied(struct unit *u)
{
        struct croft_error err = CROFT_ERROR_INIT;

        croft_error_set(&err, EPERM, "somebody in '%s' who isn't its root wants to load or unload an extension.",
                u->p.def.name);
        errors_refuse_for_global(u, &err);
}

/* What it has bound and unbound since, and what it wants: of that one at a time, so that others are served in between.
 * One that talks for ever, or makes no sense, isn't listened to any more. */
static void hear(struct unit *u)
{
        unsigned int heard, n = 0;
        int r = 0;

        for (heard = 0; heard < NOTES_MAX; heard++) {
                _cleanup_(warden_packet_done) struct warden_packet packet = {.roles = NULL};
                struct loops_note note = {.minor = LOOPS_ANY};

                r = warden_receive(u->broker.socket, &packet);
                if (r == 1 && packet.type == WARDEN_MODULE && hear_wish(u, &packet)) {
                        r = -EAGAIN;
                        break;
                }
                if (r == 1 && (packet.type == WARDEN_MODULE_LATE || packet.type == WARDEN_MODULE_DENIED)) {
                        (packet.type == WARDEN_MODULE_LATE ? record_late : record_denied)(u);
                        continue;
                }
                if (r != 1 || packet.type != WARDEN_LOOPS || loops_note_get(&packet.body, &note) < 0)
                        break;
                n++;
                if (!note.bound && note.minor != LOOPS_ANY)
                        disks_unbound(&u->p, note.minor);
        }
        if (n > 0)
                disks_follow(&u->p);
        for (unsigned int i = 0; i < n; i++)
                (void)warden_send(u->broker.socket, WARDEN_SEEN, NULL, 0, NULL); /* or it has died */
        if (heard < NOTES_MAX && r != -EAGAIN) {
                int socket;

                (void)pthread_mutex_lock(&u->p.lock);
                socket = TAKE_FD(u->broker.socket);
                (void)pthread_mutex_unlock(&u->p.lock);
                close_fd(socket);
        }
}

/* What was passed on fails; with drop also what nobody has taken. */
static void refuse_calls(const struct unit *u, bool drop)
{
        const struct broker_answer all = {.id = 0, .code = EIO};

        for (;;) {
                struct sock_packet p = {.size = 0};

                if (!drop || sock_receive_packet(u->p.run.requests, sizeof(struct broker_call), &p) <= 0)
                        break;
                sock_packet_done(&p);
        }
        (void)sock_send_packet(u->p.run.requests, &all, sizeof(all), NULL, 0); /* a warden that has died asks again */
}

static void put_allowed(struct unit *u, struct broker_spec *spec)
{
        const char *allowed;

        (void)pthread_mutex_lock(&u->p.lock);
        allowed = property_get(u->p.def.properties, "mount.allow");
        if (!str_copy(spec->mount_allow, sizeof(spec->mount_allow), allowed ? allowed : ""))
                spec->mount_allow[0] = '\0'; /* by another version: none */
        spec->loops = u->p.run.told_loops;
        (void)pthread_mutex_unlock(&u->p.lock);
}

static int send_serve(struct unit *u, int socket, struct croft_error *err)
{
        _cleanup_close_ int programs = plane_open_programs(u->p.host->plane, err), devid = -EBADF, lock = -EBADF;
        _cleanup_close_ int userns = -EBADF, mntns = -EBADF, cgroup = -EBADF, home = -EBADF, mountinfo = -EBADF;
        struct broker_spec spec = {.id = u->p.def.id, .uid_base = u->p.def.uid_base};
        struct wire_writer body = WIRE_WRITER_INIT;
        char path[64];
        int r;

        if (programs < 0)
                return programs;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", programs);
        devid = devid_client_open(path);
        (void)snprintf(path, sizeof(path), "%ju", (uintmax_t)u->p.def.id);
        lock = fd_open2(u->p.host->partitions_dir, path, O_RDONLY | O_DIRECTORY, 0, 0);
        if (devid < 0 || lock < 0)
                return croft_error_set(err, devid < 0 ? devid : lock, "open what a broker needs");
        userns = ns_open(u->p.run.pid, "user");
        mntns = ns_open(u->p.run.pid, "mnt");
        (void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)u->p.run.pid);
        mountinfo = open(path, O_RDONLY | O_CLOEXEC);
        cgroup = cgroup_open(u->p.host->cgroups, u->p.def.id, err);
        if (cgroup < 0)
                return cgroup;
        /* Or none, if the partition has something else there. */
        home = cgroup_open_leaf(u->p.host->cgroups, u->p.def.id, u->p.def.uid_base, NULL);
        if (userns < 0 || mntns < 0 || process_ended(u->p.run.pidfd)) /* it may have been another's number */
                return croft_error_set(err, ESRCH, "open the namespaces of '%s'", u->p.def.name);
        put_allowed(u, &spec);
        (void)snprintf(spec.cgroup, sizeof(spec.cgroup), "/croft.%s/%ju", u->p.host->tag, (uintmax_t)u->p.def.id);
        broker_spec_put(&body, &spec);
        r = warden_send(socket, WARDEN_SERVE,
                (struct warden_fd[]){{"requests", u->p.run.requests}, {"dev", u->p.run.dev}, {"devid", devid},
                        {"lock", lock}, {"userns", userns}, {"mntns", mntns}, {"cgroup", cgroup},
                        {"filter", u->p.host->broker_filter}, {"fuse-memory", u->p.run.fuse_memory},
                        {"mountinfo", mountinfo}, {"home", home}},
                11, &body);
        wire_writer_done(&body);
        return r < 0 ? croft_error_set(err, r, "send SERVE to the broker") : 0;
}

int broker_look(struct unit *u, struct croft_error *err)
{
        struct warden_process broker;
        int64_t status = 0;
        int r;

        if (u->broker.socket >= 0)
                hear(u);
        if (has_died(u)) {
                if (process_reap(u->broker.pidfd, &status) && status != (int64_t)CLD_EXITED << 8)
                        refuse_calls(u, false);
                take_broker(u, NULL);
                disks_follow(&u->p); /* what it was at it told nobody */
        }
        if (u->wish)
                return 1; /* the rest in the next look */
        if (u->broker.pidfd >= 0 || !is_readable(u->p.run.requests))
                return 0;
        r = warden_spawn(u->life->spawner, "broker", &broker, err);
        if (r == 0) {
                take_broker(u, &broker);
                r = send_serve(u, broker.socket, err);
        }
        if (r < 0)
                refuse_calls(u, true);
        return r;
}

void broker_end(struct unit *u)
{
        if (u->broker.pidfd < 0)
                return;
        (void)process_signal(u->broker.pidfd, SIGKILL);
        if (process_wait(u->broker.pidfd, END_MS) == 0)
                (void)process_reap(u->broker.pidfd, NULL);
        take_broker(u, NULL);
}
