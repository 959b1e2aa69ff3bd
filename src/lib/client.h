/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client.h - the parts of a client that its own files share.  Internal to libcroft.
 */
#ifndef CROFT_LIB_CLIENT_H
#define CROFT_LIB_CLIENT_H

#include "http.h"

struct croft_client {
        char *socket;
        croft_notice notice;
        void *notice_context;
        croft_tick tick;
        void *tick_context;
        int tick_ms; /* -1: no tick */
        enum croft_exit exit;
};

/* Connects to the client's croftd.  Returns the descriptor. */
int client_connect(const struct croft_client *client, struct croft_error *err);

/* Sends the request and reads the answer until its head is there (head_only) or all of it.  *reply is initialised and
 * stays the caller's. */
int client_exchange(struct croft_client *client, int fd, const char *request, struct http_reply *reply, bool head_only,
        struct croft_error *err);

/* Reads what there is (blocking without MSG_DONTWAIT in flags) into the answer; only bytes that belong to it leave the
 * socket.  1: something came, 0: the connection ended, which the answer has been told. */
int client_read(int fd, int flags, struct http_reply *reply, struct croft_error *err);

#endif
