/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_attend.c - croft error attend: what another machine records about an attempt comes into the record here, marked
 * with that machine, once and in its order (ERR-31).
 *
 * The line is `ssh HOST croft error print NAME --follow`, or the same by croft-remote(8): who is at the other end is
 * theirs to prove.  Which machine and which attempt it is says who calls us, never what is read: a record of another
 * attempt, or with a number that isn't above the last one, ends it all.  How far it came is in the record itself
 * (far_seq), so that another attend goes on there.
 */
#include "errors.h"
#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 65536
#define ARGUMENTS_MAX 16
#define RETRY_MAX_S 8
#define PATIENCE_MS 60000
#define FAR_MAX 4096 /* records of one attempt whose causes are found again */

struct attended {
        struct cli *cli;
        struct croft_errlog *log;
        const char *of, *where; /* where: the machine as it was given */
        char host[64];          /* how its records are marked: without a port */
        enum line_kind kind;
        char why[300];               /* ": " and what the last line said at its end; "": nothing */
        uint64_t partition, attempt; /* attempt: there */
        uint32_t last;               /* the newest number from there that is on record here */
        struct {
                uint32_t there;
                uint64_t here;
        } known[FAR_MAX];
        size_t n_known;
};

static int64_t now_ms(void)
{
        struct timespec now = {0};

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail */
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- the record here --- */

static void note_known(struct attended *a, uint32_t there, uint64_t here)
{
        if (a->n_known < FAR_MAX) {
                a->known[a->n_known].there = there;
                a->known[a->n_known++].here = here;
        }
        a->last = there > a->last ? there : a->last;
}

static uint64_t cause_here(const struct attended *a, uint64_t there)
{
        for (size_t i = 0; there && i < a->n_known; i++)
                if (a->known[i].there == there)
                        return a->known[i].here;
        return 0;
}

/* What an earlier attend brought. */
static void look_back(struct attended *a)
{
        struct croft_errlog_record record = {.seq = 0};

        while (croft_errlog_read(a->log, a->partition, record.seq + 1, &record, NULL) == 0)
                if (record.source == CROFT_ERRLOG_REMOTE && record.far_seq && strcmp(record.host, a->host) == 0)
                        note_known(a, record.far_seq, record.seq);
}

__attribute__((format(printf, 4, 5))) static void note(
        struct attended *a, enum croft_errlog_severity severity, int errnum, const char *format, ...)
{
        const struct croft_errlog_message message = {.partition = a->partition,
                .source = CROFT_ERRLOG_PROGRAM,
                .severity = severity,
                .errnum = errnum,
                .component = "croft",
                .catalogue = "croft"};
        char text[512], *words[] = {text};
        va_list ap;

        va_start(ap, format);
        (void)vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        cli_say(a->cli, "croft: %s", text);
        (void)croft_errlog_write_words(a->log, &message, "%s.", words, 1, NULL, NULL);
}

/* --- what comes from there --- */

static const char *text_at(const json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text ? text : "";
}

static unsigned int severity_of(const char *name)
{
        for (unsigned int i = CROFT_ERRLOG_ERROR; i <= CROFT_ERRLOG_INFO; i++)
                if (strcmp(croft_errlog_severity_name(i), name) == 0)
                        return i;
        return CROFT_ERRLOG_ERROR;
}

/* 0; -EBADMSG: no record, or one that has no business here; else why it couldn't be recorded. */
static int take_record(struct attended *a, const json_t *object)
{
        const json_t *arguments = json_object_get(object, "arguments");
        json_int_t seq = json_integer_value(json_object_get(object, "seq"));
        json_int_t number = json_integer_value(json_object_get(object, "errno"));
        struct croft_errlog_message message = {
                .partition = a->partition, .source = CROFT_ERRLOG_REMOTE, .host = a->host};
        size_t n = json_array_size(arguments);
        char *words[ARGUMENTS_MAX];
        uint64_t here = 0;
        int r;

        if (seq <= 0 || seq > UINT32_MAX || (uint32_t)seq <= a->last || n > ARGUMENTS_MAX || number < 0 ||
                number > 4095 || (uint64_t)json_integer_value(json_object_get(object, "attempt")) != a->attempt)
                return -EBADMSG;
        for (size_t i = 0; i < n; i++) {
                words[i] = (char *)(uintptr_t)json_string_value(json_array_get(arguments, i));
                if (!words[i])
                        return -EBADMSG;
        }
        message.severity = (enum croft_errlog_severity)severity_of(text_at(object, "severity"));
        message.errnum = (int)number;
        message.cause = cause_here(a, (uint64_t)json_integer_value(json_object_get(object, "cause")));
        message.component = text_at(object, "component");
        message.catalogue = text_at(object, "catalogue");
        message.set = (uint32_t)json_integer_value(json_object_get(object, "set"));
        message.number = (uint32_t)json_integer_value(json_object_get(object, "number"));
        message.far_seq = (uint32_t)seq;
        r = croft_errlog_write_words(a->log, &message, text_at(object, "format"), words, n, &here, NULL);
        if (r == -EINVAL) { /* what the recorder there got wrong is shown as it is shown there */
                words[0] = (char *)(uintptr_t)text_at(object, "message");
                r = croft_errlog_write_words(a->log, &message, "%s.", words, 1, &here, NULL);
        }
        if (r == 0 || r == -ENOSPC) /* no room: counted here, and not asked for again */
                note_known(a, (uint32_t)seq, here);
        return r == -ENOSPC ? 0 : r;
}

static int take_line(struct attended *a, const char *line, size_t size)
{
        _cleanup_json_ json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);

        return json_is_object(object) ? take_record(a, object) : -EBADMSG;
}

/* To the end of the line. 0; a negative errno: what came was refused. *ret_any: something came. */
static int take_all(struct attended *a, struct line *line, bool *ret_any)
{
        _cleanup_free_ char *buf = malloc(LINE_MAX_BYTES);
        size_t used = 0;
        ssize_t n;
        int r = buf ? 0 : -ENOMEM;

        while (r == 0 && (n = line_read(line, buf + used, LINE_MAX_BYTES - used)) != 0) {
                char *at = buf, *end;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return 0; /* cut */
                used += (size_t)n;
                while (r == 0 && (end = memchr(at, '\n', used - (size_t)(at - buf)))) {
                        r = take_line(a, at, (size_t)(end - at));
                        at = end + 1;
                        *ret_any = true;
                }
                used -= (size_t)(at - buf);
                memmove(buf, at, used);
                if (used == LINE_MAX_BYTES)
                        r = -EBADMSG;
        }
        return r;
}

/* --- the line --- */

static int open_line(const struct attended *a, struct line *ret)
{
        char attempt[24], from[24];
        const char *command[] = {"croft", "error", "print", a->of, "--follow", "--format", "json", "--attempt", attempt,
                "--from", from, NULL};
        struct line_words words;
        int r;

        (void)snprintf(attempt, sizeof(attempt), "%llu", (unsigned long long)a->attempt);
        (void)snprintf(from, sizeof(from), "%u", a->last + 1);
        r = line_words_make(
                a->kind, getenv(a->kind == LINE_SSH ? "CROFT_SSH" : "CROFT_REMOTE"), a->where, command, &words);
        if (r < 0)
                return r;
        r = line_open(&words, ret);
        line_words_done(&words);
        return r;
}

/* One line from its beginning to its end.  *ret_status: of the child, as a shell has it. */
static int hold_line(struct attended *a, bool *ret_any, int *ret_status)
{
        struct line line;
        int r = open_line(a, &line);

        if (r < 0)
                return r;
        r = take_all(a, &line, ret_any);
        *ret_status = line_close(&line, r < 0);
        (void)snprintf(a->why, sizeof(a->why), "%s%s", line.last[0] ? ": " : "", line.last);
        return r;
}

static int refuse(struct attended *a, int r)
{
        if (r == -EBADMSG)
                note(a, CROFT_ERRLOG_ERROR, EBADMSG,
                        "%s sent what is no record of attempt %llu of '%s', or one twice: no more is taken", a->host,
                        (unsigned long long)a->attempt, a->of);
        else
                note(a, CROFT_ERRLOG_ERROR, -r, "what %s found can't be recorded: %s", a->host, strerror(-r));
        return r == -EBADMSG ? CROFT_EXIT_DENIED : CROFT_EXIT_FAILURE;
}

static int attend(struct attended *a, unsigned int patience_ms)
{
        int64_t cut_at = now_ms();
        unsigned int pause_s = 1;
        bool cut = false;

        for (;;) {
                bool any = false;
                int status = 0, r = hold_line(a, &any, &status);

                if (r < 0)
                        return refuse(a, r);
                if (status == 0)
                        return 0;
                if (status == CROFT_EXIT_NOT_FOUND)
                        note(a, CROFT_ERRLOG_ERROR, ENOENT, "%s has no record of '%s'", a->host, a->of);
                if (any || !cut) {
                        note(a, CROFT_ERRLOG_WARNING, ENOTCONN, "the line to %s was cut (status %d)%s", a->host, status,
                                a->why);
                        cut_at = now_ms();
                        pause_s = 1;
                }
                cut = true;
                if (status == CROFT_EXIT_NOT_FOUND || now_ms() - cut_at >= (int64_t)patience_ms) {
                        note(a, CROFT_ERRLOG_ERROR, ETIMEDOUT,
                                "the line to %s is given up, what it found since isn't here%s", a->host, a->why);
                        return CROFT_EXIT_FAILURE;
                }
                (void)sleep(pause_s);
                pause_s = pause_s * 2 > RETRY_MAX_S ? RETRY_MAX_S : pause_s * 2;
        }
}

/* --- the command --- */

/* One word for the shell there, and no option of ssh here; more: what it may hold besides letters, digits and '-'. */
static bool is_plain(const char *name, const char *more)
{
        char allowed[128];

        (void)snprintf(allowed, sizeof(allowed), "%s%s",
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", more);
        return *name && *name != '-' && strlen(name) < 64 && name[strspn(name, allowed)] == '\0';
}

/* At most one for each partition and machine: two would bring all twice.  A file beside croftd's socket, which nobody
 * but root can reach. */
struct place {
        char path[512];
        int fd; /* held as long as it is open */
};

static void leave(struct place *place)
{
        if (place->fd >= 0)
                (void)unlink(place->path);
        cli_closep(&place->fd);
}

static int enter(const struct attended *a, struct place *ret)
{
        const char *given = a->cli->socket ? a->cli->socket : getenv("CROFT_SOCKET");
        const char *socket = given && *given ? given : CROFT_SOCKET_DEFAULT, *slash = strrchr(socket, '/');
        struct stat held, there;
        int fd;

        (void)snprintf(ret->path, sizeof(ret->path), "%.*sattend.%llu.%s", slash ? (int)(slash + 1 - socket) : 0,
                socket, (unsigned long long)a->partition, a->host);
        fd = open(ret->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        /* Who had it may have taken the file away meanwhile: then it holds nobody off. */
        if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &held) < 0 || stat(ret->path, &there) < 0 ||
                held.st_ino != there.st_ino) {
                cli_closep(&fd);
                return -EBUSY;
        }
        ret->fd = fd;
        return 0;
}

/* The machine without a port: "HOST:PORT" and "[ADDRESS]:PORT" are of croft-remote alone. */
static void mark(struct attended *a)
{
        const char *from = a->where, *colon = strchr(from, ':');
        size_t length = strlen(from);

        if (a->kind == LINE_TLS && *from == '[') {
                from++;
                length = strcspn(from, "]");
        } else if (a->kind == LINE_TLS && colon && !strchr(colon + 1, ':')) {
                length = (size_t)(colon - from);
        }
        (void)snprintf(a->host, sizeof(a->host), "%.*s", (int)length, from);
}

/* What was asked for.  0 or an exit status, the reason said. */
static int take_arguments(const struct cli_args *args, struct attended *a, unsigned int *ret_patience_ms)
{
        const char *of = cli_value(args, "of"), *patience = cli_value(args, "patience");
        int r = errors_parse_number(args, "attempt", &a->attempt);

        a->of = of ? of : args->words[0];
        a->where = args->words[1];
        a->kind = cli_has(args, "tls") ? LINE_TLS : LINE_SSH;
        if (r == 0 && !a->attempt)
                r = cli_usage(args->command, "--attempt is needed: which attempt there is this one's?");
        if (r == 0 && patience && !cli_parse_seconds(patience, ret_patience_ms))
                r = cli_usage(args->command, "--patience wants seconds, not '%s'", patience);
        if (r == 0 && (!is_plain(a->where, a->kind == LINE_TLS ? "._:[]" : "._:@[]") || !is_plain(a->of, "")))
                r = cli_usage(
                        args->command, "'%s' is no name of a machine, or '%s' none of a partition", a->where, a->of);
        if (r == 0)
                mark(a);
        return r;
}

int cli_cmd_error_attend(struct cli *cli, const struct cli_args *args)
{
        _cleanup_(errors_close) struct croft_errlog *log = NULL;
        _cleanup_free_ struct attended *a = calloc(1, sizeof(*a));
        struct croft_errlog_book book = {.partition = 0};
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_(leave) struct place place = {.fd = -1};
        unsigned int patience_ms = PATIENCE_MS;
        char what[160];
        int r;

        (void)snprintf(what, sizeof(what), "attend the errors of '%s'", args->words[0]);
        if (!a) {
                (void)croft_error_set(&err, ENOMEM, "collect errors");
                return cli_fail(cli, &err, what);
        }
        r = take_arguments(args, a, &patience_ms);
        if (r == 0)
                r = errors_open(cli, &log);
        if (r == 0)
                r = errors_find_book(cli, log, args->words[0], what, &book);
        if (r == 0 && book.partition == ERRORS_NO_BOOK) {
                (void)croft_error_set(&err, ESRCH, "'%s' has begun no attempt that another machine could take part in.",
                        args->words[0]);
                r = cli_fail(cli, &err, what);
        }
        if (r != 0)
                return r;
        a->cli = cli;
        a->log = log;
        a->partition = book.partition;
        r = enter(a, &place);
        if (r < 0) {
                (void)croft_error_set(&err, r, "another attend brings them from %s", a->host);
                return cli_fail(cli, &err, what);
        }
        look_back(a);
        return attend(a, patience_ms);
}
