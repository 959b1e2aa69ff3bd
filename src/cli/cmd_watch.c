/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_watch.c - log, events and check: what partitions, croftd and the kernel have to tell.
 */
#include "output.h"
#include "text.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* --- log --- */

struct log_sink {
        bool escape;
        char held[4]; /* the beginning of a code point that was cut between two pieces */
        size_t n_held;
};

/* How many bytes at the end may be the beginning of a code point. */
static size_t unfinished(const char *data, size_t size)
{
        for (size_t n = 1; n <= 3 && n <= size; n++) {
                unsigned char c = (unsigned char)data[size - n];

                if (c >= 0xc0)
                        return (c >= 0xf0 ? 4U : c >= 0xe0 ? 3U : 2U) > n ? n : 0;
                if (c < 0x80)
                        return 0;
        }
        return 0;
}

static int put_escaped(struct log_sink *sink, const char *data, size_t size)
{
        _cleanup_free_ char *all = malloc(size + sizeof(sink->held)), *escaped = NULL;
        size_t n = sink->n_held, keep;

        if (!all)
                return -ENOMEM;
        memcpy(all, sink->held, n);
        memcpy(all + n, data, size);
        keep = unfinished(all, n + size);
        memcpy(sink->held, all + n + size - keep, keep);
        sink->n_held = keep;
        escaped = text_escape(all, n + size - keep, true);
        if (!escaped)
                return -ENOMEM;
        return fputs(escaped, stdout) < 0 ? -errno : 0;
}

/* Carriage returns at the end of lines are what every terminal driver writes: no need to show them. */
static size_t drop_returns(char *data, size_t size)
{
        size_t n = 0;

        for (size_t i = 0; i < size; i++) {
                if (data[i] != '\r')
                        data[n++] = data[i];
        }
        return n;
}

static int log_write(void *context, const void *data, size_t size)
{
        struct log_sink *sink = context;
        int r = 0;

        if (sink->escape) {
                _cleanup_free_ char *copy = malloc(size ? size : 1);

                if (!copy)
                        return -ENOMEM;
                memcpy(copy, data, size);
                r = put_escaped(sink, copy, drop_returns(copy, size));
        } else if (fwrite(data, 1, size, stdout) != size) {
                r = -errno;
        }
        if (r == 0 && fflush(stdout) != 0)
                r = -errno;
        return r;
}

static bool is_number(const char *text)
{
        return *text && text[strspn(text, "0123456789")] == '\0' && strlen(text) <= 9;
}

int cli_cmd_log(struct cli *cli, const struct cli_args *args)
{
        struct log_sink sink = {.escape = cli->terminal && !cli_has(args, "raw")};
        const char *lines = cli_value(args, "lines");
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_free_ char *path = NULL;
        char query[64], what[160];
        int r = cli_connect(cli);

        if (lines && !is_number(lines))
                return cli_usage(args->command, "'%s' is no number of lines", lines);
        if (r != 0)
                return r;
        (void)snprintf(query, sizeof(query), "%s%s%s%s", lines ? "lines=" : "", lines ? lines : "",
                lines && cli_has(args, "follow") ? "&" : "", cli_has(args, "follow") ? "follow=1" : "");
        path = cli_path(*query ? query : NULL, "partitions", args->words[0], "log", NULL);
        if (!path) {
                (void)croft_error_set(&err, ENOMEM, "make a request");
                return cli_fail(cli, &err, NULL);
        }
        (void)snprintf(what, sizeof(what), "log of '%s'", args->words[0]);
        r = croft_client_fetch(cli->client, path, log_write, &sink, &err);
        if (r == -EPIPE)
                return CROFT_EXIT_FAILURE;
        return r < 0 ? cli_fail(cli, &err, what) : output_end(stdout);
}

/* --- events --- */

static int wanted(const struct cli_args *args, const json_t *event)
{
        const char *name = json_string_value(json_object_get(event, "partition"));

        for (size_t i = 0; i < args->n_words; i++) {
                if (name && strcmp(name, args->words[i]) == 0)
                        return 1;
        }
        return args->n_words == 0;
}

/* "10:00:01  state  web  Active  text". */
static void print_event(const json_t *event)
{
        static const char *const keys[] = {"time", "type", "partition", "state", "text"};
        bool first = true;

        for (size_t i = 0; i < ELEMENTS(keys); i++) {
                const json_t *value = json_object_get(event, keys[i]);
                _cleanup_free_ char *text =
                        value && !json_is_null(value) ? output_scalar(value, COLUMN_TEXT, true) : NULL;
                _cleanup_free_ char *escaped = text ? text_escape(text, strlen(text), false) : NULL;

                if (!escaped)
                        continue;
                (void)printf("%s%s", first ? "" : "  ", escaped);
                first = false;
        }
        (void)fputc('\n', stdout);
}

static int put_event(const struct cli *cli, const struct cli_args *args, const char *line)
{
        _cleanup_json_ json_t *event = json_loads(line, 0, NULL), *list = NULL;

        if (!event || !wanted(args, event))
                return 0;
        if (cli->format == FORMAT_TABLE) {
                print_event(event);
        } else if (cli->format == FORMAT_YAML) {
                list = json_pack("[O]", event);
                yaml_value(stdout, list);
        } else if (cli->format == FORMAT_JSON) {
                (void)json_dumpf(event, stdout, JSON_COMPACT | (cli->terminal ? JSON_ENSURE_ASCII : 0));
                (void)fputc('\n', stdout);
        } else {
                static const struct cli_column columns[] = {{"TIME", "time", COLUMN_TEXT, true},
                        {"TYPE", "type", COLUMN_TEXT, true}, {"PARTITION", "partition", COLUMN_TEXT, true},
                        {"ID", "id", COLUMN_TEXT, true}, {"STATE", "state", COLUMN_TEXT, true},
                        {"TEXT", "text", COLUMN_TEXT, true}, {NULL}};
                struct cli bare = *cli;

                list = json_pack("[O]", event);
                bare.no_header = true;
                return output_list(&bare, stdout, list, columns);
        }
        return output_end(stdout);
}

int cli_cmd_events(struct cli *cli, const struct cli_args *args)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_events *events = NULL;
        int r = cli_connect(cli), status = 0;

        if (r != 0)
                return r;
        r = croft_events_open(cli->client, &events, &err);
        while (r >= 0 && status == 0) {
                _cleanup_free_ char *line = NULL;

                r = croft_events_next(events, -1, &line, &err);
                if (r > 0)
                        status = put_event(cli, args, line);
        }
        croft_events_close(events);
        return r < 0 ? cli_fail(cli, &err, "events") : status;
}

/* --- check --- */

static const struct cli_column check_columns[] = {
        {"FEATURE", "name", COLUMN_TEXT, true},
        {"STATUS", "status", COLUMN_STATE, true},
        {"FALLBACK", "fallback", COLUMN_TEXT, false},
        {"LOST", "lost", COLUMN_TEXT, false},
        {"DETAIL", "detail", COLUMN_TEXT, false},
        {NULL},
};

/* 0: everything needed is there.  A fallback is no failure; a feature that is needed and missing is. */
static int check_status(const json_t *answer)
{
        const json_t *ok = json_object_get(answer, "ok");

        return json_is_false(ok) ? CROFT_EXIT_FAILURE : CROFT_EXIT_OK;
}

int cli_cmd_check(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *path = cli_path(NULL, "check", NULL);
        _cleanup_json_ json_t *answer = NULL;
        const json_t *features;
        int r = cli_request(cli, "GET", path, NULL, NULL, &answer);

        (void)args;
        if (r != 0)
                return r;
        features = json_is_array(answer) ? answer : json_object_get(answer, "features");
        if (cli->format == FORMAT_JSON || cli->format == FORMAT_YAML)
                r = output_list(cli, stdout, answer, check_columns);
        else
                r = output_list(cli, stdout, features, check_columns);
        return r ? r : check_status(answer);
}
