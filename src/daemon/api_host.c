/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_host.c - the routes of croftd itself and of the kernel it runs on.
 */
#include "base/cleanup.h"
#include "daemon/api_http.h"
#include "daemon/api_json.h"
#include "daemon/host_parts.h"
#include "kernel/probe.h"
#include "partition/host.h"

#include <unistd.h>

static int no_memory(struct croft_error *err)
{
        return croft_error_set(err, ENOMEM, "write the answer");
}

int api_root(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        char link[64], path[4096];
        ssize_t n;

        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", q->api->host->state_dir);
        n = readlink(link, path, sizeof(path) - 1);
        path[n < 0 ? 0 : n] = '\0';
        a->body = json_pack("{s:s, s:i, s:s, s:o, s:i}", "version", CROFT_VERSION, "api", 1, "tag", q->api->host->tag,
                "state_dir", api_json_text(path), "pid", (int)getpid());
        return a->body ? 0 : no_memory(err);
}

static json_t *feature_json(const struct probe_result *p)
{
        return json_pack("{s:s, s:s, s:b, s:s, s:o, s:o, s:o}", /**/
                "name", p->name,                                /**/
                "status", probe_status_name(p->status),         /**/
                "essential", p->essential,                      /**/
                "use", p->use,                                  /**/
                "fallback", api_json_text(p->fallback),         /**/
                "lost", api_json_text(p->lost),                 /**/
                "detail", api_json_text(p->detail));
}

static int append(json_t *features, const struct probe_result *p)
{
        return json_array_append_new(features, feature_json(p)) < 0 ? -ENOMEM : 0;
}

/* What the kernel offers, then what this croftd has made of it. */
static json_t *features_json(const struct host *host, const struct probe_result *results, size_t n)
{
        json_t *features = json_array();
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = append(features, &results[i]);
        for (int i = 0; r == 0 && i < HOST_PARTS; i++) {
                struct probe_result part;

                host_part_judge(host, i, &part);
                r = append(features, &part);
        }
        if (r == 0)
                return features;
        json_decref(features);
        return NULL;
}

int api_check(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_free_ struct probe_result *results = NULL;
        const struct probe_result *blocker;
        json_t *features;
        size_t n = 0;
        int r = probe_run(q->api->host->state_dir, q->api->host->cgroups, &results, &n, err);

        if (r < 0)
                return r;
        features = features_json(q->api->host, results, n);
        if (!features)
                return no_memory(err);
        blocker = probe_blocker(results, n);
        a->body = json_pack("{s:b, s:o, s:o}", "ready", !blocker, "blocker",
                api_json_text(blocker ? blocker->name : NULL), "features", features);
        return a->body ? 0 : no_memory(err);
}
