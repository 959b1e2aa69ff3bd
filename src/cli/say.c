/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * say.c - lines on standard error, and the small destructors.
 *
 * What is said may hold names and paths that somebody else chose, so the whole line is escaped.
 */
#include "cli.h"
#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

void cli_freep(void *p)
{
        void **q = p;

        free(*q);
        *q = NULL;
}

void cli_json_decrefp(json_t **j)
{
        json_decref(*j);
        *j = NULL;
}

void cli_closep(int *fd)
{
        if (*fd >= 0)
                (void)close(*fd); /* nothing to be done about a failure */
        *fd = -1;
}

static void say(const char *format, va_list ap)
{
        _cleanup_free_ char *text = NULL, *escaped = NULL;

        if (vasprintf(&text, format, ap) < 0) {
                text = NULL;
                return;
        }
        escaped = text_escape(text, strlen(text), false);
        (void)fprintf(stderr, "%s\n", escaped ? escaped : "croft: no memory");
}

static void say_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say_line(const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        say(format, ap);
        va_end(ap);
}

void cli_say(const struct cli *cli, const char *format, ...)
{
        va_list ap;

        if (cli && cli->quiet)
                return;
        va_start(ap, format);
        say(format, ap);
        va_end(ap);
}

int cli_usage(const struct cli_command *command, const char *format, ...)
{
        _cleanup_free_ char *text = NULL;
        char name[64] = "";
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&text, format, ap) < 0)
                text = NULL;
        va_end(ap);
        if (command)
                cli_full_name(command, name, sizeof(name));
        say_line("croft: %s (see: croft help%s%s)", text ? text : "no memory", *name ? " " : "", name);
        return CROFT_EXIT_USAGE;
}

static void say_chain(const struct croft_error *err)
{
        const char *cause;

        for (unsigned int i = 0; (cause = croft_error_cause(err, i)); i++)
                say_line("%*s%s%s", (int)(2 * i), "", i ? "because: " : "croft: ", cause);
        say_line("(%s)", croft_error_name(err->code));
}

int cli_fail(const struct cli *cli, const struct croft_error *err, const char *what)
{
        enum croft_exit status = cli->client ? croft_client_exit(cli->client) : CROFT_EXIT_OK;
        const char *first = croft_error_cause(err, 0);
        char line[CROFT_ERROR_TEXT_MAX * 2];
        bool said;

        croft_error_line(err, line, sizeof(line));
        /* croftd puts the same words in front where it can; they are not said twice. */
        said = !what || err->code == ECONNREFUSED || (first && strcmp(first, what) == 0);
        if (cli->verbose)
                say_chain(err);
        else
                say_line("croft: %s%s%s", said ? "" : what, said ? "" : ": ", line);
        return status != CROFT_EXIT_OK ? (int)status : (int)croft_error_exit(err);
}
