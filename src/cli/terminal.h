/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * terminal.h - the user's terminal while a stream uses it.
 */
#ifndef CROFT_CLI_TERMINAL_H
#define CROFT_CLI_TERMINAL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

struct terminal {
        bool raw; /* standard input is a terminal in raw mode now */
        struct termios saved;
        sigset_t mask; /* the signals that were blocked before */
        bool masked;
        int signals; /* signalfd; -1: none */
};

/* Blocks the signals that a stream wants to see and opens a descriptor for them; raw: puts standard input into raw mode
 * when it is a terminal.  What is ignored on entry (nohup) stays ignored.  0 or a negative errno. */
int terminal_begin(struct terminal *t, bool raw);
/* Everything as it was.  May be called twice. */
void terminal_end(struct terminal *t);
/* Raw again, after the shell has had the terminal. */
void terminal_again(const struct terminal *t);
/* The size of the first of the standard descriptors that is a terminal; false: none is. */
bool terminal_size(uint16_t *ret_rows, uint16_t *ret_columns);
/* The next signal that has come, 0: none. */
int terminal_signal(const struct terminal *t);
/* Ends as the signal would have ended us. */
void terminal_die(struct terminal *t, int signal);

#endif
