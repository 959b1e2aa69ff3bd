/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_peer.h - who may speak to croftd: root of croftd's own user namespace, by what the kernel knows of it.
 */
#ifndef CROFT_DAEMON_API_PEER_H
#define CROFT_DAEMON_API_PEER_H

#include <croft/error.h>

/* 0, or -EACCES: the process that connected is someone else, or can't be told (requirement C-5). */
int api_peer_check(int socket, struct croft_error *err);

#endif
