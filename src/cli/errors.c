/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * errors.c - the record of errors as text, JSON and XML (ERR-32).  All that comes from a record is hostile and is
 * escaped before anything else is done with it.
 */
#include "errors.h"
#include "text.h"

#include <errno.h>
#include <string.h>

void errors_done(struct errors *errors)
{
        free(errors->records);
        errors->records = NULL;
        errors->n = 0;
}

char *errors_escape(const char *text)
{
        return text_escape(text, strlen(text), false);
}

char *errors_text(const struct croft_errlog_record *record)
{
        _cleanup_free_ char *text = croft_errlog_text(record);

        return text ? errors_escape(text) : NULL;
}

char *errors_argument(const struct croft_errlog_record *record, unsigned int i)
{
        _cleanup_free_ char *text = croft_errlog_argument(record, i);

        return text ? errors_escape(text) : NULL;
}

const char *errors_time(char *buf, size_t size, int64_t time_ns)
{
        int64_t part_ns = time_ns % 1000000000;
        time_t seconds = (time_t)(time_ns / 1000000000);
        struct tm tm;
        char date[32];

        if (part_ns < 0) { /* before 1970: a clock that was never set */
                part_ns += 1000000000;
                seconds--;
        }
        if (!gmtime_r(&seconds, &tm) || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
                date[0] = '\0';
        (void)snprintf(buf, size, "%s.%03ldZ", date, (long)(part_ns / 1000000));
        return buf;
}

/* --- text --- */

static const struct croft_errlog_record *find(const struct errors *errors, uint64_t seq, size_t *ret)
{
        for (size_t i = 0; i < errors->n; i++)
                if (errors->records[i].seq == seq) {
                        *ret = i;
                        return &errors->records[i];
                }
        return NULL;
}

static bool has_effect(const struct errors *errors, uint64_t seq)
{
        for (size_t i = 0; i < errors->n; i++)
                if (errors->records[i].cause == seq)
                        return true;
        return false;
}

/* "kernel", "program croftd", "remote host2 croftd", "inside: script backup.sh": who found it; what the partition says
 * of itself can't be taken for somebody else's word.  A new string; NULL: no memory. */
static char *finder(const struct croft_errlog_record *record)
{
        _cleanup_free_ char *component = errors_escape(record->component), *host = errors_escape(record->host);
        const char *source = croft_errlog_source_name(record->source);
        bool named = component && *component && strcmp(component, source) != 0;
        char *text;

        if (asprintf(&text, "%s%s%s%s%s%s", record->by_partition ? "inside: " : "", source, host && *host ? " " : "",
                    host ? host : "", named ? " " : "", named ? component : "") < 0)
                return NULL;
        return text;
}

static void print_line(
        const struct cli *cli, FILE *f, const struct croft_errlog_record *record, size_t width, unsigned int depth)
{
        static const char *const colors[] = {"\033[31m", "\033[33m", ""};
        _cleanup_free_ char *text = errors_text(record), *by = finder(record);
        const char *color = cli->color && record->severity < ELEMENTS(colors) ? colors[record->severity] : "";
        char when[64] = "";
        size_t used = by ? text_width(by) : 0, blank = width > used ? width - used : 0;

        if (depth == 0)
                (void)text_time(when, sizeof(when), (time_t)(record->time_ns / 1000000000));
        (void)fprintf(f, "%-19s  %s%*s  %*s%s%s", when, by ? by : "", (int)blank, "", 2 * (int)depth, "", color,
                text ? text : "(no memory)");
        (void)fputs(*color ? "\033[0m" : "", f);
        if (record->severity != CROFT_ERRLOG_ERROR)
                (void)fprintf(f, " (%s)", croft_errlog_severity_name(record->severity));
        (void)fputc('\n', f);
}

static size_t finder_width(const struct errors *errors)
{
        size_t width = 0;

        for (size_t i = 0; i < errors->n; i++) {
                _cleanup_free_ char *by = finder(&errors->records[i]);

                if (by && text_width(by) > width)
                        width = text_width(by);
        }
        return width;
}

/* From record i to its innermost cause, or to one that was met before; done[] is noted. */
static size_t walk(const struct errors *errors, size_t i, bool *done, size_t *chain)
{
        size_t n = 0;

        while (!done[i]) {
                uint64_t cause = errors->records[i].cause;

                done[i] = true;
                chain[n++] = i;
                if (!cause || !find(errors, cause, &i))
                        break;
        }
        return n;
}

void errors_print_text(const struct cli *cli, FILE *f, const struct errors *errors, bool reverse)
{
        _cleanup_free_ bool *done = calloc(errors->n + 1, sizeof(*done));
        _cleanup_free_ size_t *chain = calloc(errors->n + 1, sizeof(*chain));
        size_t width = finder_width(errors), n;

        if (!done || !chain)
                (void)fputs("(no memory)\n", f);
        /* First what led to nothing else.  The kernel gives causes lower numbers; if they led round in a circle all the
         * same, that is left, and isn't lost either. */
        for (size_t i = 0; done && chain && i < 2 * errors->n; i++) {
                if (i < errors->n ? has_effect(errors, errors->records[i].seq) : done[i - errors->n])
                        continue;
                n = walk(errors, i % errors->n, done, chain);
                for (size_t k = 0; k < n; k++)
                        print_line(cli, f, &errors->records[chain[reverse ? n - 1 - k : k]], width, (unsigned int)k);
        }
        if (errors->book.refused_own + errors->book.refused_reserved > 0)
                (void)fprintf(f, "%llu more found no room: %llu by the partition, %llu by the kernel and by global\n",
                        (unsigned long long)(errors->book.refused_own + errors->book.refused_reserved),
                        (unsigned long long)errors->book.refused_own,
                        (unsigned long long)errors->book.refused_reserved);
}

/* --- JSON --- */

static void set_text(json_t *object, const char *key, char *escaped)
{
        (void)json_object_set_new(object, key, escaped ? json_string(escaped) : json_null());
        free(escaped);
}

static void set_number(json_t *object, const char *key, uint64_t value)
{
        (void)json_object_set_new(object, key, json_integer((json_int_t)value));
}

json_t *errors_record_json(const struct croft_errlog_record *record)
{
        json_t *object = json_object(), *arguments = json_array();
        char when[64];

        set_number(object, "seq", record->seq);
        set_number(object, "attempt", record->attempt);
        if (record->cause)
                set_number(object, "cause", record->cause);
        (void)json_object_set_new(object, "time", json_string(errors_time(when, sizeof(when), record->time_ns)));
        (void)json_object_set_new(object, "source", json_string(croft_errlog_source_name(record->source)));
        (void)json_object_set_new(object, "inside", json_boolean(record->by_partition));
        (void)json_object_set_new(object, "severity", json_string(croft_errlog_severity_name(record->severity)));
        set_text(object, "component", errors_escape(record->component));
        if (record->host[0])
                set_text(object, "host", errors_escape(record->host));
        if (record->errnum) {
                (void)json_object_set_new(object, "errno", json_integer(record->errnum));
                (void)json_object_set_new(object, "error", json_string(croft_error_name(record->errnum)));
        }
        if (record->pid) {
                set_number(object, "pid", record->pid);
                set_number(object, "tid", record->tid);
        }
        if (record->catalogue[0]) {
                set_text(object, "catalogue", errors_escape(record->catalogue));
                set_number(object, "set", record->set);
                set_number(object, "number", record->number);
        }
        set_text(object, "format", errors_escape(record->format));
        for (unsigned int i = 0; i < record->n_args; i++) {
                _cleanup_free_ char *text = errors_argument(record, i);

                if (text)
                        (void)json_array_append_new(arguments, json_string(text));
        }
        (void)json_object_set_new(object, "arguments", arguments);
        set_text(object, "message", errors_text(record));
        return object;
}

json_t *errors_json(const struct errors *errors)
{
        json_t *object = json_object(), *records = json_array(), *refused = json_object();
        char when[64];

        set_text(object, "partition", errors_escape(errors->book.name));
        if (errors->book.partition != ERRORS_NO_BOOK)
                set_number(object, "id", errors->book.partition);
        set_number(object, "attempt", errors->book.attempt);
        if (errors->book.attempt) {
                set_text(object, "operation", errors_escape(errors->book.operation));
                (void)json_object_set_new(
                        object, "began", json_string(errors_time(when, sizeof(when), errors->book.attempt_ns)));
        }
        set_number(refused, "own", errors->book.refused_own);
        set_number(refused, "reserved", errors->book.refused_reserved);
        (void)json_object_set_new(object, "refused", refused);
        for (size_t i = 0; i < errors->n; i++)
                (void)json_array_append_new(records, errors_record_json(&errors->records[i]));
        (void)json_object_set_new(object, "records", records);
        return object;
}

/* --- XML --- */

/* XML 1.0 has no way to write most control characters; by now there are none, and the text is UTF-8. */
static void xml_text(FILE *f, const char *text)
{
        for (const char *p = text; *p; p++) {
                switch (*p) {
                case '<':
                        (void)fputs("&lt;", f);
                        break;
                case '>':
                        (void)fputs("&gt;", f);
                        break;
                case '&':
                        (void)fputs("&amp;", f);
                        break;
                case '"':
                        (void)fputs("&quot;", f);
                        break;
                default:
                        (void)fputc(*p, f);
                }
        }
}

static void xml_attribute(FILE *f, const char *name, char *escaped)
{
        (void)fprintf(f, " %s=\"", name);
        xml_text(f, escaped ? escaped : "");
        (void)fputc('"', f);
        free(escaped);
}

static void xml_number(FILE *f, const char *name, uint64_t value)
{
        (void)fprintf(f, " %s=\"%llu\"", name, (unsigned long long)value);
}

static void xml_element(FILE *f, const char *name, char *escaped)
{
        (void)fprintf(f, "    <%s>", name);
        xml_text(f, escaped ? escaped : "");
        (void)fprintf(f, "</%s>\n", name);
        free(escaped);
}

static void xml_record(FILE *f, const struct croft_errlog_record *record)
{
        char when[64];

        (void)fputs("  <record", f);
        xml_number(f, "seq", record->seq);
        xml_number(f, "attempt", record->attempt);
        if (record->cause)
                xml_number(f, "cause", record->cause);
        (void)fprintf(f, " time=\"%s\" source=\"%s\" inside=\"%s\" severity=\"%s\"",
                errors_time(when, sizeof(when), record->time_ns), croft_errlog_source_name(record->source),
                record->by_partition ? "true" : "false", croft_errlog_severity_name(record->severity));
        xml_attribute(f, "component", errors_escape(record->component));
        if (record->host[0])
                xml_attribute(f, "host", errors_escape(record->host));
        if (record->errnum)
                (void)fprintf(f, " errno=\"%d\" error=\"%s\"", record->errnum, croft_error_name(record->errnum));
        if (record->pid) {
                xml_number(f, "pid", record->pid);
                xml_number(f, "tid", record->tid);
        }
        if (record->catalogue[0]) {
                xml_attribute(f, "catalogue", errors_escape(record->catalogue));
                xml_number(f, "set", record->set);
                xml_number(f, "number", record->number);
        }
        (void)fputs(">\n", f);
        xml_element(f, "format", errors_escape(record->format));
        for (unsigned int i = 0; i < record->n_args; i++) {
                char *text = errors_argument(record, i);

                if (text)
                        xml_element(f, "argument", text);
        }
        xml_element(f, "message", errors_text(record));
        (void)fputs("  </record>\n", f);
}

void errors_print_xml(FILE *f, const struct errors *errors)
{
        const struct croft_errlog_book *book = &errors->book;
        char when[64];

        (void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<errors xmlns=\"urn:croft:errors:1\"", f);
        xml_attribute(f, "partition", errors_escape(book->name));
        if (book->partition != ERRORS_NO_BOOK)
                xml_number(f, "id", book->partition);
        xml_number(f, "attempt", book->attempt);
        if (book->attempt) {
                xml_attribute(f, "operation", errors_escape(book->operation));
                (void)fprintf(f, " began=\"%s\"", errors_time(when, sizeof(when), book->attempt_ns));
        }
        xml_number(f, "refused-own", book->refused_own);
        xml_number(f, "refused-reserved", book->refused_reserved);
        (void)fputs(">\n", f);
        for (size_t i = 0; i < errors->n; i++)
                xml_record(f, &errors->records[i]);
        (void)fputs("</errors>\n", f);
}
