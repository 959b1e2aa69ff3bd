/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * errlog.c - <croft/errlog.h>: writes and reads the record of errors by the pinned program, without any daemon.
 */
#include "lib/errlog.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/pinned.h"
#include "base/str.h"
#include "errlog/client.h"
#include "errlog/kernel_messages.h"

#include <libintl.h>
#include <string.h>

#define BOOKS_MAX 16384 /* four times as many as there can be */

struct croft_errlog {
        char *directory;
        int program;
};

_Static_assert(sizeof(((struct croft_errlog_record *)0)->args) == MESSAGE_ARGS_SIZE, "layout");
_Static_assert(
        ERRLOG_ARGS == MESSAGE_ARGS_SIZE && ERRLOG_FORMAT == MESSAGE_FORMAT_MAX && ERRLOG_ARGS_MAX == MESSAGE_ARGS_MAX,
        "layout");
_Static_assert((int)CROFT_ERRLOG_REMOTE == (int)ERRLOG_REMOTE && (int)CROFT_ERRLOG_INFO == (int)ERRLOG_INFO, "numbers");

int croft_errlog_open(const char *directory, struct croft_errlog **ret, struct croft_error *err)
{
        _cleanup_free_ char *found = directory ? strdup(directory) : pinned_programs();
        struct croft_errlog *log = calloc(1, sizeof(*log));
        int r;

        if (!found || !log) {
                free(log);
                return croft_error_set(err, ENOMEM, "open the record of errors");
        }
        log->program = r = errlog_client_open(found);
        if (r < 0)
                free(log);
        if (r == -ENOENT)
                return croft_error_set(err, ENOENT, "there is no record of errors at %s (is croftd running?).", found);
        if (r < 0)
                return croft_error_set(err, r, "open the record of errors at %s", found);
        log->directory = TAKE(found);
        *ret = log;
        return 0;
}

struct croft_errlog *croft_errlog_close(struct croft_errlog *log)
{
        if (!log)
                return NULL;
        (void)close_fd(log->program);
        free(log->directory);
        free(log);
        return NULL;
}

const char *croft_errlog_source_name(unsigned int source)
{
        static const char *const names[] = {"unknown", "kernel", "library", "program", "script", "remote"};

        return names[source < ELEMENTS(names) ? source : 0];
}

const char *croft_errlog_severity_name(unsigned int severity)
{
        static const char *const names[] = {"error", "warning", "info"};

        return severity < ELEMENTS(names) ? names[severity] : "unknown";
}

/* --- writing --- */

static void put_text(char *field, size_t size, const char *text)
{
        if (text)
                memcpy(field, text, strnlen(text, size));
}

void errlog_fill(struct errlog_record *record, const struct croft_errlog_message *message, const char *format)
{
        *record = (struct errlog_record){.source = (uint8_t)message->source,
                .severity = (uint8_t)message->severity,
                .errnum = message->errnum,
                .set = message->set,
                .number = message->number,
                .far_seq = message->source == CROFT_ERRLOG_REMOTE ? message->far_seq : 0,
                .cause = message->cause};
        put_text(record->component, sizeof(record->component), message->component);
        put_text(record->host, sizeof(record->host), message->host);
        put_text(record->catalogue, sizeof(record->catalogue), message->catalogue);
        put_text(record->format, sizeof(record->format), format);
}

void errlog_fill_args(struct errlog_record *record, const struct message_args *args)
{
        record->n_args = args->n;
        record->args_size = args->size;
        memcpy(record->args, args->bytes, args->size);
}

int errlog_send(struct croft_errlog *log, uint64_t partition, const struct errlog_record *record, uint64_t *ret_seq)
{
        struct errlog_call call = {.op = ERRLOG_OP_WRITE, .partition = partition, .record = *record};
        int r = errlog_client_call(log->program, &call);

        if (r == 0 && ret_seq)
                *ret_seq = call.seq;
        return r;
}

int croft_errlog_write(struct croft_errlog *log, const struct croft_errlog_message *message, uint64_t *ret_seq,
        const char *format, ...)
{
        struct errlog_record record;
        struct message_args args;
        va_list ap;
        int r;

        va_start(ap, format);
        r = message_pack(format, ap, &args);
        va_end(ap);
        if (r < 0)
                return r;
        errlog_fill(&record, message, format);
        errlog_fill_args(&record, &args);
        return errlog_send(log, message->partition, &record, ret_seq);
}

static int write_error(struct croft_error *err, int r)
{
        switch (r) {
        case -EPERM:
                return croft_error_set(err, EPERM, "a partition writes into its own record of errors only.");
        case -ESRCH:
                return croft_error_set(err, ESRCH, "there is no record of errors for that partition.");
        case -ENOMEM:
                return croft_error_set(
                        err, ENOSPC, "the record of errors is full: the message was refused and counted.");
        default:
                return croft_error_set(err, r, "write into the record of errors");
        }
}

int croft_errlog_write_words(struct croft_errlog *log, const struct croft_errlog_message *message, const char *format,
        char *const *words, size_t n_words, uint64_t *ret_seq, struct croft_error *err)
{
        struct errlog_record record;
        struct message_args args;
        const char *why = NULL;
        size_t bad = 0;
        int r = message_check(format, &why);

        if (r < 0)
                return croft_error_set(err, EINVAL, "the format is none: %s.", why);
        r = message_pack_words(format, words, n_words, &args, &bad);
        if (r == -ERANGE)
                return croft_error_set(err, EINVAL, "argument %zu is not what the format wants there.", bad + 1);
        if (r < 0)
                return croft_error_set(err, EINVAL, "the format wants another number of arguments than %zu.", n_words);
        errlog_fill(&record, message, format);
        errlog_fill_args(&record, &args);
        r = errlog_send(log, message->partition, &record, ret_seq);
        return r < 0 ? write_error(err, r) : 0;
}

/* --- reading --- */

static int64_t wall_ns(int64_t boot_ns)
{
        return boot_ns + now_ns(CLOCK_REALTIME) - now_ns(CLOCK_BOOTTIME);
}

static void take_text(char *to, size_t size, const char *field, size_t field_size)
{
        size_t length = strnlen(field, field_size < size ? field_size : size - 1);

        memcpy(to, field, length);
        memset(to + length, 0, size - length);
}
#define TAKE_TEXT(to, field) take_text(to, sizeof(to), field, sizeof(field))

static void take_book(struct croft_errlog_book *ret, uint64_t partition, const struct errlog_book *book)
{
        *ret = (struct croft_errlog_book){.partition = partition,
                .attempt = book->attempt,
                .attempt_ns = book->attempt ? wall_ns(book->attempt_ns) : 0,
                .records = errlog_client_count(book),
                .refused_own = book->refused[ERRLOG_PART_OWN],
                .refused_reserved = book->refused[ERRLOG_PART_RESERVED]};
        TAKE_TEXT(ret->name, book->name);
        TAKE_TEXT(ret->operation, book->operation);
}

static int read_error(struct croft_error *err, int r)
{
        if (r == -ESRCH)
                return croft_error_set(err, ENXIO, "there is no record of errors for that partition.");
        return croft_error_set(err, r, "read the record of errors");
}

int croft_errlog_get_book(
        struct croft_errlog *log, uint64_t partition, struct croft_errlog_book *ret, struct croft_error *err)
{
        struct errlog_book book;
        int r = errlog_client_book(log->program, partition, &book);

        if (r < 0)
                return read_error(err, r);
        take_book(ret, partition, &book);
        return 0;
}

static int by_partition(const void *a, const void *b)
{
        uint64_t x = ((const struct croft_errlog_book *)a)->partition,
                 y = ((const struct croft_errlog_book *)b)->partition;

        return x < y ? -1 : x > y;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(((const struct croft_errlog_book *)a)->name, ((const struct croft_errlog_book *)b)->name);
}

/* Each once, by name; how many are left. */
static size_t sort_books(struct croft_errlog_book *list, size_t n)
{
        size_t kept = 0;

        if (n == 0)
                return 0;
        qsort(list, n, sizeof(*list), by_partition);
        for (size_t i = 0; i < n; i++)
                if (i == 0 || list[i].partition != list[kept - 1].partition)
                        list[kept++] = list[i];
        qsort(list, kept, sizeof(*list), by_name);
        return kept;
}

int croft_errlog_list_books(
        struct croft_errlog *log, struct croft_errlog_book **ret, size_t *ret_n, struct croft_error *err)
{
        _cleanup_close_ int books = errlog_client_open_books(log->directory);
        struct croft_errlog_book *list = NULL;
        struct errlog_book book;
        uint64_t key = 0, last = 0;
        size_t n = 0, room = 0;
        int r = books;

        if (books < 0)
                return croft_error_set(err, books, "open all records of errors");
        /* When the book that was looked at last has gone, the walk begins anew: some come twice. */
        while ((r = errlog_client_next_book(books, n ? &last : NULL, &key, &book)) == 0 && n < BOOKS_MAX) {
                if (n == room) {
                        struct croft_errlog_book *more = reallocarray(list, room = room * 2 + 16, sizeof(*list));

                        if (!more) {
                                r = -ENOMEM;
                                break;
                        }
                        list = more;
                }
                take_book(&list[n++], key, &book);
                last = key;
        }
        if (r < 0 && r != -ENOENT) {
                free(list);
                return read_error(err, r);
        }
        *ret_n = sort_books(list, n);
        *ret = list;
        return 0;
}

static void take_record(struct croft_errlog_record *ret, const struct errlog_record *record)
{
        bool inside = record->pid == 0; /* global's numbers are for global */

        *ret = (struct croft_errlog_record){.partition = record->partition,
                .seq = record->seq,
                .attempt = record->attempt,
                .cause = record->cause,
                .time_ns = wall_ns(record->boot_ns),
                .source = record->source,
                .severity = record->severity,
                .by_partition = record->part == ERRLOG_PART_OWN,
                .errnum = record->errnum,
                .pid = inside ? record->pid_inside : record->pid,
                .tid = inside ? record->tid_inside : record->tid,
                .set = record->set,
                .number = record->number,
                .far_seq = record->source == ERRLOG_REMOTE ? record->far_seq : 0,
                .n_args = record->n_args,
                .args_size = record->args_size <= MESSAGE_ARGS_SIZE ? record->args_size : 0};
        TAKE_TEXT(ret->component, record->component);
        if (record->source == ERRLOG_REMOTE)
                TAKE_TEXT(ret->host, record->host);
        TAKE_TEXT(ret->catalogue, record->catalogue);
        TAKE_TEXT(ret->format, record->format);
        memcpy(ret->args, record->args, sizeof(ret->args));
}

int croft_errlog_read(struct croft_errlog *log, uint64_t partition, uint64_t seq, struct croft_errlog_record *ret,
        struct croft_error *err)
{
        struct errlog_record record;
        struct errlog_book book;
        int r = errlog_client_book(log->program, partition, &book);

        if (r == 0)
                r = errlog_client_next(log->program, partition, &book, &seq, &record);
        if (r == -ENOENT)
                return croft_error_set(err, ENOENT, "there are no more errors on record.");
        if (r < 0)
                return read_error(err, r);
        take_record(ret, &record);
        return 0;
}

static struct message_args args_of(const struct croft_errlog_record *record)
{
        struct message_args args = {.size = (uint16_t)record->args_size, .n = (uint8_t)record->n_args};

        memcpy(args.bytes, record->args, sizeof(args.bytes));
        return args;
}

/* A name that can't lead out of the directory of catalogues. */
static bool is_catalogue(const char *name)
{
        return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == '\0';
}

/* Where catalogues lie if not where gettext(3) looks by itself. */
static void bind_catalogue(const char *name)
{
        const char *directory = secure_getenv("CROFT_LOCALEDIR");

        if (directory && *directory)
                (void)bindtextdomain(name, directory);
        else if (strcmp(name, ERRLOG_CATALOGUE_CROFT) == 0)
                (void)bindtextdomain(name, CROFT_LOCALEDIR);
        (void)bind_textdomain_codeset(name, "UTF-8");
}

/* As pgettext(): the context is the message's number, so that one text can have several translations; messages without
 * a number have none.  Borrowed; NULL: none. */
static const char *translate(const struct croft_errlog_record *record)
{
        char key[sizeof(record->format) + 32];
        const char *found;

        if (!is_catalogue(record->catalogue) || !record->format[0])
                return NULL;
        if (record->set || record->number)
                (void)snprintf(key, sizeof(key), "%u.%u\004%s", record->set, record->number, record->format);
        else
                (void)snprintf(key, sizeof(key), "%s", record->format);
        bind_catalogue(record->catalogue);
        found = dgettext(record->catalogue, key);
        return found == key ? NULL : found;
}

/* As croft_error_set(): a sentence that ends in a dot says it all, and loses the dot; what has no cause on record but a
 * code has the text of that behind it. */
static char *complete(const struct croft_errlog_record *record, char *text)
{
        size_t length = strlen(text);
        const char *said = NULL;
        char buf[128], *more;

        if (length > 0 && text[length - 1] == '.') {
                text[length - 1] = '\0';
                return text;
        }
        if (record->errnum > 0 && !record->cause)
                said = strerror_r(record->errnum, buf, sizeof(buf)); /* of the process's language */
        if (!said || strstr(text, said))
                return text;
        if (asprintf(&more, "%s: %s", text, said) < 0)
                more = NULL;
        free(text);
        return more;
}

char *croft_errlog_text(const struct croft_errlog_record *record)
{
        struct message_args args = args_of(record);
        char *text = message_render(record->format, sizeof(record->format), translate(record), &args);

        return text ? complete(record, text) : NULL;
}

char *croft_errlog_argument(const struct croft_errlog_record *record, unsigned int i)
{
        struct message_args args = args_of(record);

        return message_args_valid(args.bytes, args.size, args.n) ? message_argument(&args, i) : NULL;
}
