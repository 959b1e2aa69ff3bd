/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * decode.c - see decode.h.
 */
#include "kext/decode.h"

#include "base/cleanup.h"
#include "kext/object.h"

int decode_keep(const void *data, size_t size, const char *file, struct decoded *ret, struct croft_error *err)
{
        struct decoded decoded = {.plain_size = 0};
        _cleanup_free_ void *plain = NULL;
        size_t plain_size = 0;
        int r = decode_unpack(data, size, &plain, &plain_size, err);

        if (r < 0)
                return r;
        if (!plain && object_is_bpf(data, size))
                return decode_bpf(data, size, file, &ret->identity, err);
        if (plain) {
                data = plain;
                size = plain_size;
        }
        r = decode_elf(data, size, &decoded.identity, err);
        if (r < 0)
                return r;
        decode_signer(data, size, decoded.identity.signer, sizeof(decoded.identity.signer));
        decoded.plain_size = plain_size;
        decoded.plain = TAKE(plain);
        *ret = decoded;
        return 0;
}

int decode(const void *data, size_t size, const char *file, struct kext_identity *ret, struct croft_error *err)
{
        struct decoded decoded = {.plain = NULL};
        int r = decode_keep(data, size, file, &decoded, err);

        free(decoded.plain);
        if (r == 0)
                *ret = decoded.identity;
        return r;
}
