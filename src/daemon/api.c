/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api.c - the HTTP server: connections, bounds on what a client may send and how long it may take, errors as answers.
 *
 * Invariant: whatever arrives, a route function sees a whole body of at most API_BODY_MAX bytes from an allowed peer,
 * and a client that is answered at all gets the JSON of docs/openapi.yaml.
 */
#include "daemon/api.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/api_body.h"
#include "daemon/api_http.h"
#include "daemon/api_json.h"
#include "daemon/api_peer.h"
#include "daemon/life.h"

#include <croft/stream.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#define TIMEOUT_S 30
#define DISCARD_MAX (16 * API_BODY_MAX) /* of a body that is too large: then the connection ends */
#define NOTICES_MAX 16                  /* in one answer */
#define STACK_BYTES ((size_t)1 << 20)

static int socket_of(struct MHD_Connection *connection)
{
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

        return info ? info->connect_fd : -EBADF;
}

bool api_client_gone(struct api_request *q)
{
        struct pollfd p = {.fd = socket_of(q->connection)};

        return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR | POLLNVAL);
}

/* The library ends a connection that was silent for the time-out even when the silence was ours; setting it anew
 * counts from now. */
void api_patience(struct api *api, struct MHD_Connection *connection, bool patient)
{
        (void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, patient ? 0U : api->timeout_s);
}

/* --- answers --- */

/* What was settled after a crash is told once, with whatever answer comes next (requirement C-9). */
static void add_notices(struct api *api, struct MHD_Response *response)
{
        for (int i = 0; i < NOTICES_MAX; i++) {
                _cleanup_free_ char *notice = life_notice(api->life);
                char line[1024];

                if (!notice)
                        return;
                (void)MHD_add_response_header(
                        response, "Croft-Notice", str_escape(line, sizeof(line), notice, strlen(notice)));
        }
}

static struct MHD_Response *json_response(json_t *json)
{
        struct MHD_Response *response;
        size_t length;
        char *text;

        text = json_dumps(json, JSON_COMPACT);
        if (!text)
                return NULL;
        length = strlen(text);
        text[length] = '\n'; /* for people who read it in a terminal; takes the place of the NUL */
        response = MHD_create_response_from_buffer(length + 1, text, MHD_RESPMEM_MUST_FREE);
        if (!response) {
                free(text);
                return NULL;
        }
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
        return response;
}

/* Ends *a. */
static enum MHD_Result send_answer(struct api_request *q, struct api_answer *a, const char *allow)
{
        struct MHD_Response *response = a->response;
        enum MHD_Result result = MHD_NO;

        if (!response)
                response = a->body ? json_response(a->body)
                                   : MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
        if (response) {
                if (allow)
                        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
                if (a->location)
                        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, a->location);
                if (a->status == MHD_HTTP_UPGRADE_REQUIRED)
                        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_UPGRADE, CROFT_STREAM_PROTOCOL);
                if (a->status == MHD_HTTP_SERVICE_UNAVAILABLE)
                        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
                else if (a->status != MHD_HTTP_FORBIDDEN)
                        add_notices(q->api, response);
                result = MHD_queue_response(q->connection, a->status ? a->status : MHD_HTTP_OK, response);
                MHD_destroy_response(response);
        }
        json_decref(a->body);
        free(a->location);
        return result;
}

static enum MHD_Result send_error(
        struct api_request *q, unsigned int status, const struct croft_error *e, const char *allow)
{
        struct api_answer a = {.status = status ? status : api_status(e->code), .body = api_json_error(e)};

        (void)atomic_fetch_add(&q->api->refused, 1);
        return a.body ? send_answer(q, &a, allow) : MHD_NO;
}

/* --- a request --- */

/* What belongs to a connection.  The library doesn't tell the end of every request that it began (a header too large
 * for its memory), but of every connection. */
struct connection {
        char *uri; /* the target of the newest request, as sent */
        struct api_request *request;
};

static struct connection *connection_of(struct MHD_Connection *connection)
{
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

        return info ? info->socket_context : NULL;
}

/* Only here is the target as it was sent. */
static void *keep_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
        struct connection *c = connection_of(connection);

        (void)context;
        if (c) {
                free(c->uri);
                c->uri = strdup(uri ? uri : "");
        }
        return NULL;
}

static void request_free(struct api_request *q)
{
        if (!q)
                return;
        api_target_done(&q->target);
        if (q->exec)
                exec_spec_done(q->exec);
        free(q->exec);
        free(q->uri);
        free(q->body);
        free(q);
}

static struct api_request *request_new(struct api *api, struct MHD_Connection *connection)
{
        struct connection *c = connection_of(connection);
        struct api_request *q;

        if (!c || !c->uri)
                return NULL;
        q = calloc(1, sizeof(*q));
        if (!q)
                return NULL;
        q->api = api;
        q->connection = connection;
        q->uri = TAKE(c->uri);
        request_free(c->request);
        c->request = q;
        return q;
}

static void request_over(
        void *context, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode why)
{
        struct connection *c = connection_of(connection);

        (void)context;
        (void)why;
        *request = NULL;
        if (!c)
                return;
        request_free(c->request);
        c->request = NULL;
}

static const char *header(struct api_request *q, const char *name)
{
        return MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, name);
}

/* How large a body the header announces; one in chunks has no length and is counted as it comes. */
static uint64_t announced(struct api_request *q)
{
        const char *length = header(q, MHD_HTTP_HEADER_CONTENT_LENGTH);
        uint64_t n = 0;

        return length && !str_to_u64(length, UINT64_MAX, &n) ? UINT64_MAX : n;
}

static enum MHD_Result refuse_too_large(struct api_request *q)
{
        struct croft_error err = CROFT_ERROR_INIT;

        croft_error_set(&err, EFBIG, "the body is larger than %zu bytes.", (size_t)API_BODY_MAX);
        return send_error(q, 0, &err, NULL);
}

/* Judges the header, before any of the body is read.  MHD_YES without an answer: go on. */
static enum MHD_Result begin(struct api_request *q)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)atomic_fetch_add(&q->api->requests, 1);
        q->deadline_ms = now_ms() + INT64_C(2000) * q->api->timeout_s;
        if (q->api->policy(socket_of(q->connection), &err) < 0)
                return send_error(q, MHD_HTTP_FORBIDDEN, &err, NULL);
        if (atomic_load(&q->api->stopping)) {
                croft_error_set(&err, ESHUTDOWN, "croftd is about to end.");
                return send_error(q, MHD_HTTP_SERVICE_UNAVAILABLE, &err, NULL);
        }
        if (atomic_load(&q->api->connections) > API_CONNECTIONS_MAX) {
                croft_error_set(&err, EUSERS, "more than %d connections.", API_CONNECTIONS_MAX);
                return send_error(q, MHD_HTTP_SERVICE_UNAVAILABLE, &err, NULL);
        }
        q->too_large = announced(q) > API_BODY_MAX;
        /* Who sends without asking first is easier served when it can send to the end; but not for ever. */
        return q->too_large && (announced(q) > DISCARD_MAX || header(q, MHD_HTTP_HEADER_EXPECT)) ? refuse_too_large(q)
                                                                                                 : MHD_YES;
}

/* MHD_NO ends the connection: it is too late for an answer while the body still comes. */
static enum MHD_Result take_body(struct api_request *q, const char *data, size_t size)
{
        char *body;

        q->seen += size;
        if (q->seen > DISCARD_MAX || now_ms() > q->deadline_ms)
                return MHD_NO;
        q->too_large = q->too_large || q->seen > API_BODY_MAX;
        if (q->too_large)
                return MHD_YES;
        body = realloc(q->body, q->body_size + size);
        if (!body)
                return MHD_NO;
        q->body = body;
        memcpy(body + q->body_size, data, size);
        q->body_size += size;
        return MHD_YES;
}

static int check_body(struct api_request *q, struct croft_error *err, unsigned int *ret_status)
{
        const char *type = header(q, MHD_HTTP_HEADER_CONTENT_TYPE);
        size_t length = type ? strcspn(type, "; \t") : 0;

        if (q->body_size == 0)
                return 0;
        if (!(q->route->flags & API_TAKES_BODY))
                return croft_error_set(err, EINVAL, "this request has no body.");
        if (type && (length != strlen("application/json") || strncasecmp(type, "application/json", length) != 0)) {
                *ret_status = MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
                return croft_error_set(err, EINVAL, "the body must be application/json.");
        }
        return 0;
}

static int check_name(struct api_request *q, struct croft_error *err)
{
        char shown[256];

        if (!q->name)
                return 0;
        str_escape(shown, sizeof(shown), q->name, strlen(q->name));
        if (q->route->flags & API_EXTENSION) {
                if (strcmp(shown, q->name) == 0)
                        return 0;
                return croft_error_set(err, EINVAL, "'%s' is no name of an extension.", shown);
        }
        if (q->route->flags & API_IMAGE ? strcmp(shown, q->name) == 0 : str_is_name(q->name))
                return 0;
        if (q->route->flags & API_IMAGE)
                return croft_error_set(err, EINVAL, "'%s' is no name of an image.", shown);
        return croft_error_set(err, EINVAL, "'%s' is no name of a partition or pool: %s.", shown, STR_NAME_RULE);
}

/* Finds the route and checks all that doesn't depend on it.  On failure *ret_status may hold a status. */
static int prepare(
        struct api_request *q, const char *method, char *allow, unsigned int *ret_status, struct croft_error *err)
{
        int r;

        r = api_target_parse(q->uri, &q->target, err);
        if (r < 0)
                return r;
        r = api_route_find(method, &q->target, &q->route, &q->name, allow);
        if (r == -ENOTSUP) {
                *ret_status = MHD_HTTP_METHOD_NOT_ALLOWED;
                return croft_error_set(err, r, "the method isn't known here; known: %s.", allow);
        }
        if (r < 0)
                return croft_error_set(err, r, "nothing is at this path.");
        r = check_body(q, err, ret_status);
        if (r == 0)
                r = check_name(q, err);
        return r < 0 ? r : api_target_check_query(&q->target, q->route->query, err);
}

static enum MHD_Result answer_options(struct api_request *q, const char *allow)
{
        struct api_answer a = {.status = MHD_HTTP_NO_CONTENT};

        return send_answer(q, &a, allow);
}

/* Runs a whole request. */
static enum MHD_Result dispatch(struct api_request *q, const char *method)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct api_answer a = {.status = MHD_HTTP_OK};
        char allow[API_ALLOW_MAX] = "GET, HEAD, POST, PATCH, DELETE, OPTIONS";
        unsigned int status = 0;
        bool options = strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0;
        int r;

        if (q->api->policy(socket_of(q->connection), &err) < 0) /* again: the body had senders, too */
                return send_error(q, MHD_HTTP_FORBIDDEN, &err, NULL);
        if (q->too_large)
                return refuse_too_large(q);
        if (options && strcmp(q->uri, "*") == 0)
                return answer_options(q, allow);
        q->head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
        r = prepare(q, method, allow, &status, &err);
        if (options && status == MHD_HTTP_METHOD_NOT_ALLOWED)
                return answer_options(q, allow);
        if (r < 0)
                return send_error(q, status, &err, status == MHD_HTTP_METHOD_NOT_ALLOWED ? allow : NULL);
        api_patience(q->api, q->connection, true);
        r = q->route->run(q, &a, &err);
        api_patience(q->api, q->connection, false);
        if (r == 0)
                return send_answer(q, &a, NULL);
        if (a.response)
                MHD_destroy_response(a.response);
        json_decref(a.body);
        free(a.location);
        /* What concerns a partition is in its record already: life_errors.c. */
        if (q->route->flags & API_RECORDED)
                life_errors_add(q->api->life, &err);
        return send_error(q, r == -EPROTO ? MHD_HTTP_UPGRADE_REQUIRED : 0, &err, NULL);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
        const char *version, const char *upload, size_t *upload_size, void **request)
{
        struct api_request *q = *request;

        (void)url; /* decoded by the library after its own mind; the target as sent is in the request */
        (void)version;
        if (!q) {
                q = request_new(context, connection);
                *request = q;
                return q ? begin(q) : MHD_NO; /* out of memory: nothing can be said */
        }
        if (*upload_size > 0) {
                enum MHD_Result result = take_body(q, upload, *upload_size);

                *upload_size = 0;
                return result;
        }
        return dispatch(q, method);
}

/* --- the server --- */

static void count_connection(void *context, struct MHD_Connection *connection, void **socket_context,
        enum MHD_ConnectionNotificationCode what)
{
        struct api *api = context;
        struct connection *c = *socket_context;

        (void)connection;
        if (what == MHD_CONNECTION_NOTIFY_STARTED) {
                *socket_context = calloc(1, sizeof(struct connection)); /* without it, its requests end it */
                atomic_fetch_add(&api->connections, 1);
                return;
        }
        atomic_fetch_sub(&api->connections, 1);
        (void)api_session_room(api);
        if (c) {
                request_free(c->request);
                free(c->uri);
                free(c);
        }
}

/* Keeps targets as they were sent: segments are split before they are decoded. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
        (void)context;
        (void)connection;
        return strlen(text);
}

static void keep_quiet(void *context, const char *format, va_list ap)
{
        (void)context; /* the library complains of what clients do; they are told in their answers */
        (void)format;
        (void)ap;
}

/* Tests of slow clients don't wait half a minute. */
static unsigned int timeout_s(void)
{
#ifdef CROFT_CRASH_POINTS
        const char *text = getenv("CROFT_API_TIMEOUT");
        uint64_t n;

        if (text && str_to_u64(text, TIMEOUT_S, &n) && n > 0)
                return (unsigned int)n;
#endif
        return TIMEOUT_S;
}

static struct MHD_Daemon *start_daemon(struct api *api, int listen_fd)
{
        /* Places beyond the limit let those who are too many be told so. */
        return MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
                                        MHD_USE_ITC | MHD_ALLOW_UPGRADE | MHD_USE_ERROR_LOG,
                0, NULL, NULL, handle, api,                                          /**/
                MHD_OPTION_EXTERNAL_LOGGER, keep_quiet, NULL,                        /* first: it is for all */
                MHD_OPTION_LISTEN_SOCKET, listen_fd,                                 /**/
                MHD_OPTION_CONNECTION_LIMIT, (unsigned int)API_CONNECTIONS_MAX + 64, /**/
                MHD_OPTION_CONNECTION_TIMEOUT, api->timeout_s,                       /**/
                MHD_OPTION_THREAD_STACK_SIZE, STACK_BYTES,                           /**/
                MHD_OPTION_STRICT_FOR_CLIENT, 1,                                     /**/
                MHD_OPTION_URI_LOG_CALLBACK, keep_uri, NULL,                         /**/
                MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,                    /**/
                MHD_OPTION_NOTIFY_COMPLETED, request_over, NULL,                     /**/
                MHD_OPTION_NOTIFY_CONNECTION, count_connection, api, MHD_OPTION_END);
}

static struct api *api_free(struct api *api)
{
        for (size_t i = 0; i < api->n_sessions; i++)
                close_fd(api->sessions[i]);
        close_fd(api->stop_event);
        pthread_mutex_destroy(&api->lock);
        free(api);
        return NULL;
}

int api_start(struct life *life, struct image_store *images, struct host *host, int listen_fd, struct api **ret,
        struct croft_error *err)
{
        return api_start_policy(life, images, host, listen_fd, api_peer_check, ret, err);
}

int api_start_policy(struct life *life, struct image_store *images, struct host *host, int listen_fd, api_policy policy,
        struct api **ret, struct croft_error *err)
{
        _cleanup_close_ int copy = fd_dup(listen_fd);
        int r = copy < 0 ? copy : api_peer_listen(copy);
        struct api *api;

        if (r < 0)
                return croft_error_set(err, r, "serve the API");
        api = calloc(1, sizeof(*api));
        if (!api)
                return croft_error_set(err, ENOMEM, "serve the API");
        api->policy = policy;
        api->life = life;
        api->images = images;
        api->host = host;
        api->timeout_s = timeout_s();
        pthread_mutex_init(&api->lock, NULL);
        api->stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (api->stop_event >= 0)
                api->daemon = start_daemon(api, copy);
        if (!api->daemon) {
                int code = errno;

                api_free(api);
                return croft_error_set(err, code, "serve the API");
        }
        (void)TAKE_FD(copy); /* the library closes it */
        *ret = api;
        return 0;
}

struct api *api_stop(struct api *api)
{
        if (!api)
                return NULL;
        atomic_store(&api->stopping, true);
        (void)eventfd_write(api->stop_event, 1); /* wakes the pumps; can't overflow */
        MHD_stop_daemon(api->daemon);
        return api_free(api);
}
