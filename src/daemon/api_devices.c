/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_devices.c - the routes of devices that are exported to partitions.
 *
 * A device's name inside has slashes (net/tun): in targets it is a parameter, never a segment.
 */
#include "base/cleanup.h"
#include "daemon/api_body.h"
#include "daemon/api_http.h"
#include "daemon/api_json.h"
#include "daemon/life.h"

#include <string.h>

static int answer_list(
        struct api_request *q, const char *name, unsigned int status, struct api_answer *a, struct croft_error *err)
{
        _cleanup_free_ struct life_device *list = NULL;
        size_t n = 0;
        int r = life_device_list(q->api->life, name, &list, &n, err);

        if (r < 0)
                return r;
        a->body = json_array();
        for (size_t i = 0; i < n; i++)
                if (json_array_append_new(a->body, api_json_device(&list[i])) < 0)
                        return croft_error_set(err, ENOMEM, "write the answer");
        a->status = status;
        return 0;
}

int api_device_list_all(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        return answer_list(q, NULL, MHD_HTTP_OK, a, err);
}

int api_device_list(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        return answer_list(q, q->name, MHD_HTTP_OK, a, err);
}

int api_device_add(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(api_device_done) struct api_device device = {.device = NULL};
        int r = api_device_decode(q->body, q->body_size, &device, err);

        if (r == 0)
                r = life_device_add(q->api->life, q->name, &device.request, err);
        return r < 0 ? r : answer_list(q, q->name, MHD_HTTP_CREATED, a, err);
}

int api_device_remove(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        const char *device = api_target_query(&q->target, "device");
        int r;

        if (!device || !*device)
                return croft_error_set(err, EINVAL, "the parameter 'device' is missing.");
        r = life_device_remove(q->api->life, q->name, device, err);
        if (r == 0)
                a->status = MHD_HTTP_NO_CONTENT;
        return r;
}
