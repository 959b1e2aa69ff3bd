/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * oci_json.c - decoders of index, manifest and configuration of an OCI image.  Pure.
 */
#include "image/oci_json.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <jansson.h>
#include <string.h>
#include <sys/utsname.h>

static void json_freep(json_t **j)
{
        json_decref(*j);
}

const char *oci_architecture(void)
{
        static const char *const names[][2] = {{"x86_64", "amd64"}, {"aarch64", "arm64"}, {"i686", "386"},
                {"armv7l", "arm"}, {"ppc64le", "ppc64le"}, {"s390x", "s390x"}, {"riscv64", "riscv64"}};
        static struct utsname host;

        /* Asked once, before the worker is shut in. */
        if (host.machine[0] || uname(&host) == 0)
                for (size_t i = 0; i < ELEMENTS(names); i++)
                        if (strcmp(host.machine, names[i][0]) == 0)
                                return names[i][1];
        return "unknown";
}

static int parse(const char *text, size_t size, const char *what, json_t **ret, struct croft_error *err)
{
        json_error_t e;

        *ret = json_loadb(text, size, JSON_REJECT_DUPLICATES, &e);
        if (!json_is_object(*ret))
                return croft_error_set(err, EILSEQ, "the %s of the OCI image is no JSON object.", what);
        return 0;
}

static bool get_blob(json_t *j, struct oci_blob *ret)
{
        const char *digest = json_string_value(json_object_get(j, "digest"));
        const char *type = json_string_value(json_object_get(j, "mediaType"));
        json_t *size = json_object_get(j, "size");

        if (!digest || !str_has_prefix(digest, "sha256:") || strlen(digest) != 7 + 64 ||
                strspn(digest + 7, "0123456789abcdef") != 64)
                return false;
        if (!json_is_integer(size) || json_integer_value(size) < 0)
                return false;
        memcpy(ret->digest, digest + 7, 65);
        ret->size = (uint64_t)json_integer_value(size);
        ret->index = type && (strstr(type, "image.index") || strstr(type, "manifest.list"));
        return true;
}

/* 2: for this machine; 1: says nothing; 0: for another. */
static int fits(json_t *j, const char *architecture)
{
        json_t *platform = json_object_get(j, "platform");
        const char *arch = json_string_value(json_object_get(platform, "architecture"));
        const char *os = json_string_value(json_object_get(platform, "os"));

        if (!json_is_object(platform) || !arch)
                return 1;
        return strcmp(arch, architecture) == 0 && (!os || strcmp(os, "linux") == 0) ? 2 : 0;
}

int oci_index_decode(
        const char *text, size_t size, const char *architecture, struct oci_blob *ret, struct croft_error *err)
{
        _cleanup_(json_freep) json_t *j = NULL;
        json_t *list, *found = NULL;
        int best = 0, n_silent = 0;
        int r = parse(text, size, "index", &j, err);

        if (r < 0)
                return r;
        list = json_object_get(j, "manifests");
        for (size_t i = 0; i < json_array_size(list); i++) {
                json_t *entry = json_array_get(list, i);
                int how = fits(entry, architecture);

                n_silent += how == 1;
                if (how > best) {
                        best = how;
                        found = entry;
                }
        }
        if (!found)
                return croft_error_set(err, EILSEQ, "the OCI layout has no image for linux/%s.", architecture);
        if (best == 1 && n_silent > 1)
                return croft_error_set(
                        err, EILSEQ, "the OCI layout has several images and doesn't say for which machine.");
        if (!get_blob(found, ret))
                return croft_error_set(
                        err, EILSEQ, "the index of the OCI image names a manifest without SHA-256 or size.");
        return 0;
}

int oci_manifest_decode(const char *text, size_t size, struct oci_manifest *ret, struct croft_error *err)
{
        _cleanup_(json_freep) json_t *j = NULL;
        json_t *layers;
        int r = parse(text, size, "manifest", &j, err);

        if (r < 0)
                return r;
        layers = json_object_get(j, "layers");
        if (json_array_size(layers) == 0 || json_array_size(layers) > OCI_LAYERS_MAX)
                return croft_error_set(err, EILSEQ, "the OCI image has no layer, or more than %d.", OCI_LAYERS_MAX);
        memset(ret, 0, sizeof(*ret));
        if (!get_blob(json_object_get(j, "config"), &ret->config))
                return croft_error_set(err, EILSEQ, "the manifest of the OCI image names no configuration.");
        for (size_t i = 0; i < json_array_size(layers); i++)
                if (!get_blob(json_array_get(layers, i), &ret->layers[i]))
                        return croft_error_set(
                                err, EILSEQ, "the manifest of the OCI image names a layer without SHA-256 or size.");
        ret->n_layers = json_array_size(layers);
        return 0;
}

int oci_config_check(const char *text, size_t size, const char *architecture, struct croft_error *err)
{
        _cleanup_(json_freep) json_t *j = NULL;
        const char *own;
        char quoted[64];
        int r = parse(text, size, "configuration", &j, err);

        if (r < 0)
                return r;
        own = json_string_value(json_object_get(j, "architecture"));
        if (own && strcmp(own, architecture) != 0)
                return croft_error_set(err, EILSEQ, "the OCI image is for '%s', not for this machine (%s).",
                        str_escape(quoted, sizeof(quoted), own, strnlen(own, 40)), architecture);
        return 0;
}
