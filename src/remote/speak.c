/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * speak.c - the half of a connection that speaks with the other machine.  See remote.h.
 *
 * It has no privileges and runs nothing: a request goes to its parent, which decodes it itself.  Deadlines bound all
 * that comes before the other side is known, and a line without a sign of life.
 */
#include "remote/remote.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "remote/line.h"

#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>

/* Who is there; and whether it may be. */
static int admit(const struct session *s, struct line *line, struct croft_error *err)
{
        char names[256];
        const char *name;
        int r = tls_handshake(line->ssl, s->peer, now_ms() + LINE_PATIENCE_MS, err);

        if (r < 0)
                return r;
        name = tls_peer_is_one_of(line->ssl, s->allow);
        if (!name || s->busy) {
                (void)line_put_number(line, FRAME_REFUSED, name ? FRAME_REFUSED_BUSY : FRAME_REFUSED_NAME, NULL);
                line_end(line);
                if (name)
                        return croft_error_set(err, EBUSY, "there are as many lines as there may be.");
                return croft_error_set(err, EACCES, "%s isn't in the allow list; its certificate is for: %s.", s->peer,
                        tls_peer_names(line->ssl, names, sizeof(names)));
        }
        if (write(s->told_fd, "", 1) < 0)
                return croft_error_set(err, errno, "tell who is there");
        log_say(LOG_LEVEL_INFO, "%s is %s", s->peer, name);
        return line_put_number(line, FRAME_READY, FRAME_VERSION, err);
}

static int take_request(struct line *line, int ctl, struct croft_error *err)
{
        int64_t deadline = now_ms() + LINE_PATIENCE_MS;
        struct frame frame = {.size = 0};
        int r;

        do
                r = line_wait(line, deadline, &frame, err);
        while (r == 0 && frame.type == FRAME_ALIVE);
        if (r < 0)
                return r;
        if (frame.type != FRAME_REQUEST)
                return croft_error_set(err, EBADMSG, "%s sent something else than a request.", line->who);
        return send(ctl, frame.body, frame.size, MSG_NOSIGNAL) < 0 ? croft_error_set(err, errno, "pass a request on")
                                                                   : 0;
}

/* The other side has nothing to say any more but that it is there. */
static int listen_to(struct line *line, struct croft_error *err)
{
        struct frame frame;
        int r;

        while ((r = line_take(line, &frame, err)) > 0)
                if (frame.type != FRAME_ALIVE)
                        return croft_error_set(err, EBADMSG, "%s sent something else than a sign of life.", line->who);
        return r;
}

/* *out is closed when the command has said all. */
static int pass_on(struct line *line, int *out, struct croft_error *err)
{
        uint8_t data[FRAME_BODY_MAX];
        ssize_t n = read(*out, data, sizeof(data));

        if (n < 0 && errno == EINTR)
                return 0;
        if (n <= 0) {
                *out = close_fd(*out);
                return 0;
        }
        return line_put(line, FRAME_DATA, data, (size_t)n, err);
}

/* How it ended: two bytes of the parent, the frame's type and its number. */
static int tell_end(struct line *line, int ctl, struct croft_error *err)
{
        uint8_t end[2];
        int r;

        if (recv(ctl, end, sizeof(end), 0) != sizeof(end))
                return croft_error_set(err, ECHILD, "the process that runs commands has died.");
        r = line_put_number(line, end[0] == FRAME_END ? FRAME_END : FRAME_REFUSED, end[1], err);
        if (r == 0)
                line_end(line);
        return r;
}

static int stream(struct line *line, int ctl, int *out, struct croft_error *err)
{
        for (;;) {
                bool ends = *out < 0;
                struct pollfd p[] = {{.fd = SSL_get_fd(line->ssl), .events = POLLIN},
                        {.fd = ctl, .events = ends ? POLLIN : 0}, {.fd = *out, .events = POLLIN}};
                int r = 0;

                if (poll(p, ELEMENTS(p), line_timeout_ms(line)) < 0 && errno != EINTR)
                        return croft_error_set(err, errno, "wait");
                if (p[0].revents)
                        r = listen_to(line, err);
                if (r == 0 && p[2].revents)
                        r = pass_on(line, out, err);
                else if (r == 0 && p[1].revents)
                        return tell_end(line, ctl, err);
                if (r == 0)
                        r = line_keep(line, err);
                if (r < 0)
                        return r;
        }
}

int session_speak(const struct session *s, int ctl, int out)
{
        static struct line line; /* 16 KiB */
        _cleanup_(tls_session_freep) SSL *ssl = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        bool admitted = false;
        int r = confine(s->parent, &err);

        if (r == 0)
                r = tls_session_new(s->ctx, s->fd, NULL, &ssl, &err);
        if (r == 0) {
                line_init(&line, ssl, s->peer);
                r = admit(s, &line, &err);
                admitted = r == 0;
        }
        if (r == 0)
                r = take_request(&line, ctl, &err);
        if (r == 0)
                r = stream(&line, ctl, &out, &err);
        (void)close_fd(out);
        if (r < 0 && err.code != ENOTCONN) /* that is how a line usually ends: the other side has enough */
                log_error(LOG_LEVEL_WARNING, &err, admitted ? "the line to %s ended" : "%s was refused", s->peer);
        return r < 0 ? 1 : 0;
}
