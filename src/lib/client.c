/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client.c - requests to croftd.  See croft/croft.h.
 *
 * One request a connection: nothing is shared between requests, so a croftd that was restarted in between is no case of
 * its own.  What is read is peeked at first and taken by the length that the parser used; bytes behind an upgrade stay
 * in the socket for whoever speaks the stream.
 */
#include "client.h"

#include "base/cleanup.h"
#include "base/sock.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define READ_SIZE 65536

const char *croft_version(void)
{
        return CROFT_VERSION;
}

int croft_client_open(const char *socket_path, struct croft_client **ret, struct croft_error *err)
{
        struct croft_client *client;

        if (!socket_path)
                socket_path = secure_getenv("CROFT_SOCKET");
        if (!socket_path || !*socket_path)
                socket_path = CROFT_SOCKET_DEFAULT;
        client = calloc(1, sizeof(*client));
        if (!client)
                return croft_error_set(err, ENOMEM, "open a client");
        client->tick_ms = -1;
        client->socket = strdup(socket_path);
        if (!client->socket) {
                free(client);
                return croft_error_set(err, ENOMEM, "open a client");
        }
        *ret = client;
        return 0;
}

struct croft_client *croft_client_close(struct croft_client *client)
{
        if (client)
                free(client->socket);
        free(client);
        return NULL;
}

const char *croft_client_socket(const struct croft_client *client)
{
        return client->socket;
}

void croft_client_on_notice(struct croft_client *client, croft_notice say, void *context)
{
        client->notice = say;
        client->notice_context = context;
}

void croft_client_on_wait(struct croft_client *client, unsigned int interval_ms, croft_tick tick, void *context)
{
        client->tick = tick;
        client->tick_context = context;
        client->tick_ms = tick ? (int)(interval_ms ? interval_ms : 1) : -1;
}

enum croft_exit croft_client_exit(const struct croft_client *client)
{
        return client->exit;
}

/* A path too long for sun_path is reached through its directory. */
static int connect_long(const char *path, struct croft_error *err)
{
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
        _cleanup_close_ int dir_fd = directory ? open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

        if (dir_fd < 0)
                return croft_error_set(err, directory ? errno : ENOMEM, "open '%s'", directory ? directory : path);
        return sock_connect(dir_fd, slash ? slash + 1 : path, SOCK_STREAM, err);
}

static int connect_path(const char *path, struct croft_error *err)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = -EBADF;

        if (strlen(path) >= sizeof(address.sun_path))
                return connect_long(path, err);
        memcpy(address.sun_path, path, strlen(path));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return croft_error_set(err, errno, "connect to croftd at %s", path);
        return TAKE_FD(fd);
}

int client_connect(const struct croft_client *client, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r = connect_path(client->socket, &e);

        if (r >= 0)
                return r;
        if (r == -ENOENT && access("/run/croft/programs", F_OK) == 0) /* which is only there inside */
                return croft_error_set(err, ECONNREFUSED,
                        "there is no croftd in a partition.  Kernel extensions are loaded here by croft-extension(1), "
                        "or as ever by insmod(8) and modprobe(8).");
        if (r == -ENOENT || r == -ECONNREFUSED || r == -ENOTDIR)
                return croft_error_set(err, ECONNREFUSED,
                        "croftd isn't running at %s (start it with: systemctl start croftd).", client->socket);
        return croft_error_copy(err, &e);
}

/* A croftd that refuses a body early closes its end before all is sent: its answer is there nonetheless. */
static int send_all(int fd, const char *data, size_t size, struct croft_error *err)
{
        while (size > 0) {
                ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
                        return 0;
                if (n < 0)
                        return croft_error_set(err, errno, "send to croftd");
                data += n;
                size -= (size_t)n;
        }
        return 0;
}

int client_read(int fd, int flags, struct http_reply *reply, struct croft_error *err)
{
        char buf[READ_SIZE];
        size_t used;
        ssize_t n;
        int r;

        do
                n = recv(fd, buf, sizeof(buf), flags | MSG_PEEK);
        while (n < 0 && errno == EINTR);
        if (n < 0 && (errno == ECONNRESET || errno == EPIPE))
                n = 0;
        if (n < 0 && errno == EAGAIN)
                return -EAGAIN;
        if (n < 0)
                return croft_error_set(err, errno, "receive from croftd");
        r = http_reply_feed(reply, buf, (size_t)n, &used, err);
        if (r < 0)
                return r;
        /* They are in the socket's queue, so this neither waits nor comes short. */
        if (used > 0 && recv(fd, buf, used, 0) < 0)
                return croft_error_set(err, errno, "receive from croftd");
        return n > 0;
}

static int wait_readable(struct croft_client *client, int fd, struct croft_error *err)
{
        for (;;) {
                struct pollfd p = {.fd = fd, .events = POLLIN};
                int r = poll(&p, 1, client->tick_ms);

                if (r > 0)
                        return 0;
                if (r < 0 && errno != EINTR)
                        return croft_error_set(err, errno, "wait for croftd");
                r = client->tick ? client->tick(client->tick_context) : 0;
                if (r < 0)
                        return croft_error_set(err, r, "wait for croftd");
        }
}

int client_exchange(struct croft_client *client, int fd, const char *request, struct http_reply *reply, bool head_only,
        struct croft_error *err)
{
        int r = send_all(fd, request, strlen(request), err);

        reply->notice = client->notice;
        reply->notice_context = client->notice_context;
        while (r >= 0 && !reply->done && !(head_only && reply->head_done && reply->status < 300)) {
                r = wait_readable(client, fd, err);
                if (r >= 0)
                        r = client_read(fd, 0, reply, err);
        }
        return r < 0 ? r : 0;
}

/* Nothing that a caller passes may end the line it stands in. */
static int check_words(const char *method, const char *path, struct croft_error *err)
{
        for (const char *p = path; *p; p++) {
                if (*p <= 0x20 || *p >= 0x7f)
                        return croft_error_set(err, EINVAL, "the path of a request has a byte that must be encoded.");
        }
        if (path[0] != '/' || method[strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
                return croft_error_set(err, EINVAL, "the method or path of a request is malformed.");
        return 0;
}

/* The whole of a request but for the shape of its answer. */
static int request_on(struct croft_client *client, const char *method, const char *path, const char *body,
        struct http_reply *reply, int *ret_fd, struct croft_error *err)
{
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int fd = -EBADF;
        int r = check_words(method, path, err);

        if (r < 0)
                return r;
        text = http_request(method, path, body, ret_fd != NULL);
        if (!text)
                return croft_error_set(err, ENOMEM, "%s %s", method, path);
        fd = client_connect(client, err);
        if (fd < 0)
                return fd;
        r = client_exchange(client, fd, text, reply, false, err);
        if (r < 0)
                return r;
        if (ret_fd && reply->upgraded) {
                *ret_fd = TAKE_FD(fd);
                return 0;
        }
        if (reply->status >= 300)
                return reply_error(reply, &client->exit, err);
        if (ret_fd)
                return croft_error_set(err, EPROTO, "croftd didn't switch to %s.", CROFT_STREAM_PROTOCOL);
        return 0;
}

/* Ends a request: the error goes to the caller and the exit status to the client. */
static int finish(struct croft_client *client, int r, const struct croft_error *e, struct croft_error *err)
{
        if (r >= 0)
                return 0;
        if (client->exit == CROFT_EXIT_OK)
                client->exit = croft_error_exit(e);
        return croft_error_copy(err, e);
}

int croft_client_request(struct croft_client *client, const char *method, const char *path, const char *body,
        char **ret, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        struct http_reply reply;
        char *text;
        int r;

        http_reply_init(&reply);
        client->exit = CROFT_EXIT_OK;
        r = request_on(client, method, path, body, &reply, NULL, &e);
        if (r >= 0 && ret) {
                text = reply.body ? TAKE(reply.body) : strdup("");
                if (text)
                        *ret = text;
                else
                        r = croft_error_set(&e, ENOMEM, "%s %s", method, path);
        }
        http_reply_done(&reply);
        return finish(client, r, &e, err);
}

int croft_client_fetch(
        struct croft_client *client, const char *path, croft_sink sink, void *context, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        struct http_reply reply;
        int r;

        http_reply_init(&reply);
        reply.sink = sink;
        reply.sink_context = context;
        client->exit = CROFT_EXIT_OK;
        r = request_on(client, "GET", path, NULL, &reply, NULL, &e);
        http_reply_done(&reply);
        return finish(client, r, &e, err);
}

int croft_client_upgrade(
        struct croft_client *client, const char *path, const char *body, int *ret_fd, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        struct http_reply reply;
        int r;

        http_reply_init(&reply);
        client->exit = CROFT_EXIT_OK;
        r = request_on(client, "POST", path, body, &reply, ret_fd, &e);
        http_reply_done(&reply);
        return finish(client, r, &e, err);
}
