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

#define BLANKS " \t"

bool devexports_name_is_valid(const char *name)
{
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
        size_t length = strnlen(name, DEVEXPORTS_NAME_MAX + 1);

        for (size_t i = 0; i < DEVICES_FAMILIES; i++)
                if (strcmp(name, devices_families[i]) == 0)
                        return false;
        return length > 0 && length <= DEVEXPORTS_NAME_MAX && name[strspn(name, letters)] == '\0' &&
               !strchr("._-", name[0]);
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

const struct devexports_stanza *devexports_find(const struct devexports *exports, const char *name)
{
        for (size_t i = 0; i < exports->n; i++)
                if (strcmp(exports->list[i].name, name) == 0)
                        return &exports->list[i];
        return NULL;
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

struct reader {
        struct devexports exports;
        size_t room;
        unsigned int line;
        unsigned int began;              /* the line of the stanza that is being read, 0: none */
        bool has_pattern, has_automatic; /* of it */
        struct croft_error *err;
};

static int refuse(struct reader *r, const char *why)
{
        return croft_error_set(r->err, EBADMSG, "line %u: %s.", r->line, why);
}

static int refuse_word(struct reader *r, const char *what, const char *word)
{
        char escaped[96];

        str_escape(escaped, sizeof(escaped), word, strlen(word));
        return croft_error_set(r->err, EBADMSG, "line %u: '%s' is no %s.", r->line, escaped, what);
}

static int end_stanza(struct reader *r)
{
        if (r->began == 0 || r->has_pattern)
                return 0;
        return croft_error_set(r->err, EBADMSG, "line %u: the stanza '%s' has no value.", r->began,
                r->exports.list[r->exports.n - 1].name);
}

static int begin_stanza(struct reader *r, const char *name)
{
        int e = end_stanza(r);

        if (e < 0)
                return e;
        if (!devexports_name_is_valid(name))
                return refuse_word(r, "name of a stanza", name);
        if (devexports_find(&r->exports, name))
                return croft_error_set(r->err, EBADMSG, "line %u: there is a stanza '%s' already.", r->line, name);
        if (r->exports.n == DEVEXPORTS_MAX)
                return croft_error_set(
                        r->err, EBADMSG, "line %u: there are more than %d stanzas.", r->line, DEVEXPORTS_MAX);
        if (r->exports.n == r->room) {
                size_t room = r->room * 2 + 8;
                struct devexports_stanza *list = reallocarray(r->exports.list, room, sizeof(*list));

                if (!list)
                        return croft_error_set(r->err, ENOMEM, "read the stanzas");
                r->exports.list = list;
                r->room = room;
        }
        r->exports.list[r->exports.n] = (struct devexports_stanza){.automatic = true};
        (void)str_copy(r->exports.list[r->exports.n].name, sizeof(r->exports.list->name), name); /* it fits */
        r->exports.n++;
        r->began = r->line;
        r->has_pattern = r->has_automatic = false;
        return 0;
}

static bool has_few_stars(const char *pattern)
{
        unsigned int stars = 0;

        for (; *pattern; pattern++)
                stars += *pattern == '*';
        return stars <= DEVEXPORTS_STARS_MAX;
}

static int take_value(struct reader *r, struct devexports_stanza *stanza, const char *value)
{
        if (r->has_pattern)
                return refuse(r, "the stanza has a value already");
        if (!devexports_path_is_valid(value) || !has_few_stars(value))
                return refuse_word(r, "path below /dev", value);
        (void)str_copy(stanza->pattern, sizeof(stanza->pattern), value); /* it fits */
        r->has_pattern = true;
        return 0;
}

static int take_automatic(struct reader *r, struct devexports_stanza *stanza, const char *value)
{
        if (r->has_automatic)
                return refuse(r, "the stanza says auto twice");
        if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
                return refuse_word(r, "\"yes\" or \"no\"", value);
        stanza->automatic = value[0] == 'y';
        r->has_automatic = true;
        return 0;
}

/* Without blanks before and behind it. */
static char *trim(char *word)
{
        size_t length;

        word += strspn(word, BLANKS);
        length = strlen(word);
        while (length > 0 && strchr(BLANKS, word[length - 1]))
                length--;
        word[length] = '\0';
        return word;
}

/* "/dev/x" with its quotes or without any. */
static int unquote(struct reader *r, char **word)
{
        size_t length = strlen(*word);

        if (length >= 2 && (*word)[0] == '"' && (*word)[length - 1] == '"') {
                (*word)[length - 1] = '\0';
                (*word)++;
        }
        return strchr(*word, '"') ? refuse(r, "a quotation mark stands alone") : 0;
}

static int take_attribute(struct reader *r, char *line, char *equals)
{
        struct devexports_stanza *stanza;
        char *key = line, *value = equals + 1;
        int e;

        *equals = '\0';
        key = trim(key);
        value = trim(value);
        if (r->began == 0)
                return refuse(r, "it is in no stanza");
        stanza = &r->exports.list[r->exports.n - 1];
        e = unquote(r, &value);
        if (e < 0)
                return e;
        if (strcmp(key, "value") == 0)
                return take_value(r, stanza, value);
        if (strcmp(key, "auto") == 0)
                return take_automatic(r, stanza, value);
        return refuse_word(r, "attribute of a stanza (value, auto)", key);
}

static bool is_comment(const char *line)
{
        line += strspn(line, BLANKS);
        return *line == '*' || *line == '#';
}

static int take_line(struct reader *r, char *line)
{
        char *equals = strchr(line, '=');
        size_t length;

        line = trim(line);
        length = strlen(line);
        if (length == 0 || is_comment(line))
                return 0;
        if (line[length - 1] == ':' && !equals) {
                line[length - 1] = '\0';
                return begin_stanza(r, trim(line));
        }
        return equals ? take_attribute(r, line, equals) : refuse_word(r, "stanza (NAME:) and no attribute", line);
}

static bool is_text(const char *line, size_t length)
{
        for (size_t i = 0; i < length; i++)
                if ((line[i] < ' ' && line[i] != '\t') || line[i] > '~')
                        return false;
        return true;
}

static int read_lines(struct reader *r, const char *text, size_t size)
{
        int e = 0;

        while (e == 0 && size > 0) {
                const char *newline = memchr(text, '\n', size);
                size_t length = newline ? (size_t)(newline - text) : size;
                char line[512];

                r->line++;
                if (length >= sizeof(line))
                        return refuse(r, "the line is too long");
                memcpy(line, text, length);
                line[length] = '\0';
                /* Comments may be in any language. */
                if (!is_text(line, length) && !is_comment(line))
                        return refuse(r, "there is a byte that isn't printable ASCII");
                e = take_line(r, line);
                text += length + (newline != NULL);
                size -= length + (newline != NULL);
        }
        return e < 0 ? e : end_stanza(r);
}

int devexports_parse(const char *text, size_t size, struct devexports *ret, struct croft_error *err)
{
        struct reader r = {.err = err};
        int e;

        if (size > DEVEXPORTS_FILE_MAX)
                return croft_error_set(err, EBADMSG, "it is longer than %d bytes.", DEVEXPORTS_FILE_MAX);
        e = read_lines(&r, text, size);
        if (e < 0) {
                devexports_done(&r.exports);
                return e;
        }
        *ret = r.exports;
        return 0;
}
