/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * metrics_server.c - GET /metrics on TCP.  See api_metrics.h.
 *
 * One thread for all connections, of which there are few, with short time-outs.  Invariant: nothing that comes in here
 * is looked at but the method, the path and Accept.
 */
#include "daemon/api_metrics.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <string.h>

#define CONNECTIONS_MAX 16
#define TIMEOUT_S 10
#define MEMORY_BYTES ((size_t)16384) /* of one connection: its header must fit */
#define FRESH_NS UINT64_C(1000000000)

struct metrics_server {
        struct api *api;
        struct MHD_Daemon *daemon;
        struct snapshot *newest; /* used by the thread of the daemon only */
        unsigned int port;
};

/* --- the address --- */

static bool parse_host(const char *host, uint16_t port, struct sockaddr_storage *ret, socklen_t *ret_size)
{
        struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

        memset(ret, 0, sizeof(*ret));
        if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
                v4->sin_family = AF_INET;
                v4->sin_port = htons(port);
                *ret_size = sizeof(*v4);
                return true;
        }
        if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
                return false;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        *ret_size = sizeof(*v6);
        return true;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
        if (address->ss_family == AF_INET)
                return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* Splits "HOST:PORT", "[HOST]:PORT" or "PORT". */
static bool split(const char *text, char *host, size_t size, uint64_t *ret_port)
{
        const char *colon = strrchr(text, ':'), *begin = text, *end = colon;

        if (!colon)
                return str_copy(host, size, "127.0.0.1") && str_to_u64(text, 65535, ret_port);
        if (*text == '[') {
                begin++;
                end--;
                if (end <= begin || *end != ']')
                        return false;
        } else if (memchr(text, ':', (size_t)(colon - text))) {
                return false; /* an address of v6 without brackets: where does it end? */
        }
        return (size_t)(end - begin) < size && snprintf(host, size, "%.*s", (int)(end - begin), begin) > 0 &&
               str_to_u64(colon + 1, 65535, ret_port);
}

int metrics_address(
        const char *text, bool public, struct sockaddr_storage *ret, socklen_t *ret_size, struct croft_error *err)
{
        char host[64], shown[128];
        uint64_t port;

        if (!split(text, host, sizeof(host), &port) || !parse_host(host, (uint16_t)port, ret, ret_size))
                return croft_error_set(err, EINVAL, "'%s' is no ADDRESS:PORT, as 127.0.0.1:9478 or [::1]:9478 is.",
                        str_escape(shown, sizeof(shown), text, strlen(text)));
        if (!public && !is_loopback(ret))
                return croft_error_set(err, EPERM,
                        "%s is no loopback address, and whoever can reach it may read the figures of all partitions: "
                        "--metrics-public allows that.",
                        host);
        return 0;
}

/* --- requests --- */

/* The newest snapshot, made anew when it is old; borrowed.  NULL: it can't be made. */
static struct snapshot *fresh(struct metrics_server *server)
{
        struct stats *stats = NULL;

        if (server->newest && (uint64_t)now_ns(CLOCK_MONOTONIC) - server->newest->stats->now_ns < FRESH_NS)
                return server->newest;
        server->newest = snapshot_unref(server->newest);
        if (api_collect(server->api, &stats, NULL) == 0)
                server->newest = snapshot_new(stats);
        return server->newest;
}

static struct MHD_Response *plain(const char *text)
{
        struct MHD_Response *response =
                MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

        if (response)
                (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
        return response;
}

static struct MHD_Response *answer(
        struct metrics_server *server, struct MHD_Connection *connection, bool head, unsigned int *ret_status)
{
        const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
        struct snapshot *snapshot = head ? NULL : fresh(server);
        struct MHD_Response *response =
                head || snapshot ? metrics_response(snapshot, metrics_negotiate(accept), head) : NULL;

        *ret_status = response ? MHD_HTTP_OK : MHD_HTTP_INTERNAL_SERVER_ERROR;
        return response ? response : plain("The figures can't be collected now.\n");
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
        const char *version, const char *upload, size_t *upload_size, void **request)
{
        bool head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0, get = head || strcmp(method, MHD_HTTP_METHOD_GET) == 0;
        unsigned int status = MHD_HTTP_OK;
        struct MHD_Response *response;
        enum MHD_Result r;
        static int seen;

        (void)version;
        (void)upload;
        /* Only the header is there at the first call, and the library wants the answer at the next one, or at once,
         * before a body comes. */
        if (!*request && get) {
                *request = &seen;
                return MHD_YES;
        }
        if (*upload_size > 0)
                return MHD_NO; /* GET takes no body */
        if (!get) {
                status = MHD_HTTP_METHOD_NOT_ALLOWED;
                response = plain("Only GET is known here.\n");
                if (response)
                        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
        } else if (strcmp(url, "/metrics") != 0) {
                status = MHD_HTTP_NOT_FOUND;
                response = plain("Here is nothing but /metrics.\n");
        } else {
                response = answer(context, connection, head, &status);
        }
        r = response ? MHD_queue_response(connection, status, response) : MHD_NO;
        if (response)
                MHD_destroy_response(response);
        return r;
}

static void keep_quiet(void *context, const char *format, va_list ap)
{
        (void)context;
        (void)format;
        (void)ap;
}

static int open_socket(const char *text, bool public, unsigned int *ret_port, struct croft_error *err)
{
        _cleanup_close_ int fd = -EBADF;
        struct sockaddr_storage address;
        socklen_t size = 0;
        int one = 1, r = metrics_address(text, public, &address, &size, err);

        if (r < 0)
                return r;
        fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
                bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, CONNECTIONS_MAX) < 0 ||
                getsockname(fd, (struct sockaddr *)&address, &size) < 0)
                return croft_error_set(err, errno, "listen on %s", text);
        *ret_port = ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                                       : ((struct sockaddr_in6 *)&address)->sin6_port);
        return TAKE_FD(fd);
}

int metrics_server_start(
        struct api *api, const char *address, bool public, struct metrics_server **ret, struct croft_error *err)
{
        _cleanup_free_ struct metrics_server *server = calloc(1, sizeof(*server));
        _cleanup_close_ int fd = -EBADF;

        if (!server)
                return croft_error_set(err, ENOMEM, "listen on %s", address);
        server->api = api;
        fd = open_socket(address, public, &server->port, err);
        if (fd < 0)
                return fd;
        server->daemon =
                MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0,
                        NULL, NULL, handle, server,                                 /**/
                        MHD_OPTION_EXTERNAL_LOGGER, keep_quiet, NULL,               /* first: it is for all */
                        MHD_OPTION_LISTEN_SOCKET, fd,                               /**/
                        MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX, /**/
                        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)TIMEOUT_S,     /**/
                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_BYTES,           /**/
                        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
        if (!server->daemon)
                return croft_error_set(err, errno ? errno : ENOMEM, "listen on %s", address);
        (void)TAKE_FD(fd); /* the library closes it */
        *ret = TAKE(server);
        return 0;
}

unsigned int metrics_server_port(const struct metrics_server *server)
{
        return server->port;
}

struct metrics_server *metrics_server_stop(struct metrics_server *server)
{
        if (!server)
                return NULL;
        MHD_stop_daemon(server->daemon);
        snapshot_unref(server->newest);
        free(server);
        return NULL;
}
