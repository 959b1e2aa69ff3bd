/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_http.h - what the files of the HTTP interface share: a request, an answer, the table of routes.
 *
 * A route function gets a whole, bounded request and fills an answer, or returns an error that becomes the answer.  It
 * runs in the connection's own thread and may block.
 */
#ifndef CROFT_DAEMON_API_HTTP_H
#define CROFT_DAEMON_API_HTTP_H

#include "daemon/api_target.h"

#include <croft/error.h>
#include <jansson.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define API_BODY_MAX (UINT64_C(1) << 20)
#define API_CONNECTIONS_MAX 256 /* answered at once; more get 503 */
#define API_SESSIONS_MAX 512    /* exec sessions alive at once */

struct host;
struct image_store;
struct life;
struct exec_spec;

/* 0: the peer of this connection may speak to us, else -EACCES. */
typedef int (*api_policy)(int socket, struct croft_error *err);

struct api {
        struct MHD_Daemon *daemon;
        api_policy policy;
        struct life *life;
        struct image_store *images;
        struct host *host;
        unsigned int timeout_s; /* without a byte, a connection lives that long */
        int stop_event;         /* eventfd, readable once api_stop() was called */
        atomic_bool stopping;
        atomic_uint connections;
        atomic_ullong requests, refused; /* since it began; refused: answered with an error */
        pthread_mutex_t lock;            /* over the sessions */
        int sessions[API_SESSIONS_MAX];
        size_t n_sessions;
};

struct api_request {
        struct api *api;
        struct MHD_Connection *connection;
        char *uri; /* as sent */
        struct api_target target;
        const struct api_route *route;
        const char *name; /* the {name} of the route, checked; points into target */
        bool head;        /* the method is HEAD: the library leaves the body out */
        bool too_large;
        int64_t deadline_ms; /* of the body; CLOCK_MONOTONIC */
        uint64_t seen;       /* bytes of the body, kept or not */
        char *body;
        size_t body_size;
        struct exec_spec *exec; /* owned; what to run once the protocol is switched */
};

/* Filled by a route function.  Either body or response; neither: an empty answer. */
struct api_answer {
        unsigned int status;
        json_t *body;                  /* owned */
        struct MHD_Response *response; /* owned */
        char *location;                /* owned */
};

enum api_route_flags {
        API_TAKES_BODY = 1 << 0,
        API_IMAGE = 1 << 1,     /* {name} is an image's, which has other rules than a partition's */
        API_EXTENSION = 1 << 3, /* {name} is an extension's, or its SHA-256 */
        API_RECORDED = 1 << 2,  /* a failure concerns no partition: global's record of errors has it */
};

struct api_route {
        const char *method;
        const char *pattern;
        const char *query; /* names of the parameters it knows, separated by blanks; NULL: none */
        unsigned int flags;
        int (*run)(struct api_request *q, struct api_answer *a, struct croft_error *err);
};

/* Ends with method NULL. */
extern const struct api_route api_routes[];

/* The route of the request; *ret_name is its {name} or NULL.  -ENOENT: no such path; -ENOTSUP: not with that method.
 * allow (of API_ALLOW_MAX bytes) gets the methods that the path knows.  HEAD is answered by the route of GET. */
#define API_ALLOW_MAX 64
int api_route_find(const char *method, const struct api_target *target, const struct api_route **ret,
        const char **ret_name, char *allow);

/* api_start() with another policy, for tests that don't run as root. */
int api_start_policy(struct life *life, struct image_store *images, struct host *host, int listen_fd, api_policy policy,
        struct api **ret, struct croft_error *err);

/* The HTTP status that belongs to an error's code. */
unsigned int api_status(int code);

/* What a client may learn of a connection that waits: true when it has hung up. */
bool api_client_gone(struct api_request *q);

/* Long work under way: no time-out (true), or again the usual one counted from now (false). */
void api_patience(struct api *api, struct MHD_Connection *connection, bool patient);

/* Forgets the sessions that are over, and says whether there is room for another. */
bool api_session_room(struct api *api);

/* routes (api_host.c, api_partitions.c, api_pools.c, api_images.c, api_kext.c, api_metrics.c, api_stream.c) */
int api_root(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_check(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_list(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_create(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_show(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_change(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_remove(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_load(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_start(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_stop(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_restart(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_kill(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_freeze(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_thaw(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_errors_clear(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_errors_clear(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_log(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_exec(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_console(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_partition_bind(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_pool_list(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_pool_create(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_pool_show(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_pool_change(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_pool_remove(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_device_list_all(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_device_list(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_device_add(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_device_remove(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_extension_list(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_extension_add(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_extension_show(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_extension_revoke(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_extension_supersede(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_grant_list(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_grant_add(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_grant_remove(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_grant_check(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_loaded_list_all(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_loaded_list(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_loaded_add(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_loaded_remove(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_loaded_take_away(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_scan_show(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_scan_sync(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_scan_provide(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_scan_list(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_scan_run(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_identity(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_image_list(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_image_add(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_image_show(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_image_remove(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_metrics(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_stats(struct api_request *q, struct api_answer *a, struct croft_error *err);
int api_events(struct api_request *q, struct api_answer *a, struct croft_error *err);

#endif
