/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sock.c - unix sockets.  See sock.h.
 */
#include "base/sock.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* sun_path holds 108 bytes, a state directory may be deeper: go through the directory's descriptor. */
static int address_of(int dir_fd, const char *name, struct sockaddr_un *ret)
{
        int n;

        *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
        n = snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", dir_fd, name);
        return n < 0 || (size_t)n >= sizeof(ret->sun_path) ? -ENAMETOOLONG : 0;
}

int sock_listen(int dir_fd, const char *name, int type, mode_t mode, struct croft_error *err)
{
        _cleanup_close_ int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        struct sockaddr_un address;
        int r = address_of(dir_fd, name, &address);

        if (fd < 0)
                return croft_error_set(err, errno, "listen on '%s'", name);
        if (r < 0)
                return croft_error_set(err, r, "listen on '%s'", name);
        /* Inherited by every connection.  A connection may be handed on, so who sends is told with each packet. */
        if (type == SOCK_SEQPACKET && setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)) < 0)
                return croft_error_set(err, errno, "listen on '%s'", name);
        (void)unlinkat(dir_fd, name, 0); /* a dead one; the caller holds the lock that says there is no live one */
        /* The mode is that of the socket's inode at bind time, so that no moment is open to others. */
        if (fchmod(fd, mode) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
                fchmodat(dir_fd, name, mode, 0) < 0 || listen(fd, 64) < 0)
                return croft_error_set(err, errno, "listen on '%s'", name);
        return TAKE_FD(fd);
}

int sock_connect(int dir_fd, const char *name, int type, struct croft_error *err)
{
        _cleanup_close_ int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        struct sockaddr_un address;
        int r = address_of(dir_fd, name, &address);

        if (fd < 0)
                return croft_error_set(err, errno, "connect to '%s'", name);
        if (r < 0)
                return croft_error_set(err, r, "connect to '%s'", name);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return croft_error_set(err, errno, "connect to '%s'", name);
        return TAKE_FD(fd);
}

int sock_send_packet(int fd, const void *data, size_t size, const int *fds, size_t n_fds)
{
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(SOCK_FDS_MAX * sizeof(int))];
        } control = {.room = {0}};
        struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
        ssize_t n;

        if (n_fds > SOCK_FDS_MAX)
                return -E2BIG;
        if (size == 0)
                return -EINVAL; /* would read as the end of the connection */
        if (n_fds > 0) {
                message.msg_control = &control;
                message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                control.header.cmsg_level = SOL_SOCKET;
                control.header.cmsg_type = SCM_RIGHTS;
                control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
        }
        do
                n = sendmsg(fd, &message, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

static void take_sender(const struct cmsghdr *c, struct sock_packet *p)
{
        struct ucred cred;

        memcpy(&cred, CMSG_DATA(c), sizeof(cred));
        p->has_sender = true;
        p->sender = cred.uid;
}

/* Collects the descriptors that came along; all that don't fit are closed. */
static int take_rights(struct msghdr *message, struct sock_packet *p)
{
        int r = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                size_t n;

                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
                        take_sender(c, p);
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < n; i++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
                        if (p->n_fds < SOCK_FDS_MAX) {
                                p->fds[p->n_fds++] = fd;
                                continue;
                        }
                        close_fd(fd);
                        r = -EBADMSG;
                }
        }
        return message->msg_flags & MSG_CTRUNC ? -EBADMSG : r;
}

int sock_receive_packet(int fd, size_t max, struct sock_packet *ret)
{
        _cleanup_(sock_packet_done) struct sock_packet p = {0};
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(SOCK_FDS_MAX * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
        } control;
        struct iovec iov = {.iov_len = max};
        struct msghdr message = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
        ssize_t n;
        int r;

        p.data = malloc(max);
        if (!p.data)
                return -ENOMEM;
        iov.iov_base = p.data;
        do
                n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        r = take_rights(&message, &p);
        if (r < 0)
                return r;
        if (message.msg_flags & MSG_TRUNC)
                return -EMSGSIZE;
        if (n == 0)
                return 0;
        p.size = (size_t)n;
        *ret = p;
        p = (struct sock_packet){0};
        return 1;
}

void sock_packet_done(struct sock_packet *p)
{
        for (size_t i = 0; i < p->n_fds; i++)
                close_fd(p->fds[i]);
        free(p->data);
        *p = (struct sock_packet){0};
}

int sock_packet_take_fd(struct sock_packet *p, size_t i)
{
        if (i >= p->n_fds)
                return -EBADF;
        return TAKE_FD(p->fds[i]);
}

int sock_peer(int fd, uid_t *ret_uid, pid_t *ret_pid)
{
        struct ucred cred;
        socklen_t size = sizeof(cred);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
                return -errno;
        *ret_uid = cred.uid;
        *ret_pid = cred.pid;
        return 0;
}
