/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker.c - takes calls that a warden passes on, and finds out whose they are.  See broker.h.
 *
 * Hazards: a warden may have been taken over, so a call may name any process: only those of the partition's control
 * group are served.  A process may end and its number be given again: it is held first, and then the kernel is asked
 * whether the call is still there.  A thread that shares memory or descriptors may change both: everything is read
 * once, and what was read is what counts.
 */
#include "warden/broker_parts.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sock.h"
#include "base/str.h"
#include "kernel/notify.h"
#include "kernel/ns.h"
#include "kernel/process.h"
#include "warden/warden.h"

#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define IDLE_MS 10000
#define STATUS_MAX 8192
#define TELL_MS 200
#define PAGE_BYTES 4096U
#define UNANSWERED_MAX 64

/* --- the asker --- */

static int read_file(pid_t pid, const char *file, char **ret)
{
        char path[96];

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
        return fd_read_file(AT_FDCWD, path, STATUS_MAX, ret, NULL);
}

/* Field `name`: its number after `skip` others.  false: there is none. */
static bool take_field(const char *text, const char *name, unsigned int skip, int base, uint64_t *ret)
{
        /* The first line, which it may choose itself, has no line break before the field. */
        const char *at = strstr(text, name);

        if (!at)
                return false;
        at += strlen(name);
        for (unsigned int i = 0; i <= skip; i++) {
                char *end;

                *ret = strtoull(at, &end, base);
                at = end;
        }
        return true;
}

bool broker_is_same_file(int a, int b)
{
        struct stat x, y;

        return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* In a user namespace of its own making anybody has all capabilities. */
bool asker_is_root(const struct broker *b, const struct asker *a)
{
        _cleanup_close_ int userns = -EBADF;

        if (a->user != b->spec.uid_base || !(a->capabilities >> CAP_SYS_ADMIN & 1))
                return false;
        userns = ns_open((pid_t)a->call->pid, "user");
        return userns >= 0 && broker_is_same_file(userns, b->userns) && asker_is_there(a); /* so it is its own */
}

bool asker_is_there(const struct asker *a)
{
        uint64_t id = a->call->id;

        return ioctl(a->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static int find_asker(const struct broker *b, struct asker *a)
{
        _cleanup_free_ char *status = NULL;
        uint64_t process;

        if (read_file((pid_t)a->call->pid, "status", &status) < 0 || !take_field(status, "\nTgid:", 0, 10, &process) ||
                !take_field(status, "\nUid:", 1, 10, &a->user) ||
                !take_field(status, "\nCapEff:", 0, 16, &a->capabilities))
                return -ENOENT;
        a->process = (pid_t)process;
        a->pidfd = (int)syscall(SYS_pidfd_open, a->process, 0);
        if (a->pidfd < 0)
                return -errno;
        if (!process_in_cgroup(a->process, b->spec.cgroup))
                return -EPERM;
        return asker_is_there(a) ? 0 : -ENOENT; /* so it is that one which is held, and doesn't change meanwhile */
}

int asker_fd(const struct asker *a, uint64_t number)
{
        int fd = number > INT32_MAX ? -1 : (int)syscall(SYS_pidfd_getfd, a->pidfd, (int)number, 0);

        return fd < 0 ? -EBADF : fd;
}

int asker_replace_fd(const struct asker *a, uint64_t number, int fd)
{
        struct seccomp_notif_addfd add = {
                .id = a->call->id, .flags = SECCOMP_ADDFD_FLAG_SETFD, .srcfd = (uint32_t)fd, .newfd = (uint32_t)number};
        _cleanup_free_ char *info = NULL;
        uint64_t flags = 0;
        char name[64];

        (void)snprintf(name, sizeof(name), "fdinfo/%llu", (unsigned long long)number);
        if (read_file(a->process, name, &info) == 0 && take_field(info, "\nflags:", 0, 8, &flags))
                add.newfd_flags = flags & O_CLOEXEC;
        return ioctl(a->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 ? -errno : 0;
}

static struct notify_slot slot_of(const struct asker *a)
{
        return (struct notify_slot){.call = {.id = a->call->id, .pid = a->call->pid}};
}

int asker_read(const struct asker *a, uint64_t address, void *data, size_t size)
{
        const struct notify_slot slot = slot_of(a);

        return notify_read(a->listener, &slot, address, data, size);
}

/* As far as the end of its page each time: what follows may not be there. */
int asker_read_text(const struct asker *a, uint64_t address, char *ret, size_t size, int too_long)
{
        for (size_t used = 0; used < size;) {
                size_t n = PAGE_BYTES - (size_t)((address + used) % PAGE_BYTES);
                int r;

                if (n > size - used)
                        n = size - used;
                r = asker_read(a, address + used, ret + used, n);
                if (r < 0)
                        return r;
                if (memchr(ret + used, '\0', n))
                        return 0;
                used += n;
        }
        return too_long;
}

int asker_write(const struct asker *a, uint64_t address, const void *data, size_t size)
{
        const struct notify_slot slot = slot_of(a);

        return notify_write(a->listener, &slot, address, data, size);
}

/* --- what croftd is told --- */

/* false: it has gone. */
static bool hear_croftd(struct broker *b)
{
        _cleanup_(warden_packet_done) struct warden_packet p = {.roles = NULL};

        if (warden_receive(b->channel, &p) != 1)
                return false;
        if (p.type == WARDEN_MODULE_DONE)
                return broker_module_hear(b, &p);
        if (p.type != WARDEN_SEEN || b->unanswered == 0)
                return false;
        b->unanswered--;
        return true;
}

void broker_tell(struct broker *b, uint32_t minor, bool bound)
{
        const struct loops_note note = {.minor = minor, .bound = bound};
        struct pollfd fds[] = {{.fd = b->channel, .events = POLLIN}};
        struct wire_writer body = WIRE_WRITER_INIT;
        int r;

        if (b->unanswered == UNANSWERED_MAX)
                return; /* what waits there has it look, too */
        loops_note_put(&body, &note);
        r = warden_send(b->channel, WARDEN_LOOPS, NULL, 0, &body);
        wire_writer_done(&body);
        if (r < 0)
                return;
        b->unanswered++;
        while (b->unanswered > 0 && poll(fds, 1, TELL_MS) > 0)
                if (!hear_croftd(b))
                        return;
}

void broker_child(const struct broker *b)
{
        close_fd(b->lock);
        close_fd(b->channel);
        close_fd(b->requests);
}

/* --- serving --- */

void broker_answer(struct broker *b, const struct broker_call *call, int64_t value, int code)
{
        const struct broker_answer answer = {.id = call->id, .slot = call->slot, .code = code, .value = value};

        (void)sock_send_packet(b->requests, &answer, sizeof(answer), NULL, 0); /* a warden that has died asks again */
}

static void serve(struct broker *b, const struct broker_call *call, int listener)
{
        struct asker a = {.call = call, .listener = listener, .pidfd = -EBADF};
        bool is_mount = broker_is_mount(call), is_module = broker_is_module(call);
        int r = find_asker(b, &a);

        if (r == 0)
                r = is_mount ? broker_mount_begin(b, &a) : is_module ? broker_module_begin(b, &a) : broker_loop(b, &a);
        if (r < 0 || (!is_mount && !is_module)) /* else when it has ended */
                broker_answer(b, call, r < 0 ? 0 : a.value, r < 0 ? -r : 0);
        close_fd(a.pidfd);
}

/* false: the end. */
static bool serve_next(struct broker *b)
{
        _cleanup_(sock_packet_done) struct sock_packet p = {.size = 0};
        struct broker_call call;
        int r = sock_receive_packet(b->requests, sizeof(call), &p);

        if (r == -EAGAIN || r == -EINTR)
                return true;
        if (r <= 0)
                return false;
        if (p.size != sizeof(call) || p.n_fds != 1)
                return true;
        memcpy(&call, p.data, sizeof(call));
        serve(b, &call, p.fds[0]);
        return true;
}

/* --- its life --- */

static int receive(struct broker *b, struct croft_error *err)
{
        _cleanup_(warden_packet_done) struct warden_packet p = {0};
        _cleanup_close_ int filter = -EBADF;
        int r = warden_receive(b->channel, &p);

        if (r <= 0 || p.type != WARDEN_SERVE)
                return croft_error_set(err, r < 0 ? r : -EBADMSG, "there came no SERVE");
        b->requests = warden_packet_take_fd(&p, "requests");
        b->dev = warden_packet_take_fd(&p, "dev");
        b->devid = warden_packet_take_fd(&p, "devid");
        b->lock = warden_packet_take_fd(&p, "lock");
        b->memory = warden_packet_take_fd(&p, "fuse-memory"); /* or none: it has no views */
        b->userns = warden_packet_take_fd(&p, "userns");
        b->mntns = warden_packet_take_fd(&p, "mntns");
        b->cgroup = warden_packet_take_fd(&p, "cgroup");
        b->home = warden_packet_take_fd(&p, "home");           /* or none */
        b->mountinfo = warden_packet_take_fd(&p, "mountinfo"); /* or none */
        filter = warden_packet_take_fd(&p, "filter");
        if (b->userns < 0 || b->mntns < 0 || b->cgroup < 0 || b->requests < 0 || b->dev < 0 || b->devid < 0 ||
                b->lock < 0 || filter < 0)
                return croft_error_set(err, EBADMSG, "the message lacks a descriptor.");
        broker_parts_prepare();
        r = broker_spec_get(&p.body, &b->spec);
        return r < 0 ? croft_error_set(err, r, "read the message SERVE") : warden_confine_broker(filter, err);
}

static int begin(struct broker *b, struct croft_error *err)
{
        int r = receive(b, err);

        /* One that an earlier croftd has started may still be at a call. */
        if (r == 0 && TEMP_FAILURE_RETRY(flock(b->lock, LOCK_EX)) < 0)
                r = croft_error_set(err, errno, "wait for the broker before");
        if (r == 0)
                r = loop_machine_open(&b->machine, err);
        if (r < 0 && b->spec.loops && !b->spec.mount_allow[0]) /* what its init mounts must work without them, too */
                return r;
        b->loops = (struct loops){.machine = &b->machine,
                .program = b->devid,
                .partition = b->spec.id,
                .dev = b->dev,
                .intents = b->lock,
                .base = b->spec.uid_base};
        b->n_forget = loops_settle(&b->loops, b->forget, ELEMENTS(b->forget));
        b->automatic = 1; /* perhaps; not now: whoever has us started is about to open one */
        b->swept_ms = now_ms();
        broker_show_all(b);
        return 0;
}

/* Until a process of ours has ended, or one of the n descriptors says something. */
static int wait_for(const struct broker *b, struct pollfd fds[], size_t n)
{
        for (size_t i = 0; i < b->n_mounts; i++)
                fds[n++] = (struct pollfd){.fd = b->mounts[i].pidfd, .events = POLLIN};
        for (size_t i = 0; i < b->n_modules; i++)
                fds[n++] = (struct pollfd){.fd = b->modules[i].copier.pidfd, .events = POLLIN};
        if (b->copier.pidfd >= 0)
                fds[n++] = (struct pollfd){.fd = b->copier.pidfd, .events = POLLIN};
        return poll(fds, n, b->automatic || b->n_mounts + b->n_modules != 0 ? broker_auto_timeout(b) : IDLE_MS);
}

/* What nobody waits for.  false: there is nothing to do, nor will be. */
static bool tidy(struct broker *b)
{
        if (broker_auto_is_due(b))
                broker_auto_look(b, false);
        else if (b->automatic)
                broker_auto_sweep(b);
        else
                return b->n_mounts + b->n_modules > 0;
        return true;
}

/* Until croftd has gone, or there is nothing to do. */
static void work(struct broker *b)
{
        for (;;) {
                struct pollfd fds[5 + BROKER_MOUNTS_MAX + BROKER_MODULES_MAX] = {{.fd = b->channel, .events = POLLIN},
                        {.fd = b->requests, .events = POLLIN},
                        {.fd = b->automatic ? b->mountinfo : -EBADF, .events = POLLPRI},
                        {.fd = b->remover, .events = POLLIN}};
                int n = wait_for(b, fds, 4);

                if (n < 0 && errno == EINTR)
                        continue;
                broker_mount_look(b);
                broker_module_look(b);
                if (n < 0 || (fds[0].revents && !hear_croftd(b)))
                        return;
                if (fds[1].revents & POLLIN ? !serve_next(b) : fds[1].revents != 0)
                        return;
                if (fds[2].revents)
                        broker_auto_look(b, true);
                if (n == 0 && !tidy(b))
                        return;
                broker_auto_tick(b);
                broker_forget_look(b);
        }
}

/* Calls that are being carried out end, one way or the other. */
static void finish(struct broker *b)
{
        broker_module_end(b);
        for (;;) {
                struct pollfd fds[BROKER_MOUNTS_MAX];
                bool waited_for = false;

                broker_mount_look(b);
                for (size_t i = 0; i < b->n_mounts; i++)
                        waited_for |= !b->mounts[i].answered;
                if (!waited_for)
                        return;
                (void)wait_for(b, fds, 0);
        }
}

int broker_main(void)
{
        struct broker b = {.channel = WARDEN_CHANNEL,
                .requests = -EBADF,
                .dev = -EBADF,
                .devid = -EBADF,
                .lock = -EBADF,
                .memory = -EBADF,
                .userns = -EBADF,
                .mntns = -EBADF,
                .cgroup = -EBADF,
                .home = -EBADF,
                .copier = {.pidfd = -EBADF, .socket = -EBADF},
                .mountinfo = -EBADF,
                .remover = -EBADF,
                .machine = {-EBADF, -EBADF}};
        struct croft_error err = CROFT_ERROR_INIT;

        if (begin(&b, &err) < 0) {
                log_error(LOG_LEVEL_ERROR, &err, "a broker couldn't begin");
                return EXIT_FAILURE;
        }
        broker_tell(&b, LOOPS_ANY, true);
        work(&b);
        finish(&b);
        broker_disks_done(&b);
        loop_machine_close(&b.machine);
        return EXIT_SUCCESS;
}
