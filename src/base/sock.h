/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sock.h - unix sockets: listeners, connections, and packets that carry descriptors.
 */
#ifndef CROFT_BASE_SOCK_H
#define CROFT_BASE_SOCK_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SOCK_FDS_MAX 64

/* A packet as received: the caller closes fds[0..n_fds) and frees data with sock_packet_done(). */
struct sock_packet {
        uint8_t *data;
        size_t size;
        int fds[SOCK_FDS_MAX];
        size_t n_fds;
        bool has_sender; /* the kernel said who sent it: on connections to a SEQPACKET socket of sock_listen() */
        uid_t sender;    /* then, in our user namespace's numbers */
};

/* Listens on name in the directory dir_fd (type SOCK_SEQPACKET or SOCK_STREAM), mode as given, replacing a dead socket
 * file.  Long directory paths are no obstacle: the address goes through /proc/self/fd.  Returns the descriptor. */
int sock_listen(int dir_fd, const char *name, int type, mode_t mode, struct croft_error *err);
int sock_connect(int dir_fd, const char *name, int type, struct croft_error *err);

/* Sends one packet with n_fds descriptors (borrowed).  0 or a negative errno (-EMSGSIZE: larger than the socket
 * buffer; -EINVAL: empty; -E2BIG: more than SOCK_FDS_MAX descriptors). MSG_NOSIGNAL. */
int sock_send_packet(int fd, const void *data, size_t size, const int *fds, size_t n_fds);

/* Receives one packet.  *ret must be empty.  1: a packet, 0: the peer closed, negative errno: -EMSGSIZE and -EBADMSG
 * (too many descriptors) leave nothing behind; -EAGAIN on a nonblocking socket.  max bounds the size. */
int sock_receive_packet(int fd, size_t max, struct sock_packet *ret);
void sock_packet_done(struct sock_packet *p);
/* Gives descriptor i away: the packet forgets it; -EBADF when there is none. */
int sock_packet_take_fd(struct sock_packet *p, size_t i);

/* SO_PEERCRED.  0 or a negative errno. */
int sock_peer(int fd, uid_t *ret_uid, pid_t *ret_pid);

#endif
