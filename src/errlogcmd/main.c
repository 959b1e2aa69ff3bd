/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c - croft-error(1): a shell script records an error, and reads those of its partition.  Static in partitions, so
 * that it runs on any root; the same program in global, where -z names a partition.
 */
#include "base/fail.h"
#include "base/str.h"

#include <croft/errlog.h>
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CATALOGUE_MAX 64
#define COMPONENT_MAX 24
#define ERRNO_MAX 4095

struct options {
        const char *partition, *format;
        bool print, quiet;
        struct croft_errlog_message message;
};

static int fail_with(const struct croft_error *err)
{
        char line[CROFT_ERROR_TEXT_MAX];

        return FAIL((int)croft_error_exit(err), "%s", croft_error_line(err, line, sizeof(line)));
}

static void help(FILE *f)
{
        (void)fputs("croft-error [-q] [-z NAME] [-c CATALOGUE -s SET -n NUMBER] [-e ERRNO] [-C CAUSE] [-w | -i] [-p "
                    "COMPONENT]\n"
                    "            -S FORMAT [ARGUMENT...]\n"
                    "croft-error [-z NAME] -l\n"
                    "\n"
                    "Records an error of this partition and prints its number.\n"
                    "\n"
                    "  -S FORMAT     the message: %s %d %u %x %o %c with the arguments that follow, also as %2$s\n"
                    "  -e ERRNO      the error: ENOENT or its number\n"
                    "  -C CAUSE      the number of the record that led to this one\n"
                    "  -w, -i        only a warning, or for information\n"
                    "  -p COMPONENT  who says so (default: what $CROFT_COMPONENT says, else \"script\")\n"
                    "  -c, -s, -n    where a translation is: catalogue, set and number of the message\n"
                    "  -z NAME       of that partition; in global only\n"
                    "  -q            don't print the number\n"
                    "  -l            print what is on record, one line each, instead\n",
                f);
}

static bool parse_number(const char *text, unsigned long long max, unsigned long long *ret)
{
        char *end = NULL;

        errno = 0;
        *ret = strtoull(text, &end, 10);
        return *text >= '0' && *text <= '9' && !errno && !*end && *ret <= max;
}

static int parse_errno(const char *text)
{
        static const struct {
                const char *name;
                int code;
        } aliases[] = {{"ENOTSUP", ENOTSUP}, {"EWOULDBLOCK", EWOULDBLOCK}, {"EDEADLOCK", EDEADLOCK}};
        unsigned long long number;

        for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
                if (strcmp(aliases[i].name, text) == 0)
                        return aliases[i].code;
        if (strcmp(text, croft_error_name(ERRNO_MAX)) == 0) /* what those without a name are called */
                return -1;

        if (parse_number(text, ERRNO_MAX, &number))
                return (int)number;
        for (int i = 1; i <= ERRNO_MAX; i++)
                if (strcmp(croft_error_name(i), text) == 0)
                        return i;
        return -1;
}

static int take_number(char letter, const char *text, unsigned long long max, unsigned long long *ret)
{
        return parse_number(text, max, ret) ? 0 : FAIL(CROFT_EXIT_USAGE, "-%c wants a number, not '%s'", letter, text);
}

static int take_option(int letter, const char *value, struct options *o)
{
        struct croft_errlog_message *m = &o->message;
        unsigned long long number = 0;
        int r = 0;

        switch (letter) {
        case 'z':
                o->partition = value;
                break;
        case 'S':
                o->format = value;
                break;
        case 'c':
                m->catalogue = value;
                break;
        case 'p':
                m->component = value;
                break;
        case 'w':
                m->severity = CROFT_ERRLOG_WARNING;
                break;
        case 'i':
                m->severity = CROFT_ERRLOG_INFO;
                break;
        case 'q':
                o->quiet = true;
                break;
        case 'l':
                o->print = true;
                break;
        case 's':
                r = take_number('s', value, UINT32_MAX, &number);
                m->set = (uint32_t)number;
                break;
        case 'n':
                r = take_number('n', value, UINT32_MAX, &number);
                m->number = (uint32_t)number;
                break;
        case 'C':
                r = take_number('C', value, UINT64_MAX, &number);
                m->cause = number;
                break;
        case 'e':
                m->errnum = parse_errno(value);
                r = m->errnum < 0 ? FAIL(CROFT_EXIT_USAGE, "-e wants the name or number of an error, not '%s'", value)
                                  : 0;
                break;
        default:
                r = FAIL(CROFT_EXIT_USAGE, "%s", "see croft-error --help");
                break;
        }
        return r;
}

static int check(const struct options *o, int n_words)
{
        const struct croft_errlog_message *m = &o->message;

        if (o->print && (o->format || n_words > 0))
                return FAIL(CROFT_EXIT_USAGE, "%s", "-l takes nothing else");
        if (!o->print && !o->format)
                return FAIL(CROFT_EXIT_USAGE, "%s", "-S FORMAT is needed; see croft-error --help");
        if (m->catalogue && strlen(m->catalogue) > CATALOGUE_MAX)
                return FAIL(CROFT_EXIT_USAGE, "the catalogue's name is too long: '%s'", m->catalogue);
        if (strlen(m->component) > COMPONENT_MAX)
                return FAIL(CROFT_EXIT_USAGE, "the component's name is too long: '%s'", m->component);
        return 0;
}

static int parse(int argc, char **argv, struct options *o)
{
        static const struct option longs[] = {
                {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
        const char *component = getenv("CROFT_COMPONENT");
        int letter, r = 0;

        *o = (struct options){.message = {.source = CROFT_ERRLOG_SCRIPT,
                                      .component = component && *component ? component : "script"}};
        while (r == 0 && (letter = getopt_long(argc, argv, "+z:S:c:s:n:e:C:p:wiqlhV", longs, NULL)) >= 0) {
                if (letter == 'h' || letter == 'V') {
                        if (letter == 'h')
                                help(stdout);
                        else
                                (void)puts("croft-error " CROFT_VERSION);
                        exit(CROFT_EXIT_OK);
                }
                r = take_option(letter, optarg, o);
        }
        return r != 0 ? r : check(o, argc - optind);
}

/* The partition of that name: what is in the kernel says it. */
static int find_partition(struct croft_errlog *log, const char *name, uint64_t *ret)
{
        struct croft_errlog_book *books = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        size_t n = 0;
        int r = CROFT_EXIT_NOT_FOUND;

        if (croft_errlog_list_books(log, &books, &n, &err) < 0) {
                if (err.code == EPERM || err.code == EACCES || err.code == ENOENT) /* inside, there is no such thing */
                        (void)croft_error_set(&err, EPERM, "-z is for root in global.");
                return fail_with(&err);
        }
        for (size_t i = 0; i < n && r != 0; i++)
                if (strcmp(books[i].partition ? books[i].name : "global", name) == 0) {
                        *ret = books[i].partition;
                        r = 0;
                }
        free(books);
        return r == 0 ? 0 : FAIL(r, "'%s' has no record of errors", name);
}

/* For a terminal or a log: bytes that could be taken for commands are shown as such. */
static void put_escaped(const char *text)
{
        size_t length = strlen(text), size = 4 * length + 1;
        char *escaped = malloc(size);

        (void)fputs(escaped ? str_escape(escaped, size, text, length) : "(no memory)", stdout);
        free(escaped);
}

static int print(struct croft_errlog *log, uint64_t partition)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_errlog_record record;
        int r;

        for (uint64_t seq = 1; (r = croft_errlog_read(log, partition, seq, &record, &err)) == 0; seq = record.seq + 1) {
                char *text = croft_errlog_text(&record);

                (void)printf("%llu\t%llu\t%s\t%s\t%s\t", (unsigned long long)record.seq,
                        (unsigned long long)record.cause, croft_errlog_source_name(record.source),
                        croft_errlog_severity_name(record.severity),
                        record.errnum ? croft_error_name(record.errnum) : "-");
                put_escaped(record.component);
                (void)putchar('\t');
                put_escaped(text ? text : "(no memory)");
                (void)putchar('\n');
                free(text);
        }
        return r == -ENOENT ? 0 : fail_with(&err);
}

int main(int argc, char **argv)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_errlog *log = NULL;
        struct options o;
        uint64_t seq = 0;
        int r = parse(argc, argv, &o);

        (void)setlocale(LC_CTYPE, "");
        (void)setlocale(LC_MESSAGES, "");
        if (r == 0 && croft_errlog_open(NULL, &log, &err) < 0)
                r = fail_with(&err);
        if (r == 0 && o.partition)
                r = find_partition(log, o.partition, &o.message.partition);
        if (r == 0 && o.print) {
                r = print(log, o.message.partition);
        } else if (r == 0) {
                if (croft_errlog_write_words(
                            log, &o.message, o.format, argv + optind, (size_t)(argc - optind), &seq, &err) < 0)
                        r = fail_with(&err);
                else if (!o.quiet)
                        (void)printf("%llu\n", (unsigned long long)seq);
        }
        (void)croft_errlog_close(log);
        return fflush(stdout) == 0 ? r : CROFT_EXIT_FAILURE;
}
