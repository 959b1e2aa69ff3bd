/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * terminal.c - raw mode and signals.  See terminal.h.
 *
 * Signals are blocked and read from a descriptor while a stream runs, so there is no handler and no way out that leaves
 * the terminal raw.
 */
#include "terminal.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int wanted[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCONT};

static void collect(sigset_t *set)
{
        sigemptyset(set);
        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
                struct sigaction action;

                if (sigaction(wanted[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
                        sigaddset(set, wanted[i]);
        }
}

void terminal_again(const struct terminal *t)
{
        struct termios raw = t->saved;

        if (!t->raw)
                return;
        cfmakeraw(&raw);
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw); /* a terminal that is gone shows soon enough */
}

int terminal_begin(struct terminal *t, bool raw)
{
        sigset_t set;

        *t = (struct terminal){.signals = -1};
        collect(&set);
        if (sigprocmask(SIG_BLOCK, &set, &t->mask) < 0)
                return -errno;
        t->masked = true;
        t->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (t->signals < 0)
                return -errno;
        t->raw = raw && tcgetattr(STDIN_FILENO, &t->saved) == 0;
        terminal_again(t);
        return 0;
}

void terminal_end(struct terminal *t)
{
        if (t->raw)
                (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &t->saved);
        t->raw = false;
        if (t->signals >= 0)
                (void)close(t->signals);
        t->signals = -1;
        if (t->masked)
                (void)sigprocmask(SIG_SETMASK, &t->mask, NULL);
        t->masked = false;
}

bool terminal_size(uint16_t *ret_rows, uint16_t *ret_columns)
{
        for (int fd = 0; fd <= 2; fd++) {
                struct winsize size;

                if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
                        *ret_rows = size.ws_row;
                        *ret_columns = size.ws_col;
                        return true;
                }
        }
        return false;
}

int terminal_signal(const struct terminal *t)
{
        struct signalfd_siginfo info;

        return read(t->signals, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

void terminal_die(struct terminal *t, int signal_number)
{
        sigset_t set;

        terminal_end(t);
        (void)signal(signal_number, SIG_DFL);
        sigemptyset(&set);
        sigaddset(&set, signal_number);
        (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
        (void)raise(signal_number);
}
