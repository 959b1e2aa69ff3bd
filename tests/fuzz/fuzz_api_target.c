/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_api_target.c - the target of a request: path and parameters.
 */
#include "base/cleanup.h"
#include "daemon/api_target.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct api_target t = {.text = NULL};
        _cleanup_free_ char *uri = strndup((const char *)data, size);
        size_t length = 0;
        bool force;
        int r;

        fuzz_require(uri);
        r = api_target_parse(uri, &t, &err);
        if (r < 0) {
                fuzz_require(err.code == -r && !t.text);
                return 0;
        }
        fuzz_require(t.n_segments >= 1 && t.n_segments <= API_SEGMENTS_MAX && t.n_query <= API_QUERY_MAX);
        for (size_t i = 0; i < t.n_segments; i++)
                length += strlen(t.segments[i]) + 1;
        for (size_t i = 0; i < t.n_query; i++)
                length += strlen(t.query[i].key) + strlen(t.query[i].value) + 1;
        fuzz_require(length <= strlen(uri));
        if (api_target_check_query(&t, "state force", &err) == 0)
                (void)api_target_bool(&t, "force", &force, &err);
        api_target_done(&t);
        return 0;
}
