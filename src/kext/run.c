/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * run.c - see run.h.
 */
#include "kext/run.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/sock.h"
#include "kernel/process.h"
#include "kernel/spawn.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define EXTRA_MAX 12
#define WORDS_MAX 6
#define DEATH_MS 1000 /* that it may take to die */
#define LATE_MAX 32

static int spawn(const char *worker, const char *mode, char *const words[], const int *fds, size_t n_fds,
        struct run *run, struct croft_error *err)
{
        char name[] = "croft-kext", pid[16], own_mode[16];
        char *argv[3 + WORDS_MAX + 1] = {name, own_mode, pid};
        int r;

        (void)snprintf(own_mode, sizeof(own_mode), "%s", mode);
        (void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
        for (size_t i = 0; i < WORDS_MAX && words[i]; i++)
                argv[3 + i] = words[i];
        r = spawn_program(worker, argv, fds, n_fds, &run->pid, err);
        if (r < 0)
                return r;
        run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0); /* ours, so the number is still its */
        if (run->pidfd >= 0)
                return 0;
        r = croft_error_set(err, errno, "hold croft-kext");
        (void)kill(run->pid, SIGKILL);
        (void)waitpid(run->pid, NULL, 0);
        return r;
}

int run_start(const char *worker, const char *mode, char *const words[], const int *extra, size_t n_extra,
        int timeout_ms, struct run *ret, struct croft_error *err)
{
        _cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC), mine = -EBADF, its = -EBADF;
        struct run run = RUN_INIT;
        int fds[4 + EXTRA_MAX], pair[2], r;

        if (null < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return croft_error_set(err, errno, "start croft-kext");
        mine = pair[0];
        its = pair[1];
        fds[0] = fds[1] = null;
        fds[2] = STDERR_FILENO;
        fds[3] = its;
        for (size_t i = 0; i < n_extra && i < EXTRA_MAX; i++)
                fds[4 + i] = extra[i];
        run.deadline_ms = now_ms() + timeout_ms;
        r = spawn(worker, mode, words, fds, 4 + n_extra, &run, err);
        if (r < 0)
                return r;
        run.socket = TAKE_FD(mine);
        *ret = run;
        return 0;
}

static int wait_for_word(struct run *run, struct croft_error *err)
{
        struct pollfd p[] = {{.fd = run->socket, .events = POLLIN}, {.fd = run->stop, .events = POLLIN}};
        int r;

        do {
                int64_t left = run->deadline_ms - now_ms();

                r = poll(p, ELEMENTS(p), left < 0 ? 0 : (int)left);
        } while (r < 0 && errno == EINTR);
        if (r < 0)
                return croft_error_set(err, errno, "wait for croft-kext");
        if (p[1].revents)
                return croft_error_set(err, ECANCELED, "wait for croft-kext");
        return r == 0 ? croft_error_set(err, ETIMEDOUT, "it can't be read in the time that it may take.") : 0;
}

/* By the kernel, which had no room, before it could say a word. */
static bool was_killed(struct run *run)
{
        int64_t status = 0;

        if (process_wait(run->pidfd, DEATH_MS) < 0 || !process_reap(run->pidfd, &status))
                return false;
        run->pidfd = close_fd(run->pidfd);
        return status >> 8 == CLD_KILLED && (status & 0xff) == SIGKILL;
}

int run_next_fd(struct run *run, struct msg *ret, int *ret_fd, struct croft_error *err)
{
        struct sock_packet packet = {0};
        _cleanup_close_ int fd = -EBADF;
        int r = wait_for_word(run, err);

        if (r < 0)
                return r;
        r = sock_receive_packet(run->socket, MSG_SIZE_MAX, &packet);
        if (r > 0)
                r = msg_decode(packet.data, packet.size, ret) < 0 ? -EBADMSG : 1;
        if (r > 0)
                fd = sock_packet_take_fd(&packet, 0);
        sock_packet_done(&packet);
        if (r == 0 && was_killed(run))
                return croft_error_set(err, ENOMEM, "croft-kext was killed: there is no room for it.");
        if (r == 0)
                return croft_error_set(err, EIO, "croft-kext ended without a word.");
        if (r < 0)
                return croft_error_set(err, r, "croft-kext says what it shouldn't");
        if (ret->type == MSG_FAULT)
                return croft_error_set(err, ret->code, "%s.", ret->text);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int run_next(struct run *run, struct msg *ret, struct croft_error *err)
{
        int fd = -EBADF, r = run_next_fd(run, ret, &fd, err);

        close_fd(fd);
        return r;
}

/* Those that couldn't die in time.  Whose thread lives on isn't handed on to the main one, so they are looked for at
 * each next run; of more than there is room for the main thread takes those whose thread has ended. */
static pthread_mutex_t late_lock = PTHREAD_MUTEX_INITIALIZER;
static int late[LATE_MAX];
static size_t n_late;

/* By the main thread. */
static bool was_reaped(int pidfd)
{
        siginfo_t info;

        return waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

static void reap_late(void)
{
        (void)pthread_mutex_lock(&late_lock);
        for (size_t i = 0; i < n_late;) {
                if (process_reap(late[i], NULL) || was_reaped(late[i])) {
                        close_fd(late[i]);
                        late[i] = late[--n_late];
                } else {
                        i++;
                }
        }
        (void)pthread_mutex_unlock(&late_lock);
}

static void leave(struct run *run)
{
        (void)pthread_mutex_lock(&late_lock);
        if (n_late < LATE_MAX)
                late[n_late++] = TAKE_FD(run->pidfd);
        (void)pthread_mutex_unlock(&late_lock);
}

void run_end(struct run *run)
{
        reap_late();
        if (run->pidfd >= 0) {
                (void)process_signal(run->pidfd, SIGKILL);
                if (process_wait(run->pidfd, DEATH_MS) < 0)
                        leave(run);
                else
                        (void)process_reap(run->pidfd, NULL);
        }
        run->pidfd = close_fd(run->pidfd);
        run->socket = close_fd(run->socket);
}
