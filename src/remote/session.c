/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * session.c - the half of a connection that runs the command.  See remote.h.
 *
 * It believes nothing of the half that speaks: the request is decoded here, and compared with the table of what may be
 * run.  Who dies takes the rest along: the command dies with this process, the speaker too, and this process ends them
 * when the line has ended.
 */
#include "remote/remote.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"
#include "remote/allowed.h"
#include "remote/frame.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define ARGUMENTS_MAX (FRAME_WORDS_MAX + 4)
#define END_PATIENCE_MS 15000 /* for what the command said to reach the other side */

static int wait_for(pid_t pid)
{
        int status = 0;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return FRAME_REFUSED_FAILED;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* In the child; nothing of ours is open there but what it gets. */
_Noreturn static void run_command(const struct session *s, char *const *words, pid_t parent, int out)
{
        static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C.UTF-8";
        char *const environment[] = {path, locale, NULL};
        char *arguments[ARGUMENTS_MAX];
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        size_t n = 0;

        arguments[n++] = words[0];
        if (s->socket) {
                arguments[n++] = (char *)(uintptr_t) "--socket";
                arguments[n++] = (char *)(uintptr_t)s->socket;
        }
        for (size_t i = 1; words[i] && i < FRAME_WORDS_MAX; i++)
                arguments[n++] = words[i];
        arguments[n] = NULL;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGPIPE, SIG_DFL);
        if (getppid() == parent && null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
                (void)execve(s->program, arguments, environment);
        log_say(LOG_LEVEL_ERROR, "run '%s': %s", s->program, strerror(errno));
        _exit(127);
}

/* Until the command has ended; it is ended when the line has.  Its status; negative: the line has ended. */
static int attend(pid_t command, int ctl)
{
        _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, command, 0);
        struct pollfd p[] = {{.fd = pidfd, .events = POLLIN}, {.fd = ctl, .events = 0}};
        int r = pidfd < 0 ? -errno : 0;

        while (r == 0 && !p[0].revents && !p[1].revents)
                if (poll(p, ELEMENTS(p), -1) < 0 && errno != EINTR)
                        r = -errno;
        if (r < 0 || p[1].revents)
                (void)kill(command, SIGKILL);
        r = r < 0 || p[1].revents ? -ECONNRESET : 0;
        return r < 0 ? (void)wait_for(command), r : wait_for(command);
}

static void log_request(enum log_level level, const struct session *s, char *const *words, const char *what)
{
        char text[512] = "";
        size_t used = 0;

        for (size_t i = 0; words && words[i] && used < sizeof(text); i++)
                used += (size_t)snprintf(text + used, sizeof(text) - used, " %s", words[i]);
        log_say(level, "%s %s:%s", s->peer, what, words ? text : " what is no command");
}

/* What is to be told of the end.  out: where the command writes; closed. */
static void run_request(const struct session *s, char *const *words, int ctl, int out, uint8_t end[2])
{
        pid_t parent = getpid(), command;
        int status;

        end[0] = FRAME_REFUSED;
        if (!words || !allowed_command(words)) {
                log_request(LOG_LEVEL_WARNING, s, words, "asked for what it may not run");
                end[1] = FRAME_REFUSED_COMMAND;
                (void)close_fd(out);
                return;
        }
        log_request(LOG_LEVEL_INFO, s, words, "runs");
        command = fork();
        if (command == 0)
                run_command(s, words, parent, out);
        (void)close_fd(out);
        end[1] = FRAME_REFUSED_FAILED;
        if (command < 0)
                return;
        status = attend(command, ctl);
        if (status >= 0 && status != 127) {
                end[0] = FRAME_END;
                end[1] = (uint8_t)status;
        }
}

/* One request; without one the line has ended before. */
static void serve_request(const struct session *s, int ctl, int out)
{
        _cleanup_(strv_freep) char **words = NULL;
        uint8_t request[FRAME_REQUEST_MAX + 1], end[2];
        struct pollfd ended = {.fd = ctl, .events = 0};
        ssize_t n;

        while ((n = recv(ctl, request, sizeof(request), 0)) < 0 && errno == EINTR)
                ;
        if (n <= 0) {
                (void)close_fd(out);
                return;
        }
        if (frame_get_words(request, (size_t)n, &words) < 0)
                words = NULL;
        run_request(s, words, ctl, out, end);
        if (send(ctl, end, sizeof(end), MSG_NOSIGNAL) == sizeof(end))
                (void)poll(&ended, 1, END_PATIENCE_MS);
}

int session_run(const struct session *s)
{
        int ctl[2] = {-EBADF, -EBADF}, out[2] = {-EBADF, -EBADF};
        struct session speaks = *s;
        pid_t speaker;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != s->parent)
                return 1;
        speaks.parent = getpid();
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ctl) < 0 || pipe2(out, O_CLOEXEC) < 0)
                return 1;
        speaker = fork();
        if (speaker == 0) {
                (void)close_fd(ctl[0]);
                (void)close_fd(out[1]);
                _exit(session_speak(&speaks, ctl[1], out[0]));
        }
        (void)close_fd(ctl[1]);
        (void)close_fd(out[0]);
        (void)close_fd(s->fd);
        (void)close_fd(s->told_fd);
        if (speaker < 0)
                return 1;
        serve_request(s, ctl[0], out[1]);
        (void)kill(speaker, SIGKILL); /* it has ended, or doesn't come to an end */
        return wait_for(speaker);
}
