/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * croft/croft.h - libcroft: speaks with croftd, for the command line and for any program.
 *
 * A client holds where croftd listens and what to call while waiting.  Each request is one HTTP request on a connection
 * of its own; paths, bodies and answers are those of the API (docs/openapi.yaml).  There is no global state: a client
 * belongs to one thread at a time, different clients are independent.
 *
 * Functions return 0 or a negative errno unless they say otherwise, fill *err (may be NULL) on failure only, and leave
 * what they would have returned alone then.  Strings passed in are borrowed for the call.  Every descriptor is CLOEXEC;
 * SIGPIPE is never raised.
 *
 * Errors of the transport: -ECONNREFUSED croftd doesn't run, -EACCES and -EPERM you may not speak with it, -ECONNRESET
 * the answer was cut off, -EPROTO it was no HTTP or no JSON, -EMSGSIZE it was too long.  An answer that is itself an
 * error comes as croftd's own code with its chain of causes.
 */
#ifndef CROFT_CROFT_H
#define CROFT_CROFT_H

#include <croft/error.h>
#include <croft/stream.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CROFT_SOCKET_DEFAULT "/run/croft/croft.sock"
#define CROFT_REPLY_MAX (64U << 20) /* bytes of an answer that croft_client_request() takes */

struct croft_client;
struct croft_events;

/* The version of the library, "0.1.0".  Static. */
const char *croft_version(void);

/* A client of the croftd that listens on socket_path; NULL: on $CROFT_SOCKET, else on CROFT_SOCKET_DEFAULT.  Doesn't
 * connect yet.  The caller owns *ret and ends it with croft_client_close(). */
int croft_client_open(const char *socket_path, struct croft_client **ret, struct croft_error *err);
/* NULL is allowed.  Returns NULL. */
struct croft_client *croft_client_close(struct croft_client *client);
/* Where croftd is looked for.  Borrowed from the client. */
const char *croft_client_socket(const struct croft_client *client);

/* say is called for each notice that comes with an answer (an interrupted operation was finished or undone); text is
 * valid during the call.  NULL: notices are dropped. */
typedef void (*croft_notice)(void *context, const char *text);
void croft_client_on_notice(struct croft_client *client, croft_notice say, void *context);

/* tick is called about every interval_ms while a request waits for croftd.  A negative result ends the request with
 * that errno; the operation itself goes on in croftd.  NULL: none. */
typedef int (*croft_tick)(void *context);
void croft_client_on_wait(struct croft_client *client, unsigned int interval_ms, croft_tick tick, void *context);

/* One request: body is JSON text or NULL; *ret (NULL: not wanted) becomes the body of the answer as a new NUL-ended
 * string, "" when it has none, which the caller frees. */
int croft_client_request(struct croft_client *client, const char *method, const char *path, const char *body,
        char **ret, struct croft_error *err);

/* As above, for an answer that is long or doesn't end (a log): sink is called for each piece as it comes; its negative
 * result ends the request with that errno. */
typedef int (*croft_sink)(void *context, const void *data, size_t size);
int croft_client_fetch(
        struct croft_client *client, const char *path, croft_sink sink, void *context, struct croft_error *err);

/* POSTs body to path and asks for the upgrade to CROFT_STREAM_PROTOCOL.  *ret_fd becomes the connection, at the first
 * byte of the stream, blocking; the caller closes it. */
int croft_client_upgrade(
        struct croft_client *client, const char *path, const char *body, int *ret_fd, struct croft_error *err);

/* The exit status that croftd named for the last failed request of this client; when the failure wasn't croftd's, what
 * croft_error_exit() says of its error. */
enum croft_exit croft_client_exit(const struct croft_client *client);

/* The events of croftd from now on, on a connection of its own that is independent of the client afterwards.  The
 * caller ends *ret with croft_events_close(). */
int croft_events_open(struct croft_client *client, struct croft_events **ret, struct croft_error *err);
struct croft_events *croft_events_close(struct croft_events *events); /* NULL is allowed; returns NULL */
/* To wait for with poll(2).  Borrowed.  After it was readable, call croft_events_next() until it returns 0. */
int croft_events_fd(const struct croft_events *events);
/* Waits for the next event (timeout_ms: -1 without end, 0 not at all).  1: *ret is one JSON object as a new string
 * without newline, which the caller frees.  0: none in that time.  -ESHUTDOWN: croftd has ended. */
int croft_events_next(struct croft_events *events, int timeout_ms, char **ret, struct croft_error *err);

/* The header of a frame of croft/stream.h, and back.  -EBADMSG: no such frame is allowed. */
void croft_frame_put(uint8_t header[CROFT_STREAM_HEADER], enum croft_stream_type type, uint32_t body_size);
int croft_frame_get(
        const uint8_t header[CROFT_STREAM_HEADER], enum croft_stream_type *ret_type, uint32_t *ret_body_size);

/* Percent-encodes text as one segment of a path into buf (cut to size, NUL-ended).  Returns the length that the whole
 * would need without NUL; compare with size, as with snprintf(3). */
size_t croft_path_escape(char *buf, size_t size, const char *text);

#ifdef __cplusplus
}
#endif
#endif
