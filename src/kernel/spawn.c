/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * spawn.c - see spawn.h.  posix_spawn, not fork: croftd has threads.
 */
#include "kernel/spawn.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

#define ABOVE 16 /* the numbers that the child gets, so that none overwrites another */

extern char **environ;

static int add_fd(posix_spawn_file_actions_t *actions, int fd, int number, int high[SPAWN_FDS_MAX])
{
        if (fd < 0)
                return 0;
        high[number] = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE);
        if (high[number] < 0)
                return errno;
        return posix_spawn_file_actions_adddup2(actions, high[number], number);
}

static int set_attributes(posix_spawnattr_t *attributes)
{
        sigset_t none, all;
        int r;

        sigemptyset(&none);
        sigfillset(&all);
        r = posix_spawnattr_setsigmask(attributes, &none);
        if (r == 0)
                r = posix_spawnattr_setsigdefault(attributes, &all);
        return r ? r : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

int spawn_program(
        const char *program, char *const argv[], const int *fds, size_t n_fds, pid_t *ret, struct croft_error *err)
{
        int high[SPAWN_FDS_MAX], r = 0;
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        pid_t pid;

        if (posix_spawn_file_actions_init(&actions) != 0)
                return croft_error_set(err, ENOMEM, "start '%s'", program);
        if (posix_spawnattr_init(&attributes) != 0) {
                (void)posix_spawn_file_actions_destroy(&actions);
                return croft_error_set(err, ENOMEM, "start '%s'", program);
        }
        for (size_t i = 0; i < SPAWN_FDS_MAX; i++)
                high[i] = -EBADF;
        for (size_t i = 0; r == 0 && i < n_fds && i < SPAWN_FDS_MAX; i++)
                r = add_fd(&actions, fds[i], (int)i, high);
        if (r == 0)
                r = set_attributes(&attributes);
        if (r == 0)
                r = posix_spawn(&pid, program, &actions, &attributes, argv, environ);
        for (size_t i = 0; i < SPAWN_FDS_MAX; i++)
                close_fd(high[i]);
        (void)posix_spawn_file_actions_destroy(&actions);
        (void)posix_spawnattr_destroy(&attributes);
        if (r != 0)
                return croft_error_set(err, r, "start '%s'", program);
        *ret = pid;
        return 0;
}
