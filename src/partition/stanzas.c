/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stanzas.c - reads files of stanzas.  See stanzas.h.
 */
#include "partition/stanzas.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"

#include <string.h>
#include <sys/stat.h>

#define BLANKS " \t"

struct reading {
        struct stanzas_reader reader;
        const struct stanzas_form *form;
        char *list;
        size_t n, room;
        unsigned int began; /* the line of the stanza that is being read, 0: none */
        bool seen[STANZAS_KEYS_MAX];
};

bool stanzas_name_is_valid(const char *name)
{
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
        size_t length = strnlen(name, STANZAS_NAME_MAX + 1);

        return length > 0 && length <= STANZAS_NAME_MAX && name[strspn(name, letters)] == '\0' &&
               !strchr("._-", name[0]);
}

static int refuse(const struct stanzas_reader *r, const char *why)
{
        return croft_error_set(r->err, EBADMSG, "line %u: %s.", r->line, why);
}

int stanzas_refuse_word(const struct stanzas_reader *r, const char *what, const char *word)
{
        char escaped[96];

        str_escape(escaped, sizeof(escaped), word, strlen(word));
        return croft_error_set(r->err, EBADMSG, "line %u: '%s' is no %s.", r->line, escaped, what);
}

int stanzas_take_yes_no(const struct stanzas_reader *r, const char *value, bool *ret)
{
        if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
                return stanzas_refuse_word(r, "\"yes\" or \"no\"", value);
        *ret = value[0] == 'y';
        return 0;
}

const void *stanzas_find(const struct stanzas_form *form, const void *list, size_t n, const char *name)
{
        const char *at = list;

        for (size_t i = 0; i < n; i++, at += form->size)
                if (strcmp(at, name) == 0)
                        return at;
        return NULL;
}

static char *last(const struct reading *r)
{
        return r->list + (r->n - 1) * r->form->size;
}

static int end_stanza(struct reading *r)
{
        for (size_t i = 0; r->began > 0 && r->form->keys[i].key; i++)
                if (r->form->keys[i].required && !r->seen[i])
                        return croft_error_set(r->reader.err, EBADMSG, "line %u: the stanza '%s' has no %s.", r->began,
                                last(r), r->form->keys[i].key);
        return 0;
}

static int make_room(struct reading *r)
{
        size_t room = r->room * 2 + 8;
        char *list;

        if (r->n < r->room)
                return 0;
        list = reallocarray(r->list, room, r->form->size);
        if (!list)
                return croft_error_set(r->reader.err, ENOMEM, "read the stanzas");
        r->list = list;
        r->room = room;
        return 0;
}

static int begin_stanza(struct reading *r, const char *name)
{
        int e = end_stanza(r);

        if (e < 0)
                return e;
        if (!r->form->name_is_valid(name))
                return stanzas_refuse_word(&r->reader, "name of a stanza", name);
        if (stanzas_find(r->form, r->list, r->n, name))
                return croft_error_set(
                        r->reader.err, EBADMSG, "line %u: there is a stanza '%s' already.", r->reader.line, name);
        if (r->n == STANZAS_MAX)
                return croft_error_set(r->reader.err, EBADMSG, "line %u: there are more than %d stanzas.",
                        r->reader.line, STANZAS_MAX);
        e = make_room(r);
        if (e < 0)
                return e;
        r->n++;
        memcpy(last(r), r->form->initial, r->form->size);
        (void)str_copy(last(r), STANZAS_NAME_MAX + 1, name); /* it fits */
        r->began = r->reader.line;
        memset(r->seen, 0, sizeof(r->seen));
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
static int unquote(struct reading *r, char **word)
{
        size_t length = strlen(*word);

        if (length >= 2 && (*word)[0] == '"' && (*word)[length - 1] == '"') {
                (*word)[length - 1] = '\0';
                (*word)++;
        }
        return strchr(*word, '"') ? refuse(&r->reader, "a quotation mark stands alone") : 0;
}

static int take_value(struct reading *r, const char *key, const char *value)
{
        char what[96];

        for (size_t i = 0; r->form->keys[i].key; i++) {
                if (strcmp(r->form->keys[i].key, key) != 0)
                        continue;
                if (r->seen[i])
                        return croft_error_set(
                                r->reader.err, EBADMSG, "line %u: the stanza has a second %s.", r->reader.line, key);
                r->seen[i] = true;
                return r->form->keys[i].take(&r->reader, last(r), value);
        }
        (void)snprintf(what, sizeof(what), "attribute of a stanza (%s)", r->form->attributes);
        return stanzas_refuse_word(&r->reader, what, key);
}

static int take_attribute(struct reading *r, char *line, char *equals)
{
        char *value = equals + 1;
        int e;

        *equals = '\0';
        value = trim(value);
        if (r->began == 0)
                return refuse(&r->reader, "it is in no stanza");
        e = unquote(r, &value);
        return e < 0 ? e : take_value(r, trim(line), value);
}

static bool is_comment(const char *line)
{
        line += strspn(line, BLANKS);
        return *line == '*' || *line == '#';
}

static int take_line(struct reading *r, char *line)
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
        return equals ? take_attribute(r, line, equals)
                      : stanzas_refuse_word(&r->reader, "stanza (NAME:) and no attribute", line);
}

static bool is_text(const char *line, size_t length)
{
        for (size_t i = 0; i < length; i++)
                if ((line[i] < ' ' && line[i] != '\t') || line[i] > '~')
                        return false;
        return true;
}

static int read_lines(struct reading *r, const char *text, size_t size)
{
        int e = 0;

        while (e == 0 && size > 0) {
                const char *newline = memchr(text, '\n', size);
                size_t length = newline ? (size_t)(newline - text) : size;
                char line[STANZAS_LINE_MAX + 1];

                r->reader.line++;
                if (length >= sizeof(line))
                        return refuse(&r->reader, "the line is too long");
                memcpy(line, text, length);
                line[length] = '\0';
                /* Comments may be in any language. */
                if (!is_text(line, length) && !is_comment(line))
                        return refuse(&r->reader, "there is a byte that isn't printable ASCII");
                e = take_line(r, line);
                text += length + (newline != NULL);
                size -= length + (newline != NULL);
        }
        return e < 0 ? e : end_stanza(r);
}

int stanzas_parse(const struct stanzas_form *form, const char *text, size_t size, void **ret, size_t *ret_n,
        struct croft_error *err)
{
        struct reading r = {.reader = {.err = err}, .form = form};
        int e;

        if (size > STANZAS_FILE_MAX)
                return croft_error_set(err, EBADMSG, "it is longer than %d bytes.", STANZAS_FILE_MAX);
        e = read_lines(&r, text, size);
        if (e < 0) {
                free(r.list);
                return e;
        }
        *ret = r.list;
        *ret_n = r.n;
        return 0;
}

/* --- names of stanzas in a property --- */

bool stanzas_next_name(const char **at, char ret[STANZAS_NAME_MAX + 1])
{
        size_t length = strcspn(*at, ",");

        if (length == 0 || length > STANZAS_NAME_MAX)
                return false;
        memcpy(ret, *at, length);
        ret[length] = '\0';
        *at += length + ((*at)[length] == ',');
        return true;
}

int property_check_stanzas(const char *value, char **ret, struct croft_error *err)
{
        char normal[STANZAS_NAMED_MAX * (STANZAS_NAME_MAX + 1)] = "", escaped[128], *save = NULL;
        _cleanup_free_ char *copy = strdup(value);
        size_t used = 0, n = 0;
        bool good = true;

        if (!copy)
                return croft_error_set(err, ENOMEM, "check names of stanzas");
        for (char *word = strtok_r(copy, ",", &save); good && word; word = strtok_r(NULL, ",", &save)) {
                word = trim(word);
                good = stanzas_name_is_valid(word) && !str_lists(normal, ",", word) && n++ < STANZAS_NAMED_MAX;
                if (good)
                        used += (size_t)snprintf(normal + used, sizeof(normal) - used, "%s%s", used ? "," : "", word);
        }
        if (!good || n == 0)
                return croft_error_set(err, EINVAL,
                        "'%s' isn't a list of stanzas of kexts(5): give their names, each once, %d at most.",
                        str_escape(escaped, sizeof(escaped), value, strlen(value)), STANZAS_NAMED_MAX);
        *ret = strdup(normal);
        return *ret ? 0 : croft_error_set(err, ENOMEM, "check names of stanzas");
}

/* --- files that only root may write --- */

/* Whoever may write it could give himself anything. */
static int check_owner(int fd)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        return st.st_uid != geteuid() || (st.st_mode & 022) ? -EPERM : 0;
}

int stanzas_read_own(int dir_fd, const char *path, size_t max, char **ret, size_t *ret_size)
{
        _cleanup_close_ int fd = fd_open2(dir_fd, path, O_RDONLY | O_NONBLOCK, 0, 0);
        char again[64];
        int r;

        if (fd < 0)
                return fd;
        r = check_owner(fd);
        if (r < 0)
                return r;
        (void)snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
        return fd_read_file(AT_FDCWD, again, max, ret, ret_size);
}

int stanzas_read_file(const char *directory, const char *name, char **ret, size_t *ret_size, struct croft_error *err)
{
        _cleanup_free_ char *path = NULL;
        int r;

        *ret = NULL;
        *ret_size = 0;
        if (asprintf(&path, "%s/%s", directory, name) < 0)
                return croft_error_set(err, ENOMEM, "read a list");
        r = stanzas_read_own(AT_FDCWD, path, STANZAS_FILE_MAX, ret, ret_size);
        if (r == -EPERM)
                return croft_error_set(err, EPERM, "'%s' isn't root's alone to write: it isn't believed.", path);
        return r < 0 && r != -ENOENT ? croft_error_set(err, r, "read '%s'", path) : 0;
}
