/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_kept.c - the file of device numbers: what is taken from it is written again as it was read.
 */
#include "devid/kept.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = malloc(size + 1);
        const char *at = text;
        struct devid_number number, again;
        struct devid_name special, same;

        if (!text)
                return 0;
        memcpy(text, data, size);
        text[size] = '\0';
        while (kept_parse(&at, &number, &special) == 1) {
                char line[KEPT_LINE_MAX];
                const char *start = line;

                fuzz_require(at > text && at <= text + size);
                fuzz_require(number.count >= 1 && number.count <= DEVID_GROUP_MAX && number.instance.text[0]);
                fuzz_require(kept_format(&number, &special, line, sizeof(line)) > 0);
                fuzz_require(kept_parse(&start, &again, &same) == 1 && *start == '\0');
                fuzz_require(memcmp(&number, &again, sizeof(number)) == 0);
                fuzz_require(memcmp(&special, &same, sizeof(special)) == 0);
        }
        free(text);
        return 0;
}
