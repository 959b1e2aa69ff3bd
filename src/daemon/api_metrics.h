/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_metrics.h - statistics over HTTP: what the routes of the API and the listener on TCP share, and that listener.
 *
 * The listener is for scrapers that can't use a unix socket.  It asks nobody who he is, so it is off unless it is
 * wanted, knows GET /metrics and nothing else, and serves a snapshot that is at most a second old to all: whoever asks
 * without end makes croftd collect once a second, no more.
 */
#ifndef CROFT_DAEMON_API_METRICS_H
#define CROFT_DAEMON_API_METRICS_H

#include "daemon/api_http.h"
#include "daemon/metrics.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* life_stats() with what the API knows of itself; ended with stats_free(). */
int api_collect(struct api *api, struct stats **ret, struct croft_error *err);

/* Figures that several answers are made of, one after the other in one thread. */
struct snapshot {
        struct stats *stats;
        unsigned int refs;
};
struct snapshot *snapshot_new(struct stats *stats);  /* takes stats over, even when there is no memory (NULL) */
struct snapshot *snapshot_unref(struct snapshot *s); /* NULL is allowed; returns NULL */

/* A response that is made while it is sent, with its headers; takes a reference of its own.  NULL: no memory. */
struct MHD_Response *metrics_response(struct snapshot *s, enum metrics_format format, bool head);

/* "127.0.0.1:9478", "[::1]:9478", "9478" (loopback).  Names aren't looked up.  -EINVAL; -EPERM: not a loopback address,
 * and public isn't set. */
int metrics_address(
        const char *text, bool public, struct sockaddr_storage *ret, socklen_t *ret_size, struct croft_error *err);

struct metrics_server;
/* api is borrowed until metrics_server_stop().  Port 0: any; see metrics_server_port(). */
int metrics_server_start(
        struct api *api, const char *address, bool public, struct metrics_server **ret, struct croft_error *err);
unsigned int metrics_server_port(const struct metrics_server *server);
struct metrics_server *metrics_server_stop(struct metrics_server *server); /* NULL is allowed; returns NULL */

#endif
