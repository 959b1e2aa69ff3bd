/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_module.c - calls that load and unload modules of the kernel: a process of ours copies the bytes and the
 * parameters, so that a file system that doesn't answer keeps nobody else waiting, and sends the copy, sealed, to
 * croftd, which ends the call, and then says how to whoever has passed it on.  There is one for each call that is being
 * copied, and one that waits for the next: to make one takes longer than to copy a small module.
 *
 * Invariant: what croftd is told of can't be changed any more by whoever asked, nor are its bytes ever loaded: they
 * only say which of global's own copies is meant.
 */
#include "warden/broker.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/sock.h"
#include "kernel/module.h"
#include "kernel/ns.h"
#include "kernel/process.h"
#include "kernel/sealed.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define CHUNK 65536
#define ASKS 'a' /* words of a copier to the broker */
#define FREE 'f'
#define NO_COPIER ((struct broker_copier){.pidfd = -EBADF, .socket = -EBADF})
#define NAME_MAX_KERNEL 56 /* bytes of a name that delete_module(2) reads */

bool broker_is_module(const struct broker_call *call)
{
        return module_call_of(call->arch, call->nr) != 0;
}

static uint64_t argument(const struct broker_call *call, int i)
{
        return call->arch == AUDIT_ARCH_I386 ? (uint32_t)call->args[i] : call->args[i];
}

/* --- the process of a call --- */

static int copy_file(const struct asker *a, int to)
{
        _cleanup_close_ int fd = asker_fd(a, argument(a->call, 0));
        int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL), r;
        struct stat st;

        if (fd < 0 || flags < 0 || flags & O_PATH || (flags & O_ACCMODE) == O_WRONLY)
                return -EBADF;
        r = broker_check_file(fd);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size == 0)
                return -ENOEXEC;
        r = sealed_copy(fd, to, MODULE_FILE_MAX, NULL);
        return r == -EFBIG || r == -EAGAIN ? -ENOEXEC : r;
}

static int copy_memory(const struct asker *a, int to)
{
        uint64_t address = argument(a->call, 0), size = argument(a->call, 1);
        static char chunk[CHUNK]; /* one a process */
        int r = 0;

        if (size == 0 || size > MODULE_FILE_MAX)
                return -ENOEXEC;
        for (uint64_t at = 0; r == 0 && at < size; at += CHUNK) {
                size_t n = size - at < CHUNK ? (size_t)(size - at) : CHUNK;

                r = asker_read(a, address + at, chunk, n);
                if (r == 0)
                        r = fd_write_all(to, chunk, n);
        }
        return r;
}

/* The kernel takes no more of a name than that, and has none that is longer. */
static int read_name(const struct asker *a, struct module_request *wish)
{
        int r = asker_read_text(a, argument(a->call, 0), wish->text, NAME_MAX_KERNEL, -ENOENT);

        return r == 0 && !wish->text[0] ? -ENOENT : r;
}

static int take_wish(const struct asker *a, struct module_request *wish, int bytes)
{
        enum module_call call = module_call_of(a->call->arch, a->call->nr);
        int r;

        if (call == MODULE_DELETE)
                return read_name(a, wish);
        wish->load = true;
        wish->flags = call == MODULE_FINIT ? (uint32_t)a->call->args[2] : 0;
        if (wish->flags & ~(uint32_t)(MODULE_IGNORES | MODULE_COMPRESSED))
                return -EINVAL; /* what else isn't let croftd says, which puts it on record */
        r = asker_read_text(a, argument(a->call, call == MODULE_FINIT ? 1 : 2), wish->text, sizeof(wish->text), -EPERM);
        if (r == 0)
                r = call == MODULE_FINIT ? copy_file(a, bytes) : copy_memory(a, bytes);
        return r;
}

static int tell_broker(int socket, char word)
{
        return sock_send_packet(socket, &word, 1, NULL, 0);
}

/* What was copied goes to croftd.  A word to the broker before that: from now on it is croftd that answers; and one
 * after it: this process is free, whatever croftd is at. */
static int ask(const struct broker *b, const struct asker *a, const struct module_request *wish, int bytes, int socket)
{
        const struct warden_fd fds[] = {{"listener", a->listener}, {"bytes", bytes}};
        struct wire_writer body = WIRE_WRITER_INIT;
        int r = wish->load ? sealed_seal(bytes, NULL) : 0;

        if (r == 0)
                r = tell_broker(socket, ASKS);
        if (r < 0)
                return r;
        module_request_put(&body, wish);
        r = warden_send(b->channel, WARDEN_MODULE, fds, wish->load ? 2 : 1, &body);
        wire_writer_done(&body);
        if (r == -EPIPE || r == -ECONNRESET) /* croftd has died: as if it had a moment later */
                return -EAGAIN;
        if (r < 0)
                return r == -EAGAIN ? r : -EIO;
        (void)tell_broker(socket, FREE); /* one that has died needs none */
        return 0;
}

static int carry_out(const struct broker *b, const struct asker *a, int socket)
{
        static struct module_request wish; /* one a process */
        _cleanup_close_ int bytes = sealed_new("croft-module", NULL);
        int r;

        if (bytes < 0)
                return -ENOMEM;
        wish = (struct module_request){.call = a->call->id};
        r = take_wish(a, &wish, bytes);
        return r == 0 ? ask(b, a, &wish, bytes, socket) : r;
}

/* What the broker tells of a call, with listener and pidfd. */
struct order {
        struct broker_call call;
        pid_t process;
};

static bool take_order(int socket, struct order *order, struct asker *ret)
{
        _cleanup_(sock_packet_done) struct sock_packet p = {.size = 0};

        if (sock_receive_packet(socket, sizeof(*order), &p) != 1 || p.size != sizeof(*order) || p.n_fds != 2)
                return false;
        memcpy(order, p.data, sizeof(*order));
        *ret = (struct asker){.call = &order->call, .process = order->process};
        ret->listener = sock_packet_take_fd(&p, 0);
        ret->pidfd = sock_packet_take_fd(&p, 1);
        return true;
}

/* Of its descriptors those of the first call are a copy.  A call that fails here ends it: how is its status. */
static _Noreturn void copy(const struct broker *b, const struct asker *first, int socket, bool stays)
{
        struct order order;
        struct asker a = *first;
        int r;

        close_fd(b->lock);
        close_fd(b->requests);
        r = prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? -errno : 0;
        if (r == 0) /* if the partition has no room for the copy it is this one that goes, and not its init */
                r = fd_write_file(AT_FDCWD, "/proc/self/oom_score_adj", "1000");
        do {
                if (r == 0)
                        r = carry_out(b, &a, socket);
                close_fd(a.listener);
                close_fd(a.pidfd);
        } while (r == 0 && stays && take_order(socket, &order, &a));
        _exit(-r);
}

/* --- its life --- */

static void leave(struct broker_copier *copier)
{
        if (copier->socket >= 0)
                (void)shutdown(copier->socket, SHUT_RDWR); /* others may have a copy */
        copier->socket = close_fd(copier->socket);
}

static void forget(struct broker *b, struct broker_module *m)
{
        leave(&m->copier);
        close_fd(m->copier.pidfd);
        *m = b->modules[--b->n_modules];
}

static int make(struct broker *b, const struct asker *a, int cgroup, struct broker_copier *ret)
{
        bool stays = cgroup == b->home;
        int pair[2], pidfd = -EBADF;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        pid = ns_clone(0, cgroup, &pidfd);
        if (pid == 0) {
                close_fd(pair[0]);
                copy(b, a, pair[1], stays);
        }
        close_fd(pair[1]);
        if (pid < 0)
                close_fd(pair[0]);
        else
                *ret = (struct broker_copier){.pidfd = pidfd, .socket = pair[0], .stays = stays};
        return pid < 0 ? (int)pid : 0;
}

/* The memory is charged to the partition: the process is born in a control group of its own there and waits for more,
 * or, where that can't be, in that of who asks, which nobody is to be kept from removing. */
static int make_some(struct broker *b, const struct asker *a, struct broker_copier *ret)
{
        int r = b->home >= 0 ? make(b, a, b->home, ret) : -ENOENT;

        if (r < 0) {
                _cleanup_close_ int cgroup = asker_open_cgroup(b, a);

                r = cgroup < 0 ? cgroup : make(b, a, cgroup, ret);
        }
        return r;
}

static int begin(struct broker *b, const struct asker *a, struct broker_copier *ret)
{
        const struct order order = {.call = *a->call, .process = a->process};
        const int fds[] = {a->listener, a->pidfd};

        if (b->copier.socket < 0 || sock_send_packet(b->copier.socket, &order, sizeof(order), fds, 2) < 0)
                return make_some(b, a, ret);
        *ret = b->copier;
        b->copier = NO_COPIER;
        return 0;
}

/* Global is to know of it; whoever may be nobody there can ask as often as he likes. */
static int deny(struct broker *b)
{
        b->denied = b->denied || warden_send(b->channel, WARDEN_MODULE_DENIED, NULL, 0, NULL) == 0;
        return -EPERM;
}

int broker_module_begin(struct broker *b, const struct asker *a)
{
        struct broker_module *m = &b->modules[b->n_modules];
        int r;

        if (!asker_is_root(b, a))
                return deny(b);
        if (b->n_modules == ELEMENTS(b->modules))
                return -EAGAIN;
        *m = (struct broker_module){.call = *a->call, .copier = NO_COPIER, .until_ms = now_ms() + MODULE_COPY_MS};
        b->n_modules++;
        r = begin(b, a, &m->copier);
        if (r < 0)
                forget(b, m);
        return r;
}

static void answer(struct broker *b, struct broker_module *m, int code)
{
        if (!m->answered)
                broker_answer(b, &m->call, 0, code);
        m->answered = true;
}

static void hear_copier(struct broker_module *m)
{
        char said;

        while (!m->sent && m->copier.socket >= 0 && recv(m->copier.socket, &said, 1, MSG_DONTWAIT) == 1) {
                m->sent = said == FREE;
                if (!m->asked)
                        m->until_ms = now_ms() + MODULE_COPY_MS; /* for saying so to croftd */
                m->asked = true;
        }
}

/* The copier has nothing to do with this call any more. */
static void release(struct broker *b, struct broker_module *m)
{
        if (m->copier.stays && m->copier.socket >= 0 && b->copier.pidfd < 0) {
                b->copier = m->copier;
                m->copier = NO_COPIER;
        } else {
                leave(&m->copier);
        }
}

/* false: it is over. */
static bool look(struct broker *b, struct broker_module *m)
{
        int64_t status = 0;

        hear_copier(m);
        if (process_reap(m->copier.pidfd, &status)) {
                hear_copier(m); /* its last word */
                m->copier.pidfd = close_fd(m->copier.pidfd);
                leave(&m->copier);
                if (status >> 8 == CLD_EXITED && (status & 0xff) != 0)
                        answer(b, m, (int)(status & 0xff));
                else if (!m->asked)
                        answer(b, m, status >> 8 == CLD_KILLED ? ENOMEM : EINTR);
        }
        /* What croftd has been asked for it answers when it is done, however long the module takes to begin. */
        if (!m->sent && now_ms() >= m->until_ms) {
                if (!m->asked && !m->answered) /* global is to know of it */
                        (void)warden_send(b->channel, WARDEN_MODULE_LATE, NULL, 0, NULL);
                if (m->copier.pidfd >= 0)
                        (void)process_signal(m->copier.pidfd, SIGKILL); /* one that can't be killed yet stays listed */
                answer(b, m, ETIMEDOUT);
        }
        if (m->sent)
                release(b, m);
        return m->copier.pidfd >= 0 || !m->answered;
}

void broker_module_look(struct broker *b)
{
        if (process_reap(b->copier.pidfd, NULL)) {
                close_fd(b->copier.pidfd);
                close_fd(b->copier.socket);
                b->copier = NO_COPIER;
        }
        for (size_t i = 0; i < b->n_modules;)
                if (look(b, &b->modules[i]))
                        i++;
                else
                        forget(b, &b->modules[i]);
}

bool broker_module_hear(struct broker *b, struct warden_packet *p)
{
        struct module_answer said;

        if (module_answer_get(&p->body, &said) < 0)
                return false;
        for (size_t i = 0; i < b->n_modules; i++) {
                struct broker_module *m = &b->modules[i];

                if (m->call.id != said.call)
                        continue;
                answer(b, m, (int)said.code);
                if (!look(b, m))
                        forget(b, m);
                break;
        }
        return true;
}

void broker_module_end(struct broker *b)
{
        while (b->n_modules > 0) {
                struct broker_module *m = &b->modules[b->n_modules - 1];

                if (m->copier.pidfd >= 0)
                        (void)process_signal(m->copier.pidfd, SIGKILL);
                answer(b, m, EAGAIN);
                forget(b, m);
        }
        leave(&b->copier);
        b->copier.pidfd = close_fd(b->copier.pidfd);
}
