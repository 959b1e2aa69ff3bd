/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_pools.c - the routes of CPU pools, and the one that binds a partition to a pool.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "daemon/api_body.h"
#include "daemon/api_http.h"
#include "daemon/api_json.h"
#include "daemon/life.h"

static int no_memory(struct croft_error *err)
{
        return croft_error_set(err, ENOMEM, "write the answer");
}

static int answer_pool(
        struct api_request *q, const char *name, unsigned int status, struct api_answer *a, struct croft_error *err)
{
        struct life_pool_info info;
        int r = life_pool_get(q->api->life, name, &info, err);

        if (r < 0)
                return r;
        a->body = api_json_pool(&info);
        a->status = status;
        life_pool_info_done(&info);
        return a->body ? 0 : no_memory(err);
}

int api_pool_list(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_free_ struct life_pool_info *infos = NULL;
        size_t n = 0;
        int r;

        r = life_pool_list(q->api->life, &infos, &n, err);
        if (r < 0)
                return r;
        a->body = json_array();
        for (size_t i = 0; i < n; i++) {
                if (r == 0 && json_array_append_new(a->body, api_json_pool(&infos[i])) < 0)
                        r = no_memory(err);
                life_pool_info_done(&infos[i]);
        }
        return r;
}

int api_pool_create(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(api_pool_done) struct api_pool pool = {.name = NULL};
        int r;

        r = api_pool_decode(q->body, q->body_size, true, &pool, err);
        if (r == 0)
                r = life_pool_create(q->api->life, pool.name, pool.cpus ? pool.cpus : "", err);
        if (r < 0)
                return r;
        if (asprintf(&a->location, "/v1/pools/%s", pool.name) < 0)
                a->location = NULL; /* a convenience only; it is made all the same */
        return answer_pool(q, pool.name, MHD_HTTP_CREATED, a, err);
}

int api_pool_show(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        return answer_pool(q, q->name, MHD_HTTP_OK, a, err);
}

int api_pool_change(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(api_pool_done) struct api_pool pool = {.name = NULL};
        int r;

        r = api_pool_decode(q->body, q->body_size, false, &pool, err);
        if (r == 0)
                r = life_pool_set(q->api->life, q->name, pool.cpus, err);
        return r < 0 ? r : answer_pool(q, q->name, MHD_HTTP_OK, a, err);
}

int api_pool_remove(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        int r = life_pool_remove(q->api->life, q->name, err);

        if (r == 0)
                a->status = MHD_HTTP_NO_CONTENT;
        return r;
}

int api_partition_bind(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_free_ char *pool = NULL;
        int r;

        r = api_bind_decode(q->body, q->body_size, &pool, err);
        if (r == 0)
                r = life_bind(q->api->life, q->name, pool, err);
        return r < 0 ? r : api_partition_show(q, a, err);
}
