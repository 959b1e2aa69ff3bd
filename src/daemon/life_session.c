/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_session.c - what looks into a running partition: exec, console, log.  They are no operations: any number may be
 * under way, and a stop waits only for those that are just getting in.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/fdstore.h"
#include "daemon/life_broker.h"
#include "daemon/life_private.h"
#include "daemon/warden_link.h"
#include "kernel/notify.h"
#include "kernel/process.h"

#include <string.h>
#include <sys/wait.h>

/* Notes one more session on its way in, if the partition is in a state for it. */
static int begin_entering(struct unit *u, const char *name, int *ret_pidfd, struct croft_error *err)
{
        int r;

        (void)pthread_mutex_lock(&u->p.lock);
        unit_await_internal(u);
        if (u->p.operation && life_action_is_transition(u->p.operation))
                r = croft_error_set(err, EBUSY, "'%s' is being %s.", name, life_action_participle(u->p.operation));
        else
                r = life_action_check(LIFE_EXEC, u->p.state, name, err);
        if (r == 0) {
                *ret_pidfd = fd_dup(u->p.run.pidfd);
                if (*ret_pidfd < 0 || process_ended(*ret_pidfd))
                        r = croft_error_set(err, ESRCH, "'%s' isn't running.", name);
        }
        u->entering += r == 0;
        (void)pthread_mutex_unlock(&u->p.lock);
        if (r < 0)
                *ret_pidfd = close_fd(*ret_pidfd);
        return r;
}

static void end_entering(struct unit *u)
{
        (void)pthread_mutex_lock(&u->p.lock);
        u->entering--;
        (void)pthread_cond_broadcast(&u->changed);
        (void)pthread_mutex_unlock(&u->p.lock);
}

/* The child is ours to reap when it has ended; without memory it stays a zombie until croftd ends. */
static void note_session(struct life *life, int pidfd)
{
        int copy = fd_dup(pidfd), *p;

        (void)pthread_mutex_lock(&life->lock);
        p = copy < 0 ? NULL : reallocarray(life->sessions, life->n_sessions + 1, sizeof(*p));
        if (p) {
                life->sessions = p;
                p[life->n_sessions++] = TAKE_FD(copy);
        }
        (void)pthread_mutex_unlock(&life->lock);
        close_fd(copy);
}

void life_reap(struct life *life)
{
        siginfo_t info;

        (void)pthread_mutex_lock(&life->lock);
        for (size_t i = 0; i < life->n_sessions;)
                if (process_reap(life->sessions[i], NULL)) {
                        close_fd(life->sessions[i]);
                        life->sessions[i] = life->sessions[--life->n_sessions];
                } else {
                        i++;
                }
        (void)pthread_mutex_unlock(&life->lock);
        /* Orphans come to the main thread, which this is; children of the other threads are awaited by them.  The first
         * process of a partition whose warden died is one: whoever releases it wants its exit status. */
        for (;;) {
                bool known = false;

                info.si_pid = 0;
                if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WNOTHREAD) < 0 || info.si_pid == 0)
                        break;
                (void)pthread_mutex_lock(&life->lock);
                for (struct unit *u = life->units; u && !known; u = u->next) {
                        (void)pthread_mutex_lock(&u->p.lock);
                        known = u->p.run.pid == info.si_pid && u->p.run.pidfd >= 0;
                        if (known && u->p.run.exit_status < 0)
                                u->p.run.exit_status = (int64_t)info.si_code << 8 | (info.si_status & 0xff);
                        (void)pthread_mutex_unlock(&u->p.lock);
                }
                (void)pthread_mutex_unlock(&life->lock);
                (void)waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
        }
}

/* What init and all that comes of it are held to holds for a command, too, which comes of us. */
static int limit_files(struct unit *u, pid_t pid, struct croft_error *err)
{
        const char *value;
        uint64_t hard = 0;

        (void)pthread_mutex_lock(&u->p.lock);
        value = property_get(u->p.def.properties, "rlimit.nofile");
        if (value)
                (void)str_to_u64(value, UINT64_MAX, &hard);
        (void)pthread_mutex_unlock(&u->p.lock);
        return hard ? process_lower_nofile(pid, hard, err) : 0;
}

/* The process that will become the command: in the partition's cgroup, or it isn't ours to attach. */
static int attach(struct unit *u, const struct warden_state *state, struct croft_error *err)
{
        char tail[64];
        int r;

        if (state->pid <= 0 || state->pid > INT32_MAX)
                return croft_error_set(err, EBADMSG, "the session names no process.");
        (void)snprintf(tail, sizeof(tail), "/croft.%s/%ju", u->p.host->tag, (uintmax_t)u->p.def.id);
        if (!process_in_cgroup((pid_t)state->pid, tail))
                return croft_error_set(err, EBADMSG, "process %d isn't in the partition's cgroup.", (int)state->pid);
        process_usual_oom((pid_t)state->pid);
        r = limit_files(u, (pid_t)state->pid, err);
        if (r < 0)
                return r;
        return cgroup_attach_v1(u->p.host->cgroups, u->p.def.id, (pid_t)state->pid, err);
}

/* One that the warden has no more room for, or can't be told of, would leave the command's calls without an answer. */
static int add_listener(struct unit *u, int fd, uint32_t *ret_number, struct croft_error *err)
{
        struct partition_run *run = &u->p.run;
        int r;

        listeners_sweep(&run->listeners);
        r = listeners_add(&run->listeners, 0, fd, ret_number);
        if (r < 0)
                return croft_error_set(err, ENOSPC, "%d commands and what they left behind are running in it: no more.",
                        LISTENERS_MAX - 1);
        r = run->warden < 0 ? 0 : listeners_send_one(run->warden, *ret_number, fd);
        if (r == -EPIPE || r == -ECONNRESET || r == -ENOTCONN)
                r = 0; /* its successor is told of all there are */
        if (r < 0) {
                listeners_remove(&run->listeners, *ret_number);
                return croft_error_set(err, r, "tell the warden of the command's calls");
        }
        return 0;
}

/* The listener of the command's intercepted calls: croftd and the warden have it before the command begins, because
 * what the command leaves behind outlives its session. */
static int take_listener(struct unit *u, struct warden_packet *packet, struct croft_error *err)
{
        int fd = warden_packet_take_fd(packet, "listener"), r;
        uint32_t number = 0;

        if (fd < 0)
                return 0; /* none was wanted, or there can be none here: as with init */
        if (!notify_is_listener(fd)) {
                close_fd(fd);
                return croft_error_set(err, EBADMSG, "the session's listener is none.");
        }
        (void)pthread_mutex_lock(&u->p.lock);
        r = u->p.run.notify_area < 0 ? 0 : add_listener(u, fd, &number, err);
        if (number)
                fdstore_push_listener(u, number, fd);
        else if (r == 0)
                close_fd(fd); /* nobody answers any more */
        (void)pthread_mutex_unlock(&u->p.lock);
        return r;
}

static int talk(struct unit *u, int socket, struct exec_spec *spec, const struct warden_fd *fds, size_t n_fds,
        struct croft_error *err)
{
        _cleanup_(warden_packet_done) struct warden_packet packet = {.roles = NULL};
        struct wire_writer body = WIRE_WRITER_INIT;
        struct warden_state state;
        int r;

        exec_spec_put(&body, spec);
        r = warden_send(socket, WARDEN_EXEC, fds, n_fds, &body);
        wire_writer_done(&body);
        if (r < 0)
                return croft_error_set(err, r, "send EXEC to the session");
        r = warden_expect(socket, WARDEN_LOADED, WARDEN_ANSWER_MS, &state, &packet, err);
        if (r == 0)
                r = attach(u, &state, err);
        if (r == 0)
                r = take_listener(u, &packet, err);
        if (r < 0)
                return r;
        r = warden_send(socket, WARDEN_RUN, NULL, 0, NULL);
        return r < 0 ? croft_error_set(err, r, "send RUN to the session") : 0;
}

/* Also with nobody left to answer: calls fail then, as init's do, and don't show the host's figures. */
static bool intercepted(struct unit *u)
{
        bool is;

        (void)pthread_mutex_lock(&u->p.lock);
        is = u->p.run.listeners.newest > 0;
        (void)pthread_mutex_unlock(&u->p.lock);
        return is;
}

/* As init's. */
static int filter_of(struct unit *u, int (*f)(const struct partition *p, int requests))
{
        int filter;

        (void)pthread_mutex_lock(&u->p.lock);
        filter = f(&u->p, u->p.run.requests);
        (void)pthread_mutex_unlock(&u->p.lock);
        return filter;
}

static int start_session(
        struct unit *u, struct exec_spec *spec, int init, int client, int *ret_pidfd, struct croft_error *err)
{
        _cleanup_close_ int cgroup = cgroup_open(u->p.host->cgroups, u->p.def.id, err);
        struct warden_fd fds[6 + CGROUP_HIERARCHIES_MAX] = {{"pidfd", init}, {"cgroup", cgroup},
                {"filter", filter_of(u, broker_base_filter)}, {"warden-filter", u->p.host->warden_filter},
                {"client", client}, {"notify-filter", intercepted(u) ? filter_of(u, broker_filter) : -EBADF}};
        int v1[CGROUP_HIERARCHIES_MAX], r;
        struct warden_process session;
        size_t n_v1 = 0;

        r = cgroup < 0 ? cgroup : warden_spawn(u->life->spawner, "session", &session, err);
        if (r < 0)
                return r;
        note_session(u->life, session.pidfd);
        r = cgroup_open_v1(u->p.host->cgroups, u->p.def.id, v1, &n_v1, err);
        for (size_t i = 0; i < n_v1; i++)
                fds[6 + i] = (struct warden_fd){"v1", v1[i]};
        if (r == 0)
                r = talk(u, session.socket, spec, fds, 6 + n_v1, err);
        while (n_v1 > 0)
                close_fd(v1[--n_v1]);
        close_fd(session.socket);
        if (r < 0) {
                (void)process_signal(session.pidfd, SIGKILL);
                close_fd(session.pidfd);
                return r;
        }
        *ret_pidfd = session.pidfd;
        return 0;
}

int life_exec(struct life *life, const char *name, struct exec_spec *spec, int client, int *ret_pidfd,
        struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find(life, name, err);
        _cleanup_close_ int init = -EBADF;
        int r;

        if (!u)
                return -ENOENT;
        r = begin_entering(u, name, &init, err);
        if (r < 0)
                return r;
        spec->id = u->p.def.id;
        spec->uid_base = u->p.def.uid_base;
        spec->uid_count = PARTITION_IDS;
        r = start_session(u, spec, init, client, ret_pidfd, err);
        end_entering(u);
        return r;
}

int life_console(struct life *life, const char *name, int client, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find(life, name, err);
        int r;

        if (!u)
                return -ENOENT;
        (void)pthread_mutex_lock(&u->p.lock);
        r = life_action_check(LIFE_CONSOLE, u->p.state, name, err);
        if (r == 0 && u->p.run.warden < 0)
                r = croft_error_set(err, ENOTCONN, "'%s' has no warden; its console can't be reached.", name);
        if (r == 0) {
                struct warden_fd fd = {"client", client};

                r = warden_send(u->p.run.warden, WARDEN_CONSOLE, &fd, 1, NULL); /* nonblocking */
                if (r < 0)
                        croft_error_set(err, r, "hand the connection to the warden of '%s'", name);
        }
        (void)pthread_mutex_unlock(&u->p.lock);
        return r;
}

int life_log(struct life *life, const char *name, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find(life, name, err);
        char path[64];
        int fd;

        if (!u)
                return -ENOENT;
        (void)snprintf(path, sizeof(path), "%ju/console.log", (uintmax_t)u->p.def.id);
        fd = fd_open2(life->host->partitions_dir, path, O_RDONLY | O_NOFOLLOW, 0, 0);
        if (fd == -ENOENT)
                fd = fd_sealed("croft-log", "", 0); /* never started: nothing was said */
        return fd < 0 ? croft_error_set(err, fd, "open the log of '%s'", name) : fd;
}
