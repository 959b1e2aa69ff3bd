/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_images.c - the routes of images.  Building and importing take minutes: what goes on is told as events.
 */
#include "base/cleanup.h"
#include "daemon/api_body.h"
#include "daemon/api_http.h"
#include "daemon/api_json.h"
#include "daemon/life.h"
#include "image/image.h"

#include <string.h>

static int answer_image(
        const struct image_info *info, unsigned int status, struct api_answer *a, struct croft_error *err)
{
        a->body = api_json_image(info);
        a->status = status;
        return a->body ? 0 : croft_error_set(err, ENOMEM, "write the answer");
}

int api_image_list(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_free_ struct image_info *infos = NULL;
        size_t n = 0;
        int r;

        r = image_list(q->api->images, &infos, &n, err);
        if (r < 0)
                return r;
        a->body = json_array();
        for (size_t i = 0; i < n; i++)
                if (json_array_append_new(a->body, api_json_image(&infos[i])) < 0)
                        return croft_error_set(err, ENOMEM, "write the answer");
        return a->body ? 0 : croft_error_set(err, ENOMEM, "write the answer");
}

int api_image_show(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        struct image_info info;
        int r;

        r = image_find(q->api->images, q->name, &info, err);
        return r < 0 ? r : answer_image(&info, MHD_HTTP_OK, a, err);
}

/* Who hears of the progress, and of what image. */
struct telling {
        struct life *life;
        const char *name;
};

static void tell(void *context, const char *text)
{
        struct telling *t = context;

        life_event(t->life, "image", t->name, text);
}

int api_image_add(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(api_image_done) struct api_image image = {.name = NULL};
        struct telling telling = {.life = q->api->life};
        struct image_build build;
        struct image_info info;
        int r;

        r = api_image_decode(q->body, q->body_size, &image, err);
        if (r < 0)
                return r;
        telling.name = image.name;
        build = (struct image_build){.name = image.name,
                .suite = image.suite,
                .mirror = image.mirror,
                .variant = image.variant ? image.variant : "minbase",
                .include = image.include};
        r = image.path ? image_import(q->api->images, image.name, image.path, tell, &telling, &info, err)
                       : image_build(q->api->images, &build, tell, &telling, &info, err);
        if (r < 0)
                return r;
        if (asprintf(&a->location, "/v1/images/%s", info.id) < 0)
                a->location = NULL; /* a convenience only; it is made all the same */
        return answer_image(&info, MHD_HTTP_CREATED, a, err);
}

int api_image_remove(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        int r;

        r = image_remove(q->api->images, q->name, life_image_in_use, q->api->life, err);
        if (r == 0)
                a->status = MHD_HTTP_NO_CONTENT;
        return r;
}
