/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * serve.c - takes connections of other machines and gives each a process.  See remote.h.
 *
 * This process reads nothing of the network.  How many connections there are is bounded twice: those that may stay are
 * counted by themselves, and of those of which isn't known yet who is there the oldest is ended when there is no room,
 * so that whoever only connects and waits keeps nobody out.
 */
#include "remote/remote.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define UNKNOWN_MAX 16 /* connections of which isn't known who is there */
#define KNOWN_MAX 64
#define ALLOW_FILE_MAX 262144
#define BACKLOG 64

struct visitor {
        pid_t pid;   /* 0: free */
        int told_fd; /* until it is known; then -EBADF */
        uint64_t number;
};

struct server {
        const struct serve_options *options;
        SSL_CTX *ctx;
        char **allow;
        char program[4096];
        int listen_fd, signal_fd;
        sigset_t usual_signals;
        struct visitor visitors[UNKNOWN_MAX + KNOWN_MAX];
        uint64_t n_ever;
};

/* --- what is read from files --- */

static int read_allow(const struct serve_options *o, char ***ret, struct croft_error *err)
{
        _cleanup_free_ char *text = NULL;
        int r;

        if (o->allow) {
                *ret = strv_copy(o->allow);
                return *ret ? 0 : croft_error_set(err, ENOMEM, "copy the allow list");
        }
        r = fd_read_file(AT_FDCWD, o->allow_file, ALLOW_FILE_MAX, &text, NULL);
        if (r < 0)
                return croft_error_set(err, r, "read the allow list '%s'", o->allow_file);
        return names_parse_allow(text, o->allow_file, ret, err);
}

/* All or nothing: what was there stays when something is wrong. */
static int load(struct server *s, struct croft_error *err)
{
        _cleanup_(tls_closep) SSL_CTX *ctx = NULL;
        _cleanup_(strv_freep) char **allow = NULL;
        int r = tls_open(&s->options->files, true, &ctx, err);

        if (r == 0)
                r = read_allow(s->options, &allow, err);
        if (r < 0)
                return r;
        tls_closep(&s->ctx);
        strv_free(s->allow);
        s->ctx = TAKE(ctx);
        s->allow = TAKE(allow);
        return 0;
}

/* --- the listener --- */

static int listen_on(const struct addrinfo *address)
{
        _cleanup_close_ int fd =
                socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol);
        int on = 1;

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
                bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
                return -errno;
        return TAKE_FD(fd);
}

static int open_listener(const struct names_place *place, struct croft_error *err)
{
        const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
        struct addrinfo *list = NULL;
        int r = getaddrinfo(place->host, place->port, &hints, &list), fd;

        if (r != 0)
                return croft_error_set(err, EINVAL, "--listen wants an address and a port, not '%s': %s.", place->host,
                        gai_strerror(r));
        fd = listen_on(list);
        freeaddrinfo(list);
        return fd < 0 ? croft_error_set(err, fd, "listen on %s, port %s", place->host, place->port) : fd;
}

/* --- visitors --- */

static struct visitor *find_room(struct server *s)
{
        struct visitor *free_one = NULL, *oldest = NULL;
        size_t unknown = 0;

        for (size_t i = 0; i < ELEMENTS(s->visitors); i++) {
                struct visitor *v = &s->visitors[i];

                if (!v->pid) {
                        free_one = v;
                } else if (v->told_fd >= 0) {
                        unknown++;
                        oldest = !oldest || v->number < oldest->number ? v : oldest;
                }
        }
        if (oldest && (unknown >= UNKNOWN_MAX || !free_one)) {
                log_say(LOG_LEVEL_WARNING, "too many connections at once; one that didn't say who it is was ended");
                (void)kill(oldest->pid, SIGKILL); /* its speaker goes with it */
                (void)waitpid(oldest->pid, NULL, 0);
                oldest->told_fd = close_fd(oldest->told_fd);
                oldest->pid = 0;
                return oldest;
        }
        return free_one;
}

static bool is_busy(const struct server *s)
{
        size_t known = 0;

        for (size_t i = 0; i < ELEMENTS(s->visitors); i++)
                known += s->visitors[i].pid && s->visitors[i].told_fd < 0;
        return known >= KNOWN_MAX;
}

/* In the child: only its own descriptors stay. */
static int be_session(struct server *s, pid_t parent, int fd, int told_fd, const char *peer)
{
        const struct session session = {.ctx = s->ctx,
                .allow = s->allow,
                .peer = peer,
                .program = s->program,
                .socket = s->options->socket,
                .parent = parent,
                .fd = fd,
                .told_fd = told_fd,
                .busy = is_busy(s)};

        (void)close_fd(s->listen_fd);
        (void)close_fd(s->signal_fd);
        for (size_t i = 0; i < ELEMENTS(s->visitors); i++)
                (void)close_fd(s->visitors[i].told_fd);
        (void)sigprocmask(SIG_SETMASK, &s->usual_signals, NULL);
        return session_run(&session);
}

static void name_peer(const struct sockaddr_storage *address, socklen_t size, char *buf, size_t buf_size)
{
        char host[96], port[8];

        if (getnameinfo((const struct sockaddr *)address, size, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
                (void)snprintf(buf, buf_size, "[%s]:%s", host, port);
        else
                (void)snprintf(buf, buf_size, "somebody");
}

static void accept_one(struct server *s)
{
        struct sockaddr_storage address;
        socklen_t size = sizeof(address);
        _cleanup_close_ int fd =
                accept4(s->listen_fd, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        struct visitor *room;
        pid_t pid, parent = getpid();
        int told[2];
        char peer[128];

        if (fd < 0) {
                if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
                        log_say(LOG_LEVEL_ERROR, "take a connection: %s", strerror(errno));
                        (void)usleep(100000); /* what lacks will be there later; don't spin */
                }
                return;
        }
        room = find_room(s);
        if (!room || pipe2(told, O_CLOEXEC) < 0) {
                log_say(LOG_LEVEL_ERROR, "no room for a connection");
                return;
        }
        name_peer(&address, size, peer, sizeof(peer));
        pid = fork();
        if (pid == 0) {
                (void)close_fd(told[0]);
                _exit(be_session(s, parent, fd, told[1], peer));
        }
        (void)close_fd(told[1]);
        if (pid < 0) {
                (void)close_fd(told[0]);
                log_say(LOG_LEVEL_ERROR, "make a process for a connection: %s", strerror(errno));
                return;
        }
        *room = (struct visitor){.pid = pid, .told_fd = told[0], .number = ++s->n_ever};
}

static void reap(struct server *s)
{
        pid_t pid;

        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
                for (size_t i = 0; i < ELEMENTS(s->visitors); i++)
                        if (s->visitors[i].pid == pid) {
                                s->visitors[i].pid = 0;
                                s->visitors[i].told_fd = close_fd(s->visitors[i].told_fd);
                        }
}

/* --- the loop --- */

/* False: it is time to end. */
static bool take_signals(struct server *s)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct signalfd_siginfo info;

        while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info)) {
                if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
                        return false;
                if (info.ssi_signo == SIGCHLD)
                        reap(s);
                else if (load(s, &err) < 0)
                        log_error(LOG_LEVEL_ERROR, &err, "what was read before stays in force");
                else
                        log_say(LOG_LEVEL_NOTICE, "the certificates and the allow list were read again");
        }
        return true;
}

static void serve(struct server *s)
{
        for (;;) {
                struct pollfd p[2 + ELEMENTS(s->visitors)];

                p[0] = (struct pollfd){.fd = s->signal_fd, .events = POLLIN};
                p[1] = (struct pollfd){.fd = s->listen_fd, .events = POLLIN};
                for (size_t i = 0; i < ELEMENTS(s->visitors); i++)
                        p[2 + i] = (struct pollfd){.fd = s->visitors[i].told_fd, .events = POLLIN};
                if (poll(p, ELEMENTS(p), -1) < 0)
                        continue;
                /* A byte, or its end without one: then it is gone in a moment. */
                for (size_t i = 0; i < ELEMENTS(s->visitors); i++)
                        if (p[2 + i].revents)
                                s->visitors[i].told_fd = close_fd(s->visitors[i].told_fd);
                if (p[0].revents && !take_signals(s))
                        return;
                if (p[1].revents)
                        accept_one(s);
        }
}

static int open_signals(struct server *s, struct croft_error *err)
{
        const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
        sigset_t set;

        (void)signal(SIGPIPE, SIG_IGN);
        (void)sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTS(signals); i++)
                (void)sigaddset(&set, signals[i]);
        (void)sigprocmask(SIG_BLOCK, &set, &s->usual_signals);
        s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return s->signal_fd < 0 ? croft_error_set(err, errno, "watch signals") : 0;
}

/* croft lies beside this program in the build; installed, in the directory of programs for everybody. */
static int find_program(char *buf, size_t size, struct croft_error *err)
{
        ssize_t n = readlink("/proc/self/exe", buf, size - 1);
        char *slash;

        if (n < 0)
                return croft_error_set(err, errno, "find this program's place");
        buf[n] = '\0';
        slash = strrchr(buf, '/');
        (void)snprintf(slash + 1, size - (size_t)(slash + 1 - buf), "croft");
        if (access(buf, X_OK) == 0)
                return 0;
        (void)snprintf(buf, size, "%s/croft", CROFT_BINDIR);
        return access(buf, X_OK) == 0 ? 0 : croft_error_set(err, errno, "find '%s'", buf);
}

static void end(struct server *s)
{
        for (size_t i = 0; i < ELEMENTS(s->visitors); i++)
                if (s->visitors[i].pid)
                        (void)kill(s->visitors[i].pid, SIGKILL);
        while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
                ;
        for (size_t i = 0; i < ELEMENTS(s->visitors); i++)
                (void)close_fd(s->visitors[i].told_fd);
        (void)close_fd(s->listen_fd);
        (void)close_fd(s->signal_fd);
        tls_closep(&s->ctx);
        strv_free(s->allow);
}

int serve_run(const struct serve_options *options)
{
        struct server s = {.options = options, .listen_fd = -EBADF, .signal_fd = -EBADF};
        struct croft_error err = CROFT_ERROR_INIT;
        int r = 0;

        for (size_t i = 0; i < ELEMENTS(s.visitors); i++)
                s.visitors[i].told_fd = -EBADF;
        tzset(); /* reads a file; those who speak can't */
        if (geteuid() != 0)
                r = croft_error_set(&err, EPERM, "only root can serve: it gives up being root for each connection.");
        if (r == 0)
                r = find_program(s.program, sizeof(s.program), &err);
        if (r == 0)
                r = load(&s, &err);
        if (r == 0)
                r = open_signals(&s, &err);
        if (r == 0)
                r = s.listen_fd = open_listener(&options->listen, &err);
        if (r >= 0) {
                log_say(LOG_LEVEL_NOTICE, "serves on %s, port %s", options->listen.host, options->listen.port);
                serve(&s);
        } else {
                log_error(LOG_LEVEL_ERROR, &err, "serve");
        }
        end(&s);
        return r < 0 ? (int)croft_error_exit(&err) : 0;
}
