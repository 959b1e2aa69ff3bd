/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * events.c - the stream of events: JSON objects, one a line, in an answer that doesn't end.
 *
 * Lines are cut out of the pieces as they come; one longer than LINE_MAX_BYTES ends the stream, so a croftd gone mad
 * can't fill our memory.
 */
#include "client.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define LINE_MAX_BYTES (1U << 20)

struct croft_events {
        int fd;
        bool ended;
        struct http_reply reply;
        char *data; /* received, not yet given out */
        size_t size, room;
};

static int take(void *context, const void *data, size_t size)
{
        struct croft_events *events = context;

        if (events->size + size > events->room) {
                size_t room = (events->size + size) * 2;
                char *p;

                if (events->size > LINE_MAX_BYTES)
                        return -EMSGSIZE;
                p = realloc(events->data, room);
                if (!p)
                        return -ENOMEM;
                events->data = p;
                events->room = room;
        }
        memcpy(events->data + events->size, data, size);
        events->size += size;
        return 0;
}

static int open_stream(struct croft_client *client, struct croft_events *events, struct croft_error *err)
{
        _cleanup_free_ char *request = http_request("GET", "/v1/events", NULL, false);
        int r;

        if (!request)
                return croft_error_set(err, ENOMEM, "open the events");
        events->fd = client_connect(client, err);
        if (events->fd < 0)
                return events->fd;
        r = client_exchange(client, events->fd, request, &events->reply, true, err);
        if (r >= 0 && events->reply.status >= 300)
                r = reply_error(&events->reply, &client->exit, err);
        events->reply.notice = NULL; /* the client may be gone before the events are */
        return r;
}

int croft_events_open(struct croft_client *client, struct croft_events **ret, struct croft_error *err)
{
        struct croft_events *events = calloc(1, sizeof(*events));
        struct croft_error e = CROFT_ERROR_INIT;
        int r;

        client->exit = CROFT_EXIT_OK;
        if (!events)
                return croft_error_set(err, ENOMEM, "open the events");
        events->fd = -EBADF;
        http_reply_init(&events->reply);
        events->reply.sink = take;
        events->reply.sink_context = events;
        r = open_stream(client, events, &e);
        if (r < 0) {
                if (client->exit == CROFT_EXIT_OK)
                        client->exit = croft_error_exit(&e);
                croft_events_close(events);
                return croft_error_copy(err, &e);
        }
        *ret = events;
        return 0;
}

struct croft_events *croft_events_close(struct croft_events *events)
{
        if (!events)
                return NULL;
        (void)close_fd(events->fd);
        http_reply_done(&events->reply);
        free(events->data);
        free(events);
        return NULL;
}

int croft_events_fd(const struct croft_events *events)
{
        return events->fd;
}

/* Cuts the first non-empty line off: 1, 0 when there is none yet. */
static int next_line(struct croft_events *events, char **ret)
{
        for (;;) {
                char *end = events->size ? memchr(events->data, '\n', events->size) : NULL;
                size_t length, taken;
                char *line;

                if (!end)
                        return 0;
                length = (size_t)(end - events->data);
                taken = length + 1;
                line = length ? strndup(events->data, length) : NULL;
                if (length && !line)
                        return -ENOMEM;
                memmove(events->data, events->data + taken, events->size - taken);
                events->size -= taken;
                if (line) {
                        *ret = line;
                        return 1;
                }
        }
}

/* 1: something may be there, 0: the time is over. */
static int wait_until(int fd, int timeout_ms, int64_t end, struct croft_error *err)
{
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = timeout_ms < 0 ? -1 : end - now_ms();
        int r = poll(&p, 1, timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0);

        if (r < 0 && errno != EINTR)
                return croft_error_set(err, errno, "wait for events");
        if (r < 0)
                return timeout_ms < 0 || left > 0;
        return r;
}

int croft_events_next(struct croft_events *events, int timeout_ms, char **ret, struct croft_error *err)
{
        int64_t end = now_ms() + timeout_ms;

        for (;;) {
                int r = next_line(events, ret);

                if (r < 0)
                        return croft_error_set(err, r, "take an event");
                if (r > 0)
                        return 1;
                if (events->ended || events->reply.done)
                        return croft_error_set(err, ESHUTDOWN, "croftd has ended.");
                r = wait_until(events->fd, timeout_ms, end, err);
                if (r <= 0)
                        return r;
                r = client_read(events->fd, MSG_DONTWAIT, &events->reply, err);
                if (r == -EAGAIN)
                        continue;
                if (r == -ECONNRESET)
                        events->ended = true; /* croftd was killed: an end like any other */
                else if (r < 0)
                        return r;
        }
}
