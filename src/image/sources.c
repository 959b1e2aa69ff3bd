/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sources.c - see sources.h.  sources.list(5): one-line and deb822 style.
 */
#include "image/sources.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r"

struct entry {
        char types[64], uris[1024], suites[512], keys[512];
        bool disabled;
};

struct translation {
        const char *codename, *suite;
        char ***lines;
};

static bool is_made_of(const char *text, const char *others, size_t max)
{
        size_t n = strlen(text);

        if (n == 0 || n > max || !isalnum((unsigned char)text[0]))
                return false;
        for (const char *p = text; *p; p++)
                if (!isalnum((unsigned char)*p) && !strchr(others, *p))
                        return false;
        return true;
}

bool sources_is_suite(const char *suite)
{
        return is_made_of(suite, "-._", 63);
}

bool sources_is_uri(const char *uri)
{
        return (str_has_prefix(uri, "http://") || str_has_prefix(uri, "https://") || str_has_prefix(uri, "file:/") ||
                       str_has_prefix(uri, "copy:/")) &&
               is_made_of(uri, ":/.-_~%@+,=", 500);
}

bool sources_is_package_list(const char *list)
{
        return is_made_of(list, "+-.,:", 2000);
}

static int add_line(const struct translation *t, const struct entry *e, const char *uri, const char *ending)
{
        _cleanup_free_ char *line = NULL;
        bool keys = e->keys[0] == '/' && !strpbrk(e->keys, BLANKS "[]");

        if (asprintf(&line, "deb %s%s%s%s %s%s main", keys ? "[signed-by=" : "", keys ? e->keys : "", keys ? "] " : "",
                    uri, t->suite, ending) < 0)
                return -ENOMEM;
        return strv_append(t->lines, line);
}

static int use_entry(const struct translation *t, const struct entry *e)
{
        _cleanup_free_ char *uris = strdup(e->uris);
        char *rest = uris, *uri;
        int r = uris ? 0 : -ENOMEM;

        if (e->disabled || !str_lists(e->types, BLANKS, "deb"))
                return r;
        while (r == 0 && (uri = strsep(&rest, BLANKS))) {
                static const char *const endings[] = {"", "-updates", "-security"};

                for (size_t i = 0; r == 0 && i < ELEMENTS(endings) && sources_is_uri(uri); i++) {
                        char own[128];

                        (void)snprintf(own, sizeof(own), "%.60s%s", t->codename, endings[i]);
                        if (str_lists(e->suites, BLANKS, own))
                                r = add_line(t, e, uri, endings[i]);
                }
        }
        return r;
}

/* "deb [option=value ...] uri suite component..." */
static int use_list_line(const struct translation *t, char *line)
{
        struct entry e = {.types = "deb"};
        char *p = line + strspn(line, BLANKS), *word, *end;

        p[strcspn(p, "#")] = '\0';
        word = strsep(&p, BLANKS);
        if (!word || strcmp(word, "deb") != 0 || !p)
                return 0;
        p += strspn(p, BLANKS);
        end = *p == '[' ? strchr(p, ']') : NULL;
        if (end) {
                const char *keys = strstr(p, "signed-by=");

                *end = '\0';
                if (keys && keys < end)
                        (void)snprintf(e.keys, sizeof(e.keys), "%.*s", (int)strcspn(keys + 10, BLANKS "]"), keys + 10);
                p = end + 1;
                p += strspn(p, BLANKS);
        }
        (void)snprintf(e.uris, sizeof(e.uris), "%.*s", (int)strcspn(p, BLANKS), p);
        p += strcspn(p, BLANKS);
        p += strspn(p, BLANKS);
        (void)snprintf(e.suites, sizeof(e.suites), "%.*s", (int)strcspn(p, BLANKS), p);
        return use_entry(t, &e);
}

/* Where the value of that field goes; NULL: not wanted. */
static char *field_of(struct entry *e, const char *line, size_t *ret_room)
{
        static const struct {
                const char *name;
                size_t at, room;
        } fields[] = {
                {"Types:", offsetof(struct entry, types), sizeof(e->types)},
                {"URIs:", offsetof(struct entry, uris), sizeof(e->uris)},
                {"Suites:", offsetof(struct entry, suites), sizeof(e->suites)},
                {"Signed-By:", offsetof(struct entry, keys), sizeof(e->keys)},
        };

        for (size_t i = 0; i < ELEMENTS(fields); i++) {
                if (strncasecmp(line, fields[i].name, strlen(fields[i].name)) != 0)
                        continue;
                *ret_room = fields[i].room;
                return (char *)e + fields[i].at;
        }
        return NULL;
}

static void add_value(char *field, size_t room, const char *value)
{
        size_t used = strlen(field);

        value += strspn(value, BLANKS);
        (void)snprintf(field + used, room - used, "%s%s", used ? " " : "", value);
        used = strlen(field);
        while (used > 0 && strchr(BLANKS, field[used - 1]))
                field[--used] = '\0';
}

static int use_stanza_line(const struct translation *t, struct entry *e, char **field, size_t *room, char *line)
{
        int r;

        if (line[0] == '#')
                return 0;
        if (line[strspn(line, BLANKS)] == '\0') {
                r = use_entry(t, e);
                memset(e, 0, sizeof(*e));
                *field = NULL;
                return r;
        }
        if (strchr(BLANKS, line[0])) {
                if (*field)
                        add_value(*field, *room, line);
                return 0;
        }
        *field = field_of(e, line, room);
        if (*field)
                add_value(*field, *room, strchr(line, ':') + 1);
        if (strncasecmp(line, "Enabled:", 8) == 0)
                e->disabled = str_lists(line + 8, BLANKS, "no") || str_lists(line + 8, BLANKS, "false") ||
                              str_lists(line + 8, BLANKS, "0");
        return 0;
}

int sources_translate(const char *text, bool deb822, const char *codename, const char *suite, char ***lines)
{
        const struct translation t = {codename, suite, lines};
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy, *line, *field = NULL;
        struct entry entry = {0};
        size_t room = 0;
        int r = copy ? 0 : -ENOMEM;

        while (r == 0 && (line = strsep(&rest, "\n")))
                r = deb822 ? use_stanza_line(&t, &entry, &field, &room, line) : use_list_line(&t, line);
        return r < 0 || !deb822 ? r : use_entry(&t, &entry);
}
