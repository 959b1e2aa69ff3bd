/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * spawn.h - starts a helper with just the descriptors that it is to have.
 */
#ifndef CROFT_KERNEL_SPAWN_H
#define CROFT_KERNEL_SPAWN_H

#include <croft/error.h>
#include <stddef.h>
#include <sys/types.h>

#define SPAWN_FDS_MAX 16

/* Starts program with fds[i] (borrowed; negative: as it is) as its descriptor i.  No signal is blocked or ignored in
 * it.  The caller reaps *ret. */
int spawn_program(
        const char *program, char *const argv[], const int *fds, size_t n_fds, pid_t *ret, struct croft_error *err);

#endif
