/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * yaml.c - JSON values in YAML's block style.
 *
 * A string is plain only when no version of YAML could take it for anything else; everything odd is double-quoted, with
 * what isn't printable escaped.
 */
#include "output.h"
#include "text.h"

#include <string.h>
#include <strings.h>

static bool is_word_of_yaml(const char *s)
{
        static const char *const words[] = {
                "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity", "undefined"};

        for (size_t i = 0; i < ELEMENTS(words); i++) {
                if (strcasecmp(words[i], s) == 0)
                        return true;
        }
        return false;
}

static bool is_plain(const char *s, size_t size)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/";

        return size > 0 && strchr(letters, s[0]) && s[size - 1] != ' ' &&
               strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/.+@()%= -") == size &&
               !is_word_of_yaml(s);
}

static void put_quoted(FILE *f, const char *s, size_t size)
{
        size_t i = 0;

        (void)fputc('"', f);
        while (i < size) {
                uint32_t c = 0xfffd;
                size_t n = text_utf8(s + i, size - i, &c);

                if (c == '"' || c == '\\')
                        (void)fprintf(f, "\\%c", (int)c);
                else if (c == '\n')
                        (void)fputs("\\n", f);
                else if (c == '\t')
                        (void)fputs("\\t", f);
                else if (n > 0 && text_printable(c))
                        (void)fwrite(s + i, 1, n, f);
                else
                        (void)fprintf(f, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
                i += n ? n : 1;
        }
        (void)fputc('"', f);
}

static void put_string(FILE *f, const char *s, size_t size)
{
        if (strlen(s) == size && is_plain(s, size))
                (void)fwrite(s, 1, size, f);
        else
                put_quoted(f, s, size);
}

static void put_scalar(FILE *f, const json_t *value)
{
        if (json_is_string(value)) {
                put_string(f, json_string_value(value), json_string_length(value));
                return;
        }
        if (json_is_array(value) || json_is_object(value)) /* empty ones only */
                (void)fputs(json_is_array(value) ? "[]" : "{}", f);
        else
                (void)json_dumpf(value, f, JSON_ENCODE_ANY | OUTPUT_REALS);
}

static bool is_leaf(const json_t *value)
{
        return json_array_size(value) == 0 && json_object_size(value) == 0;
}

static void put_value(FILE *f, const json_t *value, int indent, bool in_line);

static void put_array(FILE *f, const json_t *array, int indent, bool in_line)
{
        for (size_t i = 0; i < json_array_size(array); i++) {
                if (!in_line || i > 0)
                        (void)fprintf(f, "%*s", indent, "");
                (void)fputs("- ", f);
                put_value(f, json_array_get(array, i), indent + 2, true);
        }
}

static void put_object(FILE *f, const json_t *object, int indent, bool in_line)
{
        bool first = true;

        /* Without a list the iterator asks for an object that may be changed; this one isn't. */
        for (void *i = json_object_iter((json_t *)(uintptr_t)object); i;
                i = json_object_iter_next((json_t *)(uintptr_t)object, i)) {
                const char *key = json_object_iter_key(i);
                const json_t *value = json_object_iter_value(i);

                if (!in_line || !first)
                        (void)fprintf(f, "%*s", indent, "");
                first = false;
                put_string(f, key, strlen(key));
                (void)fputs(is_leaf(value) ? ": " : ":\n", f);
                if (is_leaf(value)) {
                        put_scalar(f, value);
                        (void)fputc('\n', f);
                } else {
                        put_value(f, value, indent + 2, false);
                }
        }
}

/* in_line: the cursor is where the value begins, behind "- ". */
static void put_value(FILE *f, const json_t *value, int indent, bool in_line)
{
        if (is_leaf(value)) {
                put_scalar(f, value);
                (void)fputc('\n', f);
        } else if (json_is_array(value)) {
                put_array(f, value, indent, in_line);
        } else {
                put_object(f, value, indent, in_line);
        }
}

void yaml_value(FILE *f, const json_t *value)
{
        put_value(f, value, 0, true);
}
