/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * decode_bpf.c - what a BPF object is.  See decode.h.
 *
 * It has no name of its own, so it gets that of its file when it is registered, and keeps it: later its bytes only say
 * which one is meant.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "kext/decode.h"
#include "kext/object.h"

#include <bpf/libbpf.h>
#include <string.h>

int decode_bpf(const void *data, size_t size, const char *file, struct kext_identity *ret, struct croft_error *err)
{
        struct kext_identity identity = {.kind = KEXT_BPF};
        const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
        struct bpf_object *object = NULL;
        char shown[256];
        int r;

        if (!kext_name_of_object(file, identity.name))
                return croft_error_set(err, ENOEXEC,
                        "'%s' gives it no name: NAME.bpf.o, at most 55 letters, digits, '_' and '-'.",
                        str_escape(shown, sizeof(shown), base, strnlen(base, 80)));
        r = object_open(data, size, identity.name, &object, err);
        if (r < 0)
                return r;
        bpf_object__close(object);
        *ret = identity;
        return 0;
}
