/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * str.c - names, numbers and quoting.  See str.h.
 */
#include "base/str.h"

#include "base/cleanup.h"

#include <string.h>

bool str_is_name(const char *name)
{
        size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

        return length >= 1 && length <= NAME_LENGTH_MAX && name[length] == '\0' && name[0] != '-' &&
               name[length - 1] != '-';
}

bool str_to_u64(const char *text, uint64_t max, uint64_t *ret)
{
        uint64_t value = 0;

        if (!*text)
                return false;
        for (; *text; text++) {
                if (*text < '0' || *text > '9')
                        return false;
                if (__builtin_mul_overflow(value, 10, &value) ||
                        __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
                        return false;
        }
        if (value > max)
                return false;
        *ret = value;
        return true;
}

bool str_to_size(const char *text, uint64_t *ret)
{
        static const char units[] = "KMGTPE";
        char digits[24];
        size_t n = strspn(text, "0123456789");
        const char *unit;
        uint64_t value;

        if (strcmp(text, "max") == 0) {
                *ret = UINT64_MAX;
                return true;
        }
        if (n == 0 || n >= sizeof(digits))
                return false;
        memcpy(digits, text, n);
        digits[n] = '\0';
        if (!str_to_u64(digits, UINT64_MAX, &value))
                return false;
        text += n;
        unit = *text ? strchr(units, *text) : NULL;
        if (unit) {
                if (__builtin_mul_overflow(value, UINT64_C(1) << (10 * (unit - units + 1)), &value))
                        return false;
                text++;
                if (*text == 'i')
                        text++;
                if (text[-1] == 'i' && *text != 'B')
                        return false;
        }
        if (*text == 'B')
                text++;
        if (*text)
                return false;
        *ret = value;
        return true;
}

bool str_copy(char *dst, size_t size, const char *src)
{
        size_t length = strnlen(src, size);

        if (size == 0)
                return false;
        if (length == size) {
                memcpy(dst, src, size - 1);
                dst[size - 1] = '\0';
                return false;
        }
        memcpy(dst, src, length + 1);
        return true;
}

/* Marks that turn the direction of text around, or hide it, make one name look like another. */
static bool is_misleading(uint32_t c)
{
        static const struct {
                uint32_t first, last;
        } marks[] = {
                {0xad, 0xad},       /* soft hyphen */
                {0x61c, 0x61c},     /* Arabic letter mark */
                {0x180e, 0x180e},   /* Mongolian vowel separator */
                {0x200b, 0x200f},   /* zero width space .. right-to-left mark */
                {0x2028, 0x202e},   /* line separator .. right-to-left override */
                {0x2060, 0x206f},   /* word joiner .. nominal digit shapes */
                {0xfeff, 0xfeff},   /* byte order mark */
                {0xfff9, 0xfffb},   /* interlinear annotation */
                {0xe0000, 0xe0fff}, /* tags and variation selectors */
        };

        for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
                if (c >= marks[i].first && c <= marks[i].last)
                        return true;
        return false;
}

/* Length of the valid UTF-8 sequence of a printable code point above ASCII that s begins with, 0 for none. */
static size_t utf8_printable(const unsigned char *s, size_t size)
{
        size_t n = s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
        uint32_t c;

        if (n == 0 || s[0] > 0xf4 || n > size)
                return 0;
        c = s[0] & (0xffU >> (n + 1));
        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (s[i] & 0x3f);
        }
        if (c < 0xa0 || (n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || c > 0x10ffff ||
                (c >= 0xd800 && c <= 0xdfff))
                return 0;
        return is_misleading(c) ? 0 : n;
}

char *str_escape(char *dst, size_t size, const char *src, size_t src_size)
{
        static const char hex[] = "0123456789abcdef";
        const unsigned char *s = (const unsigned char *)src;
        size_t used = 0, i = 0;

        if (size == 0)
                return dst;
        while (i < src_size) {
                size_t n = s[i] >= 0x20 && s[i] < 0x7f && s[i] != '\\' ? 1
                           : s[i] >= 0x80                              ? utf8_printable(s + i, src_size - i)
                                                                       : 0;

                if (used + (n ? n : 4) >= size)
                        break;
                if (n) {
                        memcpy(dst + used, s + i, n);
                        used += n;
                        i += n;
                        continue;
                }
                dst[used++] = '\\';
                dst[used++] = 'x';
                dst[used++] = hex[s[i] >> 4];
                dst[used++] = hex[s[i] & 15];
                i++;
        }
        dst[used] = '\0';
        return dst;
}

bool str_has_prefix(const char *text, const char *prefix)
{
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_lists(const char *list, const char *separators, const char *word)
{
        size_t length = strlen(word);

        for (const char *p = list; p && *p; p += strspn(p, separators)) {
                size_t n = strcspn(p, separators);

                if (n == length && n > 0 && memcmp(p, word, n) == 0)
                        return true;
                p += n;
        }
        return false;
}

bool str_json_is_deeper(const char *data, size_t size, unsigned int levels)
{
        unsigned int depth = 0;
        bool in_string = false;

        for (size_t i = 0; i < size; i++) {
                if (in_string) {
                        if (data[i] == '\\')
                                i++;
                        else if (data[i] == '"')
                                in_string = false;
                        continue;
                }
                if (data[i] == '"')
                        in_string = true;
                else if ((data[i] == '{' || data[i] == '[') && ++depth > levels)
                        return true;
                else if ((data[i] == '}' || data[i] == ']') && depth > 0)
                        depth--;
        }
        return false;
}

void strv_free(char **v)
{
        for (char **p = v; p && *p; p++)
                free(*p);
        free(v);
}

void strv_freep(char ***v)
{
        strv_free(*v);
        *v = NULL;
}

size_t strv_length(char *const *v)
{
        size_t n = 0;

        while (v && v[n])
                n++;
        return n;
}

int strv_append(char ***v, const char *s)
{
        size_t n = strv_length(*v);
        _cleanup_free_ char *copy = strdup(s);
        char **p;

        if (!copy)
                return -ENOMEM;
        p = reallocarray(*v, n + 2, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p[n] = TAKE(copy);
        p[n + 1] = NULL;
        *v = p;
        return 0;
}

char **strv_copy(char *const *v)
{
        _cleanup_(strv_freep) char **copy = calloc(strv_length(v) + 1, sizeof(*copy));

        if (!copy)
                return NULL;
        for (size_t i = 0; v && v[i]; i++) {
                copy[i] = strdup(v[i]);
                if (!copy[i])
                        return NULL;
        }
        return TAKE(copy);
}
