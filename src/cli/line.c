/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * line.c - a command on another machine, by a child.  See line.h.
 */
#include "line.h"

#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A line that is dead is found so within seconds; croft-remote has its own bounds. */
static const char *const ssh_options[] = {"-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o",
        "ServerAliveInterval=3", "-o", "ServerAliveCountMax=2", NULL};

/* For ssh: its shell there takes one line. */
static char *join(const char *const *words)
{
        size_t size = 1, used = 0;
        char *text;

        for (size_t i = 0; words[i]; i++)
                size += strlen(words[i]) + 1;
        text = malloc(size);
        for (size_t i = 0; text && words[i]; i++)
                used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "", words[i]);
        return text;
}

static bool append(struct line_words *w, size_t *n, const char *word)
{
        if (*n + 1 >= LINE_WORDS_MAX)
                return false;
        w->words[(*n)++] = word;
        w->words[*n] = NULL;
        return true;
}

int line_words_make(
        enum line_kind kind, const char *given, const char *host, const char *const *command, struct line_words *ret)
{
        struct line_words w = {.given = strdup(given && *given    ? given
                                               : kind == LINE_SSH ? "ssh"
                                                                  : "croft-remote connect")};
        const char *const joined[] = {w.joined = kind == LINE_SSH ? join(command) : NULL, NULL};
        char *save = NULL;
        size_t n = 0;
        bool fits = true;

        if (!w.given || (kind == LINE_SSH && !w.joined)) {
                line_words_done(&w);
                return -ENOMEM;
        }
        for (char *word = strtok_r(w.given, " ", &save); word; word = strtok_r(NULL, " ", &save))
                fits = fits && append(&w, &n, word);
        for (size_t i = 0; kind == LINE_SSH && ssh_options[i]; i++)
                fits = fits && append(&w, &n, ssh_options[i]);
        fits = fits && append(&w, &n, "--") && append(&w, &n, host);
        command = kind == LINE_SSH ? joined : command;
        for (size_t i = 0; command[i]; i++)
                fits = fits && append(&w, &n, command[i]);
        if (!fits) {
                line_words_done(&w);
                return -E2BIG;
        }
        *ret = w;
        return 0;
}

void line_words_done(struct line_words *words)
{
        free(words->given);
        free(words->joined);
        *words = (struct line_words){.given = NULL};
}

/* In the child. */
_Noreturn static void run(const struct line_words *words, pid_t parent, int null, int out, int said)
{
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
                dup2(said, STDERR_FILENO) < 0)
                _exit(127);
        (void)execvp(words->words[0], (char *const *)(uintptr_t)words->words);
        (void)dprintf(STDERR_FILENO, "%s: %s\n", words->words[0], strerror(errno));
        _exit(127);
}

int line_open(const struct line_words *words, struct line *ret)
{
        int out[2] = {-EBADF, -EBADF}, said[2] = {-EBADF, -EBADF}, null = open("/dev/null", O_RDWR | O_CLOEXEC), r = 0;
        pid_t parent = getpid(), child = -1;

        if (null < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(said, O_CLOEXEC) < 0)
                r = -errno;
        if (r == 0) {
                child = fork();
                if (child == 0)
                        run(words, parent, null, out[1], said[1]);
                r = child < 0 ? -errno : 0;
        }
        cli_closep(&null);
        cli_closep(&out[1]);
        cli_closep(&said[1]);
        if (r < 0) {
                cli_closep(&out[0]);
                cli_closep(&said[0]);
                return r;
        }
        *ret = (struct line){.child = child, .out = out[0], .said = said[0]};
        return 0;
}

/* --- what it says --- */

static void note_byte(struct line *line, char byte)
{
        if (byte != '\n') {
                if (line->n_next < sizeof(line->next) - 1 && byte != '\r')
                        line->next[line->n_next++] = byte;
                return;
        }
        line->next[line->n_next] = '\0';
        if (line->n_next > 0)
                memcpy(line->last, line->next, line->n_next + 1);
        line->n_next = 0;
}

/* False: it says no more. */
static bool hear(struct line *line)
{
        char text[512];
        ssize_t n = read(line->said, text, sizeof(text));

        if (n < 0 && errno == EINTR)
                return true;
        for (ssize_t i = 0; i < n; i++)
                note_byte(line, text[i]);
        if (n > 0 && write(STDERR_FILENO, text, (size_t)n) < 0)
                return true; /* nobody listens; there is no other place to say it */
        if (n <= 0)
                cli_closep(&line->said);
        return n > 0;
}

ssize_t line_read(struct line *line, void *buf, size_t size)
{
        for (;;) {
                struct pollfd p[] = {{.fd = line->out, .events = POLLIN}, {.fd = line->said, .events = POLLIN}};

                if (poll(p, ELEMENTS(p), -1) < 0 && errno != EINTR)
                        return -1;
                if (p[1].revents)
                        (void)hear(line);
                if (p[0].revents)
                        return read(line->out, buf, size);
        }
}

/* What a process that the child left behind (a master of ssh) may still say isn't waited for: it holds the pipe open.
 */
static void wait_for_end(struct line *line)
{
        int pidfd = (int)syscall(SYS_pidfd_open, line->child, 0);
        struct pollfd p[] = {{.fd = pidfd, .events = POLLIN}, {.fd = line->said, .events = POLLIN}};
        unsigned int left = 128; /* a full pipe */

        while (pidfd >= 0 && left > 0) {
                p[0].revents = p[1].revents = 0;
                if (poll(p, ELEMENTS(p), -1) < 0 && errno != EINTR)
                        break;
                if (p[0].revents)
                        left = p[1].revents ? left - 1 : 0;
                if (p[1].revents && !hear(line))
                        p[1].fd = -1;
        }
        cli_closep(&pidfd);
}

int line_close(struct line *line, bool gives_up)
{
        int status = 0;

        cli_closep(&line->out);
        if (gives_up)
                (void)kill(line->child, SIGTERM);
        wait_for_end(line);
        cli_closep(&line->said);
        note_byte(line, '\n');
        while (waitpid(line->child, &status, 0) < 0)
                if (errno != EINTR)
                        return 127;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
