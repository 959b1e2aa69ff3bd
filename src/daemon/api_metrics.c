/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_metrics.c - the routes of statistics, and how a text goes out while it is made.  See api_metrics.h.
 */
#include "daemon/api_metrics.h"

#include "base/cleanup.h"
#include "daemon/life.h"
#include "daemon/stats_json.h"

#define PIECE 32768 /* of a text, made at a time */

int api_collect(struct api *api, struct stats **ret, struct croft_error *err)
{
        struct stats *stats = NULL;
        int r = life_stats(api->life, &stats, err);

        if (r < 0)
                return r;
        stats->daemon.requests = atomic_load(&api->requests);
        stats->daemon.refused = atomic_load(&api->refused);
        stats->daemon.connections = atomic_load(&api->connections);
        *ret = stats;
        return 0;
}

struct snapshot *snapshot_new(struct stats *stats)
{
        struct snapshot *s = malloc(sizeof(*s));

        if (!s) {
                stats_free(stats);
                return NULL;
        }
        *s = (struct snapshot){.stats = stats, .refs = 1};
        return s;
}

struct snapshot *snapshot_unref(struct snapshot *s)
{
        if (s && --s->refs == 0) {
                stats_free(s->stats);
                free(s);
        }
        return NULL;
}

/* --- a text on its way --- */

struct text_stream {
        struct snapshot *snapshot;
        struct metrics *metrics;
};

static ssize_t read_text(void *context, uint64_t position, char *buf, size_t max)
{
        struct text_stream *s = context;
        ssize_t n = metrics_read(s->metrics, buf, max);

        (void)position;
        /* A text that breaks off has no "# EOF" and no last chunk: the scraper sees that it is not whole. */
        return n > 0 ? n : n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void end_text(void *context)
{
        struct text_stream *s = context;

        metrics_free(s->metrics);
        snapshot_unref(s->snapshot);
        free(s);
}

static struct MHD_Response *stream_response(struct snapshot *snapshot, enum metrics_format format)
{
        struct text_stream *s = calloc(1, sizeof(*s));
        struct MHD_Response *response;

        if (!s)
                return NULL;
        s->snapshot = snapshot;
        snapshot->refs++;
        s->metrics = metrics_new(snapshot->stats, format);
        response =
                s->metrics ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE, read_text, s, end_text) : NULL;
        if (!response)
                end_text(s);
        return response;
}

/* For HEAD, which is answered as GET is, without its text: how long that would be nobody knows. */
static ssize_t read_nothing(void *context, uint64_t position, char *buf, size_t max)
{
        (void)context;
        (void)position;
        (void)buf;
        (void)max;
        return MHD_CONTENT_READER_END_OF_STREAM;
}

struct MHD_Response *metrics_response(struct snapshot *snapshot, enum metrics_format format, bool head)
{
        struct MHD_Response *response =
                head ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, read_nothing, NULL, NULL)
                     : stream_response(snapshot, format);

        if (!response)
                return NULL;
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, metrics_content_type(format));
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT);
        return response;
}

/* --- routes --- */

int api_metrics(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        const char *accept = MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
        struct snapshot *snapshot = NULL;
        struct stats *stats = NULL;
        int r = q->head ? 0 : api_collect(q->api, &stats, err);

        if (r < 0)
                return r;
        if (stats)
                snapshot = snapshot_new(stats);
        if (q->head || snapshot)
                a->response = metrics_response(snapshot, metrics_negotiate(accept), q->head);
        snapshot_unref(snapshot);
        return a->response ? 0 : croft_error_set(err, ENOMEM, "write the answer");
}

int api_stats(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(stats_freep) struct stats *stats = NULL;
        int r = api_collect(q->api, &stats, err);

        if (r < 0)
                return r;
        a->body = stats_json(stats);
        return a->body ? 0 : croft_error_set(err, ENOMEM, "write the answer");
}
