/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warden_spawner.c - the thread that makes wardens.  See warden_spawner.h.
 *
 * It is asked by a packet with the mode, and answers with one that has the pid, or why not, and our end of the child's
 * socket.  One question at a time.  posix_spawn, not fork: croftd has threads.
 */
#include "daemon/warden_spawner.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sock.h"
#include "kernel/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define CHILD_SOCKET 3
#define NOFILE_USUAL 1024 /* what every system gives its programs at first */
#define MODE_MAX 16

extern char **environ;

struct warden_spawner {
        char *path;
        pthread_t thread;
        bool started;
        pthread_mutex_t lock; /* over a question and its answer */
        int ours, theirs;     /* ends of its socket; theirs until the thread has it */
};

struct answer {
        int32_t code; /* 0 or a negative errno */
        int32_t pid;
};

/* --- the thread --- */

/* No signal is blocked or ignored in the child, whatever croftd does with them; it leaves croftd's session, so that a
 * terminal's ^C doesn't reach it. */
static int make_attributes(posix_spawnattr_t *attributes)
{
        sigset_t none, all;
        int r = posix_spawnattr_init(attributes);

        if (r != 0)
                return -r;
        (void)sigemptyset(&none);
        (void)sigfillset(&all);
        (void)posix_spawnattr_setsigmask(attributes, &none);
        (void)posix_spawnattr_setsigdefault(attributes, &all);
        r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
        if (r != 0)
                (void)posix_spawnattr_destroy(attributes);
        return -r;
}

static int spawn(const char *path, char *mode, int socket, pid_t *ret)
{
        char name[] = "croft-warden";
        char *argv[] = {name, mode, NULL};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        int r;

        r = -posix_spawn_file_actions_init(&actions);
        if (r < 0)
                return r;
        r = make_attributes(&attributes);
        if (r == 0) {
                r = -posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
                if (r == 0)
                        r = -posix_spawn_file_actions_adddup2(&actions, socket, CHILD_SOCKET);
                if (r == 0)
                        r = -posix_spawn(ret, path, &actions, &attributes, argv, environ);
                (void)posix_spawnattr_destroy(&attributes);
        }
        (void)posix_spawn_file_actions_destroy(&actions);
        return r;
}

static void answer(const struct warden_spawner *s, int socket, const struct sock_packet *question)
{
        _cleanup_close_ int parent = -EBADF, child = -EBADF;
        char mode[MODE_MAX] = "";
        int pair[2];
        pid_t pid = 0;
        struct answer a = {.code = 0};

        memcpy(mode, question->data, question->size < MODE_MAX ? question->size : MODE_MAX - 1);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
                a.code = -errno;
        } else {
                parent = pair[0];
                child = pair[1];
                a.code = spawn(s->path, mode, child, &pid);
                a.pid = pid;
        }
        (void)sock_send_packet(socket, &a, sizeof(a), &parent, a.code == 0 ? 1 : 0); /* who asked is there */
}

/* From here on this thread's descriptors are its own: 0 to 2, and its socket as the next. */
static int leave_table(int socket)
{
        if (unshare(CLONE_FILES) < 0)
                return -errno;
        if (socket != CHILD_SOCKET && dup3(socket, CHILD_SOCKET, O_CLOEXEC) < 0)
                return -errno;
        return syscall(SYS_close_range, CHILD_SOCKET + 1, ~0U, 0) < 0 ? -errno : 0;
}

static void *run(void *context)
{
        const struct warden_spawner *s = context;
        const struct answer ready = {.code = leave_table(s->theirs)};
        struct sock_packet question;
        int socket = ready.code == 0 ? CHILD_SOCKET : s->theirs;

        (void)sock_send_packet(socket, &ready, sizeof(ready), NULL, 0);
        for (;;) {
                question = (struct sock_packet){.size = 0};
                if (sock_receive_packet(socket, MODE_MAX, &question) <= 0)
                        return NULL; /* the other end is closed */
                answer(s, socket, &question);
                sock_packet_done(&question);
        }
}

/* --- who asks --- */

static int receive(const struct warden_spawner *s, struct answer *ret, int *ret_socket)
{
        struct sock_packet packet = {.size = 0};
        int r = sock_receive_packet(s->ours, sizeof(*ret), &packet);

        if (r == 1 && packet.size == sizeof(*ret)) {
                memcpy(ret, packet.data, sizeof(*ret));
                if (ret_socket)
                        *ret_socket = sock_packet_take_fd(&packet, 0);
                r = ret->code;
        } else if (r >= 0) {
                r = -ECONNRESET;
        }
        sock_packet_done(&packet);
        return r;
}

static int start(struct warden_spawner *s)
{
        struct answer ready;
        sigset_t all, old;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        s->ours = pair[0];
        s->theirs = pair[1];
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &old);
        r = -pthread_create(&s->thread, NULL, run, s);
        (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
        if (r < 0)
                return r;
        s->started = true;
        r = receive(s, &ready, NULL);
        if (r == 0)
                s->theirs = close_fd(s->theirs); /* the thread has its own */
        return r;
}

int warden_spawner_new(const char *path, struct warden_spawner **ret, struct croft_error *err)
{
        struct warden_spawner *s = calloc(1, sizeof(*s));
        int r = -ENOMEM;

        if (s) {
                s->ours = s->theirs = -EBADF;
                (void)pthread_mutex_init(&s->lock, NULL); /* with these attributes it can't fail */
                s->path = strdup(path);
                r = s->path ? start(s) : -ENOMEM;
        }
        if (r < 0) {
                warden_spawner_free(s);
                return croft_error_set(err, r, "start the thread that makes wardens");
        }
        *ret = s;
        return 0;
}

struct warden_spawner *warden_spawner_free(struct warden_spawner *s)
{
        if (!s)
                return NULL;
        if (s->ours >= 0)
                (void)shutdown(s->ours, SHUT_RDWR); /* wakes the thread, whoever has its end */
        if (s->started)
                (void)pthread_join(s->thread, NULL);
        close_fd(s->ours);
        close_fd(s->theirs);
        (void)pthread_mutex_destroy(&s->lock);
        free(s->path);
        free(s);
        return NULL;
}

static int ask(struct warden_spawner *s, const char *mode, struct answer *ret, int *ret_socket)
{
        int r;

        (void)pthread_mutex_lock(&s->lock);
        r = sock_send_packet(s->ours, mode, strlen(mode), NULL, 0);
        if (r == 0)
                r = receive(s, ret, ret_socket);
        (void)pthread_mutex_unlock(&s->lock);
        return r;
}

/* croftd itself has raised the soft limit as far as it goes; programs that use select(2) want the usual one. */
static void lower_limits(pid_t pid)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        if (limit.rlim_cur > NOFILE_USUAL)
                limit.rlim_cur = NOFILE_USUAL;
        (void)prlimit(pid, RLIMIT_NOFILE, &limit, NULL); /* a child that is gone needs none */
}

int warden_spawn(struct warden_spawner *s, const char *mode, struct warden_process *ret, struct croft_error *err)
{
        _cleanup_close_ int socket = -EBADF, pidfd = -EBADF;
        uint64_t start_time = 0;
        struct answer a;
        int r = ask(s, mode, &a, &socket);

        if (r < 0)
                return croft_error_set(err, r, "run '%s'", s->path);
        r = fd_set_nonblock(socket, 1);
        lower_limits(a.pid); /* it waits for a message and has done nothing yet */
        /* Our child can't be reaped by anybody else before this function returns it. */
        if (r == 0)
                pidfd = (int)syscall(SYS_pidfd_open, a.pid, 0);
        if (r == 0)
                r = pidfd < 0 ? -errno : process_start_time(a.pid, &start_time);
        if (r < 0) {
                (void)kill(a.pid, SIGKILL);
                return croft_error_set(err, r, "look at '%s'", s->path);
        }
        *ret = (struct warden_process){
                .socket = TAKE_FD(socket), .pidfd = TAKE_FD(pidfd), .pid = a.pid, .start_time = start_time};
        return 0;
}
