/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_module.c - calls that load and unload modules of the kernel: a process for each call copies the bytes and the
 * parameters, so that a file system that doesn't answer keeps nobody else waiting, and sends the copy, sealed, to
 * croftd, which says how the call ends.
 *
 * Invariant: what croftd is told of can't be changed any more by whoever asked, nor are its bytes ever loaded: they
 * only say which of global's own copies is meant.
 */
#include "warden/broker.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "kernel/module.h"
#include "kernel/ns.h"
#include "kernel/process.h"
#include "kernel/sealed.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PATIENCE_MS 10000 /* for the bytes */
#define DECISION_MS 60000 /* for croftd, and the module's own beginning */
#define CHUNK 65536
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
                return -EINVAL;
        if (wish->flags & MODULE_IGNORES)
                return -EPERM;
        r = asker_read_text(a, argument(a->call, call == MODULE_FINIT ? 1 : 2), wish->text, sizeof(wish->text), -EPERM);
        if (r == 0)
                r = call == MODULE_FINIT ? copy_file(a, bytes) : copy_memory(a, bytes);
        return r;
}

/* What was copied goes to croftd. */
static int ask(const struct broker *b, const struct module_request *wish, int bytes)
{
        struct wire_writer body = WIRE_WRITER_INIT;
        const struct warden_fd copy = {"bytes", bytes};
        int r = wish->load ? sealed_seal(bytes, NULL) : 0;

        if (r < 0)
                return r;
        module_request_put(&body, wish);
        r = warden_send(b->channel, WARDEN_MODULE, &copy, wish->load ? 1 : 0, &body);
        wire_writer_done(&body);
        if (r == -EPIPE || r == -ECONNRESET) /* croftd has died: as if it had a moment later */
                return -EAGAIN;
        return r == -EAGAIN ? r : r < 0 ? -EIO : 0;
}

static int carry_out(const struct broker *b, const struct asker *a)
{
        static struct module_request wish; /* one a process */
        int bytes, r;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                return -errno;
        bytes = sealed_new("croft-module", NULL);
        if (bytes < 0)
                return -ENOMEM;
        wish.call = a->call->id;
        r = take_wish(a, &wish, bytes);
        return r == 0 ? ask(b, &wish, bytes) : r;
}

/* --- its life --- */

static void forget(struct broker *b, struct broker_module *m)
{
        close_fd(m->pidfd);
        *m = b->modules[--b->n_modules];
}

/* The memory is charged to who asks: the process is born in his control group. */
static int begin(struct broker *b, const struct asker *a, struct broker_module *m)
{
        _cleanup_close_ int cgroup = asker_open_cgroup(b, a);
        pid_t pid = cgroup < 0 ? cgroup : ns_clone(0, cgroup, &m->pidfd);

        if (pid == 0) {
                close_fd(b->lock);
                close_fd(b->requests);
                _exit(-carry_out(b, a));
        }
        return pid < 0 ? (int)pid : 0;
}

int broker_module_begin(struct broker *b, const struct asker *a)
{
        struct broker_module *m = &b->modules[b->n_modules];
        int r;

        if (!asker_is_root(b, a))
                return -EPERM;
        if (b->n_modules == ELEMENTS(b->modules))
                return -EAGAIN;
        *m = (struct broker_module){.call = *a->call, .pidfd = -EBADF, .until_ms = now_ms() + PATIENCE_MS};
        b->n_modules++;
        r = begin(b, a, m);
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

/* false: it is over. */
static bool look(struct broker *b, struct broker_module *m)
{
        bool late = now_ms() >= m->until_ms;
        int64_t status = 0;

        if (m->pidfd >= 0 && process_reap(m->pidfd, &status)) {
                m->pidfd = close_fd(m->pidfd);
                m->until_ms = now_ms() + DECISION_MS; /* it has asked, or failed */
                if (status >> 8 != CLD_EXITED)
                        answer(b, m, EINTR);
                else if ((status & 0xff) != 0)
                        answer(b, m, (int)(status & 0xff));
                return !m->answered;
        }
        if (late) {
                if (m->pidfd >= 0)
                        (void)process_signal(m->pidfd, SIGKILL); /* one that can't be killed yet stays in the list */
                answer(b, m, ETIMEDOUT);
        }
        return m->pidfd >= 0 || !m->answered;
}

void broker_module_look(struct broker *b)
{
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
                if (m->pidfd < 0) /* else its process is about to end */
                        forget(b, m);
                break;
        }
        return true;
}

void broker_module_end(struct broker *b)
{
        while (b->n_modules > 0) {
                struct broker_module *m = &b->modules[b->n_modules - 1];

                if (m->pidfd >= 0)
                        (void)process_signal(m->pidfd, SIGKILL);
                answer(b, m, EAGAIN);
                forget(b, m);
        }
}
