/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * connect.c - runs a command on another machine, as ssh(1) does: its standard output is ours, its status too.  See
 * remote.h.
 */
#include "remote/remote.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "remote/line.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

/* --- the connection --- */

static int connect_to(const struct addrinfo *address)
{
        _cleanup_close_ int fd =
                socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol);
        socklen_t size = sizeof(int);
        int code = 0, on = 1, r;

        if (fd < 0)
                return -errno;
        if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
                if (errno != EINPROGRESS)
                        return -errno;
                r = tls_wait(fd, POLLOUT, now_ms() + LINE_PATIENCE_MS);
                if (r < 0)
                        return r;
                if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0 || code)
                        return code ? -code : -errno;
        }
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* only slower without */
        return TAKE_FD(fd);
}

static int reach(const struct connect_options *o, struct croft_error *err)
{
        const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
        const char *host = o->address ? o->address : o->place.host;
        struct addrinfo *list = NULL;
        int r = getaddrinfo(host, o->place.port, &hints, &list), fd = -ENXIO;

        if (r != 0)
                return croft_error_set(err, ENXIO, "find the address of '%s': %s.", host, gai_strerror(r));
        for (const struct addrinfo *one = list; one && fd < 0; one = one->ai_next)
                fd = connect_to(one);
        freeaddrinfo(list);
        return fd < 0 ? croft_error_set(err, fd, "connect to '%s', port %s", host, o->place.port) : fd;
}

/* --- what is said on it --- */

static int say_refusal(const struct frame *frame, const char *who, struct croft_error *err)
{
        uint32_t why = 0;

        (void)frame_get_number(frame, &why); /* then it is none of those below */
        switch (why) {
        case FRAME_REFUSED_NAME:
                return croft_error_set(err, EACCES, "no name of our certificate is in the allow list of %s.", who);
        case FRAME_REFUSED_BUSY:
                return croft_error_set(err, EBUSY, "%s has as many lines as there may be.", who);
        case FRAME_REFUSED_COMMAND:
                return croft_error_set(err, EACCES, "%s doesn't let other machines run that command.", who);
        case FRAME_REFUSED_FAILED:
                return croft_error_set(err, EIO, "%s couldn't run the command; its log says why.", who);
        default:
                return croft_error_set(err, EBADMSG, "%s refuses for a reason that isn't known here.", who);
        }
}

/* The other side has accepted us and speaks as we do. */
static int await_ready(struct line *line, struct croft_error *err)
{
        struct frame frame = {.size = 0};
        uint32_t version = 0;
        int r = line_wait(line, now_ms() + LINE_PATIENCE_MS, &frame, err);

        if (r < 0)
                return r;
        if (frame.type == FRAME_REFUSED)
                return say_refusal(&frame, line->who, err);
        if (frame.type != FRAME_READY || frame_get_number(&frame, &version) < 0)
                return croft_error_set(err, EBADMSG, "%s didn't say that it is ready.", line->who);
        if (version != FRAME_VERSION)
                return croft_error_set(err, EPROTONOSUPPORT, "%s speaks version %u of the protocol, and we speak %d.",
                        line->who, version, FRAME_VERSION);
        return 0;
}

static int ask(struct line *line, char *const *words, struct croft_error *err)
{
        _cleanup_free_ uint8_t *body = NULL;
        size_t size = 0;
        int r = frame_put_words(words, &body, &size);

        if (r < 0)
                return croft_error_set(err, r, "the command is too long");
        return line_put(line, FRAME_REQUEST, body, size, err);
}

/* One frame of an answer.  1: that was the last one, *ret_status is there. */
static int take_answer(struct line *line, const struct frame *frame, int *ret_status, struct croft_error *err)
{
        uint32_t status = 0;
        int r;

        switch (frame->type) {
        case FRAME_DATA:
                r = fd_write_all(STDOUT_FILENO, frame->body, frame->size);
                return r < 0 ? croft_error_set(err, r, "write what %s said", line->who) : 0;
        case FRAME_ALIVE:
                return 0;
        case FRAME_END:
                r = frame_get_number(frame, &status);
                *ret_status = (int)status;
                return r < 0 ? croft_error_set(err, r, "read the end") : 1;
        case FRAME_REFUSED:
                return say_refusal(frame, line->who, err);
        case FRAME_READY:
        case FRAME_REQUEST:
        default:
                return croft_error_set(err, EBADMSG, "%s sent what is no answer.", line->who);
        }
}

static int take_answers(struct line *line, int *ret_status, struct croft_error *err)
{
        for (;;) {
                struct pollfd p[] = {
                        {.fd = SSL_get_fd(line->ssl), .events = POLLIN}, {.fd = STDOUT_FILENO, .events = 0}};
                struct frame frame;
                int r;

                while ((r = line_take(line, &frame, err)) > 0) {
                        r = take_answer(line, &frame, ret_status, err);
                        if (r != 0)
                                return r;
                }
                if (r == 0)
                        r = line_keep(line, err);
                if (r < 0)
                        return r;
                if (poll(p, ELEMENTS(p), line_timeout_ms(line)) < 0 && errno != EINTR)
                        return croft_error_set(err, errno, "wait for %s", line->who);
                if (p[1].revents & (POLLERR | POLLHUP))
                        return croft_error_set(err, EPIPE, "nobody reads any more");
        }
}

static int converse(const struct connect_options *o, SSL *ssl, int *ret_status, struct croft_error *err)
{
        static struct line line; /* 16 KiB */
        int r;

        line_init(&line, ssl, o->place.host);
        r = tls_handshake(ssl, line.who, now_ms() + LINE_PATIENCE_MS, err);
        if (r == 0)
                r = await_ready(&line, err);
        if (r == 0)
                r = ask(&line, o->words, err);
        if (r == 0)
                r = take_answers(&line, ret_status, err);
        if (r > 0)
                (void)SSL_shutdown(ssl); /* in order; nothing waits for it */
        return r < 0 ? r : 0;
}

int connect_run(const struct connect_options *o)
{
        _cleanup_(tls_closep) SSL_CTX *ctx = NULL;
        _cleanup_(tls_session_freep) SSL *ssl = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct croft_error err = CROFT_ERROR_INIT;
        int status = REMOTE_LINE_TROUBLE, r = tls_open(&o->files, false, &ctx, &err);

        (void)signal(SIGPIPE, SIG_IGN);
        if (r == 0)
                r = fd = reach(o, &err);
        if (r >= 0)
                r = tls_session_new(ctx, fd, o->place.host, &ssl, &err);
        if (r == 0)
                r = converse(o, ssl, &status, &err);
        if (r < 0)
                log_error(LOG_LEVEL_ERROR, &err, "connect to '%s'", o->place.host);
        return r < 0 ? REMOTE_LINE_TROUBLE : status;
}
