/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_kext.c - the decoders of an extension: whatever is taken is text of ours, and is told to croftd as it was found.
 */
#include "fuzz.h"
#include "kext/decode.h"
#include "kext/msg.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct wire_writer w = WIRE_WRITER_INIT;
        struct msg msg = {.type = MSG_IDENTITY}, again;
        char name[KEXT_NAME_MAX + 1];

        if (decode(data, size, "file.bpf.o", &msg.identity, NULL) < 0)
                return 0;
        fuzz_require(kext_name_normalise(msg.identity.name, name) && strcmp(name, msg.identity.name) == 0);
        fuzz_require(msg.identity.size == 0);
        fuzz_require(msg.identity.kind == KEXT_KO ? msg.identity.vermagic[0] != '\0' : msg.identity.kind == KEXT_BPF);
        msg_encode(&msg, &w);
        fuzz_require(w.fault == 0 && w.used <= MSG_SIZE_MAX);
        fuzz_require(msg_decode(w.data, w.used, &again) == 0);
        fuzz_require(strcmp(again.identity.name, msg.identity.name) == 0);
        fuzz_require(strcmp(again.identity.vermagic, msg.identity.vermagic) == 0);
        fuzz_require(strcmp(again.identity.signer, msg.identity.signer) == 0);
        fuzz_require(strcmp(again.identity.depends, msg.identity.depends) == 0);
        wire_writer_done(&w);
        return 0;
}
