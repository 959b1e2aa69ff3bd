/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_kext.c - the routes of kernel extensions.
 */
#include "base/cleanup.h"
#include "daemon/api_body.h"
#include "daemon/api_http.h"
#include "daemon/api_json.h"
#include "daemon/life.h"
#include "kext/books.h"

#include <string.h>

static int no_memory(struct croft_error *err)
{
        return croft_error_set(err, ENOMEM, "write the answer");
}

/* What it needs is a list: a text of commas is for the kernel. */
static json_t *extension_json(const struct kext_record *record, bool known)
{
        json_t *json = api_json_extension(record, known), *depends = json_array();
        const char *at = record->identity.depends;
        char name[KEXT_NAME_MAX + 1];

        while (kext_depends_next(&at, name))
                (void)json_array_append_new(depends, json_string(name));
        if (json_object_set_new(json, "depends", depends) == 0)
                return json;
        json_decref(json);
        return NULL;
}

static int answer_list(
        const struct life_kexts *list, unsigned int status, struct api_answer *a, struct croft_error *err)
{
        a->body = json_array();
        for (size_t i = 0; i < list->n; i++)
                if (json_array_append_new(a->body, extension_json(&list->list[i], true)) < 0)
                        return no_memory(err);
        a->status = status;
        return a->body ? 0 : no_memory(err);
}

static int answer_one(const struct kext_record *record, bool known, struct api_answer *a, struct croft_error *err)
{
        a->body = extension_json(record, known);
        a->status = MHD_HTTP_OK;
        return a->body ? 0 : no_memory(err);
}

int api_extension_list(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(life_kexts_done) struct life_kexts list = {.n = 0};
        int r = life_kext_list(q->api->life, &list, err);

        return r < 0 ? r : answer_list(&list, MHD_HTTP_OK, a, err);
}

int api_extension_add(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(api_extension_done) struct api_extension extension = {.path = NULL};
        _cleanup_(life_kexts_done) struct life_kexts list = {.n = 0};
        struct life_kext_source source;
        int r = api_extension_decode(q->body, q->body_size, &extension, err);

        if (r < 0)
                return r;
        source = (struct life_kext_source){
                .path = extension.path, .module = extension.module, .package = extension.package};
        r = life_kext_register(q->api->life, &source, &list, err);
        return r < 0 ? r : answer_list(&list, MHD_HTTP_CREATED, a, err);
}

int api_extension_show(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        struct kext_record record;
        int r = life_kext_get(q->api->life, q->name, &record, err);

        return r < 0 ? r : answer_one(&record, true, a, err);
}

int api_extension_revoke(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        struct kext_record record;
        int r = life_kext_revoke(q->api->life, q->name, &record, err);

        return r < 0 ? r : answer_one(&record, true, a, err);
}

int api_extension_supersede(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        struct kext_record record;
        int r = life_kext_supersede(q->api->life, q->name, &record, err);

        return r < 0 ? r : answer_one(&record, true, a, err);
}

int api_identity(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        const char *path = api_target_query(&q->target, "path");
        struct kext_record record;
        bool known;
        int r;

        if (!path || path[0] != '/')
                return croft_error_set(err, EINVAL, "the parameter 'path' is missing, or doesn't begin with '/'.");
        r = life_kext_identify(q->api->life, path, &record, &known, err);
        return r < 0 ? r : answer_one(&record, known, a, err);
}

/* --- what a partition is granted --- */

static json_t *scan_number(uint64_t number)
{
        return number > 0 ? json_integer((json_int_t)number) : json_null();
}

/* What has become of it: GRANTED, or how the partition has it. */
static const char *grant_state(
        struct life *life, const struct kext_books *books, const char *partition, const char *name)
{
        char holder[NAME_LENGTH_MAX + 1];

        for (size_t i = 0; i < books->n_holders; i++) {
                const struct kext_holder *h = &books->holders[i];
                const struct kext_loaded *l = kext_books_loaded(books, h->name, h->partition);

                if (strcmp(h->name, name) != 0 || !life_partition_name(life, h->partition, holder) ||
                        strcmp(holder, partition) != 0)
                        continue;
                return kext_books_state_name(l, h);
        }
        return "GRANTED";
}

static json_t *grant_json(const char *partition, const struct kext_grant *grant, const char *state)
{
        return json_pack("{s:s, s:s, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:s}", "partition", partition, "name",
                grant->name, "local", grant->local, "major", grant->major, "previous", grant->previous, "parameters",
                api_json_text(grant->parameters), "granted", api_json_time(grant->granted), "scan",
                scan_number(grant->scan), "stanza", api_json_text(grant->stanza), "state", state);
}

static int answer_grants(struct api_request *q, unsigned int status, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
        _cleanup_free_ struct kext_grant *grants = NULL;
        struct life *life = q->api->life;
        size_t n = 0;
        int r = life_kext_grants(life, q->name, &grants, &n, err);

        if (r == 0)
                r = life_kext_books(life, &books, err);
        if (r < 0)
                return r;
        a->body = json_array();
        for (size_t i = 0; i < n; i++)
                if (json_array_append_new(a->body,
                            grant_json(q->name, &grants[i], grant_state(life, &books, q->name, grants[i].name))) < 0)
                        return no_memory(err);
        a->status = status;
        return a->body ? 0 : no_memory(err);
}

int api_grant_list(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        return answer_grants(q, MHD_HTTP_OK, a, err);
}

int api_grant_add(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(api_grant_done) struct api_grant wanted = {.extension = NULL};
        struct life_kext_wish wish;
        int r = api_grant_decode(q->body, q->body_size, &wanted, err);

        if (r < 0)
                return r;
        wish = (struct life_kext_wish){.extension = wanted.extension,
                .parameters = wanted.parameters ? wanted.parameters : "",
                .local = wanted.local,
                .previous = wanted.previous,
                .major = wanted.major};
        r = life_kext_grant(q->api->life, q->name, &wish, err);
        return r < 0 ? r : answer_grants(q, MHD_HTTP_CREATED, a, err);
}

int api_grant_remove(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        const char *extension = api_target_query(&q->target, "extension");
        int r;

        if (!extension || !*extension)
                return croft_error_set(err, EINVAL, "the parameter 'extension' is missing.");
        r = life_kext_ungrant(q->api->life, q->name, extension, err);
        if (r == 0)
                a->status = MHD_HTTP_NO_CONTENT;
        return r;
}

int api_grant_check(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        const char *path = api_target_query(&q->target, "path"),
                   *parameters = api_target_query(&q->target, "parameters");
        struct kext_record record;
        int r;

        if (!path || path[0] != '/')
                return croft_error_set(err, EINVAL, "the parameter 'path' is missing, or doesn't begin with '/'.");
        r = life_kext_check(q->api->life, q->name, path, parameters ? parameters : "", &record, err);
        return r < 0 ? r : answer_one(&record, true, a, err);
}

/* --- what a partition stores of them --- */

static json_t *reason_json(const struct kext_scan_record *scan)
{
        return scan->number > 0 ? json_string(kext_scan_reason_name(scan->reason)) : json_null();
}

static json_t *finding_json(struct api_request *q, const struct kext_finding *f, const struct kext_scan_record *scan)
{
        const char *slash = strrchr(f->path, '/');
        struct kext_record record;
        bool known = f->sha256[0] && life_kext_matched(q->api->life, f->sha256, &record);

        return json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", /**/
                "partition", q->name,                                                              /**/
                "application", api_json_text(f->application),                                      /**/
                "file", api_json_text(slash ? slash + 1 : f->path),                                /**/
                "path", api_json_text(f->path),                                                    /**/
                "sha256", api_json_text(f->sha256),                                                /**/
                "size_bytes", (json_int_t)f->size,                                                 /**/
                "extension", known ? json_string(record.identity.name) : json_null(),              /**/
                "generation", known ? json_integer(record.generation) : json_null(),               /**/
                "state", known ? json_string(kext_state_name(record.state)) : json_null(),         /**/
                "configured", api_json_text(f->configured),                                        /**/
                "oddity", api_json_text(f->oddity),                                                /**/
                "scan", scan_number(scan->number),                                                 /**/
                "reason", reason_json(scan),                                                       /**/
                "scanned", api_json_time(scan->time));
}

static int answer_scan(
        struct api_request *q, const struct life_scan *scan, struct api_answer *a, struct croft_error *err)
{
        a->body = json_array();
        for (size_t i = 0; i < scan->n; i++)
                if (json_array_append_new(a->body, finding_json(q, &scan->list[i], &scan->record)) < 0)
                        return no_memory(err);
        a->status = MHD_HTTP_OK;
        return a->body ? 0 : no_memory(err);
}

int api_scan_show(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(life_scan_done) struct life_scan scan = {.n = 0};
        int r = life_scan_get(q->api->life, q->name, &scan, err);

        return r < 0 ? r : answer_scan(q, &scan, a, err);
}

int api_scan_run(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(life_scan_done) struct life_scan scan = {.n = 0};
        int r = life_scan_run(q->api->life, q->name, &scan, err);

        return r < 0 ? r : answer_scan(q, &scan, a, err);
}

int api_scan_sync(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(life_scan_done) struct life_scan scan = {.n = 0};
        int r = life_kext_sync(q->api->life, q->name, &scan, err);

        return r < 0 ? r : answer_scan(q, &scan, a, err);
}

int api_scan_provide(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_(life_scan_done) struct life_scan scan = {.n = 0};
        const struct life_kext_place place = {
                .extension = api_target_query(&q->target, "extension"), .path = api_target_query(&q->target, "path")};
        int r;

        if (!place.extension || !*place.extension)
                return croft_error_set(err, EINVAL, "the parameter 'extension' is missing.");
        r = life_kext_provide(q->api->life, q->name, &place, &scan, err);
        return r < 0 ? r : answer_scan(q, &scan, a, err);
}

static json_t *scan_json(const char *partition, const struct kext_scan_record *scan)
{
        return json_pack("{s:s, s:o, s:o, s:I, s:o}", "partition", partition, "scan", scan_number(scan->number),
                "reason", reason_json(scan), "found", (json_int_t)scan->found, "scanned", api_json_time(scan->time));
}

int api_scan_list(struct api_request *q, struct api_answer *a, struct croft_error *err)
{
        _cleanup_free_ struct kext_scan_record *list = NULL;
        size_t n = 0;
        int r = life_scan_list(q->api->life, &list, &n, err);

        if (r < 0)
                return r;
        a->body = json_array();
        for (size_t i = 0; i < n; i++) {
                char partition[NAME_LENGTH_MAX + 1];

                if (!life_partition_name(q->api->life, list[i].partition, partition))
                        continue;
                if (json_array_append_new(a->body, scan_json(partition, &list[i])) < 0)
                        return no_memory(err);
        }
        a->status = MHD_HTTP_OK;
        return a->body ? 0 : no_memory(err);
}
