/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_target.h - the target of a request ("/v1/partitions/web?force=true") taken apart.
 *
 * Segments are split before they are decoded, so that %2F never makes a separator; "." and ".." have no meaning here
 * and match no route.
 */
#ifndef CROFT_DAEMON_API_TARGET_H
#define CROFT_DAEMON_API_TARGET_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>

#define API_TARGET_MAX 4096 /* bytes */
#define API_SEGMENTS_MAX 8
#define API_QUERY_MAX 8

struct api_target {
        char *text; /* owned; all below points into it */
        const char *segments[API_SEGMENTS_MAX];
        size_t n_segments;
        struct {
                const char *key, *value;
        } query[API_QUERY_MAX];
        size_t n_query;
};

/* -EINVAL: malformed; -ENAMETOOLONG; -ENOENT: too many segments for any route.  The caller ends *ret with
 * api_target_done(). */
int api_target_parse(const char *uri, struct api_target *ret, struct croft_error *err);
void api_target_done(struct api_target *target);

/* The value of a parameter, NULL: not given.  Borrowed. */
const char *api_target_query(const struct api_target *target, const char *key);
/* Refuses every parameter that isn't in known (separated by blanks, NULL: none) and every one given twice. */
int api_target_check_query(const struct api_target *target, const char *known, struct croft_error *err);
/* A parameter that is true, false, 1, 0, or empty for true. */
int api_target_bool(const struct api_target *target, const char *key, bool *ret, struct croft_error *err);

#endif
