/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_error.c - croft error: print, list, clear.  What is on record is read from the kernel, whether croftd is there or
 * not.
 */
#include "errors.h"
#include "output.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define FOLLOW_US 250000
#define GLOBAL "global" /* no partition can be called that: life_define.c */

void errors_close(struct croft_errlog **log)
{
        *log = croft_errlog_close(*log);
}

/* The programs lie beside the socket that this croft speaks to. */
int errors_open(const struct cli *cli, struct croft_errlog **ret)
{
        const char *slash = cli->socket ? strrchr(cli->socket, '/') : NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_free_ char *directory = NULL;
        int r = 0;

        if (cli->socket)
                r = asprintf(&directory, "%.*sbpf/programs", slash ? (int)(slash + 1 - cli->socket) : 0, cli->socket);
        if (r < 0) {
                directory = NULL;
                r = croft_error_set(&err, ENOMEM, "open the record of errors");
        } else {
                r = croft_errlog_open(directory, ret, &err);
        }
        return r < 0 ? cli_fail(cli, &err, NULL) : 0;
}

/* Is there such a partition, which has had no errors yet?  Says so if not. */
static int ask_croftd(struct cli *cli, const char *name, const char *what)
{
        _cleanup_free_ char *path = cli_path(NULL, "partitions", name, NULL);
        _cleanup_json_ json_t *answer = NULL;

        return cli_request(cli, "GET", path, NULL, what, &answer);
}

/* *ret stays empty, with 0, for a partition without a record. */
int errors_find_book(
        struct cli *cli, struct croft_errlog *log, const char *name, const char *what, struct croft_errlog_book *ret)
{
        _cleanup_free_ struct croft_errlog_book *books = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        size_t n = 0;

        if (croft_errlog_list_books(log, &books, &n, &err) < 0)
                return cli_fail(cli, &err, what);
        for (size_t i = 0; i < n; i++)
                if (strcmp(books[i].partition == 0 ? GLOBAL : books[i].name, name) == 0) {
                        *ret = books[i];
                        (void)snprintf(ret->name, sizeof(ret->name), "%s", name);
                        return 0;
                }
        *ret = (struct croft_errlog_book){.partition = ERRORS_NO_BOOK};
        (void)snprintf(ret->name, sizeof(ret->name), "%s", name);
        return ask_croftd(cli, name, what);
}

static int append(struct errors *errors, const struct croft_errlog_record *record)
{
        struct croft_errlog_record *more = reallocarray(errors->records, errors->n + 1, sizeof(*more));

        if (!more)
                return -ENOMEM;
        more[errors->n++] = *record;
        errors->records = more;
        return 0;
}

/* All from *from on, which moves behind the last one; attempt 0: any. */
static int collect(struct cli *cli, struct croft_errlog *log, uint64_t attempt, uint64_t *from, struct errors *errors)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_errlog_record record;
        int r;

        while ((r = croft_errlog_read(log, errors->book.partition, *from, &record, &err)) == 0) {
                *from = record.seq + 1;
                if (attempt && record.attempt != attempt)
                        continue;
                r = append(errors, &record);
                if (r < 0) {
                        (void)croft_error_set(&err, r, "collect errors");
                        break;
                }
        }
        return r == -ENOENT || r == -ENXIO ? 0 : cli_fail(cli, &err, NULL);
}

static int print_all(struct cli *cli, const struct cli_args *args, const struct errors *errors)
{
        _cleanup_json_ json_t *object = NULL;

        switch (cli->format) {
        case FORMAT_XML:
                errors_print_xml(stdout, errors);
                break;
        case FORMAT_TABLE:
                errors_print_text(cli, stdout, errors, cli_has(args, "reverse"));
                break;
        case FORMAT_JSON:
                object = errors_json(errors);
                (void)json_dumpf(object, stdout, JSON_INDENT(2));
                (void)fputc('\n', stdout);
                break;
        case FORMAT_YAML:
        case FORMAT_CSV:
        default:
                return cli_usage(args->command, "errors are printed as text, json or xml");
        }
        return output_end(stdout);
}

/* What came since, each by itself: what it led to comes later. */
static int print_new(struct cli *cli, const struct errors *errors)
{
        for (size_t i = 0; i < errors->n; i++) {
                const struct errors one = {.book = {.partition = 0}, .records = &errors->records[i], .n = 1};

                if (cli->format == FORMAT_JSON) {
                        _cleanup_json_ json_t *object = errors_record_json(&errors->records[i]);

                        (void)json_dumpf(object, stdout, JSON_COMPACT);
                        (void)fputc('\n', stdout);
                } else {
                        errors_print_text(cli, stdout, &one, false);
                }
        }
        return output_end(stdout);
}

/* It may have got a record meanwhile. */
static void look_again(struct croft_errlog *log, struct croft_errlog_book *book)
{
        _cleanup_free_ struct croft_errlog_book *books = NULL;
        size_t n = 0;

        (void)croft_errlog_list_books(log, &books, &n, NULL);
        for (size_t i = 0; i < n; i++)
                if (books[i].partition && strcmp(books[i].name, book->name) == 0)
                        *book = books[i];
}

/* Nobody reads any more. */
static bool is_abandoned(void)
{
        struct pollfd out = {.fd = STDOUT_FILENO};

        return poll(&out, 1, 0) > 0 && out.revents & (POLLERR | POLLHUP);
}

/* Is the attempt over that is followed (0: all)?  What was recorded of it is looked at once more afterwards. */
static bool is_over(struct croft_errlog *log, uint64_t attempt, const struct croft_errlog_book *book)
{
        struct croft_errlog_book now;

        if (!attempt || book->partition == ERRORS_NO_BOOK)
                return false;
        return croft_errlog_get_book(log, book->partition, &now, NULL) < 0 || now.attempt > attempt;
}

static int follow(struct cli *cli, struct croft_errlog *log, uint64_t attempt, uint64_t from, struct errors *errors)
{
        bool over = false;
        int r = 0;

        while (r == 0 && !over && !is_abandoned()) {
                if (errors->book.partition == ERRORS_NO_BOOK)
                        look_again(log, &errors->book);
                over = is_over(log, attempt, &errors->book);
                errors_done(errors);
                r = collect(cli, log, attempt, &from, errors);
                if (r == 0)
                        r = print_new(cli, errors);
                if (r == 0 && !over)
                        (void)usleep(FOLLOW_US);
        }
        return r;
}

int errors_parse_number(const struct cli_args *args, const char *option, uint64_t *ret)
{
        const char *text = cli_value(args, option);
        char *end = NULL;

        *ret = 0;
        if (!text)
                return 0;
        errno = 0;
        *ret = strtoull(text, &end, 10);
        if (errno || *end || *text < '1' || *text > '9')
                return cli_usage(args->command, "--%s wants a number from 1 on, not '%s'", option, text);
        return 0;
}

int cli_cmd_error_print(struct cli *cli, const struct cli_args *args)
{
        _cleanup_(errors_close) struct croft_errlog *log = NULL;
        _cleanup_(errors_done) struct errors errors = {.n = 0};
        uint64_t attempt = 0, from = 0;
        bool follows = cli_has(args, "follow");
        char what[160];
        int r = errors_parse_number(args, "attempt", &attempt);

        (void)setlocale(LC_CTYPE, ""); /* the language of messages; nothing else of a command depends on one */
        (void)setlocale(LC_MESSAGES, "");
        (void)snprintf(what, sizeof(what), "print the errors of '%s'", args->words[0]);
        if (r == 0)
                r = errors_parse_number(args, "from", &from);
        if (r == 0 && follows && cli_has(args, "reverse"))
                r = cli_usage(args->command, "--follow prints in the order of events, --reverse doesn't go with it");
        if (r == 0 && follows && cli->format != FORMAT_TABLE && cli->format != FORMAT_JSON)
                r = cli_usage(args->command, "--follow prints text or json");
        if (r == 0)
                r = errors_open(cli, &log);
        if (r == 0)
                r = errors_find_book(cli, log, args->words[0], what, &errors.book);
        if (r != 0)
                return r;
        if (follows)
                return follow(cli, log, attempt, from, &errors);
        r = collect(cli, log, attempt, &from, &errors);
        if (r != 0)
                return r;
        r = print_all(cli, args, &errors);
        if (r == 0 && errors.n == 0 && cli->format == FORMAT_TABLE)
                cli_say(cli, "croft: no errors of '%s' are on record", args->words[0]);
        return r;
}

int cli_cmd_error_list(struct cli *cli, const struct cli_args *args)
{
        static const struct cli_column columns[] = {{"NAME", "name", COLUMN_TEXT, true},
                {"ATTEMPT", "attempt", COLUMN_NUMBER, true}, {"OPERATION", "operation", COLUMN_TEXT, true},
                {"AGE", "began", COLUMN_AGE, true}, {"RECORDS", "records", COLUMN_NUMBER, true},
                {"REFUSED", "refused", COLUMN_NUMBER, true}, {NULL}};
        _cleanup_(errors_close) struct croft_errlog *log = NULL;
        _cleanup_free_ struct croft_errlog_book *books = NULL;
        _cleanup_json_ json_t *list = json_array();
        struct croft_error err = CROFT_ERROR_INIT;
        size_t n = 0;
        int r = errors_open(cli, &log);

        if (r != 0)
                return r;
        (void)args;
        if (croft_errlog_list_books(log, &books, &n, &err) < 0)
                return cli_fail(cli, &err, "list the records of errors");
        for (size_t i = 0; i < n; i++) {
                char when[64];
                json_t *one = json_pack("{s:s, s:I, s:I, s:I, s:I}", "name",
                        books[i].partition ? books[i].name : GLOBAL, "id", (json_int_t)books[i].partition, "attempt",
                        (json_int_t)books[i].attempt, "records", (json_int_t)books[i].records, "refused",
                        (json_int_t)(books[i].refused_own + books[i].refused_reserved));

                if (books[i].attempt) {
                        (void)json_object_set_new(one, "operation", json_string(books[i].operation));
                        (void)json_object_set_new(
                                one, "began", json_string(errors_time(when, sizeof(when), books[i].attempt_ns)));
                }
                (void)json_array_append_new(list, one);
        }
        return output_list(cli, stdout, list, columns);
}

static int clear_one(struct cli *cli, const struct cli_args *args, const char *name)
{
        bool global = strcmp(name, GLOBAL) == 0;
        _cleanup_free_ char *path =
                global ? cli_path(NULL, "errors", NULL) : cli_path(NULL, "partitions", name, "errors", NULL);
        char what[160];

        (void)args;
        (void)snprintf(what, sizeof(what), "clear the errors of '%s'", name);
        return cli_request(cli, "DELETE", path, NULL, what, NULL);
}

int cli_cmd_error_clear(struct cli *cli, const struct cli_args *args)
{
        return cli_each(cli, args, clear_one);
}
