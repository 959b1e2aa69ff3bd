/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * log.c - what the mains say.  See log.h.  A line is one write(2), so that lines of several processes don't mix;
 * control bytes are escaped.
 */
#include "base/log.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *log_program = "croft";
static enum log_level log_max = LOG_LEVEL_INFO;
static bool log_prefix;

void log_open(const char *program, enum log_level level)
{
        log_program = program;
        log_max = level;
        log_prefix = getenv("JOURNAL_STREAM") != NULL;
}

static void say(enum log_level level, const char *text)
{
        char escaped[2048], line[2200];
        int n;

        str_escape(escaped, sizeof(escaped), text, strlen(text));
        if (log_prefix)
                n = snprintf(line, sizeof(line), "<%d>%s\n", (int)level, escaped);
        else
                n = snprintf(line, sizeof(line), "%s: %s\n", log_program, escaped);
        if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
                return; /* nobody listens; there is no other place to say it */
}

void log_say(enum log_level level, const char *format, ...)
{
        char text[1536];
        va_list ap;

        if (level > log_max)
                return;
        va_start(ap, format);
        (void)vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        say(level, text);
}

void log_error(enum log_level level, const struct croft_error *err, const char *format, ...)
{
        char text[1536], chain[CROFT_ERROR_TEXT_MAX];
        size_t used;
        va_list ap;

        if (level > log_max)
                return;
        va_start(ap, format);
        (void)vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        used = strlen(text);
        (void)snprintf(text + used, sizeof(text) - used, ": %s", croft_error_line(err, chain, sizeof(chain)));
        say(level, text);
}
