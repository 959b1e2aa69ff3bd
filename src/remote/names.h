/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * names.h - machines as people write them: where one is, and which ones are allowed.  Pure functions.
 */
#ifndef CROFT_REMOTE_NAMES_H
#define CROFT_REMOTE_NAMES_H

#include <croft/error.h>
#include <stdbool.h>

#define NAMES_HOST_MAX 253
#define NAMES_PORT "9479" /* unless another one is given */
#define NAMES_ALLOW_MAX 1024

struct names_place {
        char host[NAMES_HOST_MAX + 1]; /* without brackets */
        char port[6];
};

/* The name of a machine, or an address: what may be in a certificate, and no option of anything. */
bool names_is_host(const char *text);
/* "HOST", "HOST:PORT", "[ADDRESS]:PORT", or an IPv6 address alone.  -EINVAL. */
int names_parse_place(const char *text, struct names_place *ret, struct croft_error *err);
/* The lines of an allow list: a name each, '#' begins a comment.  A new vector (strv_free()).  -EINVAL, -E2BIG,
 * -ENOMEM. what: the list's name, for the error. */
int names_parse_allow(const char *text, const char *what, char ***ret, struct croft_error *err);

#endif
