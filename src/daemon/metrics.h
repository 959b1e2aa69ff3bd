/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * metrics.h - statistics as the text that Prometheus and its kin scrape.  croft-metrics(7) says what each one means.
 *
 * A text is made piece by piece while it is sent: never more than one partition's lines of one metric are in memory.
 */
#ifndef CROFT_DAEMON_METRICS_H
#define CROFT_DAEMON_METRICS_H

#include "daemon/stats.h"

#include <sys/types.h>

enum metrics_format {
        METRICS_OPENMETRICS, /* OpenMetrics 1.0 */
        METRICS_PROMETHEUS,  /* the text format 0.0.4 of Prometheus */
};

/* What a client wants that sends this Accept header (NULL: none): the older form only when it is preferred. */
enum metrics_format metrics_negotiate(const char *accept);
const char *metrics_content_type(enum metrics_format format);

struct metrics;

/* stats is borrowed until metrics_free().  NULL: no memory. */
struct metrics *metrics_new(const struct stats *stats, enum metrics_format format);
struct metrics *metrics_free(struct metrics *metrics); /* NULL is allowed; returns NULL */
/* The next bytes of the text, at most max; 0: that was all.  -ENOMEM. */
ssize_t metrics_read(struct metrics *metrics, char *buf, size_t max);

/* The name of family i and the word for its type ("counter"), for the test of the manual page; NULL: there are no more.
 */
const char *metrics_family(size_t i, const char **ret_type, const char **ret_unit);

#endif
