/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * names.c - names of archive entries.  Pure.
 */
#include "image/sink.h"

#include <string.h>

const char *entry_name(const char *name, char dst[ENTRY_NAME_MAX])
{
        size_t used = 0, depth = 0;

        dst[0] = '\0';
        if (name[0] == '\0')
                return "has no name";
        if (name[0] == '/')
                return "has an absolute name";
        while (*name) {
                size_t n = strcspn(name, "/");

                if (n == 2 && name[0] == '.' && name[1] == '.')
                        return "has '..' in its name";
                if (n > 255 || used + n + 2 > ENTRY_NAME_MAX)
                        return "has too long a name";
                if (n > 0 && !(n == 1 && name[0] == '.')) {
                        if (++depth > ENTRY_DEPTH_MAX)
                                return "lies too deep";
                        if (used)
                                dst[used++] = '/';
                        memcpy(dst + used, name, n);
                        used += n;
                }
                name += n + (name[n] == '/');
        }
        dst[used] = '\0';
        return NULL;
}

const char *entry_base(const char *name, char folder[ENTRY_NAME_MAX])
{
        const char *slash = strrchr(name, '/');
        size_t n = slash ? (size_t)(slash - name) : 0;

        memcpy(folder, name, n);
        folder[n] = '\0';
        return slash ? slash + 1 : name;
}
