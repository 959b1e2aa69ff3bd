/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_image_meta.c - meta.json of an image: what is taken is written back and taken again, the same.
 */
#include "base/cleanup.h"
#include "fuzz.h"
#include "image/store.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct image_meta first, second;
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_free_ char *text = NULL;

        memset(&first, 0xAA, sizeof(first));
        if (image_meta_decode((const char *)data, size, &first, &err) < 0) {
                fuzz_require(err.code);
                return 0;
        }
        fuzz_require(image_is_id(first.info.id) && memchr(first.info.os, 0, sizeof(first.info.os)));
        text = image_meta_encode(&first);
        fuzz_require(text && image_meta_decode(text, strlen(text), &second, &err) == 0);
        fuzz_require(strcmp(first.info.name, second.info.name) == 0 && strcmp(first.stamp, second.stamp) == 0);
        fuzz_require(first.info.created == second.info.created && first.info.size_bytes == second.info.size_bytes);
        return 0;
}
