/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_uevent.c - messages about devices: what is found is in them, as a whole field.
 */
#include "fuzz.h"
#include "kernel/uevent.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char field[] = "SUBSYSTEM=cpu"; /* with its NUL */
        bool cpu = uevent_is_of((const char *)data, size, "cpu");

        if (cpu)
                fuzz_require(memmem(data, size, field, sizeof(field)));
        fuzz_require(!cpu || !uevent_is_of((const char *)data, size, "block"));
        return 0;
}
