/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * text.c - text for people's eyes.  See text.h.
 */
#include "text.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

size_t text_utf8(const char *text, size_t size, uint32_t *ret)
{
        const unsigned char *s = (const unsigned char *)text;
        size_t n = size == 0                      ? 0
                   : s[0] < 0x80                  ? 1
                   : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
                   : s[0] >= 0xe0 && s[0] < 0xf0  ? 3
                   : s[0] >= 0xc2 && s[0] < 0xe0  ? 2
                                                  : 0;
        uint32_t c;

        if (n == 0 || n > size)
                return 0;
        c = n == 1 ? s[0] : s[0] & (0xffU >> (n + 1));
        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (s[i] & 0x3f);
        }
        if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        *ret = c;
        return n;
}

bool text_printable(uint32_t c)
{
        if (c < 0x20 || (c >= 0x7f && c < 0xa0))
                return false;
        /* Marks that hide or turn text around make one name look like another. */
        if (c == 0xad || c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
                (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe ||
                (c >= 0xe0000 && c <= 0xe0fff))
                return false;
        return true;
}

char *text_escape(const char *text, size_t size, bool newline)
{
        static const char hex[] = "0123456789abcdef";
        char *out = malloc(size * 4 + 1), *p = out;
        size_t i = 0;

        if (!out)
                return NULL;
        while (i < size) {
                uint32_t c = 0;
                size_t n = text_utf8(text + i, size - i, &c);
                bool keep = n > 0 && (text_printable(c) || (newline && (c == '\n' || c == '\t')));

                if (keep) {
                        memcpy(p, text + i, n);
                        p += n;
                        i += n;
                        continue;
                }
                /* All bytes of a code point that isn't shown, or the one byte that is none. */
                for (size_t end = i + (n ? n : 1); i < end; i++) {
                        *p++ = '\\';
                        *p++ = 'x';
                        *p++ = hex[(unsigned char)text[i] >> 4];
                        *p++ = hex[(unsigned char)text[i] & 15];
                }
        }
        *p = '\0';
        return out;
}

/* wcwidth(3) knows nothing in the "C" locale; loading another costs, so that is left until it is needed. */
static int width_of(uint32_t c)
{
        static bool loaded;
        int width;

        if (!loaded) {
                if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
                        (void)setlocale(LC_CTYPE, "C.UTF-8"); /* without it all are one column wide */
                loaded = true;
        }
        width = wcwidth((wchar_t)c);
        return width < 0 ? 1 : width;
}

size_t text_width(const char *text)
{
        size_t size = strlen(text), width = 0, i = 0;

        while (i < size) {
                uint32_t c = 0;
                size_t n = text_utf8(text + i, size - i, &c);

                width += n <= 1 ? 1 : (size_t)width_of(c);
                i += n ? n : 1;
        }
        return width;
}

#define WORD_MAX 40

unsigned int text_distance(const char *a, const char *b)
{
        unsigned int d[WORD_MAX + 1][WORD_MAX + 1];
        size_t n = strlen(a), m = strlen(b);

        if (n > WORD_MAX || m > WORD_MAX)
                return WORD_MAX;
        for (size_t i = 0; i <= n; i++)
                d[i][0] = (unsigned int)i;
        for (size_t j = 0; j <= m; j++)
                d[0][j] = (unsigned int)j;
        for (size_t i = 1; i <= n; i++) {
                for (size_t j = 1; j <= m; j++) {
                        unsigned int best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

                        best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
                        best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                                d[i - 2][j - 2] + 1 < best)
                                best = d[i - 2][j - 2] + 1;
                        d[i][j] = best;
                }
        }
        return d[n][m];
}

const char *text_bytes(char *buf, size_t size, uint64_t bytes)
{
        static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
        double value = (double)bytes;
        size_t unit = 0;

        while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
                value /= 1024;
                unit++;
        }
        /* One decimal where it tells something: 1.5 GiB, but 96 MiB. */
        (void)snprintf(
                buf, size, value < 10 && value != (double)(uint64_t)value ? "%.1f %s" : "%.0f %s", value, units[unit]);
        return buf;
}

const char *text_duration(char *buf, size_t size, double seconds)
{
        uint64_t s;

        if (!(seconds > 0))
                seconds = 0; /* a clock that was set back */
        s = (uint64_t)seconds;
        if (s >= 86400)
                (void)snprintf(buf, size, "%llu d %llu h", (unsigned long long)(s / 86400),
                        (unsigned long long)(s % 86400 / 3600));
        else if (s >= 3600)
                (void)snprintf(buf, size, "%llu h %llu min", (unsigned long long)(s / 3600),
                        (unsigned long long)(s % 3600 / 60));
        else if (s >= 60)
                (void)snprintf(
                        buf, size, "%llu min %llu s", (unsigned long long)(s / 60), (unsigned long long)(s % 60));
        else if (s >= 10 || seconds == (double)s)
                (void)snprintf(buf, size, "%llu s", (unsigned long long)s);
        else
                (void)snprintf(buf, size, "%.3f s", seconds);
        return buf;
}

const char *text_time(char *buf, size_t size, time_t t)
{
        struct tm tm;

        if (!localtime_r(&t, &tm) || strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
                (void)snprintf(buf, size, "%lld", (long long)t);
        return buf;
}
