/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * os_release.c - PRETTY_NAME of an os-release file.  Only the worker uses it on an image's file.
 */
#include "image/os_release.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"

#include <linux/openat2.h>
#include <string.h>

void os_release_value(const char *text, const char *key, char *dst, size_t size)
{
        size_t length = strlen(key);

        dst[0] = '\0';
        for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
                const char *value = line + length + 1;
                size_t n;

                if (strncmp(line, key, length) != 0 || line[length] != '=')
                        continue;
                n = strcspn(value, "\n");
                if (n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n - 1] == value[0]) {
                        value++;
                        n -= 2;
                }
                str_escape(dst, size, value, n);
                return;
        }
}

static int read_release(int root_fd, const char *path, char buf[4096])
{
        _cleanup_close_ int fd =
                fd_open2(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
        ssize_t n;

        if (fd < 0)
                return fd;
        n = read(fd, buf, 4095);
        if (n < 0)
                return -errno;
        buf[n] = '\0';
        return 0;
}

void os_release_name(int root_fd, const char *path, char *dst, size_t size)
{
        char text[4096];

        dst[0] = '\0';
        if (read_release(root_fd, path ? path : "etc/os-release", text) == 0 ||
                (!path && read_release(root_fd, "usr/lib/os-release", text) == 0))
                os_release_value(text, "PRETTY_NAME", dst, size);
        if (!dst[0])
                (void)str_copy(dst, size, "unknown");
}
