/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_json.h - what croftd knows, as JSON.  docs/openapi.yaml describes the objects; list and show give the same.
 *
 * Every function returns a new reference, NULL when out of memory.  Text that isn't UTF-8 is escaped as \xNN.
 */
#ifndef CROFT_DAEMON_API_JSON_H
#define CROFT_DAEMON_API_JSON_H

#include "daemon/life.h"
#include "image/image.h"
#include "kext/kext.h"

#include <croft/error.h>
#include <jansson.h>

json_t *api_json_text(const char *text); /* NULL or "": null */
/* Seconds since the epoch as "2026-11-21T09:31:02Z"; 0: null. */
json_t *api_json_time(int64_t seconds);
/* root: the name of the image it is made of. */
json_t *api_json_partition(const struct life_info *info, const char *root);
json_t *api_json_pool(const struct life_pool_info *info);
json_t *api_json_device(const struct life_device *device);
json_t *api_json_image(const struct image_info *info);
/* known: it is registered; else only what its bytes say. */
json_t *api_json_extension(const struct kext_record *record, bool known);
/* {"error": {code, exit, text, causes}} */
json_t *api_json_error(const struct croft_error *e);

#endif
