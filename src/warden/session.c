/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * session.c - one exec: starts a command in a partition and relays between it and the client, until one of them ends.
 *
 * Independent of croftd from RUN on.  Everything of the partition's and the client's is read after the privileges are
 * given up.  Source of the exit codes: requirement C-13, and what shells do (126, 127, 128 + signal).
 */
#include "warden/session.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/cgroup.h"
#include "kernel/ns.h"
#include "kernel/pty.h"
#include "partition/ids.h"
#include "warden/become.h"
#include "warden/launch.h"
#include "warden/stream.h"
#include "warden/warden.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define QUEUE_MAX 262144 /* bytes to the client under way; the command waits then */
#define EXIT_OURS 125

struct session {
        struct exec_spec spec;
        int channel, init, cgroup, filter, own_filter;
        int notify;                     /* filter of intercepted calls; -EBADF: none are */
        int v1[CGROUP_HIERARCHIES_MAX]; /* `tasks` files of the v1 cgroups, closed when the helper is in them */
        size_t n_v1;
        struct stream client;
        int helper_pidfd, helper; /* socket */
        pid_t pid;                /* the command: leader of its process group */
        int pidfd;
        int in, out, err; /* with a terminal, in and out are the same file */
        uint32_t status;  /* what the client is told */
        bool ended;
};

static void close_v1(struct session *s)
{
        while (s->n_v1 > 0)
                close_fd(s->v1[--s->n_v1]);
}

static void session_done(struct session *s)
{
        close_v1(s);
        exec_spec_done(&s->spec);
        stream_close(&s->client);
        close_fd(s->channel);
        close_fd(s->init);
        close_fd(s->cgroup);
        close_fd(s->filter);
        close_fd(s->own_filter);
        close_fd(s->notify);
        close_fd(s->helper_pidfd);
        close_fd(s->helper);
        close_fd(s->pidfd);
        close_fd(s->in);
        close_fd(s->out);
        close_fd(s->err);
}

static int receive(struct session *s, struct croft_error *err)
{
        _cleanup_(warden_packet_done) struct warden_packet p = {0};
        int r = warden_receive(s->channel, &p), client;

        if (r <= 0 || p.type != WARDEN_EXEC)
                return croft_error_set(err, r < 0 ? r : -EBADMSG, "there came no EXEC");
        client = warden_packet_take_fd(&p, "client");
        if (client < 0 || stream_open(&s->client, client) < 0)
                return croft_error_set(err, EBADMSG, "the message lacks descriptor 'client'.");
        s->init = warden_packet_take_fd(&p, "pidfd");
        s->cgroup = warden_packet_take_fd(&p, "cgroup");
        s->filter = warden_packet_take_fd(&p, "filter");
        s->own_filter = warden_packet_take_fd(&p, "warden-filter");
        s->notify = warden_packet_take_fd(&p, "notify-filter");
        while (s->n_v1 < ELEMENTS(s->v1) && (s->v1[s->n_v1] = warden_packet_take_fd(&p, "v1")) >= 0)
                s->n_v1++;
        if (s->init < 0 || s->cgroup < 0 || s->filter < 0)
                return croft_error_set(err, EBADMSG, "the message lacks descriptor 'pidfd', 'cgroup' or 'filter'.");
        r = exec_spec_get(&p.body, &s->spec);
        return r < 0 ? croft_error_set(err, r, "read the exec message") : 0;
}

static void run_helper(struct session *s, int socket)
{
        (void)cgroup_join_v1(s->v1, s->n_v1); /* croftd looks, and moves us where it is needed */
        close_v1(s);
        /* The client's connection and croftd's channel have no business in there. */
        s->client.fd = close_fd(s->client.fd);
        s->channel = close_fd(s->channel);
        s->helper = close_fd(s->helper);
        /* A directory outside would be a way out for who takes over a reader of hostile files. */
        s->cgroup = close_fd(s->cgroup);
        s->own_filter = close_fd(s->own_filter);
        if (s->notify >= 0)
                session_intercept(s->notify, socket);
        session_inside(&s->spec, s->init, s->filter, socket);
}

/* Below a cgroup that hands its controllers to children (systemd inside does that) no process may be: a leaf then. */
static pid_t clone_helper(struct session *s, int socket)
{
        pid_t pid = ns_clone(0, s->cgroup, &s->helper_pidfd);

        if (pid == -EBUSY) {
                _cleanup_close_ int leaf = -EBADF;

                if (mkdirat(s->cgroup, "croft.exec", 0755) < 0 && errno != EEXIST)
                        return -errno;
                leaf = openat(s->cgroup, "croft.exec", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (leaf < 0)
                        return -errno;
                pid = ns_clone(0, leaf, &s->helper_pidfd);
        }
        if (pid == 0)
                run_helper(s, socket);
        if (pid > 0)
                become_ordinary(pid);
        close_v1(s);
        return pid;
}

static int hear(struct session *s, struct session_report *ret, struct sock_packet *packet, struct croft_error *err);

static int helper_died(struct croft_error *err)
{
        return croft_error_set(err, ESRCH, "the process that was to become the command has died.");
}

/* The helper's listener, which all that comes of it will share: croftd must have it before the command begins, because
 * this session may die while the command runs on. */
static int take_listener(struct session *s, int *ret, struct croft_error *err)
{
        _cleanup_(sock_packet_done) struct sock_packet packet = {0};
        struct session_report report = {.kind = 0};
        int r = hear(s, &report, &packet, err);

        if (r < 0)
                return r;
        if (r == 0 || report.kind != SESSION_LISTENER)
                return helper_died(err);
        *ret = sock_packet_take_fd(&packet, 0);
        return 0;
}

/* croftd sees to it meanwhile that the helper is in the v1 cgroups. */
static int agree(struct session *s, pid_t helper, struct croft_error *err)
{
        _cleanup_close_ int listener = -EBADF;
        _cleanup_(wire_writer_done) struct wire_writer body = WIRE_WRITER_INIT;
        _cleanup_(warden_packet_done) struct warden_packet p = {0};
        struct warden_state state = {.id = s->spec.id, .phase = WARDEN_PHASE_LOADED, .pid = helper, .exit_status = -1};
        struct warden_fd fd = {"listener", -EBADF};
        int r;

        (void)ns_start_time(helper, &state.start_time);
        warden_state_put(&body, &state);
        r = s->notify >= 0 ? take_listener(s, &listener, err) : 0;
        if (r < 0)
                return r;
        fd.fd = listener;
        r = warden_send(s->channel, WARDEN_LOADED, &fd, 1, &body);
        if (r == 0)
                r = warden_receive(s->channel, &p);
        if (r <= 0 || p.type != WARDEN_RUN)
                return croft_error_set(err, r < 0 ? r : -ECONNABORTED, "croftd has gone before the command began");
        s->channel = close_fd(s->channel);
        if (send(s->helper, "g", 1, MSG_NOSIGNAL) < 0)
                return croft_error_set(err, errno, "begin the command");
        return 0;
}

/* Waits for the helper; a client that goes meanwhile ends it (it may hang in a file system of the partition's). */
static int wait_report(struct session *s, struct croft_error *err)
{
        struct pollfd p[2] = {{.fd = s->helper, .events = POLLIN}, {.fd = s->client.fd, .events = POLLRDHUP}};

        while (poll(p, ELEMENTS(p), -1) < 0)
                if (errno != EINTR)
                        return croft_error_set(err, errno, "wait for the command");
        if (p[0].revents)
                return 0;
        return croft_error_set(err, ECONNRESET, "the client has gone");
}

/* 1: a report, 0: end of file. */
static int hear(struct session *s, struct session_report *ret, struct sock_packet *packet, struct croft_error *err)
{
        int r = wait_report(s, err);

        if (r < 0)
                return r;
        r = sock_receive_packet(s->helper, sizeof(*ret), packet);
        if (r == 0)
                return 0;
        if (r < 0 || packet->size != sizeof(*ret))
                return croft_error_set(err, r < 0 ? r : -EBADMSG, "hear from inside the partition");
        memcpy(ret, packet->data, sizeof(*ret));
        if (ret->kind == SESSION_READY || ret->kind == SESSION_LISTENER)
                return 1;
        if (ret->exec_failed)
                s->status = ret->error.code == ENOENT || ret->error.code == ENOTDIR ? 127 : 126;
        return croft_error_copy(err, &ret->error);
}

static int take_command(struct session *s, struct croft_error *err)
{
        _cleanup_(sock_packet_done) struct sock_packet first = {0}, second = {0};
        struct session_report report;
        int r = hear(s, &report, &first, err);

        if (r == 0 || (r > 0 && report.kind != SESSION_READY))
                return helper_died(err);
        if (r < 0)
                return r;
        s->pid = (pid_t)report.pid;
        s->pidfd = sock_packet_take_fd(&first, 0);
        s->in = sock_packet_take_fd(&first, 1);
        s->out = s->spec.terminal ? fd_dup(s->in) : sock_packet_take_fd(&first, 2);
        s->err = s->spec.terminal ? -EBADF : sock_packet_take_fd(&first, 3);
        if (s->pid <= 0 || s->pidfd < 0 || s->in < 0 || s->out < 0)
                return croft_error_set(err, EBADMSG, "hear from inside the partition");
        r = hear(s, &report, &second, err);
        if (r > 0)
                return croft_error_set(err, EBADMSG, "hear from inside the partition");
        return r;
}

static int launch(struct session *s, struct croft_error *err)
{
        int pair[2], r;
        pid_t helper;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return croft_error_set(err, errno, "make a socket to the command");
        s->helper = pair[0];
        helper = clone_helper(s, pair[1]);
        close_fd(pair[1]);
        if (helper < 0)
                return croft_error_set(err, helper, "make a process in the partition's cgroup");
        r = agree(s, helper, err);
        if (r == 0)
                r = take_command(s, err);
        if (r < 0) {
                (void)kill(helper, SIGKILL); /* not yet waited for: the number is its own */
                if (s->pid > 0) {
                        (void)kill(s->pid, SIGKILL);
                        (void)TEMP_FAILURE_RETRY(waitpid(s->pid, NULL, 0));
                }
        }
        (void)TEMP_FAILURE_RETRY(waitpid(helper, NULL, 0));
        return r;
}

/* The command's whole process group, as a terminal would do it; the command alone if it has left that group. */
static void signal_command(const struct session *s, int signal)
{
        if (!s->ended && kill(-s->pid, signal) < 0)
                (void)kill(s->pid, signal);
}

/* true: read it again. */
static bool relay_output(struct session *s, int *fd, uint8_t type)
{
        uint8_t buf[16384];
        ssize_t n = read(*fd, buf, sizeof(buf));

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return false;
        if (n <= 0) {
                *fd = close_fd(*fd); /* EIO: nobody has the terminal open any more */
                return false;
        }
        return stream_put(&s->client, type, buf, (size_t)n) == 0;
}

static void relay_input(struct session *s)
{
        static const char end_of_file = 4; /* ^D, what ends the input of a terminal */
        int r = s->in < 0 ? -EPIPE : stream_input_to(&s->client, s->in);

        if (r == 0)
                return;
        if (r < 0)
                s->client.used_input = s->client.n_input; /* the command takes no input any more */
        if (!s->client.input_ended || s->in < 0)
                return;
        if (s->spec.terminal)
                (void)!write(s->in, &end_of_file, 1);
        s->in = close_fd(s->in);
}

static void obey_client(struct session *s)
{
        if (s->client.resized && s->spec.terminal)
                (void)pty_resize(s->out, s->client.rows, s->client.columns);
        s->client.resized = false;
        if (s->client.signal)
                signal_command(s, s->client.signal);
        s->client.signal = 0;
}

static void note_end(struct session *s)
{
        siginfo_t si = {0};

        if (TEMP_FAILURE_RETRY(waitid(P_PIDFD, (id_t)s->pidfd, &si, WEXITED)) < 0)
                s->status = EXIT_OURS;
        else
                s->status = si.si_code == CLD_EXITED ? (uint32_t)si.si_status : 128 + (uint32_t)si.si_status;
        s->ended = true;
}

enum { AT_CLIENT, AT_IN, AT_OUT, AT_ERR, AT_COMMAND, AT_END };

static void choose_events(const struct session *s, struct pollfd p[AT_END])
{
        bool pending = stream_input_pending(&s->client), room = stream_room(&s->client, QUEUE_MAX) > 0;

        p[AT_CLIENT] = (struct pollfd){.fd = s->client.fd,
                .events = (short)((pending ? POLLRDHUP : POLLIN) | (stream_output_pending(&s->client) ? POLLOUT : 0))};
        p[AT_IN] = (struct pollfd){.fd = pending ? s->in : -1, .events = POLLOUT};
        p[AT_OUT] = (struct pollfd){.fd = room ? s->out : -1, .events = POLLIN};
        p[AT_ERR] = (struct pollfd){.fd = room ? s->err : -1, .events = POLLIN};
        p[AT_COMMAND] = (struct pollfd){.fd = s->ended ? -1 : s->pidfd, .events = POLLIN};
}

/* false: the client has gone. */
static bool serve_client(struct session *s, short events)
{
        if ((events & POLLOUT) && stream_flush(&s->client) < 0)
                return false;
        if (stream_input_pending(&s->client))
                return !(events & (POLLRDHUP | POLLHUP | POLLERR));
        if ((events & (POLLIN | POLLHUP | POLLERR)) && stream_read(&s->client) <= 0)
                return false;
        obey_client(s);
        relay_input(s);
        return true;
}

/* Until the command has ended or the client has gone (false). */
static bool relay(struct session *s)
{
        struct pollfd p[AT_END];

        while (!s->ended) {
                choose_events(s, p);
                if (poll(p, AT_END, -1) < 0) {
                        if (errno != EINTR)
                                return false;
                        continue;
                }
                if (p[AT_CLIENT].revents && !serve_client(s, p[AT_CLIENT].revents))
                        return false;
                if (p[AT_IN].revents)
                        relay_input(s);
                if (p[AT_OUT].revents && s->out >= 0)
                        (void)relay_output(s, &s->out, CROFT_STREAM_STDOUT);
                if (p[AT_ERR].revents && s->err >= 0)
                        (void)relay_output(s, &s->err, CROFT_STREAM_STDERR);
                if (p[AT_COMMAND].revents)
                        note_end(s);
        }
        return true;
}

/* Waits until the client has taken all that is queued; false: it has gone. */
static bool drain(struct session *s)
{
        for (;;) {
                struct pollfd p = {.fd = s->client.fd, .events = POLLOUT};
                int r = stream_flush(&s->client);

                if (r != 0)
                        return r > 0;
                if (poll(&p, 1, -1) < 0 && errno != EINTR)
                        return false;
        }
}

/* What the command had written when it ended; what its children still write isn't waited for. */
static void finish_output(struct session *s)
{
        while (s->out >= 0 && relay_output(s, &s->out, CROFT_STREAM_STDOUT) && drain(s))
                ;
        while (s->err >= 0 && relay_output(s, &s->err, CROFT_STREAM_STDERR) && drain(s))
                ;
}

static void say_goodbye(struct session *s)
{
        if (stream_put_exit(&s->client, s->status) == 0 && drain(s))
                stream_linger(&s->client);
}

static int serve(struct session *s, struct croft_error *err)
{
        int r = launch_isolate(err);

        if (r == 0)
                r = launch_leave(err);
        if (r == 0)
                r = warden_confine(partition_owner(s->spec.uid_base), s->own_filter, err);
        if (r == 0)
                r = fd_set_nonblock(s->in, 1);
        if (r == 0)
                r = fd_set_nonblock(s->out, 1);
        if (r == 0 && s->err >= 0)
                r = fd_set_nonblock(s->err, 1);
        if (r < 0) {
                signal_command(s, SIGKILL);
                return croft_error_prefix(err, "relay the command's input and output");
        }
        if (!relay(s)) {
                signal_command(s, SIGHUP);
                signal_command(s, SIGCONT); /* a stopped one, too, learns of it */
                return 0;
        }
        finish_output(s);
        say_goodbye(s);
        return 0;
}

static void tell_failure(struct session *s, const struct croft_error *err)
{
        char line[CROFT_ERROR_TEXT_MAX];

        if (s->channel >= 0) {
                _cleanup_(wire_writer_done) struct wire_writer body = WIRE_WRITER_INIT;

                warden_error_put(&body, err);
                (void)warden_send(s->channel, WARDEN_FAILED, NULL, 0, &body);
        }
        if (s->client.fd < 0)
                return;
        croft_error_line(err, line, sizeof(line));
        (void)stream_put(&s->client, CROFT_STREAM_ERROR, line, strlen(line));
        say_goodbye(s);
}

int session_main(void)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct session s = {.channel = WARDEN_CHANNEL,
                .init = -EBADF,
                .cgroup = -EBADF,
                .filter = -EBADF,
                .own_filter = -EBADF,
                .notify = -EBADF,
                .client = {.fd = -EBADF},
                .helper_pidfd = -EBADF,
                .helper = -EBADF,
                .pidfd = -EBADF,
                .in = -EBADF,
                .out = -EBADF,
                .err = -EBADF,
                .status = EXIT_OURS};
        int r;

        r = receive(&s, &err);
        if (r == 0)
                r = launch(&s, &err);
        if (r == 0)
                r = serve(&s, &err);
        if (r < 0)
                tell_failure(&s, &err);
        session_done(&s);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
