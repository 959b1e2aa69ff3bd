/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * meta.c - meta.json of an image: encoder and decoder.  Pure.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "image/store.h"

#include <jansson.h>
#include <string.h>

static void json_freep(json_t **j)
{
        json_decref(*j);
}

bool image_is_id(const char *text)
{
        return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

char *image_meta_encode(const struct image_meta *meta)
{
        const struct image_info *info = &meta->info;
        _cleanup_(json_freep) json_t *j = json_pack("{s:i, s:s, s:s, s:b, s:s, s:s, s:I, s:I, s:s}", "version", 1, "id",
                info->id, "name", info->name, "native", info->native, "os", info->os, "source", info->source, "created",
                (json_int_t)info->created, "size", (json_int_t)info->size_bytes, "stamp", meta->stamp);

        return j ? json_dumps(j, JSON_INDENT(2)) : NULL;
}

/* Copies a member of at most size - 1 bytes; false when it is missing, no string, or too long. */
static bool get_text(json_t *j, const char *key, char *dst, size_t size)
{
        const char *text = json_string_value(json_object_get(j, key));

        return text && str_copy(dst, size, text);
}

static bool get_number(json_t *j, const char *key, int64_t *ret)
{
        json_t *value = json_object_get(j, key);

        *ret = json_integer_value(value);
        return json_is_integer(value) && *ret >= 0;
}

static const char *decode_info(json_t *j, struct image_meta *meta)
{
        struct image_info *info = &meta->info;
        int64_t version, size;

        if (!get_number(j, "version", &version) || version != 1)
                return "its version isn't 1";
        if (!get_text(j, "id", info->id, sizeof(info->id)) || !image_is_id(info->id))
                return "its id isn't 64 hex digits";
        if (!get_text(j, "name", info->name, sizeof(info->name)) || (info->name[0] && !str_is_name(info->name)))
                return "its name isn't a name";
        if (!get_text(j, "os", info->os, sizeof(info->os)) ||
                !get_text(j, "source", info->source, sizeof(info->source)))
                return "os or source is missing";
        if (!get_text(j, "stamp", meta->stamp, sizeof(meta->stamp)))
                return "stamp is missing";
        if (!json_is_boolean(json_object_get(j, "native")))
                return "native is missing";
        if (!get_number(j, "created", &info->created) || !get_number(j, "size", &size))
                return "created or size isn't a number";
        info->native = json_is_true(json_object_get(j, "native"));
        info->size_bytes = (uint64_t)size;
        return NULL;
}

int image_meta_decode(const char *text, size_t size, struct image_meta *ret, struct croft_error *err)
{
        _cleanup_(json_freep) json_t *j = NULL;
        struct image_meta meta = {0};
        json_error_t e;
        const char *fault;

        j = json_loadb(text, size, JSON_REJECT_DUPLICATES, &e);
        if (!j)
                return croft_error_set(err, EUCLEAN, "meta.json of an image is no JSON (line %d).", e.line);
        fault = decode_info(j, &meta);
        if (fault)
                return croft_error_set(err, EUCLEAN, "meta.json of an image is damaged: %s.", fault);
        *ret = meta;
        return 0;
}
