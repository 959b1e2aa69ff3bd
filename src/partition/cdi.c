/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cdi.c - device files of the Container Device Interface.  See cdi.h.
 *
 * The form is that of https://github.com/cncf-tags/container-device-interface, SPEC.md, up to 1.0.  Files of other
 * kinds aren't looked at any closer; in the one that is asked for a key that isn't known is refused: it may ask for
 * something without which the device doesn't work.
 */
#include "partition/cdi.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "partition/cdi_yaml.h"

#include <jansson.h>
#include <string.h>

#define _cleanup_json_ _cleanup_(json_decrefp)
#define DEPTH_MAX 16

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* Of letters, digits and these others; the first a letter, or a digit where that may be, the last no other. */
static bool is_word(const char *word, size_t length, const char *others, bool digit_first)
{
        for (size_t i = 0; i < length; i++) {
                bool digit = word[i] >= '0' && word[i] <= '9', letter = strchr(letters, word[i]) != NULL;

                if (i == 0 && !letter && !(digit && digit_first))
                        return false;
                if (!letter && !digit && (i + 1 == length || !strchr(others, word[i])))
                        return false;
        }
        return length > 0;
}

enum cdi_format cdi_format_of(const char *file)
{
        static const struct {
                const char *suffix;
                enum cdi_format format;
        } table[] = {{".json", CDI_JSON}, {".yaml", CDI_YAML}, {".yml", CDI_YAML}};
        size_t length = strlen(file);

        for (size_t i = 0; i < ELEMENTS(table); i++) {
                size_t n = strlen(table[i].suffix);

                if (length > n && file[0] != '.' && strcmp(file + length - n, table[i].suffix) == 0)
                        return table[i].format;
        }
        return CDI_NO_FORMAT;
}

bool cdi_name_parse(const char *text, struct cdi_name *ret)
{
        size_t length = strnlen(text, CDI_NAME_MAX + 1), kind = strcspn(text, "="), vendor = strcspn(text, "/");

        if (length > CDI_NAME_MAX || text[kind] != '=' || vendor >= kind || !is_word(text, vendor, "_-.", false) ||
                !is_word(text + vendor + 1, kind - vendor - 1, "_-", false) ||
                !is_word(text + kind + 1, length - kind - 1, "_-.:", true))
                return false;
        memcpy(ret->kind, text, kind);
        ret->kind[kind] = '\0';
        (void)str_copy(ret->device, sizeof(ret->device), text + kind + 1); /* it fits */
        return true;
}

void cdi_device_done(struct cdi_device *device)
{
        free(device->nodes);
        *device = (struct cdi_device){.nodes = NULL};
}

/* --- fields --- */

static int refuse(struct croft_error *err, const char *key, const char *why)
{
        char escaped[96];

        return croft_error_set(err, EBADMSG, "'%s' %s.", str_escape(escaped, sizeof(escaped), key, strlen(key)), why);
}

/* Only keys that are known; each list ends with NULL. */
static int check_keys(json_t *object, const char *const *known, struct croft_error *err)
{
        const char *key;
        json_t *value;

        json_object_foreach (object, key, value) {
                size_t i = 0;

                while (known[i] && strcmp(known[i], key) != 0)
                        i++;
                if (!known[i])
                        return refuse(err, key, "is a key that isn't known");
        }
        return 0;
}

static int take_text(json_t *object, const char *key, bool needed, const char **ret, struct croft_error *err)
{
        json_t *value = json_object_get(object, key);

        *ret = NULL;
        if (!value)
                return needed ? refuse(err, key, "is missing") : 0;
        if (!json_is_string(value) || strlen(json_string_value(value)) > CDI_PATH_MAX ||
                strlen(json_string_value(value)) != json_string_length(value))
                return refuse(err, key, "is no text, or too long");
        *ret = json_string_value(value);
        return 0;
}

/* *ret stays where it isn't said. */
static int take_number(json_t *object, const char *key, json_int_t max, int64_t *ret, struct croft_error *err)
{
        json_t *value = json_object_get(object, key);

        if (!value)
                return 0;
        if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > max)
                return refuse(err, key, "is no number, or too great");
        *ret = json_integer_value(value);
        return 0;
}

/* --- a node --- */

static int take_type(json_t *object, struct cdi_node *node, struct croft_error *err)
{
        const char *type;
        int r = take_text(object, "type", false, &type, err);

        if (r < 0 || !type)
                return r;
        if (strcmp(type, "c") == 0 || strcmp(type, "u") == 0)
                node->type = 'c';
        else if (strcmp(type, "b") == 0)
                node->type = 'b';
        else
                return refuse(err, "type", "is neither c nor b");
        return 0;
}

/* "m" is for who makes nodes; nobody inside can. */
static int take_permissions(json_t *object, struct cdi_node *node, struct croft_error *err)
{
        const char *text;
        int r = take_text(object, "permissions", false, &text, err);

        node->access = CDI_READ | CDI_WRITE;
        if (r < 0 || !text || !*text)
                return r;
        node->access = (strchr(text, 'r') ? CDI_READ : 0U) | (strchr(text, 'w') ? CDI_WRITE : 0U);
        return node->access && text[strspn(text, "rwm")] == '\0'
                       ? 0
                       : refuse(err, "permissions", "is neither r nor w nor both");
}

static int take_paths(json_t *object, struct cdi_node *node, struct croft_error *err)
{
        const char *path, *host = NULL;
        int r = take_text(object, "path", true, &path, err);

        if (r == 0)
                r = take_text(object, "hostPath", false, &host, err);
        if (r < 0)
                return r;
        if (!str_has_prefix(path, "/dev/"))
                return refuse(err, path, "isn't below /dev");
        (void)str_copy(node->path, sizeof(node->path), path); /* they fit */
        (void)str_copy(node->host, sizeof(node->host), host && *host ? host : path);
        return 0;
}

static int take_node(json_t *object, struct cdi_node *ret, struct croft_error *err)
{
        static const char *const keys[] = {
                "path", "hostPath", "type", "major", "minor", "fileMode", "permissions", "uid", "gid", NULL};
        struct cdi_node node = {.major = -1, .minor = -1};
        int64_t mode = -1, uid = 0, gid = 0;
        int r = json_is_object(object) ? check_keys(object, keys, err)
                                       : refuse(err, "deviceNodes", "is no list of objects");

        if (r == 0)
                r = take_paths(object, &node, err);
        if (r == 0)
                r = take_type(object, &node, err);
        if (r == 0)
                r = take_permissions(object, &node, err);
        if (r == 0)
                r = take_number(object, "major", 4095, &node.major, err);
        if (r == 0)
                r = take_number(object, "minor", 1048575, &node.minor, err);
        if (r == 0)
                r = take_number(object, "fileMode", UINT32_MAX, &mode, err); /* as Go has it, with bits for the type */
        if (r == 0)
                r = take_number(object, "uid", 65535, &uid, err);
        if (r == 0)
                r = take_number(object, "gid", 65535, &gid, err);
        if (r < 0)
                return r;
        node.mode = mode < 0 ? -1 : (int)(mode & 0777);
        node.uid = (uint32_t)uid;
        node.gid = (uint32_t)gid;
        *ret = node;
        return 0;
}

/* --- edits --- */

static int take_nodes(json_t *nodes, struct cdi_device *device, struct croft_error *err)
{
        struct cdi_node *list;
        size_t i;
        json_t *node;

        if (!nodes || json_is_null(nodes))
                return 0;
        if (!json_is_array(nodes))
                return refuse(err, "deviceNodes", "is no list");
        if (json_array_size(nodes) > CDI_NODES_MAX - device->n)
                return croft_error_set(err, EBADMSG, "the device has more than %d nodes.", CDI_NODES_MAX);
        list = reallocarray(device->nodes, device->n + json_array_size(nodes) + 1, sizeof(*list));
        if (!list)
                return croft_error_set(err, ENOMEM, "read the nodes of a device");
        device->nodes = list;
        json_array_foreach (nodes, i, node) {
                int r = take_node(node, &list[device->n], err);

                if (r < 0)
                        return r;
                device->n++;
        }
        return 0;
}

/* Nothing is wanted by it. */
static bool is_empty(const json_t *value)
{
        return json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0) ||
               (json_is_object(value) && json_object_size(value) == 0);
}

static int take_edits(json_t *edits, struct cdi_device *device, struct croft_error *err)
{
        static const char *const others[] = {"env", "mounts", "hooks", "intelRdt", "additionalGids", "netDevices"};
        static const char *const keys[] = {
                "deviceNodes", "env", "mounts", "hooks", "intelRdt", "additionalGids", "netDevices", NULL};
        int r;

        if (!edits || json_is_null(edits))
                return 0;
        if (!json_is_object(edits))
                return refuse(err, "containerEdits", "is no object");
        r = check_keys(edits, keys, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTS(others); i++) {
                const json_t *value = json_object_get(edits, others[i]);

                if (value && !is_empty(value))
                        return croft_error_set(err, EOPNOTSUPP,
                                "it asks for '%s', which croft doesn't do: it would be half a device.", others[i]);
        }
        return take_nodes(json_object_get(edits, "deviceNodes"), device, err);
}

/* --- the file --- */

static int find_device(json_t *spec, const char *name, json_t **ret, struct croft_error *err)
{
        static const char *const keys[] = {"name", "annotations", "containerEdits", NULL};
        json_t *devices = json_object_get(spec, "devices"), *device;
        size_t i;

        if (!json_is_array(devices))
                return refuse(err, "devices", "is no list");
        *ret = NULL;
        json_array_foreach (devices, i, device) {
                const char *own = json_string_value(json_object_get(device, "name"));

                if (!own)
                        return refuse(err, "name", "is missing");
                if (strcmp(own, name) != 0)
                        continue;
                if (*ret)
                        return refuse(err, name, "is there twice");
                *ret = device;
        }
        return *ret ? check_keys(*ret, keys, err) : -ENOENT;
}

static int take_spec(json_t *spec, const struct cdi_name *name, struct cdi_device *device, struct croft_error *err)
{
        static const char *const keys[] = {"cdiVersion", "kind", "annotations", "devices", "containerEdits", NULL};
        const char *kind = json_string_value(json_object_get(spec, "kind")), *version;
        json_t *one = NULL;
        int r;

        if (!kind)
                return refuse(err, "kind", "is missing");
        if (strcmp(kind, name->kind) != 0)
                return -ENOENT;
        r = check_keys(spec, keys, err);
        if (r == 0)
                r = take_text(spec, "cdiVersion", true, &version, err);
        if (r == 0)
                r = find_device(spec, name->device, &one, err);
        if (r == 0)
                r = take_edits(json_object_get(one, "containerEdits"), device, err);
        if (r == 0)
                r = take_edits(json_object_get(spec, "containerEdits"), device, err);
        if (r == 0 && device->n == 0)
                r = croft_error_set(err, EBADMSG, "the device has no node.");
        return r;
}

static int load_json(const char *text, size_t size, json_t **ret, struct croft_error *err)
{
        char escaped[JSON_ERROR_TEXT_LENGTH];
        json_error_t fault;

        if (str_json_is_deeper(text, size, DEPTH_MAX))
                return croft_error_set(err, EBADMSG, "it nests deeper than %d levels.", DEPTH_MAX);
        *ret = json_loadb(text, size, JSON_REJECT_DUPLICATES, &fault);
        if (!*ret)
                return croft_error_set(err, EBADMSG, "line %d, column %d: %s.", fault.line, fault.column,
                        str_escape(escaped, sizeof(escaped), fault.text, strlen(fault.text)));
        return 0;
}

int cdi_decode(const char *text, size_t size, enum cdi_format format, const struct cdi_name *name,
        struct cdi_device *ret, struct croft_error *err)
{
        _cleanup_(cdi_device_done) struct cdi_device device = {.nodes = NULL};
        _cleanup_json_ json_t *spec = NULL;
        int r = format == CDI_YAML ? cdi_yaml_load(text, size, DEPTH_MAX, &spec, err)
                                   : load_json(text, size, &spec, err);

        if (r < 0)
                return r;
        if (!json_is_object(spec))
                return croft_error_set(err, EBADMSG, "it is no object with keys.");
        r = take_spec(spec, name, &device, err);
        if (r < 0)
                return r;
        *ret = device;
        device = (struct cdi_device){.nodes = NULL};
        return 0;
}
