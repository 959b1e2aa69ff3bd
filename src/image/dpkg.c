/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * dpkg.c - what the package database says: conffiles with the checksums they were shipped with.  Pure.
 */
#include "image/native.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* " /etc/foo.conf 0123...ef" and perhaps " obsolete", " remove-on-upgrade": a path may contain blanks, so the checksum
 * is looked for from the end.  False: not a current conffile. */
static bool parse_conffile(const char *line, size_t length, char path[4096], char md5[33])
{
        const char *blank;

        if (length < 2 || line[0] != ' ' || line[1] != '/')
                return false;
        blank = memrchr(line + 1, ' ', length - 1);
        if (!blank || (size_t)(line + length - blank - 1) != 32)
                return false; /* "obsolete", "newconffile": no checksum of the installed version */
        for (size_t i = 0; i < 32; i++)
                if (!isdigit((unsigned char)blank[1 + i]) && !(blank[1 + i] >= 'a' && blank[1 + i] <= 'f'))
                        return false;
        if ((size_t)(blank - line) < 3 || (size_t)(blank - line) > 4095)
                return false;
        (void)snprintf(path, 4096, "%.*s", (int)(blank - line - 2), line + 2);
        (void)snprintf(md5, 33, "%.32s", blank + 1);
        return true;
}

int dpkg_each_conffile(const char *status, size_t size, dpkg_conffile each, void *context)
{
        const char *end = status + size, *next;
        char path[4096], md5[33];
        bool inside = false;
        int r;

        for (const char *line = status; line < end; line = next) {
                const char *stop = memchr(line, '\n', (size_t)(end - line));
                size_t length;

                stop = stop ? stop : end;
                next = stop + 1;
                length = (size_t)(stop - line);
                if (length == 0 || line[0] != ' ') {
                        inside = length >= 10 && strncasecmp(line, "Conffiles:", 10) == 0;
                        continue;
                }
                if (!inside || !parse_conffile(line, length, path, md5))
                        continue;
                r = each(context, path, md5);
                if (r != 0)
                        return r;
        }
        return 0;
}

static bool is_word(char c)
{
        return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static bool has_word(const char *text, const char *word)
{
        size_t length = strlen(word);

        for (const char *p = text; (p = strstr(p, word)); p++)
                if ((p == text || !is_word(p[-1])) && !is_word(p[length]))
                        return true;
        return false;
}

bool dpkg_script_makes_account(const char *script, const char *name)
{
        static const char *const makers[] = {"adduser", "addgroup", "useradd", "groupadd"};

        for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
                if (has_word(script, makers[i]))
                        return has_word(script, name);
        return false;
}
