/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_peer.h - who may speak to croftd: root of croftd's own user namespace, by what the kernel knows of who connected
 * and of who sent each byte (requirements C-1, C-2, C-5).
 */
#ifndef CROFT_DAEMON_API_PEER_H
#define CROFT_DAEMON_API_PEER_H

#include <croft/error.h>

/* Makes the kernel tell who sends on the connections of this listening socket. */
int api_peer_listen(int listen_fd);

/* 0, or -EACCES: who connected, or somebody who has sent on this connection since, is someone else or can't be told. To
 * be called by the thread that reads from the connection. */
int api_peer_check(int socket, struct croft_error *err);

#endif
