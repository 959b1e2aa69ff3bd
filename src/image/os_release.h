/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * os_release.h - PRETTY_NAME of an os-release file.
 */
#ifndef CROFT_IMAGE_OS_RELEASE_H
#define CROFT_IMAGE_OS_RELEASE_H

#include <stddef.h>

/* The value of that key, quotes taken away and escaped for reading; "" when there is none.  Pure. */
void os_release_value(const char *text, const char *key, char *dst, size_t size);
/* Reads path below root_fd, links resolved inside it; NULL: etc/os-release, else usr/lib/os-release. "unknown" when
 * there is none. */
void os_release_name(int root_fd, const char *path, char *dst, size_t size);

#endif
