/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_property.c - "KEY=VALUE" of a property: what is taken has a normal form that is taken again, and stays.
 */
#include "base/cleanup.h"
#include "fuzz.h"
#include "partition/property.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *text = strndup((const char *)data, size), *normal = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        struct property *list = NULL;
        char *value;

        fuzz_require(text);
        value = strchr(text, '=');
        if (!value)
                return 0;
        *value++ = '\0';
        if (property_set(&list, text, value, &err) < 0) {
                fuzz_require(err.code && !list);
                return 0;
        }
        fuzz_require(!list == !*value);
        if (list) {
                normal = strdup(list->value);
                fuzz_require(normal && property_set(&list, text, normal, &err) == 0);
                fuzz_require(strcmp(list->value, normal) == 0 && !list->next);
        }
        property_free(list);
        return 0;
}
