/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * decode.c - see decode.h.
 */
#include "kext/decode.h"

#include "base/cleanup.h"
#include "kext/object.h"

int decode(const void *data, size_t size, const char *file, struct kext_identity *ret, struct croft_error *err)
{
        struct kext_identity identity = {.name = ""};
        _cleanup_free_ void *plain = NULL;
        size_t plain_size = 0;
        int r = decode_unpack(data, size, &plain, &plain_size, err);

        if (r < 0)
                return r;
        if (!plain && object_is_bpf(data, size))
                return decode_bpf(data, size, file, ret, err);
        if (plain) {
                data = plain;
                size = plain_size;
        }
        r = decode_elf(data, size, &identity, err);
        if (r < 0)
                return r;
        decode_signer(data, size, identity.signer, sizeof(identity.signer));
        *ret = identity;
        return 0;
}
