/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_peer.c - who may speak to croftd.  See api_peer.h.
 *
 * Two questions.  Who connected: SO_PEERCRED; user id 0 isn't enough, a user namespace can map it to anybody's root, so
 * the namespace is compared with croftd's.  Who sends: a connection that root opened may have been handed into a
 * partition, so the kernel notes the sender of all bytes (SO_PASSCRED) and the notes are read with them.  The HTTP
 * library reads by recv(2), which drops the notes; therefore its recv() is the one below.  Fails closed: what wasn't
 * read by it has no known sender and is refused.
 */
#include "daemon/api_peer.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

/* Of the connection that this thread reads from: one thread a connection. */
static _Thread_local struct {
        bool known;   /* at least one byte had a sender */
        bool foreign; /* at least one byte had a sender that may not speak to us */
} senders;

static struct stat own; /* our user namespace, which we never leave; 0: it can't be told, and nobody is the same */

static void look_at_own(void)
{
        if (stat("/proc/self/ns/user", &own) < 0)
                own.st_ino = 0;
}

static bool same_user_namespace(pid_t pid)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        struct stat theirs;
        char path[64];

        (void)pthread_once(&once, look_at_own);
        (void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
        return own.st_ino && stat(path, &theirs) == 0 && own.st_dev == theirs.st_dev && own.st_ino == theirs.st_ino;
}

/* A pid is 0 when the process is in a pid namespace that isn't below ours. */
static bool is_root_here(const struct ucred *cred)
{
        return cred->uid == 0 && cred->pid > 0 && same_user_namespace(cred->pid);
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

int api_peer_listen(int listen_fd)
{
        const int on = 1;

        return setsockopt(listen_fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ? -errno : 0;
}

int api_peer_check(int socket, struct croft_error *err)
{
        struct ucred cred = {.uid = (uid_t)-1};
        socklen_t size = sizeof(cred);

        if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
                return croft_error_set(err, EACCES, "who connected can't be told.");
        if (cred.uid != 0)
                return croft_error_set(err, EACCES, "user %u may not speak to croftd; root may.", cred.uid);
        if (!is_root_here(&cred) || !still_alive(socket))
                return croft_error_set(err, EACCES, "only root of the host may speak to croftd.");
        if (!senders.known || senders.foreign)
                return croft_error_set(
                        err, EACCES, "only root of the host may speak to croftd, whoever opened the connection.");
        return 0;
}

static void note_senders(struct msghdr *message)
{
        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                struct ucred cred;

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
                        continue;
                memcpy(&cred, CMSG_DATA(c), sizeof(cred));
                senders.known = true;
                senders.foreign = senders.foreign || !is_root_here(&cred);
        }
}

/* Where there is no note the kernel uses its room for what else was sent along, by a warden that was taken over, say.
 */
static void drop_descriptors(struct msghdr *message)
{
        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
                        int sent;

                        memcpy(&sent, (char *)c + at, sizeof(sent));
                        close_fd(sent);
                }
        }
}

/* recv(2) for the whole process, the HTTP library included.  The kernel never puts bytes of two senders into one read.
 */
ssize_t api_peer_recv(int fd, void *buf, size_t size, int flags) __asm__("recv");
ssize_t api_peer_recv(int fd, void *buf, size_t size, int flags)
{
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(struct ucred))];
        } control;
        struct iovec iov = {.iov_base = buf, .iov_len = size};
        struct msghdr message = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);

        if (n >= 0)
                drop_descriptors(&message);
        if (n > 0 && !(flags & MSG_PEEK))
                note_senders(&message);
        return n;
}
