/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * line.h - a command that runs on another machine: ssh(1) or croft-remote(8) as a child, what it says, and how it
 * ended.
 *
 * Who is at the other end is theirs to prove.  The child goes when we do.
 */
#ifndef CROFT_CLI_LINE_H
#define CROFT_CLI_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LINE_WORDS_MAX 48

enum line_kind { LINE_SSH, LINE_TLS };

/* What is run for a command (NULL-ended words without blanks or anything that a shell knows) on host.  given: what the
 * user's environment has instead of the usual beginning, split at blanks; NULL or "": nothing.  All is owned by *ret,
 * which line_words_done() ends. */
struct line_words {
        char *given, *joined;
        const char *words[LINE_WORDS_MAX];
};
/* 0, -E2BIG or -ENOMEM. */
int line_words_make(
        enum line_kind kind, const char *given, const char *host, const char *const *command, struct line_words *ret);
void line_words_done(struct line_words *words);

struct line {
        pid_t child;
        int out, said;  /* its standard output and its standard error */
        char last[256]; /* the last line of the latter, without its end */
        size_t n_next;  /* of the line that isn't complete yet: */
        char next[256];
};

/* 0 or a negative errno. */
int line_open(const struct line_words *words, struct line *ret);
/* As read(2) of what the command writes; 0: it has ended.  What the child says on its standard error goes to ours. */
ssize_t line_read(struct line *line, void *buf, size_t size);
/* Waits for its end; gives_up: it is told to end.  Its status, as a shell has it. */
int line_close(struct line *line, bool gives_up);

#endif
