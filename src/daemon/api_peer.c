/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_peer.c - who may speak to croftd.  See api_peer.h.
 *
 * User id 0 isn't enough: a user namespace can map it to anybody's root.  So the peer's user namespace is compared with
 * croftd's.
 */
#include "daemon/api_peer.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

static bool same_user_namespace(pid_t pid)
{
        struct stat own, theirs;
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
        return stat("/proc/self/ns/user", &own) == 0 && stat(path, &theirs) == 0 && own.st_dev == theirs.st_dev &&
               own.st_ino == theirs.st_ino;
}

/* The number may have been given to another process since it connected.  Where the kernel hands out a pidfd, it tells;
 * before 6.5 nothing does. */
static bool still_alive(int socket)
{
        _cleanup_close_ int pidfd = -EBADF;
        socklen_t size = sizeof(pidfd);
        struct pollfd p;

        if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) < 0) {
                pidfd = -EBADF;
                return errno == ENOPROTOOPT;
        }
        p = (struct pollfd){.fd = pidfd, .events = POLLIN};
        return poll(&p, 1, 0) == 0;
}

int api_peer_check(int socket, struct croft_error *err)
{
        struct ucred cred = {.uid = (uid_t)-1};
        socklen_t size = sizeof(cred);

        if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
                return croft_error_set(err, EACCES, "who connected can't be told.");
        if (cred.uid != 0)
                return croft_error_set(err, EACCES, "user %u may not speak to croftd; root may.", cred.uid);
        if (cred.pid <= 0 || !same_user_namespace(cred.pid) || !still_alive(socket))
                return croft_error_set(err, EACCES, "only root of the host may speak to croftd.");
        return 0;
}
