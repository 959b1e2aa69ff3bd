/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_kext_msg.c - what croft-kext tells: what is taken is encoded to the same bytes again.
 */
#include "fuzz.h"
#include "kext/msg.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct wire_writer w = WIRE_WRITER_INIT;
        struct msg msg;

        if (msg_decode(data, size, &msg) < 0)
                return 0;
        msg_encode(&msg, &w);
        fuzz_require(w.fault == 0 && w.used == size && memcmp(w.data, data, size) == 0);
        wire_writer_done(&w);
        return 0;
}
