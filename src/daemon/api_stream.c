/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_stream.c - the routes that don't end with one answer: events, and connections that become a stream of exec or
 * console.
 *
 * A stream's descriptor goes to the session or the warden, and croftd lets go of it at once: the stream outlives
 * croftd, and its end is the session's to tell.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/api_body.h"
#include "daemon/api_http.h"
#include "daemon/api_pump.h"
#include "daemon/life.h"
#include "daemon/life_rules.h"
#include "partition/ring.h"

#include <croft/stream.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* --- events --- */

#define EVENT_WAIT_MS 1000 /* how soon it is noticed that a silent client has gone */

struct event_stream {
        struct api_request *request;
        struct api *api;
        struct life_events *events;
        char *line;
        size_t at, size;
};

/* The next line, ended by a newline: 1, 0: nobody is there any more or croftd ends. */
static int next_line(struct event_stream *s)
{
        char *line = NULL;
        size_t length;
        int r = 0;

        while (r == 0) {
                if (atomic_load(&s->api->stopping) || api_client_gone(s->request))
                        return 0;
                r = life_event_next(s->events, EVENT_WAIT_MS, &line);
        }
        if (r < 0)
                return 0;
        length = strcspn(line, "\n");
        line[length] = '\n'; /* takes the place of a newline or of the NUL: the size is kept beside it */
        s->line = line;
        s->at = 0;
        s->size = length + 1;
        return 1;
}

static ssize_t read_events(void *context, uint64_t position, char *buf, size_t max)
{
        struct event_stream *s = context;
        size_t n;

        (void)position;
        if (!s->line) {
                int r;

                api_patience(s->api, s->request->connection, true);
                r = next_line(s);
                api_patience(s->api, s->request->connection, false); /* a client must read what it gets */
                if (r == 0)
                        return MHD_CONTENT_READER_END_OF_STREAM;
        }
        n = s->size - s->at < max ? s->size - s->at : max;
        memcpy(buf, s->line + s->at, n);
        s->at += n;
        if (s->at == s->size) {
                free(s->line);
                s->line = NULL;
        }
        return (ssize_t)n;
}

static void end_events(void *context)
{
        struct event_stream *s = context;

        life_unsubscribe(s->events);
        free(s->line);
        free(s);
}

static struct MHD_Response *events_response(struct api_request *q, struct croft_error *err)
{
        struct event_stream *s = calloc(1, sizeof(*s));
        struct MHD_Response *response;

        if (!s) {
                croft_error_set(err, ENOMEM, "subscribe to events");
                return NULL;
        }
        s->request = q;
        s->api = q->api;
        if (life_subscribe(q->api->life, &s->events, err) < 0) {
                free(s);
                return NULL;
        }
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_events, s, end_events);
        if (!response) {
                end_events(s);
                croft_error_set(err, ENOMEM, "subscribe to events");
        }
        return response;
}

int api_events(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        /* The library would put the end of a chunked body behind an answer to HEAD. */
        a->response =
                q->head ? MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT) : events_response(q, err);
        if (!a->response)
                return q->head ? croft_error_set(err, ENOMEM, "subscribe to events") : -err->code;
        (void)MHD_add_response_header(a->response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/jsonl");
        (void)MHD_add_response_header(a->response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
        return 0;
}

/* --- sessions --- */

bool api_session_room(struct api *api)
{
        struct pollfd polled[API_SESSIONS_MAX];
        size_t n = 0;

        pthread_mutex_lock(&api->lock);
        for (size_t i = 0; i < api->n_sessions; i++)
                polled[i] = (struct pollfd){.fd = api->sessions[i], .events = POLLIN};
        if (api->n_sessions > 0)
                (void)poll(polled, api->n_sessions, 0); /* a failure leaves revents 0: none is over */
        for (size_t i = 0; i < api->n_sessions; i++) {
                if (polled[i].revents)
                        close_fd(polled[i].fd);
                else
                        api->sessions[n++] = polled[i].fd;
        }
        api->n_sessions = n;
        pthread_mutex_unlock(&api->lock);
        return n < API_SESSIONS_MAX;
}

static void session_add(struct api *api, int pidfd)
{
        pthread_mutex_lock(&api->lock);
        if (api->n_sessions < API_SESSIONS_MAX)
                api->sessions[api->n_sessions++] = pidfd;
        else
                close_fd(pidfd); /* lost the race for the last place: runs uncounted */
        pthread_mutex_unlock(&api->lock);
}

static void put_frame(int fd, enum croft_stream_type type, const void *body, size_t size)
{
        unsigned char frame[CROFT_STREAM_HEADER + CROFT_ERROR_TEXT_MAX] = {(unsigned char)type};

        if (size > CROFT_ERROR_TEXT_MAX)
                size = CROFT_ERROR_TEXT_MAX;
        frame[6] = (unsigned char)(size >> 8);
        frame[7] = (unsigned char)size;
        memcpy(frame + CROFT_STREAM_HEADER, body, size);
        /* The buffer of a new stream has room; a client that is gone wants no answer. */
        (void)send(fd, frame, CROFT_STREAM_HEADER + size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* It failed after 101: the stream says why. */
static void put_failure(int fd, const struct croft_error *e)
{
        static const unsigned char failed[4] = {0, 0, 0, 125};
        char line[CROFT_ERROR_TEXT_MAX];

        croft_error_line(e, line, sizeof(line));
        put_frame(fd, CROFT_STREAM_ERROR, line, strlen(line));
        put_frame(fd, CROFT_STREAM_EXIT, failed, sizeof(failed));
}

/* Gives the client to whoever serves it. */
static int hand_over(struct api_request *q, int client, struct croft_error *err)
{
        int r, pidfd = -EBADF;

        if (!q->exec)
                return life_console(q->api->life, q->name, client, err);
        r = life_exec(q->api->life, q->name, q->exec, client, &pidfd, err);
        if (r == 0 && pidfd >= 0)
                session_add(q->api, pidfd);
        return r;
}

/* The client sent more than its request before it saw 101.  What was read can't be put back into the socket, so this
 * one is served through a pair of sockets, by this thread. */
static int hand_over_pair(
        struct api_request *q, int client, const char *early, size_t early_size, struct croft_error *err)
{
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return croft_error_set(err, errno, "make a pair of sockets");
        ours = pair[0];
        theirs = pair[1];
        r = hand_over(q, theirs, err);
        if (r < 0)
                return r;
        theirs = close_fd(theirs);
        api_pump(client, ours, early, early_size, q->api->stop_event);
        return 0;
}

static void upgraded(void *context, struct MHD_Connection *connection, void *request, const char *early,
        size_t early_size, MHD_socket client, struct MHD_UpgradeResponseHandle *handle)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct api_request *q = request;
        int r;

        (void)context;
        (void)connection;
        (void)fd_set_nonblock(client, 0); /* what it is handed to makes of it what it likes */
        r = early_size ? hand_over_pair(q, client, early, early_size, &err) : hand_over(q, client, &err);
        if (r < 0)
                put_failure(client, &err);
        (void)MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE); /* closes our copy only */
}

/* Whether a header that is a list of tokens has this one. */
static bool has_token(const char *list, const char *token)
{
        size_t length = strlen(token);

        while (list && *list) {
                size_t n;

                list += strspn(list, " \t,");
                n = strcspn(list, " \t,");
                if (n == length && strncasecmp(list, token, n) == 0)
                        return true;
                list += n;
        }
        return false;
}

/* -EPROTO: the client doesn't ask for the stream. */
static int check_upgrade(struct api_request *q, struct croft_error *err)
{
        const char *upgrade = MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_UPGRADE);
        const char *connection =
                MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONNECTION);

        if (!has_token(upgrade, CROFT_STREAM_PROTOCOL) || !has_token(connection, "Upgrade"))
                return croft_error_set(
                        err, EPROTO, "this needs 'Connection: Upgrade' and 'Upgrade: %s'.", CROFT_STREAM_PROTOCOL);
        return 0;
}

/* What can be known before the switch is refused with a status; the life cycle checks again. */
static int check_running(struct api_request *q, enum life_action action, struct croft_error *err)
{
        struct life_info info = {.pid = 0};
        enum partition_state state;
        int r;

        r = life_get(q->api->life, q->name, &info, err);
        if (r < 0)
                return r;
        state = info.state;
        life_info_done(&info);
        if (state != PARTITION_TRANSITIONAL) /* may be over at once: the life cycle knows better */
                r = life_action_check(action, state, q->name, err);
        if (r == 0 && !api_session_room(q->api))
                r = croft_error_set(err, EUSERS, "%d commands are running in partitions.", API_SESSIONS_MAX);
        return r;
}

static int answer_upgrade(struct api_answer *a, struct croft_error *err)
{
        a->response = MHD_create_response_for_upgrade(upgraded, NULL);
        if (!a->response)
                return croft_error_set(err, ENOMEM, "switch the protocol");
        if (MHD_add_response_header(a->response, MHD_HTTP_HEADER_UPGRADE, CROFT_STREAM_PROTOCOL) != MHD_YES)
                return croft_error_set(err, ENOMEM, "switch the protocol");
        a->status = MHD_HTTP_SWITCHING_PROTOCOLS;
        return 0;
}

int api_partition_exec(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        int r;

        r = check_upgrade(q, err);
        if (r < 0)
                return r;
        q->exec = calloc(1, sizeof(*q->exec));
        if (!q->exec)
                return croft_error_set(err, ENOMEM, "read the body");
        r = api_exec_decode(q->body, q->body_size, q->exec, err);
        if (r == 0)
                r = check_running(q, LIFE_EXEC, err);
        return r < 0 ? r : answer_upgrade(a, err);
}

int api_partition_console(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        struct api_action none;
        int r;

        r = check_upgrade(q, err);
        if (r == 0)
                r = api_action_decode(q->body, q->body_size, 0, &none, err);
        if (r == 0)
                r = check_running(q, LIFE_CONSOLE, err);
        return r < 0 ? r : answer_upgrade(a, err);
}

/* --- log --- */

int api_partition_log(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_close_ int fd = life_log(q->api->life, q->name, err);
        uint8_t *text = NULL;
        size_t size = 0;
        int r;

        if (fd < 0)
                return fd;
        r = ring_copy(fd, &text, &size);
        if (r < 0)
                return croft_error_set(err, r, "read the log of '%s'", q->name);
        a->response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
        if (!a->response) {
                free(text);
                return croft_error_set(err, ENOMEM, "read the log of '%s'", q->name);
        }
        /* The bytes of a partition, whatever they are: no character set is claimed, and none is to be guessed. */
        (void)MHD_add_response_header(a->response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
        (void)MHD_add_response_header(a->response, "X-Content-Type-Options", "nosniff");
        return 0;
}
