/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * session.h - between the two halves of an exec session.
 *
 *   session (croftd's cgroup, host namespaces)        helper (partition's cgroup)
 *   clone3 into the cgroup                            born, waits
 *                                      <- LISTENER   is the first to have its calls intercepted, where that is wanted
 *   LOADED -> croftd, RUN <- croftd          GO ->    setns into everything, finds the user, makes terminal or pipes,
 *                                                     clones the command as the session's child
 *   takes the descriptors                 <- READY    ends
 *                                                     the command: filter, user, execve
 *                                      <- end of file: it runs; or FAILED
 *   gives up its privileges, then relays
 */
#ifndef CROFT_WARDEN_SESSION_H
#define CROFT_WARDEN_SESSION_H

#include "partition/warden_msg.h"

enum session_report_kind { SESSION_READY = 1, SESSION_FAILED, SESSION_LISTENER /* descriptor: it, or none */ };

struct session_report {
        uint32_t kind;
        uint32_t exec_failed; /* the program could not be run: 126 or 127 by the code */
        int64_t pid; /* of the command, host's number.  READY: descriptors pidfd, then terminal, or in out err */
        struct croft_error error;
};

/* In the helper, first of all: installs the filter of intercepted calls and hands its listener over; what fails ends
 * the helper. */
void session_intercept(int notify, int socket);

/* In the helper.  Never returns. */
void session_inside(const struct exec_spec *spec, int pidfd, int filter, int socket) __attribute__((noreturn));

/* The command's environment: what the caller gives, over what the user has by default.  A new vector, NULL: no memory.
 */
struct user;
char **session_environment(const struct exec_spec *spec, const struct user *user);

#endif
