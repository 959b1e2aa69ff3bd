/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cdi_yaml.h - a device file in YAML as the tree that the same file in JSON would be.
 *
 * Only what has one meaning is taken: no aliases (a few lines of them stand for more than fits into memory), no tags,
 * no key twice, one document.
 */
#ifndef CROFT_PARTITION_CDI_YAML_H
#define CROFT_PARTITION_CDI_YAML_H

#include <croft/error.h>
#include <jansson.h>
#include <stddef.h>

/* The caller ends *ret with json_decref().  -EBADMSG: it isn't such a file, or nests deeper than that many levels. */
int cdi_yaml_load(const char *text, size_t size, unsigned int levels, json_t **ret, struct croft_error *err);

#endif
