/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_body.c - the bodies of requests, decoded strictly.  See api_body.h.
 *
 * Invariant: *ret is written on success only, and everything in it is owned by it.
 */
#include "daemon/api_body.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "devid/exports.bpf.h"
#include "partition/ids.h"

#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#define _cleanup_json_ _cleanup_(json_decrefp)

/* A key that an object may have. */
struct field {
        const char *key;
        json_type type; /* JSON_TRUE stands for both truth values */
        bool required;
        json_t **ret; /* borrowed from the object; NULL when left out or null */
};

static const char *type_name(json_type type)
{
        switch (type) {
        case JSON_OBJECT:
                return "an object";
        case JSON_ARRAY:
                return "an array";
        case JSON_STRING:
                return "a string";
        case JSON_INTEGER:
                return "an integer";
        case JSON_REAL:
                return "a fraction";
        case JSON_TRUE:
        case JSON_FALSE:
                return "true or false";
        case JSON_NULL:
                return "null";
        }
        return "something else";
}

static bool has_type(const json_t *value, json_type type)
{
        return type == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == type;
}

static int parse(const void *data, size_t size, json_t **ret, struct croft_error *err)
{
        _cleanup_json_ json_t *json = NULL;
        char shown[JSON_ERROR_TEXT_LENGTH];
        json_error_t fault;

        if (str_json_is_deeper(data, size, API_BODY_DEPTH))
                return croft_error_set(err, EINVAL, "the body nests deeper than %d levels.", API_BODY_DEPTH);
        if (size == 0)
                json = json_object();
        else
                json = json_loadb(data, size, JSON_REJECT_DUPLICATES, &fault);
        if (!json && (size == 0 || json_error_code(&fault) == json_error_out_of_memory))
                return croft_error_set(err, ENOMEM, "read the body");
        if (!json)
                return croft_error_set(err, EINVAL, "the body is no JSON: line %d, column %d: %s.", fault.line,
                        fault.column, str_escape(shown, sizeof(shown), fault.text, strlen(fault.text)));
        if (!json_is_object(json))
                return croft_error_set(err, EINVAL, "the body is %s, not an object.", type_name(json_typeof(json)));
        *ret = TAKE(json);
        return 0;
}

static const struct field *find_field(const struct field *fields, size_t n, const char *key)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(fields[i].key, key) == 0)
                        return &fields[i];
        return NULL;
}

/* Spreads an object over its fields. */
static int spread(json_t *object, const struct field *fields, size_t n, struct croft_error *err)
{
        const char *key;
        json_t *value;

        for (size_t i = 0; i < n; i++)
                *fields[i].ret = NULL;
        json_object_foreach (object, key, value) {
                const struct field *f = find_field(fields, n, key);
                char shown[128];

                if (!f)
                        return croft_error_set(
                                err, EINVAL, "unknown key '%s'.", str_escape(shown, sizeof(shown), key, strlen(key)));
                if (json_is_null(value))
                        continue;
                if (!has_type(value, f->type))
                        return croft_error_set(err, EINVAL, "'%s' is %s, not %s.", key, type_name(json_typeof(value)),
                                type_name(f->type));
                *f->ret = value;
        }
        for (size_t i = 0; i < n; i++)
                if (fields[i].required && !*fields[i].ret)
                        return croft_error_set(err, EINVAL, "the key '%s' is missing.", fields[i].key);
        return 0;
}

/* A copy of a string field; NULL stays NULL. */
static int take_string(const json_t *value, char **ret, struct croft_error *err)
{
        char *copy;

        if (!value)
                return 0;
        copy = strdup(json_string_value(value));
        if (!copy)
                return croft_error_set(err, ENOMEM, "read the body");
        *ret = copy;
        return 0;
}

/* An integer field between min and max; a missing one leaves *ret. */
static int take_integer(
        const json_t *value, const char *key, json_int_t min, json_int_t max, json_int_t *ret, struct croft_error *err)
{
        json_int_t n;

        if (!value)
                return 0;
        n = json_integer_value(value);
        if (n < min || n > max)
                return croft_error_set(err, EINVAL, "'%s' is %lld, not from %lld to %lld.", key, n, min, max);
        *ret = n;
        return 0;
}

/* --- properties --- */

/* Numbers and truth values may stand bare; buf keeps the text of a number.  NULL: neither these nor a string. */
static const char *value_text(const json_t *value, char *buf, size_t size)
{
        if (json_is_string(value))
                return json_string_value(value);
        if (json_is_boolean(value))
                return json_is_true(value) ? "yes" : "no";
        if (!json_is_integer(value))
                return NULL;
        (void)snprintf(buf, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return buf;
}

/* property_set() takes an empty value for "remove from the list"; a change must remember that it is to be unset.  Kept
 * in order, as every list of properties. */
static int add_unset(struct property **list, const char *key, struct croft_error *err)
{
        struct property *p;
        int r;

        r = property_set(list, key, "", err); /* for the refusal of an unknown key */
        if (r < 0)
                return r;
        p = calloc(1, sizeof(*p));
        if (p) {
                p->key = strdup(key);
                p->value = strdup("");
        }
        if (!p || !p->key || !p->value) {
                property_free(p);
                return croft_error_set(err, ENOMEM, "read the body");
        }
        while (*list && strcmp((*list)->key, key) < 0)
                list = &(*list)->next;
        p->next = *list;
        *list = p;
        return 0;
}

static void property_freep(struct property **list)
{
        *list = property_free(*list);
}

static int take_property(
        struct property **list, const char *key, const json_t *value, bool keep_unset, struct croft_error *err)
{
        char number[32], shown[128];
        const char *text = json_is_null(value) ? "" : value_text(value, number, sizeof(number));

        if (!text)
                return croft_error_set(err, EINVAL,
                        "the property '%s' is %s, not a string, an integer, true, false or null.",
                        str_escape(shown, sizeof(shown), key, strlen(key)), type_name(json_typeof(value)));
        return *text || !keep_unset ? property_set(list, key, text, err) : add_unset(list, key, err);
}

static int take_properties(json_t *object, bool keep_unset, struct property **ret, struct croft_error *err)
{
        _cleanup_(property_freep) struct property *list = NULL;
        const char *key;
        json_t *value;
        int r;

        json_object_foreach (object, key, value) {
                r = take_property(&list, key, value, keep_unset, err);
                if (r < 0)
                        return r;
        }
        *ret = TAKE(list);
        return 0;
}

/* --- create and change --- */

void api_create_done(struct api_create *create)
{
        free(create->name);
        free(create->image);
        property_free(create->properties);
        *create = (struct api_create){.name = NULL};
}

int api_create_decode(const void *data, size_t size, struct api_create *ret, struct croft_error *err)
{
        _cleanup_(api_create_done) struct api_create c = {.name = NULL};
        json_t *name, *image, *properties;
        const struct field fields[] = {
                {"name", JSON_STRING, true, &name},
                {"image", JSON_STRING, false, &image},
                {"properties", JSON_OBJECT, false, &properties},
        };
        _cleanup_json_ json_t *json = NULL;
        int r;

        r = parse(data, size, &json, err);
        if (r == 0)
                r = spread(json, fields, ELEMENTS(fields), err);
        if (r == 0)
                r = take_string(name, &c.name, err);
        if (r == 0)
                r = take_string(image, &c.image, err);
        if (r == 0 && properties)
                r = take_properties(properties, false, &c.properties, err);
        if (r < 0)
                return r;
        *ret = c;
        c = (struct api_create){.name = NULL};
        return 0;
}

void api_change_done(struct api_change *change)
{
        free(change->name);
        property_free(change->properties);
        *change = (struct api_change){.name = NULL};
}

int api_change_decode(const void *data, size_t size, struct api_change *ret, struct croft_error *err)
{
        _cleanup_(api_change_done) struct api_change c = {.name = NULL};
        json_t *name, *properties;
        const struct field fields[] = {
                {"name", JSON_STRING, false, &name},
                {"properties", JSON_OBJECT, false, &properties},
        };
        _cleanup_json_ json_t *json = NULL;
        int r;

        r = parse(data, size, &json, err);
        if (r == 0)
                r = spread(json, fields, ELEMENTS(fields), err);
        if (r < 0)
                return r;
        /* Each is all or nothing; both in one could be half done. */
        if (!name == !properties)
                return croft_error_set(err, EINVAL, "exactly one of 'name' and 'properties' is needed.");
        r = take_string(name, &c.name, err);
        if (r == 0 && properties)
                r = take_properties(properties, true, &c.properties, err);
        if (r < 0)
                return r;
        *ret = c;
        c = (struct api_change){.name = NULL};
        return 0;
}

/* --- pools --- */

void api_pool_done(struct api_pool *pool)
{
        free(pool->name);
        free(pool->cpus);
        *pool = (struct api_pool){.name = NULL};
}

int api_pool_decode(const void *data, size_t size, bool new, struct api_pool *ret, struct croft_error *err)
{
        _cleanup_(api_pool_done) struct api_pool pool = {.name = NULL};
        json_t *name = NULL, *cpus;
        const struct field fields[] = {
                {"cpus", JSON_STRING, !new, &cpus},
                {"name", JSON_STRING, true, &name},
        };
        _cleanup_json_ json_t *json = NULL;
        int r;

        r = parse(data, size, &json, err);
        if (r == 0)
                r = spread(json, fields, new ? 2 : 1, err);
        if (r == 0)
                r = take_string(name, &pool.name, err);
        if (r == 0)
                r = take_string(cpus, &pool.cpus, err);
        if (r < 0)
                return r;
        *ret = pool;
        pool = (struct api_pool){.name = NULL};
        return 0;
}

int api_bind_decode(const void *data, size_t size, char **ret, struct croft_error *err)
{
        json_t *pool;
        const struct field fields[] = {{"pool", JSON_STRING, true, &pool}};
        _cleanup_json_ json_t *json = NULL;
        int r;

        r = parse(data, size, &json, err);
        if (r == 0)
                r = spread(json, fields, ELEMENTS(fields), err);
        return r < 0 ? r : take_string(pool, ret, err);
}

/* --- devices --- */

void api_device_done(struct api_device *device)
{
        free(device->device);
        free(device->as);
        *device = (struct api_device){.device = NULL};
}

static int take_access(const json_t *value, uint32_t *ret, struct croft_error *err)
{
        const char *text = value ? json_string_value(value) : "rw";

        if (!*text || text[strspn(text, "rw")] || strlen(text) > 2 || (text[1] && text[0] == text[1]))
                return croft_error_set(err, EINVAL, "'access' is r, w or rw.");
        *ret = value ? (strchr(text, 'r') ? DEVID_EXPORT_READ : 0U) | (strchr(text, 'w') ? DEVID_EXPORT_WRITE : 0U) : 0;
        return 0;
}

static int take_mode(const json_t *value, int *ret, struct croft_error *err)
{
        const char *text = value ? json_string_value(value) : NULL;

        *ret = -1;
        if (!text)
                return 0;
        if (!*text || strlen(text) > 4 || text[strspn(text, "01234567")] || strtoul(text, NULL, 8) > 0777)
                return croft_error_set(err, EINVAL, "'mode' is 0 to 777, in octal digits.");
        *ret = (int)strtoul(text, NULL, 8);
        return 0;
}

int api_device_decode(const void *data, size_t size, struct api_device *ret, struct croft_error *err)
{
        _cleanup_(api_device_done) struct api_device d = {.device = NULL};
        json_t *device, *as, *access, *mode, *uid, *gid;
        const struct field fields[] = {
                {"device", JSON_STRING, true, &device},
                {"as", JSON_STRING, false, &as},
                {"access", JSON_STRING, false, &access},
                {"mode", JSON_STRING, false, &mode},
                {"uid", JSON_INTEGER, false, &uid},
                {"gid", JSON_INTEGER, false, &gid},
        };
        json_int_t user = -1, group = -1;
        _cleanup_json_ json_t *json = NULL;
        int r = parse(data, size, &json, err);

        if (r == 0)
                r = spread(json, fields, ELEMENTS(fields), err);
        if (r == 0)
                r = take_access(access, &d.request.access, err);
        if (r == 0)
                r = take_mode(mode, &d.request.mode, err);
        if (r == 0)
                r = take_integer(uid, "uid", 0, PARTITION_IDS - 1, &user, err);
        if (r == 0)
                r = take_integer(gid, "gid", 0, PARTITION_IDS - 1, &group, err);
        if (r == 0)
                r = take_string(device, &d.device, err);
        if (r == 0)
                r = take_string(as, &d.as, err);
        if (r < 0)
                return r;
        d.request.device = d.device;
        d.request.as = d.as;
        d.request.uid = user;
        d.request.gid = group;
        *ret = d;
        d = (struct api_device){.device = NULL};
        return 0;
}

void api_extension_done(struct api_extension *extension)
{
        free(extension->path);
        free(extension->module);
        free(extension->package);
}

int api_extension_decode(const void *data, size_t size, struct api_extension *ret, struct croft_error *err)
{
        _cleanup_(api_extension_done) struct api_extension e = {.path = NULL};
        json_t *path, *module, *package;
        const struct field fields[] = {
                {"path", JSON_STRING, false, &path},
                {"module", JSON_STRING, false, &module},
                {"package", JSON_STRING, false, &package},
        };
        _cleanup_json_ json_t *json = NULL;
        int r = parse(data, size, &json, err);

        if (r == 0)
                r = spread(json, fields, ELEMENTS(fields), err);
        if (r == 0 && !!path + !!module + !!package != 1)
                r = croft_error_set(err, EINVAL, "one of the keys 'path', 'module' and 'package' is needed.");
        if (r == 0 && path && json_string_value(path)[0] != '/')
                r = croft_error_set(err, EINVAL, "'path' doesn't begin with '/'.");
        if (r == 0)
                r = take_string(path, &e.path, err);
        if (r == 0)
                r = take_string(module, &e.module, err);
        if (r == 0)
                r = take_string(package, &e.package, err);
        if (r < 0)
                return r;
        *ret = e;
        e = (struct api_extension){.path = NULL};
        return 0;
}

void api_grant_done(struct api_grant *grant)
{
        free(grant->extension);
        free(grant->parameters);
}

int api_grant_decode(const void *data, size_t size, struct api_grant *ret, struct croft_error *err)
{
        _cleanup_(api_grant_done) struct api_grant g = {.extension = NULL};
        json_t *extension, *local, *previous, *major, *parameters;
        const struct field fields[] = {
                {"extension", JSON_STRING, true, &extension},
                {"local", JSON_TRUE, false, &local},
                {"previous", JSON_TRUE, false, &previous},
                {"major", JSON_TRUE, false, &major},
                {"parameters", JSON_STRING, false, &parameters},
        };
        _cleanup_json_ json_t *json = NULL;
        int r = parse(data, size, &json, err);

        if (r == 0)
                r = spread(json, fields, ELEMENTS(fields), err);
        if (r == 0)
                r = take_string(extension, &g.extension, err);
        if (r == 0)
                r = take_string(parameters, &g.parameters, err);
        if (r < 0)
                return r;
        g.local = json_is_true(local);
        g.previous = json_is_true(previous);
        g.major = json_is_true(major);
        *ret = g;
        g = (struct api_grant){.extension = NULL};
        return 0;
}

/* --- actions --- */

/* 15, "15", "TERM", "SIGTERM", "RTMIN+3". */
static int signal_number(const char *text, struct croft_error *err)
{
        char shown[64];
        uint64_t n;

        if (str_to_u64(text, (uint64_t)SIGRTMAX, &n) && n > 0)
                return (int)n;
        if (str_has_prefix(text, "SIG"))
                text += 3;
        for (int i = 1; i < SIGRTMIN; i++) {
                const char *name = sigabbrev_np(i);

                if (name && strcmp(name, text) == 0)
                        return i;
        }
        if (strcmp(text, "RTMIN") == 0)
                return SIGRTMIN;
        if (str_has_prefix(text, "RTMIN+") && str_to_u64(text + 6, (uint64_t)(SIGRTMAX - SIGRTMIN), &n))
                return SIGRTMIN + (int)n;
        return croft_error_set(err, EINVAL, "no signal '%s'.", str_escape(shown, sizeof(shown), text, strlen(text)));
}

static int take_signal(const json_t *value, int *ret, struct croft_error *err)
{
        json_int_t number = SIGKILL;
        int r;

        if (json_is_string(value)) {
                r = signal_number(json_string_value(value), err);
                if (r > 0)
                        *ret = r;
                return r < 0 ? r : 0;
        }
        if (value && !json_is_integer(value))
                return croft_error_set(
                        err, EINVAL, "'signal' is %s, not an integer or a name.", type_name(json_typeof(value)));
        r = take_integer(value, "signal", 1, SIGRTMAX, &number, err);
        if (r == 0)
                *ret = (int)number;
        return r;
}

int api_action_decode(
        const void *data, size_t size, unsigned int known, struct api_action *ret, struct croft_error *err)
{
        json_t *timeout = NULL, *force = NULL, *signal = NULL;
        const struct field all[] = {
                {"timeout_ms", JSON_INTEGER, false, &timeout},
                {"force", JSON_TRUE, false, &force},
        };
        struct api_action a = {.signal = SIGKILL};
        struct field fields[ELEMENTS(all)];
        _cleanup_json_ json_t *json = NULL;
        json_int_t timeout_ms = 0;
        size_t n = 0;
        int r;

        r = parse(data, size, &json, err);
        if (r < 0)
                return r;
        if (known & API_ACTION_TIMEOUT)
                fields[n++] = all[0];
        if (known & API_ACTION_FORCE)
                fields[n++] = all[1];
        if (known & API_ACTION_SIGNAL) { /* of two types: taken out before the rest is judged */
                signal = json_incref(json_object_get(json, "signal"));
                (void)json_object_del(json, "signal");
        }
        r = spread(json, fields, n, err);
        if (r == 0)
                r = take_integer(timeout, "timeout_ms", 1, INT_MAX, &timeout_ms, err);
        if (r == 0)
                r = take_signal(json_is_null(signal) ? NULL : signal, &a.signal, err);
        json_decref(signal);
        if (r < 0)
                return r;
        a.timeout_ms = (unsigned int)timeout_ms;
        a.force = json_is_true(force);
        *ret = a;
        return 0;
}

/* --- exec --- */

/* Counts what goes into the packet; -EINVAL with the bound when it is too much. */
static int spend(size_t *room, size_t bytes, struct croft_error *err)
{
        if (bytes > WARDEN_STRING_MAX)
                return croft_error_set(err, EINVAL, "a string is longer than %d bytes.", WARDEN_STRING_MAX);
        bytes += sizeof(uint32_t);
        if (bytes > *room)
                return croft_error_set(
                        err, EINVAL, "arguments and environment are more than %d bytes together.", API_EXEC_BYTES_MAX);
        *room -= bytes;
        return 0;
}

static int take_argv(const json_t *array, size_t *room, char ***ret, struct croft_error *err)
{
        const json_t *value;
        size_t i;
        int r;

        if (json_array_size(array) == 0 || json_array_size(array) > WARDEN_STRINGS_MAX)
                return croft_error_set(err, EINVAL, "'argv' needs 1 to %d strings.", WARDEN_STRINGS_MAX);
        *ret = calloc(json_array_size(array) + 1, sizeof(**ret));
        if (!*ret)
                return croft_error_set(err, ENOMEM, "read the body");
        json_array_foreach (array, i, value) {
                if (!json_is_string(value))
                        return croft_error_set(
                                err, EINVAL, "'argv' holds %s, not strings only.", type_name(json_typeof(value)));
                r = spend(room, json_string_length(value), err);
                if (r == 0)
                        r = take_string(value, &(*ret)[i], err);
                if (r < 0)
                        return r;
        }
        if ((*ret)[0][0] == '\0')
                return croft_error_set(err, EINVAL, "the command is an empty string.");
        return 0;
}

static int take_variable(const char *key, const json_t *value, size_t *room, char **ret, struct croft_error *err)
{
        char shown[128];
        int r;

        str_escape(shown, sizeof(shown), key, strlen(key));
        if (*key == '\0' || strchr(key, '='))
                return croft_error_set(err, EINVAL, "'%s' is no name of a variable.", shown);
        if (!json_is_string(value))
                return croft_error_set(
                        err, EINVAL, "the variable '%s' is %s, not a string.", shown, type_name(json_typeof(value)));
        r = spend(room, strlen(key) + 1 + json_string_length(value), err);
        if (r < 0)
                return r;
        if (asprintf(ret, "%s=%s", key, json_string_value(value)) < 0) {
                *ret = NULL;
                return croft_error_set(err, ENOMEM, "read the body");
        }
        return 0;
}

static int take_environment(json_t *object, size_t *room, char ***ret, struct croft_error *err)
{
        const char *key;
        json_t *value;
        size_t n = 0;
        int r;

        if (json_object_size(object) > WARDEN_STRINGS_MAX)
                return croft_error_set(err, EINVAL, "'environment' has more than %d variables.", WARDEN_STRINGS_MAX);
        *ret = calloc(json_object_size(object) + 1, sizeof(**ret));
        if (!*ret)
                return croft_error_set(err, ENOMEM, "read the body");
        json_object_foreach (object, key, value) {
                r = take_variable(key, value, room, &(*ret)[n++], err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Who, where and on what terminal. */
static int take_place(
        const json_t *user, const json_t *directory, struct exec_spec *e, size_t *room, struct croft_error *err)
{
        int r;

        if (user && !str_copy(e->user, sizeof(e->user), json_string_value(user)))
                return croft_error_set(err, EINVAL, "'user' is longer than %zu bytes.", sizeof(e->user) - 1);
        if (!user)
                (void)str_copy(e->user, sizeof(e->user), "root");
        if (directory) {
                r = spend(room, json_string_length(directory), err);
                return r < 0 ? r : take_string(directory, &e->directory, err);
        }
        e->directory = strdup("");
        return e->directory ? 0 : croft_error_set(err, ENOMEM, "read the body");
}

int api_exec_decode(const void *data, size_t size, struct exec_spec *ret, struct croft_error *err)
{
        _cleanup_(exec_spec_done) struct exec_spec e = {.id = 0};
        json_t *argv, *environment, *user, *directory, *terminal, *rows, *columns;
        const struct field fields[] = {
                {"argv", JSON_ARRAY, true, &argv},
                {"environment", JSON_OBJECT, false, &environment},
                {"user", JSON_STRING, false, &user},
                {"directory", JSON_STRING, false, &directory},
                {"terminal", JSON_TRUE, false, &terminal},
                {"rows", JSON_INTEGER, false, &rows},
                {"columns", JSON_INTEGER, false, &columns},
        };
        json_int_t n_rows = 24, n_columns = 80;
        _cleanup_json_ json_t *json = NULL;
        size_t room = API_EXEC_BYTES_MAX;
        int r;

        r = parse(data, size, &json, err);
        if (r == 0)
                r = spread(json, fields, ELEMENTS(fields), err);
        if (r == 0)
                r = take_argv(argv, &room, &e.argv, err);
        if (r == 0)
                r = take_environment(environment, &room, &e.environment, err);
        if (r == 0)
                r = take_place(user, directory, &e, &room, err);
        if (r == 0)
                r = take_integer(rows, "rows", 0, UINT16_MAX, &n_rows, err);
        if (r == 0)
                r = take_integer(columns, "columns", 0, UINT16_MAX, &n_columns, err);
        if (r < 0)
                return r;
        e.terminal = json_is_true(terminal);
        e.rows = (uint16_t)n_rows;
        e.columns = (uint16_t)n_columns;
        *ret = e;
        e = (struct exec_spec){.id = 0};
        return 0;
}

/* --- images --- */

void api_image_done(struct api_image *image)
{
        free(image->name);
        free(image->path);
        free(image->suite);
        free(image->mirror);
        free(image->variant);
        free(image->include);
        *image = (struct api_image){.name = NULL};
}

static int take_build(json_t *object, struct api_image *image, struct croft_error *err)
{
        json_t *suite, *mirror, *variant, *include;
        const struct field fields[] = {
                {"suite", JSON_STRING, true, &suite},
                {"mirror", JSON_STRING, false, &mirror},
                {"variant", JSON_STRING, false, &variant},
                {"include", JSON_STRING, false, &include},
        };
        int r;

        r = spread(object, fields, ELEMENTS(fields), err);
        if (r == 0)
                r = take_string(suite, &image->suite, err);
        if (r == 0)
                r = take_string(mirror, &image->mirror, err);
        if (r == 0)
                r = take_string(variant, &image->variant, err);
        if (r == 0)
                r = take_string(include, &image->include, err);
        if (r < 0)
                croft_error_prefix(err, "'build'");
        return r;
}

static int take_import(json_t *object, struct api_image *image, struct croft_error *err)
{
        json_t *path;
        const struct field fields[] = {{"path", JSON_STRING, true, &path}};
        int r;

        r = spread(object, fields, ELEMENTS(fields), err);
        if (r == 0 && json_string_value(path)[0] != '/')
                r = croft_error_set(err, EINVAL, "'path' doesn't begin with '/'.");
        if (r == 0)
                r = take_string(path, &image->path, err);
        if (r < 0)
                croft_error_prefix(err, "'import'");
        return r;
}

int api_image_decode(const void *data, size_t size, struct api_image *ret, struct croft_error *err)
{
        _cleanup_(api_image_done) struct api_image image = {.name = NULL};
        json_t *name, *build, *import;
        const struct field fields[] = {
                {"name", JSON_STRING, true, &name},
                {"build", JSON_OBJECT, false, &build},
                {"import", JSON_OBJECT, false, &import},
        };
        _cleanup_json_ json_t *json = NULL;
        int r;

        r = parse(data, size, &json, err);
        if (r == 0)
                r = spread(json, fields, ELEMENTS(fields), err);
        if (r < 0)
                return r;
        if (!build == !import)
                return croft_error_set(err, EINVAL, "exactly one of 'build' and 'import' is needed.");
        r = take_string(name, &image.name, err);
        if (r == 0)
                r = build ? take_build(build, &image, err) : take_import(import, &image, err);
        if (r < 0)
                return r;
        *ret = image;
        image = (struct api_image){.name = NULL};
        return 0;
}
