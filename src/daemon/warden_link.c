/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warden_link.c - spawning a warden and talking to it.  See warden_link.h.
 *
 * posix_spawn, not fork: croftd has threads.
 */
#include "daemon/warden_link.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/process.h"

#include <poll.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#define CHILD_SOCKET 3
#define NOFILE_USUAL 1024 /* what every system gives its programs at first */

extern char **environ;

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

static int spawn(const char *path, const char *mode, int socket, pid_t *ret)
{
        char name[] = "croft-warden", mode_copy[16];
        char *argv[] = {name, mode_copy, NULL};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        int r;

        (void)snprintf(mode_copy, sizeof(mode_copy), "%s", mode);
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

int warden_spawn(const char *path, const char *mode, struct warden_process *ret, struct croft_error *err)
{
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF, pidfd = -EBADF;
        uint64_t start_time = 0;
        int pair[2], r;
        pid_t pid = 0;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return croft_error_set(err, errno, "make a socket for '%s'", path);
        ours = pair[0];
        theirs = pair[1];
        r = fd_set_nonblock(ours, 1);
        if (r == 0)
                r = spawn(path, mode, theirs, &pid);
        if (r < 0)
                return croft_error_set(err, r, "run '%s'", path);
        lower_limits(pid); /* it waits for a message and has done nothing yet */
        /* Our child can't be reaped by anybody else before this function returns it. */
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        r = pidfd < 0 ? -errno : process_start_time(pid, &start_time);
        if (r < 0) {
                (void)kill(pid, SIGKILL);
                return croft_error_set(err, r, "look at '%s'", path);
        }
        *ret = (struct warden_process){
                .socket = TAKE_FD(ours), .pidfd = TAKE_FD(pidfd), .pid = pid, .start_time = start_time};
        return 0;
}

static int64_t now_ms(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* 1: a packet. */
static int receive_before(int socket, int64_t deadline, struct warden_packet *ret)
{
        for (;;) {
                struct pollfd p = {.fd = socket, .events = POLLIN};
                int64_t left = deadline - now_ms();
                int r = warden_receive(socket, ret);

                if (r != -EAGAIN)
                        return r == 0 ? -ECONNRESET : r;
                if (left <= 0)
                        return -ETIMEDOUT;
                if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
                        return -errno;
        }
}

static int read_failure(struct warden_packet *packet, struct croft_error *err)
{
        struct croft_error told = CROFT_ERROR_INIT;

        if (warden_error_get(&packet->body, &told) < 0 || told.code == 0)
                return croft_error_set(err, EBADMSG, "the warden failed and can't say why.");
        return croft_error_copy(err, &told);
}

int warden_expect(int socket, enum warden_type expected, unsigned int timeout_ms, struct warden_state *state,
        struct warden_packet *ret, struct croft_error *err)
{
        _cleanup_(warden_packet_done) struct warden_packet packet = {.roles = NULL};
        int r = receive_before(socket, now_ms() + timeout_ms, &packet);

        if (r == -ECONNRESET)
                return croft_error_set(err, ECONNRESET, "the warden ended before it answered.");
        if (r == -ETIMEDOUT)
                return croft_error_set(err, ETIMEDOUT, "the warden didn't answer in %u s.", timeout_ms / 1000);
        if (r < 0)
                return croft_error_set(err, r, "hear the warden");
        if (packet.type == WARDEN_FAILED)
                return read_failure(&packet, err);
        if (packet.type != expected)
                return croft_error_set(err, EBADMSG, "the warden says %s instead of %s.", warden_type_name(packet.type),
                        warden_type_name(expected));
        if (state && warden_state_get(&packet.body, state) < 0)
                return croft_error_set(err, EBADMSG, "the warden's %s is malformed.", warden_type_name(expected));
        if (ret) {
                *ret = packet;
                packet = (struct warden_packet){.roles = NULL};
        }
        return 0;
}
