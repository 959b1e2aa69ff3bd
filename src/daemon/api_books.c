/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_books.c - the routes of kernel extensions that are loaded, and who holds them.
 */
#include "base/cleanup.h"
#include "daemon/api_http.h"
#include "daemon/api_json.h"
#include "daemon/life.h"
#include "kext/books.h"

#include <string.h>

/* One of a partition, or of none: it is there before any has asked, or is about to go. */
static json_t *entry_json(struct life *life, const struct kext_books *books, const struct kext_loaded *l,
        const char *partition, const struct kext_holder *h)
{
        const char *name = h ? h->name : l->name, *sha256 = h ? h->sha256 : l->sha256;
        struct kext_record record;
        bool known = life_kext_known(life, sha256, &record);

        return json_pack("{s:s, s:o, s:o, s:s, s:o, s:o, s:s, s:I, s:o, s:b, s:o, s:o, s:o, s:o}",        /**/
                "name", name,                                                                             /**/
                "kind", known ? json_string(kext_kind_name(record.identity.kind)) : json_null(),          /**/
                "partition", partition ? json_string(partition) : json_null(),                            /**/
                "sha256", sha256,                                                                         /**/
                "generation", known ? json_integer(record.generation) : json_null(),                      /**/
                "generation_state", known ? json_string(kext_state_name(record.state)) : json_null(),     /**/
                "state", kext_books_state_name(l, h), "total", (json_int_t)kext_books_total(books, name), /**/
                "majors", l ? api_json_text(l->majors) : json_null(), "baseline", l && l->baseline,       /**/
                "count", h ? json_integer(h->count) : json_null(),                                        /**/
                "local", h ? json_boolean(h->local) : json_null(),                                        /**/
                "via", h ? json_string(kext_via_name(h->via)) : json_null(),                              /**/
                "since", api_json_time(h ? h->since : l->since));
}

static int add_holders(struct life *life, const struct kext_books *books, const char *only, json_t *list)
{
        for (size_t i = 0; i < books->n_holders; i++) {
                const struct kext_holder *h = &books->holders[i];
                char partition[NAME_LENGTH_MAX + 1];

                if (!life_partition_name(life, h->partition, partition) || (only && strcmp(only, partition) != 0))
                        continue;
                if (json_array_append_new(list,
                            entry_json(life, books, kext_books_loaded(books, h->name, h->partition), partition, h)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static bool is_unheld(const struct kext_books *books, const struct kext_loaded *l)
{
        const struct kext_holder *h = l->partition > 0 ? kext_books_holder(books, l->partition, l->name) : NULL;

        return l->partition > 0 ? !h || h->lost : kext_books_total(books, l->name) == 0;
}

static int add_unheld(struct life *life, const struct kext_books *books, json_t *list)
{
        for (size_t i = 0; i < books->n_loaded; i++)
                if (is_unheld(books, &books->loaded[i]) &&
                        json_array_append_new(list, entry_json(life, books, &books->loaded[i], NULL, NULL)) < 0)
                        return -ENOMEM;
        return 0;
}

static int answer(struct api_request *q, const char *only, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
        int r = life_kext_books(q->api->life, &books, err);

        if (r < 0)
                return r;
        a->body = json_array();
        a->status = MHD_HTTP_OK;
        r = a->body ? add_holders(q->api->life, &books, only, a->body) : -ENOMEM;
        if (r == 0 && !only)
                r = add_unheld(q->api->life, &books, a->body);
        return r < 0 ? croft_error_set(err, ENOMEM, "write the answer") : 0;
}

static int get_extension(struct api_request *q, const char **ret, struct croft_error *err)
{
        *ret = api_target_query(&q->target, "extension");
        if (!*ret || !**ret)
                return croft_error_set(err, EINVAL, "the parameter 'extension' is missing.");
        return 0;
}

int api_loaded_list_all(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        return answer(q, NULL, a, err);
}

int api_loaded_list(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        struct life_info info;
        int r = life_get(q->api->life, q->name, &info, err);

        if (r < 0)
                return r;
        life_info_done(&info);
        return answer(q, q->name, a, err);
}

int api_loaded_add(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        const char *extension, *parameters = api_target_query(&q->target, "parameters");
        int r = get_extension(q, &extension, err);

        if (r == 0)
                r = life_kext_load(q->api->life, q->name, extension, parameters ? parameters : "", err);
        return r < 0 ? r : answer(q, q->name, a, err);
}

int api_loaded_remove(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        const char *extension;
        int r = get_extension(q, &extension, err);

        if (r == 0)
                r = life_kext_unload(q->api->life, q->name, extension, err);
        if (r == 0)
                a->status = MHD_HTTP_NO_CONTENT;
        return r;
}

int api_loaded_take_away(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        const char *extension, *force = api_target_query(&q->target, "force");
        int r = get_extension(q, &extension, err);

        if (r == 0 && force && strcmp(force, "true") != 0 && strcmp(force, "false") != 0)
                r = croft_error_set(err, EINVAL, "the parameter 'force' is 'true' or 'false'.");
        if (r == 0)
                r = life_kext_take_away(q->api->life, extension, force && strcmp(force, "true") == 0, err);
        if (r == 0)
                a->status = MHD_HTTP_NO_CONTENT;
        return r;
}
