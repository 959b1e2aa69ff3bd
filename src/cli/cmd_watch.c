/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_watch.c - log, events and check: what partitions, croftd and the kernel have to tell.
 */
#include "output.h"
#include "text.h"

#include <errno.h>
#include <string.h>

/* --- log --- */

struct log_sink {
        char *data; /* all of it: croftd keeps a bounded log */
        size_t size, room;
};

static int log_take(void *context, const void *data, size_t size)
{
        struct log_sink *sink = context;

        if (size > CROFT_REPLY_MAX - sink->size)
                return -EMSGSIZE;
        if (sink->size + size > sink->room) {
                size_t room = (sink->size + size) * 2;
                char *p = realloc(sink->data, room);

                if (!p)
                        return -ENOMEM;
                sink->data = p;
                sink->room = room;
        }
        memcpy(sink->data + sink->size, data, size);
        sink->size += size;
        return 0;
}

/* Where the last n lines begin. */
static size_t last_lines(const char *data, size_t size, unsigned long n)
{
        size_t at = size > 0 && data[size - 1] == '\n' ? size - 1 : size;

        if (n == 0)
                return size;
        for (; at > 0; at--) {
                if (data[at - 1] == '\n' && --n == 0)
                        return at;
        }
        return 0;
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

/* A terminal gets no byte that it could take for a command. */
static int put_log(const struct log_sink *sink, size_t begin, bool escape)
{
        size_t size = sink->size - begin;
        _cleanup_free_ char *escaped = NULL;

        if (size == 0)
                return output_end(stdout);
        if (escape) {
                size = drop_returns(sink->data + begin, size);
                escaped = text_escape(sink->data + begin, size, true);
                if (!escaped) {
                        (void)fprintf(stderr, "croft: no memory\n");
                        return CROFT_EXIT_EXHAUSTED;
                }
                (void)fputs(escaped, stdout);
        } else {
                (void)fwrite(sink->data + begin, 1, size, stdout);
        }
        return output_end(stdout);
}

static bool is_number(const char *text)
{
        return *text && text[strspn(text, "0123456789")] == '\0' && strlen(text) <= 9;
}

int cli_cmd_log(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *path = cli_path(NULL, "partitions", args->words[0], "log", NULL);
        const char *lines = cli_value(args, "lines");
        struct croft_error err = CROFT_ERROR_INIT;
        struct log_sink sink = {.data = NULL};
        char what[160];
        int r;

        if (lines && !is_number(lines))
                return cli_usage(args->command, "'%s' is no number of lines", lines);
        r = cli_connect(cli);
        if (r != 0)
                return r;
        (void)snprintf(what, sizeof(what), "log of '%s'", args->words[0]);
        r = cli_path_check(path, &err);
        if (r == 0)
                r = croft_client_fetch(cli->client, path, log_take, &sink, &err);
        if (r < 0)
                r = cli_fail(cli, &err, what);
        else
                r = put_log(&sink, lines ? last_lines(sink.data, sink.size, strtoul(lines, NULL, 10)) : 0,
                        cli->terminal && !cli_has(args, "raw"));
        free(sink.data);
        return r;
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

/* Seconds since the epoch, with a fraction, as a time of the day; what is no number as it is. */
static char *time_text(const json_t *value)
{
        double number = json_number_value(value);
        time_t seconds = (time_t)number;
        char day[64], *text = NULL;

        if (!json_is_number(value))
                return value ? output_scalar(value, COLUMN_TEXT, true) : NULL;
        text_time(day, sizeof(day), seconds);
        if (asprintf(&text, "%s.%03d", day, (int)((number - (double)seconds) * 1000)) < 0)
                return NULL;
        return text;
}

/* "2026-11-21 10:00:01.123  state  web  Active  text"; what has no value is left out. */
static void print_event(const json_t *event)
{
        static const char *const keys[] = {"time", "type", "partition", "state", "text"};
        bool first = true;

        for (size_t i = 0; i < ELEMENTS(keys); i++) {
                const json_t *value = json_object_get(event, keys[i]);
                _cleanup_free_ char *text = NULL, *escaped = NULL;

                if (!value || json_is_null(value))
                        continue;
                text = i == 0 ? time_text(value) : output_scalar(value, COLUMN_TEXT, true);
                escaped = text && *text ? text_escape(text, strlen(text), false) : NULL;
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
                (void)json_dumpf(event, stdout, JSON_COMPACT | OUTPUT_REALS | (cli->terminal ? JSON_ENSURE_ASCII : 0));
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
        {"ESSENTIAL", "essential", COLUMN_TEXT, true},
        {"USE", "use", COLUMN_TEXT, true},
        {"FALLBACK", "fallback", COLUMN_TEXT, true},
        {"LOST", "lost", COLUMN_TEXT, true},
        {"DETAIL", "detail", COLUMN_TEXT, true},
        {NULL},
};

static const char *text_of(const json_t *feature, const char *key)
{
        const char *text = json_string_value(json_object_get(feature, key));

        return text && *text ? text : NULL;
}

static int add_row(struct table *t, const char *name, const char *status, const char *label, const char *text)
{
        _cleanup_free_ char *line = NULL;

        if (asprintf(&line, "%s%s", label, text) < 0)
                line = NULL;
        if (!line || table_add(t, text_escape(name, strlen(name), false)) < 0 ||
                table_add(t, text_escape(status, strlen(status), false)) < 0)
                return -1;
        return table_add(t, text_escape(line, strlen(line), false));
}

/* What a feature is for and what was found; below it, where it isn't simply there, what is done instead and what is
 * lost. */
static int add_feature(struct table *t, const json_t *feature)
{
        const char *name = text_of(feature, "name"), *status = text_of(feature, "status"),
                   *use = text_of(feature, "use"), *detail = text_of(feature, "detail"),
                   *fallback = text_of(feature, "fallback"), *lost = text_of(feature, "lost");
        _cleanup_free_ char *both = NULL;
        int r;

        if (asprintf(&both, "%s%s%s%s", use ? use : "-", detail ? " (" : "", detail ? detail : "", detail ? ")" : "") <
                0)
                both = NULL;
        r = both ? add_row(t, name ? name : "-", status ? status : "-", "", both) : -1;
        if (r == 0 && fallback)
                r = add_row(t, "", "", "instead: ", fallback);
        if (r == 0 && lost)
                r = add_row(t, "", "", "lost: ", lost);
        return r;
}

/* The name of the first feature without which nothing runs; NULL: all of them are there. */
static const char *blocker(const json_t *features)
{
        for (size_t i = 0; i < json_array_size(features); i++) {
                const json_t *f = json_array_get(features, i);
                const char *status = text_of(f, "status");

                if (json_is_true(json_object_get(f, "essential")) && status && strcmp(status, "missing") == 0)
                        return text_of(f, "name");
        }
        return NULL;
}

static int print_check(const struct cli *cli, const json_t *features)
{
        static const char *const titles[] = {"FEATURE", "STATUS", "USE"};
        struct table t = {.n_columns = 3, .titles = cli->no_header ? NULL : titles, .state_column = 1};
        const char *missing = blocker(features);
        int r = 0;

        for (size_t i = 0; i < json_array_size(features) && r == 0; i++)
                r = add_feature(&t, json_array_get(features, i));
        if (r == 0)
                table_print(&t, stdout, cli->color);
        table_done(&t);
        if (r < 0) {
                (void)fprintf(stderr, "croft: no memory\n");
                return CROFT_EXIT_EXHAUSTED;
        }
        if (missing)
                (void)printf("\nPartitions can't run here: %s is missing.\n", missing);
        else
                (void)printf("\nPartitions can run here.\n");
        return output_end(stdout);
}

int cli_cmd_check(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *path = cli_path(NULL, "check", NULL);
        _cleanup_json_ json_t *answer = NULL;
        const json_t *features;
        int r = cli_request(cli, "GET", path, NULL, "check", &answer);

        (void)args;
        if (r != 0)
                return r;
        features = json_is_array(answer) ? answer : json_object_get(answer, "features");
        if (cli->format == FORMAT_TABLE && !cli->quiet)
                r = print_check(cli, features);
        else
                r = output_list(cli, stdout, features, check_columns);
        return r ? r : blocker(features) ? CROFT_EXIT_FAILURE : CROFT_EXIT_OK;
}
