/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_fuse.c - a request of the FUSE device, whatever is in it: refused, or decoded to what lies within.
 */
#include "fuzz.h"
#include "kernel/fuse.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct fuse_request r;

        if (fuse_request_decode(data, size, &r) < 0)
                return 0;
        fuzz_require(fuse_request_size(data, size) == size);
        if (!r.name)
                return 0;
        fuzz_require(r.opcode == FUSE_LOOKUP);
        fuzz_require((const uint8_t *)r.name > data);
        fuzz_require((const uint8_t *)r.name + strlen(r.name) < data + size);
        fuzz_require(r.name[0] && !strchr(r.name, '/'));
        return 0;
}
