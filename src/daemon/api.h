/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api.h - the HTTP/JSON interface of croftd on its unix socket.  docs/openapi.yaml says what is spoken, life.h and
 * image.h do what is asked.
 *
 * One thread a connection; requests block in the life cycle.  Only root of croftd's own user namespace is answered.
 */
#ifndef CROFT_DAEMON_API_H
#define CROFT_DAEMON_API_H

#include <croft/error.h>

struct api;
struct host;
struct image_store;
struct life;

/* Serves listen_fd (a listening unix stream socket; borrowed, duplicated) in threads of its own until api_stop(). life,
 * images and host are borrowed for that long.  The caller ignores SIGPIPE. */
int api_start(struct life *life, struct image_store *images, struct host *host, int listen_fd, struct api **ret,
        struct croft_error *err);

/* Ends: waits for the requests under way, so call life_shutdown() first.  Sessions (exec, console) go on.  NULL is
 * allowed; returns NULL. */
struct api *api_stop(struct api *api);

#endif
