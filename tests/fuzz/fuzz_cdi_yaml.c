/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_cdi_yaml.c - YAML that becomes the tree of JSON: what is taken can be written as JSON and is the same when it is
 * read again, so it is finite, has no key twice and no text that JSON can't have; what isn't says why.
 */
#include "base/cleanup.h"
#include "fuzz.h"
#include "partition/cdi_yaml.h"

#include <string.h>

#define LEVELS 16

static unsigned int greater(unsigned int a, unsigned int b)
{
        return a > b ? a : b;
}

static unsigned int depth_of(json_t *tree)
{
        unsigned int deepest = 0;
        const char *key;
        json_t *value;
        size_t i;

        json_array_foreach (tree, i, value)
                deepest = greater(depth_of(value), deepest);
        json_object_foreach (tree, key, value)
                deepest = greater(depth_of(value), deepest);
        return deepest + (json_is_array(tree) || json_is_object(tree));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct croft_error err = CROFT_ERROR_INIT;
        json_t *tree = NULL, *again;
        _cleanup_free_ char *text = NULL;
        int r = size > 65536 ? -EBADMSG : cdi_yaml_load((const char *)data, size, LEVELS, &tree, &err);

        if (r < 0) {
                fuzz_require(r == -EBADMSG && !tree && (size > 65536 || err.code == EBADMSG));
                return 0;
        }
        fuzz_require(depth_of(tree) <= LEVELS);
        text = json_dumps(tree, JSON_ENCODE_ANY);
        again = text ? json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL) : NULL;
        fuzz_require(again && json_equal(tree, again));
        json_decref(again);
        json_decref(tree);
        return 0;
}
