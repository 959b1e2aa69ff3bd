/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_partitions.c - the routes of partitions: each takes the request apart, calls the life cycle, and shows the
 * result.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "daemon/api_body.h"
#include "daemon/api_http.h"
#include "daemon/api_json.h"
#include "daemon/life.h"
#include "image/image.h"

#include <string.h>

static int no_memory(struct croft_error *err)
{
        return croft_error_set(err, ENOMEM, "write the answer");
}

/* What a partition's root is called: the image's name, its id when it has none any more. */
static const char *root_name(const struct life_info *info, const struct image_info *images, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(images[i].id, info->def.image) == 0 && images[i].name[0])
                        return images[i].name;
        return info->def.image;
}

/* The partition as it now is, as the answer. */
static int answer_partition(
        struct api_request *q, const char *name, unsigned int status, struct api_answer *a, struct croft_error *err)
{
        struct life_info info = {.pid = 0};
        struct image_info image;
        bool found;
        int r;

        r = life_get(q->api->life, name, &info, err);
        if (r < 0)
                return r;
        found = !info.def.native && image_find(q->api->images, info.def.image, &image, NULL) == 0;
        a->body = api_json_partition(&info, root_name(&info, &image, found ? 1 : 0));
        life_info_done(&info);
        a->status = status;
        return a->body ? 0 : no_memory(err);
}

/* "Active,Frozen": a bit for each state, all when there is no such parameter. */
static int wanted_states(const struct api_target *target, unsigned int *ret, struct croft_error *err)
{
        const char *list = api_target_query(target, "state");
        char shown[64];

        *ret = list ? 0 : ~0U;
        while (list && *list) {
                size_t length = strcspn(list, ",");
                int i;

                for (i = 0; i <= PARTITION_TRANSITIONAL; i++) {
                        const char *name = partition_state_name((enum partition_state)i);

                        if (strlen(name) == length && strncasecmp(name, list, length) == 0)
                                break;
                }
                if (i > PARTITION_TRANSITIONAL)
                        return croft_error_set(
                                err, EINVAL, "no state '%s'.", str_escape(shown, sizeof(shown), list, length));
                *ret |= 1U << i;
                list += length;
                list += *list == ',';
        }
        return 0;
}

static json_t *list_json(
        const struct life_info *infos, size_t n, unsigned int states, const struct image_info *images, size_t n_images)
{
        json_t *array = json_array();

        for (size_t i = 0; array && i < n; i++) {
                if (!(states & 1U << infos[i].state))
                        continue;
                if (json_array_append_new(
                            array, api_json_partition(&infos[i], root_name(&infos[i], images, n_images))) < 0) {
                        json_decref(array);
                        return NULL;
                }
        }
        return array;
}

int api_partition_list(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_free_ struct life_info *infos = NULL;
        _cleanup_free_ struct image_info *images = NULL;
        size_t n = 0, n_images = 0;
        unsigned int states;
        int r;

        r = wanted_states(&q->target, &states, err);
        if (r == 0)
                r = image_list(q->api->images, &images, &n_images, err);
        if (r == 0)
                r = life_list(q->api->life, &infos, &n, err);
        if (r < 0)
                return r;
        a->body = list_json(infos, n, states, images, n_images);
        for (size_t i = 0; i < n; i++)
                life_info_done(&infos[i]);
        return a->body ? 0 : no_memory(err);
}

int api_partition_create(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(api_create_done) struct api_create create = {.name = NULL};
        char shown[128];
        int r;

        r = api_create_decode(q->body, q->body_size, &create, err);
        if (r < 0)
                return r;
        if (!str_is_name(create.name))
                return croft_error_set(err, EINVAL, "'%s' is no name of a partition: %s.",
                        str_escape(shown, sizeof(shown), create.name, strlen(create.name)), STR_NAME_RULE);
        r = life_create(q->api->life, create.name, create.image, create.properties, err);
        if (r < 0)
                return r;
        if (asprintf(&a->location, "/v1/partitions/%s", create.name) < 0)
                a->location = NULL; /* a convenience only; it is made all the same */
        return answer_partition(q, create.name, MHD_HTTP_CREATED, a, err);
}

int api_partition_show(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        return answer_partition(q, q->name, MHD_HTTP_OK, a, err);
}

int api_partition_change(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(api_change_done) struct api_change change = {.name = NULL};
        char shown[128];
        int r;

        r = api_change_decode(q->body, q->body_size, &change, err);
        if (r < 0)
                return r;
        if (change.name && !str_is_name(change.name))
                return croft_error_set(err, EINVAL, "'%s' is no name of a partition: %s.",
                        str_escape(shown, sizeof(shown), change.name, strlen(change.name)), STR_NAME_RULE);
        r = change.name ? life_rename(q->api->life, q->name, change.name, err)
                        : life_set(q->api->life, q->name, change.properties, err);
        return r < 0 ? r : answer_partition(q, change.name ? change.name : q->name, MHD_HTTP_OK, a, err);
}

int api_partition_remove(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        bool force;
        int r;

        r = api_target_bool(&q->target, "force", &force, err);
        if (r == 0)
                r = life_remove(q->api->life, q->name, force, err);
        if (r == 0)
                a->status = MHD_HTTP_NO_CONTENT;
        return r;
}

static int clear_errors(struct api_request *q, const char *name, struct api_answer *a, struct croft_error *err)
{
        int r = life_errors_clear(q->api->life, name, err);

        if (r == 0)
                a->status = MHD_HTTP_NO_CONTENT;
        return r;
}

int api_partition_errors_clear(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        return clear_errors(q, q->name, a, err);
}

int api_errors_clear(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        return clear_errors(q, NULL, a, err);
}

/* --- actions --- */

/* An action that knows no keys. */
static int plain(struct api_request *q, int (*act)(struct life *, const char *, struct croft_error *),
        struct api_answer *a, struct croft_error *err)
{
        struct api_action none;
        int r;

        r = api_action_decode(q->body, q->body_size, 0, &none, err);
        if (r == 0)
                r = act(q->api->life, q->name, err);
        return r < 0 ? r : answer_partition(q, q->name, MHD_HTTP_OK, a, err);
}

int api_partition_load(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        return plain(q, life_load, a, err);
}

int api_partition_start(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        return plain(q, life_start, a, err);
}

int api_partition_freeze(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        return plain(q, life_freeze, a, err);
}

int api_partition_thaw(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        return plain(q, life_thaw, a, err);
}

static int stopping(struct api_request *q,
        int (*act)(struct life *, const char *, unsigned int, bool, struct croft_error *), struct api_answer *a,
        struct croft_error *err)
{
        struct api_action action;
        int r;

        r = api_action_decode(q->body, q->body_size, API_ACTION_TIMEOUT | API_ACTION_FORCE, &action, err);
        if (r == 0)
                r = act(q->api->life, q->name, action.timeout_ms, action.force, err);
        return r < 0 ? r : answer_partition(q, q->name, MHD_HTTP_OK, a, err);
}

int api_partition_stop(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        return stopping(q, life_stop, a, err);
}

int api_partition_restart(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        return stopping(q, life_restart, a, err);
}

int api_partition_kill(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        struct api_action action;
        int r;

        r = api_action_decode(q->body, q->body_size, API_ACTION_SIGNAL, &action, err);
        if (r == 0)
                r = life_kill(q->api->life, q->name, action.signal, err);
        return r < 0 ? r : answer_partition(q, q->name, MHD_HTTP_OK, a, err);
}
