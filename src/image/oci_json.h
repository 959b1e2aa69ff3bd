/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * oci_json.h - the documents of an OCI image layout, decoded.  Pure; used by the worker only.
 */
#ifndef CROFT_IMAGE_OCI_JSON_H
#define CROFT_IMAGE_OCI_JSON_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OCI_LAYERS_MAX 256
#define OCI_JSON_MAX (4U << 20)

struct oci_blob {
        char digest[65]; /* SHA-256, hex */
        uint64_t size;
        bool index; /* it is a list of manifests again */
};

struct oci_manifest {
        struct oci_blob config;
        struct oci_blob layers[OCI_LAYERS_MAX];
        size_t n_layers;
};

/* The name that OCI has for this machine's architecture ("amd64"). */
const char *oci_architecture(void);
/* Of an index the manifest for linux on that architecture, or the only one that says nothing of platforms. */
int oci_index_decode(
        const char *text, size_t size, const char *architecture, struct oci_blob *ret, struct croft_error *err);
int oci_manifest_decode(const char *text, size_t size, struct oci_manifest *ret, struct croft_error *err);
/* Is the image of that architecture (or says nothing)? */
int oci_config_check(const char *text, size_t size, const char *architecture, struct croft_error *err);

#endif
