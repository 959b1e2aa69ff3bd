/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_target.c - the target of a request taken apart.  See api_target.h.
 *
 * Pure: no request, no daemon; everything is refused that isn't plainly right.
 */
#include "daemon/api_target.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* Decodes %XX in place. A NUL would end the string early and make one name look like another. */
static int decode(char *text, bool plus_is_blank, struct croft_error *err)
{
        char *to = text;

        for (const char *from = text; *from; from++) {
                int high, low;

                if (*from != '%') {
                        *to++ = (char)(plus_is_blank && *from == '+' ? ' ' : *from);
                        continue;
                }
                high = hex_digit(from[1]);
                low = high < 0 ? -1 : hex_digit(from[2]);
                if (low < 0)
                        return croft_error_set(err, EINVAL, "the target has a '%%' without two hex digits.");
                if (high == 0 && low == 0)
                        return croft_error_set(err, EINVAL, "the target has a NUL byte.");
                *to++ = (char)(high << 4 | low);
                from += 2;
        }
        *to = '\0';
        return 0;
}

static int parse_query(char *text, struct api_target *t, struct croft_error *err)
{
        char *save = NULL;
        int r;

        for (char *pair = strtok_r(text, "&", &save); pair; pair = strtok_r(NULL, "&", &save)) {
                char *value = strchr(pair, '=');

                if (t->n_query == API_QUERY_MAX)
                        return croft_error_set(err, EINVAL, "the target has more than %d parameters.", API_QUERY_MAX);
                if (value)
                        *value++ = '\0';
                r = decode(pair, true, err);
                if (r == 0 && value)
                        r = decode(value, true, err);
                if (r < 0)
                        return r;
                t->query[t->n_query].key = pair;
                t->query[t->n_query++].value = value ? value : "";
        }
        return 0;
}

static int parse_path(char *path, struct api_target *t, struct croft_error *err)
{
        int r;

        while (path) {
                char *next = strchr(path, '/');

                if (next)
                        *next++ = '\0';
                if (t->n_segments == API_SEGMENTS_MAX)
                        return croft_error_set(err, ENOENT, "nothing is at this path.");
                r = decode(path, false, err);
                if (r < 0)
                        return r;
                t->segments[t->n_segments++] = path;
                path = next;
        }
        return 0;
}

int api_target_parse(const char *uri, struct api_target *ret, struct croft_error *err)
{
        _cleanup_(api_target_done) struct api_target t = {.text = NULL};
        char *query, *path;
        int r;

        if (strnlen(uri, API_TARGET_MAX + 1) > API_TARGET_MAX)
                return croft_error_set(err, ENAMETOOLONG, "the target is longer than %d bytes.", API_TARGET_MAX);
        /* The absolute form; a server must take it (RFC 9112, 3.2.2). */
        if (strncasecmp(uri, "http://", 7) == 0)
                uri = strchrnul(uri + 7, '/');
        if (*uri != '/')
                return croft_error_set(err, EINVAL, "the target doesn't begin with '/'.");
        t.text = strdup(uri + 1);
        if (!t.text)
                return croft_error_set(err, ENOMEM, "read the target");
        path = t.text;
        query = strchr(path, '?');
        if (query)
                *query++ = '\0';
        r = parse_path(path, &t, err);
        if (r == 0 && query)
                r = parse_query(query, &t, err);
        if (r < 0)
                return r;
        *ret = t;
        t.text = NULL;
        return 0;
}

void api_target_done(struct api_target *target)
{
        free(target->text);
        *target = (struct api_target){.text = NULL};
}

const char *api_target_query(const struct api_target *target, const char *key)
{
        for (size_t i = 0; i < target->n_query; i++)
                if (strcmp(target->query[i].key, key) == 0)
                        return target->query[i].value;
        return NULL;
}

int api_target_check_query(const struct api_target *target, const char *known, struct croft_error *err)
{
        for (size_t i = 0; i < target->n_query; i++) {
                const char *key = target->query[i].key;
                char shown[128];

                str_escape(shown, sizeof(shown), key, strlen(key));
                if (!str_lists(known, " ", key))
                        return croft_error_set(
                                err, EINVAL, "no parameter '%s' here; known: %s.", shown, known ? known : "none");
                if (api_target_query(target, key) != target->query[i].value)
                        return croft_error_set(err, EINVAL, "the parameter '%s' is given twice.", shown);
        }
        return 0;
}

int api_target_bool(const struct api_target *target, const char *key, bool *ret, struct croft_error *err)
{
        const char *value = api_target_query(target, key);
        char shown[128];

        if (!value || strcmp(value, "false") == 0 || strcmp(value, "0") == 0) {
                *ret = false;
                return 0;
        }
        if (*value == '\0' || strcmp(value, "true") == 0 || strcmp(value, "1") == 0) {
                *ret = true;
                return 0;
        }
        return croft_error_set(err, EINVAL, "the parameter '%s' is true or false, not '%s'.", key,
                str_escape(shown, sizeof(shown), value, strlen(value)));
}
