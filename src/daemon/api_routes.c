/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_routes.c - the table of all that can be asked, and how a target finds its line.
 *
 * docs/openapi.yaml says the same; a test compares the two.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "daemon/api_http.h"

#include <string.h>

const struct api_route api_routes[] = {
        {"GET", "/v1", NULL, 0, api_root},
        {"GET", "/v1/check", NULL, 0, api_check},
        {"GET", "/v1/partitions", "state", 0, api_partition_list},
        {"POST", "/v1/partitions", NULL, API_TAKES_BODY, api_partition_create},
        {"GET", "/v1/partitions/{name}", NULL, 0, api_partition_show},
        {"PATCH", "/v1/partitions/{name}", NULL, API_TAKES_BODY, api_partition_change},
        {"DELETE", "/v1/partitions/{name}", "force", 0, api_partition_remove},
        {"POST", "/v1/partitions/{name}/load", NULL, API_TAKES_BODY, api_partition_load},
        {"POST", "/v1/partitions/{name}/start", NULL, API_TAKES_BODY, api_partition_start},
        {"POST", "/v1/partitions/{name}/stop", NULL, API_TAKES_BODY, api_partition_stop},
        {"POST", "/v1/partitions/{name}/restart", NULL, API_TAKES_BODY, api_partition_restart},
        {"POST", "/v1/partitions/{name}/kill", NULL, API_TAKES_BODY, api_partition_kill},
        {"POST", "/v1/partitions/{name}/freeze", NULL, API_TAKES_BODY, api_partition_freeze},
        {"POST", "/v1/partitions/{name}/thaw", NULL, API_TAKES_BODY, api_partition_thaw},
        {"GET", "/v1/partitions/{name}/log", NULL, 0, api_partition_log},
        {"DELETE", "/v1/partitions/{name}/errors", NULL, 0, api_partition_errors_clear},
        {"POST", "/v1/partitions/{name}/exec", NULL, API_TAKES_BODY, api_partition_exec},
        {"POST", "/v1/partitions/{name}/console", NULL, API_TAKES_BODY, api_partition_console},
        {"POST", "/v1/partitions/{name}/bind", NULL, API_TAKES_BODY, api_partition_bind},
        {"GET", "/v1/partitions/{name}/devices", NULL, 0, api_device_list},
        {"POST", "/v1/partitions/{name}/devices", NULL, API_TAKES_BODY, api_device_add},
        {"DELETE", "/v1/partitions/{name}/devices", "device", 0, api_device_remove},
        {"GET", "/v1/partitions/{name}/extensions", NULL, 0, api_grant_list},
        {"POST", "/v1/partitions/{name}/extensions", NULL, API_TAKES_BODY, api_grant_add},
        {"DELETE", "/v1/partitions/{name}/extensions", "extension", 0, api_grant_remove},
        {"GET", "/v1/partitions/{name}/extensions/check", "path parameters", 0, api_grant_check},
        {"GET", "/v1/partitions/{name}/loaded", NULL, 0, api_loaded_list},
        {"POST", "/v1/partitions/{name}/loaded", "extension parameters", 0, api_loaded_add},
        {"DELETE", "/v1/partitions/{name}/loaded", "extension", 0, api_loaded_remove},
        {"GET", "/v1/partitions/{name}/scan", NULL, 0, api_scan_show},
        {"POST", "/v1/partitions/{name}/scan", NULL, 0, api_scan_run},
        {"POST", "/v1/partitions/{name}/sync", NULL, 0, api_scan_sync},
        {"POST", "/v1/partitions/{name}/provide", "extension path", 0, api_scan_provide},
        {"GET", "/v1/devices", NULL, 0, api_device_list_all},
        {"GET", "/v1/pools", NULL, 0, api_pool_list},
        {"POST", "/v1/pools", NULL, API_TAKES_BODY | API_RECORDED, api_pool_create},
        {"GET", "/v1/pools/{name}", NULL, 0, api_pool_show},
        {"PATCH", "/v1/pools/{name}", NULL, API_TAKES_BODY | API_RECORDED, api_pool_change},
        {"DELETE", "/v1/pools/{name}", NULL, API_RECORDED, api_pool_remove},
        {"GET", "/v1/extensions", NULL, 0, api_extension_list},
        {"POST", "/v1/extensions", NULL, API_TAKES_BODY | API_RECORDED, api_extension_add},
        {"GET", "/v1/extensions/{name}", NULL, API_EXTENSION, api_extension_show},
        {"POST", "/v1/extensions/{name}/revoke", NULL, API_EXTENSION | API_RECORDED, api_extension_revoke},
        {"POST", "/v1/extensions/{name}/supersede", NULL, API_EXTENSION | API_RECORDED, api_extension_supersede},
        {"GET", "/v1/loaded", NULL, 0, api_loaded_list_all},
        {"DELETE", "/v1/loaded", "extension force", API_RECORDED, api_loaded_take_away},
        {"GET", "/v1/scans", NULL, 0, api_scan_list},
        {"GET", "/v1/identity", "path", 0, api_identity},
        {"GET", "/v1/images", NULL, 0, api_image_list},
        {"POST", "/v1/images", NULL, API_TAKES_BODY | API_RECORDED, api_image_add},
        {"GET", "/v1/images/{name}", NULL, API_IMAGE, api_image_show},
        {"DELETE", "/v1/images/{name}", NULL, API_IMAGE | API_RECORDED, api_image_remove},
        {"DELETE", "/v1/errors", NULL, 0, api_errors_clear},
        {"GET", "/v1/events", NULL, 0, api_events},
        {"GET", "/v1/stats", NULL, 0, api_stats},
        {"GET", "/metrics", NULL, 0, api_metrics},
        {NULL, NULL, NULL, 0, NULL},
};

/* Compares pattern and target segment by segment; *ret_name is what stands for {name}. */
static bool matches(const char *pattern, const struct api_target *target, const char **ret_name)
{
        const char *p = pattern + 1;
        const char *name = NULL;

        for (size_t i = 0; i < target->n_segments; i++) {
                size_t length = strcspn(p, "/");
                const char *segment = target->segments[i];

                if (length == 0)
                        return false;
                if (*p == '{' && *segment)
                        name = segment;
                else if (strlen(segment) != length || strncmp(p, segment, length) != 0)
                        return false;
                p += length;
                p += *p == '/';
        }
        if (*p)
                return false;
        *ret_name = name;
        return true;
}

static bool answers(const struct api_route *route, const char *method)
{
        return strcmp(method,
                       strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0 ? "HEAD" : route->method) == 0;
}

static void allow_method(char *allow, const char *method)
{
        size_t used = strlen(allow);

        (void)snprintf(allow + used, API_ALLOW_MAX - used, "%s%s%s", used ? ", " : "", method,
                strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

int api_route_find(const char *method, const struct api_target *target, const struct api_route **ret,
        const char **ret_name, char *allow)
{
        const struct api_route *found = NULL;
        const char *name = NULL;

        *allow = '\0';
        for (const struct api_route *r = api_routes; r->method; r++) {
                if (!matches(r->pattern, target, &name))
                        continue;
                allow_method(allow, r->method);
                if (answers(r, method)) {
                        found = r;
                        *ret_name = name;
                }
        }
        if (*allow == '\0')
                return -ENOENT;
        allow_method(allow, "OPTIONS");
        if (!found)
                return -ENOTSUP;
        *ret = found;
        return 0;
}

unsigned int api_status(int code)
{
        static const struct {
                int code;
                unsigned int status;
        } table[] = {
                {EINVAL, MHD_HTTP_BAD_REQUEST},
                {EPERM, MHD_HTTP_FORBIDDEN},
                {EACCES, MHD_HTTP_FORBIDDEN},
                {ENOENT, MHD_HTTP_NOT_FOUND},
                {ENXIO, MHD_HTTP_NOT_FOUND},
                {ESRCH, MHD_HTTP_CONFLICT},
                {ENOTSUP, MHD_HTTP_UNPROCESSABLE_CONTENT},
                {EBUSY, MHD_HTTP_CONFLICT},
                {EEXIST, MHD_HTTP_CONFLICT},
                {EAGAIN, MHD_HTTP_CONFLICT},
                {ENOTCONN, MHD_HTTP_CONFLICT},
                {ESTALE, MHD_HTTP_CONFLICT},
                {EFBIG, MHD_HTTP_CONTENT_TOO_LARGE},
                {ENAMETOOLONG, MHD_HTTP_URI_TOO_LONG},
                {EILSEQ, MHD_HTTP_UNPROCESSABLE_CONTENT},
                {ENOEXEC, MHD_HTTP_UNPROCESSABLE_CONTENT},
                {ESHUTDOWN, MHD_HTTP_SERVICE_UNAVAILABLE},
                {ENOSPC, MHD_HTTP_INSUFFICIENT_STORAGE},
                {EDQUOT, MHD_HTTP_INSUFFICIENT_STORAGE},
                {EMFILE, MHD_HTTP_INSUFFICIENT_STORAGE},
                {ENFILE, MHD_HTTP_INSUFFICIENT_STORAGE},
                {ENOMEM, MHD_HTTP_INSUFFICIENT_STORAGE},
                {EUSERS, MHD_HTTP_INSUFFICIENT_STORAGE},
        };

        for (size_t i = 0; i < ELEMENTS(table); i++)
                if (table[i].code == code)
                        return table[i].status;
        return MHD_HTTP_INTERNAL_SERVER_ERROR;
}
