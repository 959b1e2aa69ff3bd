/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * remote.h - the two halves of croft-remote, and what serves one connection.
 */
#ifndef CROFT_REMOTE_REMOTE_H
#define CROFT_REMOTE_REMOTE_H

#include "remote/names.h"
#include "remote/tls.h"

#include <sys/types.h>

#define REMOTE_LINE_TROUBLE 255 /* exit status, as ssh(1) has it */

struct connect_options {
        struct tls_files files;
        struct names_place place;
        const char *address; /* connect there; NULL: where the place's name leads */
        char *const *words;
};
/* Runs the command there, copies what comes to standard output.  Returns its status, or REMOTE_LINE_TROUBLE, the reason
 * said. */
int connect_run(const struct connect_options *options);

struct serve_options {
        struct tls_files files;
        struct names_place listen;
        char **allow;           /* NULL: those in allow_file */
        const char *allow_file; /* read at the start, and again on SIGHUP */
        const char *socket;     /* of the croftd that is asked; NULL: the usual one */
};
/* Serves until SIGTERM or SIGINT.  Returns an exit status, the reason said. */
int serve_run(const struct serve_options *options);

/* One connection.  All is borrowed. */
struct session {
        SSL_CTX *ctx;
        char *const *allow;
        const char *peer;    /* its address, for the log */
        const char *program; /* croft */
        const char *socket;
        pid_t parent; /* of the process that serves it: without that it ends */
        int fd;       /* the connection, nonblocking */
        int told_fd;  /* a pipe that gets a byte once it is known who is there */
        bool busy;    /* there are as many lines as there may be */
};
/* In a process of its own: the one that calls keeps its privileges and reads nothing of the network; a child of it,
 * which has none, speaks with the other side.  Returns an exit status. */
int session_run(const struct session *session);
/* That child: ctl leads to its parent, out is what the command writes. */
int session_speak(const struct session *session, int ctl, int out);

/* Gives up all but what is open: user nobody, no capability, no new file, process or connection.  The process ends with
 * its parent. */
int confine(pid_t parent, struct croft_error *err);

#endif
