/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devexports.c - the stanza file devexports(5).  See devexports.h.
 */
#include "partition/devexports.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "partition/devices.h"

#include <fnmatch.h>
#include <string.h>

bool devexports_name_is_valid(const char *name)
{
        for (size_t i = 0; i < DEVICES_FAMILIES; i++)
                if (strcmp(name, devices_families[i]) == 0)
                        return false;
        return stanzas_name_is_valid(name);
}

bool devexports_path_is_valid(const char *path)
{
        if (strnlen(path, DEVEXPORTS_PATH_MAX + 1) > DEVEXPORTS_PATH_MAX || !str_has_prefix(path, "/dev/"))
                return false;
        for (const char *part = path + 1; part; part = strchr(part, '/'), part += part != NULL) {
                size_t length = strcspn(part, "/");

                if (length == 0 || (part[0] == '.' && (length == 1 || (length == 2 && part[1] == '.'))))
                        return false;
        }
        for (; *path; path++)
                if (*path < ' ' || *path > '~')
                        return false;
        return true;
}

bool devexports_is_literal(const struct devexports_stanza *stanza)
{
        return stanza->pattern[strcspn(stanza->pattern, "*?[")] == '\0';
}

bool devexports_lists(const struct devexports *exports, const char *path)
{
        if (!devexports_path_is_valid(path))
                return false;
        for (size_t i = 0; i < exports->n; i++)
                if (fnmatch(exports->list[i].pattern, path, FNM_PATHNAME | FNM_PERIOD | FNM_NOESCAPE) == 0)
                        return true;
        return false;
}

void devexports_done(struct devexports *exports)
{
        free(exports->list);
        *exports = (struct devexports){.list = NULL};
}

/* --- reading --- */

static bool has_few_stars(const char *pattern)
{
        unsigned int stars = 0;

        for (; *pattern; pattern++)
                stars += *pattern == '*';
        return stars <= DEVEXPORTS_STARS_MAX;
}

static int take_value(const struct stanzas_reader *r, void *element, const char *value)
{
        struct devexports_stanza *stanza = element;

        if (!devexports_path_is_valid(value) || !has_few_stars(value))
                return stanzas_refuse_word(r, "path below /dev", value);
        (void)str_copy(stanza->pattern, sizeof(stanza->pattern), value); /* it fits */
        return 0;
}

static int take_automatic(const struct stanzas_reader *r, void *element, const char *value)
{
        struct devexports_stanza *stanza = element;

        return stanzas_take_yes_no(r, value, &stanza->automatic);
}

static const struct stanzas_key keys[] = {{"value", true, take_value}, {"auto", false, take_automatic}, {.key = NULL}};
static const struct devexports_stanza initial = {.automatic = true};
static const struct stanzas_form form = {.size = sizeof(struct devexports_stanza),
        .initial = &initial,
        .name_is_valid = devexports_name_is_valid,
        .keys = keys,
        .attributes = "value, auto"};

const struct devexports_stanza *devexports_find(const struct devexports *exports, const char *name)
{
        return stanzas_find(&form, exports->list, exports->n, name);
}

int devexports_parse(const char *text, size_t size, struct devexports *ret, struct croft_error *err)
{
        struct devexports exports = {.list = NULL};
        void *list = NULL;
        int r = stanzas_parse(&form, text, size, &list, &exports.n, err);

        if (r < 0)
                return r;
        exports.list = list;
        *ret = exports;
        return 0;
}
