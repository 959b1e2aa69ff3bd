/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * names.c - machines as people write them.  See names.h.
 */
#include "remote/names.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <stdint.h>
#include <string.h>

bool names_is_host(const char *text)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:";
        size_t length = strlen(text);

        /* A dot in front is a pattern to OpenSSL; of an address only two colons may be there. */
        if (length == 0 || length > NAMES_HOST_MAX || *text == '-' || *text == '.')
                return false;
        return text[strspn(text, letters)] == '\0';
}

static bool is_port(const char *text)
{
        uint64_t port;

        return *text != '0' && str_to_u64(text, UINT16_MAX, &port);
}

int names_parse_place(const char *text, struct names_place *ret, struct croft_error *err)
{
        const char *colon = strrchr(text, ':'), *host = text, *port = NAMES_PORT;
        struct names_place place;
        size_t length = strlen(text);

        if (*text == '[') {
                const char *close = strchr(text, ']');

                if (!close || (close[1] && close[1] != ':'))
                        return croft_error_set(err, EINVAL, "'%s' has no ']' behind its address.", text);
                host++;
                length = (size_t)(close - host);
                port = close[1] ? close + 2 : NAMES_PORT;
        } else if (colon && strchr(text, ':') == colon) {
                length = (size_t)(colon - text);
                port = colon + 1;
        }
        if (!is_port(port))
                return croft_error_set(err, EINVAL, "'%s' is no port; give one from 1 to 65535.", port);
        if (length > NAMES_HOST_MAX)
                return croft_error_set(err, EINVAL, "the name of a machine has at most %d letters.", NAMES_HOST_MAX);
        memcpy(place.host, host, length);
        place.host[length] = '\0';
        (void)str_copy(place.port, sizeof(place.port), port);
        if (!names_is_host(place.host))
                return croft_error_set(err, EINVAL, "'%s' is no name or address of a machine.", place.host);
        *ret = place;
        return 0;
}

/* One line, without what surrounds the name. */
static void trim(char *line)
{
        char *from = line + strspn(line, " \t\r");
        size_t length;

        from[strcspn(from, "#")] = '\0';
        length = strlen(from);
        while (length > 0 && strchr(" \t\r", from[length - 1]))
                length--;
        memmove(line, from, length);
        line[length] = '\0';
}

int names_parse_allow(const char *text, const char *what, char ***ret, struct croft_error *err)
{
        _cleanup_free_ char *copy = strdup(text);
        _cleanup_(strv_freep) char **names = NULL;
        size_t n = 0;
        char *rest = copy, *line;

        if (!copy)
                return croft_error_set(err, ENOMEM, "read '%s'", what);
        while ((line = strsep(&rest, "\n"))) {
                trim(line);
                if (*line == '\0')
                        continue;
                if (!names_is_host(line))
                        return croft_error_set(err, EINVAL, "'%s' in '%s' is no name of a machine.", line, what);
                if (n++ == NAMES_ALLOW_MAX)
                        return croft_error_set(err, E2BIG, "'%s' has more than %d names.", what, NAMES_ALLOW_MAX);
                if (strv_append(&names, line) < 0)
                        return croft_error_set(err, ENOMEM, "read '%s'", what);
        }
        if (n == 0)
                return croft_error_set(err, EINVAL, "'%s' names no machine that may connect.", what);
        *ret = TAKE(names);
        return 0;
}
