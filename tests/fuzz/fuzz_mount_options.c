/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_mount_options.c - options of a mount as a partition gives them, "TYPE OPTIONS": what is taken is made of what
 * was given, names no device and doesn't ask for a panic.
 */
#include "base/cleanup.h"
#include "fuzz.h"
#include "partition/mount_allow.h"

#include <errno.h>
#include <string.h>

static void judge(const struct mount_options *o, const char *data)
{
        fuzz_require(o->n <= MOUNT_OPTIONS_MAX && o->driver);
        for (size_t i = 0; i < o->n; i++) {
                const char *key = o->list[i].key, *value = o->list[i].value;

                fuzz_require(*key && !strpbrk(key, ",=") && !strstr(key, "dev"));
                fuzz_require(!value || (*value && !strpbrk(value, ",/")));
                fuzz_require(strcmp(key, "errors") != 0 || (value && strcmp(value, "panic") != 0));
                fuzz_require(strstr(data, key) || strcmp(key, "errors") == 0);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct mount_options o;
        _cleanup_free_ char *text = strndup((const char *)data, size);
        char *options = text ? strchr(text, ' ') : NULL;
        int r;

        if (!options)
                return 0;
        *options++ = '\0';
        r = mount_options_decode(text, options, &o);
        if (r == 0)
                judge(&o, options);
        else
                fuzz_require(r == -EINVAL || r == -EPERM);
        return 0;
}
