/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_module.c - calls that load and unload modules of the kernel: a process for each call copies the bytes and the
 * parameters, so that a file system that doesn't answer keeps nobody else waiting; croftd gets the copy, sealed, and
 * says how the call ends.
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
#include <sys/mman.h>
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

static int carry_out(const struct asker *a, struct module_request *wish, int bytes)
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

/* --- its life --- */

static void forget(struct broker *b, struct broker_module *m)
{
        close_fd(m->pidfd);
        close_fd(m->bytes);
        if (m->wish)
                (void)munmap(m->wish, sizeof(*m->wish));
        *m = b->modules[--b->n_modules];
}

/* The memory is charged to who asks: the process is born in his control group. */
static int begin(struct broker *b, const struct asker *a, struct broker_module *m)
{
        _cleanup_close_ int cgroup = asker_open_cgroup(b, a);
        pid_t pid;

        if (cgroup < 0)
                return cgroup;
        m->wish = mmap(NULL, sizeof(*m->wish), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (m->wish == MAP_FAILED) {
                m->wish = NULL;
                return -ENOMEM;
        }
        m->bytes = sealed_new("croft-module", NULL);
        if (m->bytes < 0)
                return -ENOMEM;
        pid = ns_clone(0, cgroup, &m->pidfd);
        if (pid == 0) {
                int r = prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? -errno : 0;

                broker_child(b);
                _exit(r < 0 ? -r : -carry_out(a, m->wish, m->bytes));
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
        *m = (struct broker_module){
                .call = *a->call, .pidfd = -EBADF, .bytes = -EBADF, .until_ms = now_ms() + PATIENCE_MS};
        b->n_modules++;
        r = begin(b, a, m);
        if (r < 0)
                forget(b, m);
        return r;
}

/* What was copied goes to croftd. */
static int ask(struct broker *b, struct broker_module *m)
{
        struct wire_writer body = WIRE_WRITER_INIT;
        const struct warden_fd bytes = {"bytes", m->wish->load ? m->bytes : -EBADF};
        int r = m->wish->load ? sealed_seal(m->bytes, NULL) : 0;

        if (r < 0)
                return r;
        m->wish->call = m->call.id;
        m->wish->text[sizeof(m->wish->text) - 1] = '\0';
        module_request_put(&body, m->wish);
        r = warden_send(b->channel, WARDEN_MODULE, &bytes, 1, &body);
        wire_writer_done(&body);
        m->asked = true;
        m->until_ms = now_ms() + DECISION_MS;
        return r == -EAGAIN ? r : r < 0 ? -EIO : 0;
}

/* false: it is over. */
static bool look(struct broker *b, struct broker_module *m)
{
        int64_t status = 0;
        int r;

        if (m->pidfd < 0) /* croftd's turn */
                return now_ms() < m->until_ms;
        if (process_reap(m->pidfd, &status)) {
                m->pidfd = close_fd(m->pidfd);
                if (m->answered)
                        return false;
                r = status >> 8 != CLD_EXITED ? -EINTR : -(int)(status & 0xff);
                if (r == 0)
                        r = ask(b, m);
                if (r < 0)
                        broker_answer(b, &m->call, 0, -r);
                return r == 0;
        }
        if (!m->answered && now_ms() >= m->until_ms) {
                (void)process_signal(m->pidfd, SIGKILL); /* one that can't be killed yet stays in the list */
                broker_answer(b, &m->call, 0, ETIMEDOUT);
                m->answered = true;
        }
        return true;
}

void broker_module_look(struct broker *b)
{
        for (size_t i = 0; i < b->n_modules;) {
                struct broker_module *m = &b->modules[i];

                if (look(b, m)) {
                        i++;
                        continue;
                }
                if (m->asked && m->pidfd < 0 && now_ms() >= m->until_ms)
                        broker_answer(b, &m->call, 0, ETIMEDOUT);
                forget(b, m);
        }
}

bool broker_module_hear(struct broker *b, struct warden_packet *p)
{
        struct module_answer answer;

        if (module_answer_get(&p->body, &answer) < 0)
                return false;
        for (size_t i = 0; i < b->n_modules; i++)
                if (b->modules[i].asked && b->modules[i].call.id == answer.call) {
                        broker_answer(b, &b->modules[i].call, 0, (int)answer.code);
                        forget(b, &b->modules[i]);
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
                if (!m->answered)
                        broker_answer(b, &m->call, 0, EAGAIN);
                forget(b, m);
        }
}
