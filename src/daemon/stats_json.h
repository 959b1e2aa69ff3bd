/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stats_json.h - statistics as the JSON of GET /v1/stats; docs/openapi.yaml describes it.
 */
#ifndef CROFT_DAEMON_STATS_JSON_H
#define CROFT_DAEMON_STATS_JSON_H

#include "daemon/stats.h"

#include <jansson.h>

/* A new reference; NULL: no memory.  What isn't known is null. */
json_t *stats_json(const struct stats *stats);

#endif
