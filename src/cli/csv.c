/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * csv.c - fields and records as RFC 4180 has them: CRLF ends a record, quotes are doubled.
 */
#include "output.h"

#include <string.h>

void csv_field(FILE *f, const char *text, bool first)
{
        if (!first)
                (void)fputc(',', f);
        if (!strpbrk(text, ",\"\r\n") && text[0] != ' ' && !(text[0] && text[strlen(text) - 1] == ' ')) {
                (void)fputs(text, f);
                return;
        }
        (void)fputc('"', f);
        for (; *text; text++) {
                if (*text == '"')
                        (void)fputc('"', f);
                (void)fputc(*text, f);
        }
        (void)fputc('"', f);
}

void csv_end(FILE *f)
{
        (void)fputs("\r\n", f);
}
