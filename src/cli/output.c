/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * output.c - one set of JSON objects in the form that was asked for.  See output.h.
 */
#include "output.h"
#include "text.h"

#include <errno.h>
#include <string.h>
#include <time.h>

const json_t *output_at(const json_t *object, const char *path)
{
        const json_t *value = json_object_get(object, path);

        if (value)
                return value;
        for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
                const json_t *child = json_object_getn(object, path, (size_t)(dot - path));

                value = json_is_object(child) ? output_at(child, dot + 1) : NULL;
                if (value)
                        return value;
        }
        return NULL;
}

static bool ends_with(const char *text, const char *end)
{
        size_t n = strlen(text), m = strlen(end);

        return n >= m && strcmp(text + n - m, end) == 0;
}

enum column_kind output_kind(const char *path)
{
        if (ends_with(path, "_bytes") || ends_with(path, "memory.max") || ends_with(path, "memory.swap.max"))
                return COLUMN_BYTES;
        if (ends_with(path, "_seconds"))
                return COLUMN_SECONDS;
        if (strcmp(path, "state") == 0)
                return COLUMN_STATE;
        return COLUMN_TEXT;
}

/* The text of a value without any rounding. */
static char *plain(const json_t *value, bool table)
{
        if (json_is_string(value))
                return strdup(json_string_value(value));
        if (!value || json_is_null(value))
                return strdup(table ? "-" : "");
        if (json_is_boolean(value) && table)
                return strdup(json_is_true(value) ? "yes" : "no");
        if (json_is_array(value)) {
                char *text = NULL;
                size_t size = 0;
                FILE *f = open_memstream(&text, &size);

                if (!f)
                        return NULL;
                for (size_t i = 0; i < json_array_size(value); i++) {
                        _cleanup_free_ char *item = plain(json_array_get(value, i), table);

                        (void)fprintf(f, "%s%s", i ? "," : "", item ? item : "");
                }
                (void)fclose(f);
                return text;
        }
        return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | OUTPUT_REALS);
}

/* A number, or a string of digits; false: neither. */
static bool number_of(const json_t *value, double *ret)
{
        const char *text = json_string_value(value);

        if (json_is_number(value)) {
                *ret = json_number_value(value);
                return true;
        }
        if (!text || !*text || text[strspn(text, "0123456789")] || strlen(text) > 18)
                return false;
        *ret = strtod(text, NULL);
        return true;
}

/* The seconds since "2026-11-21T09:00:00Z". */
static bool age_of(const json_t *value, double *ret)
{
        const char *text = json_string_value(value), *end;
        struct tm tm = {.tm_year = 0};

        end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
        if (end && *end == '.') /* parts of a second */
                end += 1 + strspn(end + 1, "0123456789");
        if (!end || strcmp(end, "Z") != 0)
                return false;
        *ret = difftime(time(NULL), timegm(&tm));
        return true;
}

char *output_scalar(const json_t *value, enum column_kind kind, bool table)
{
        double number = 0;
        char buf[64];

        if (table && kind == COLUMN_DIGEST && json_is_string(value))
                return strndup(json_string_value(value), 12);
        if (table && kind == COLUMN_AGE && age_of(value, &number))
                return strdup(text_duration(buf, sizeof(buf), number));
        if (table && kind == COLUMN_BYTES && number_of(value, &number))
                return strdup(text_bytes(buf, sizeof(buf), number > 0 ? (uint64_t)number : 0));
        if (table && kind == COLUMN_SECONDS && number_of(value, &number))
                return strdup(text_duration(buf, sizeof(buf), number));
        return plain(value, table);
}

/* A cell for the table: escaped, one line. */
static char *cell(const json_t *value, enum column_kind kind)
{
        _cleanup_free_ char *text = output_scalar(value, kind, true);

        return text ? text_escape(text, strlen(text), false) : NULL;
}

static char *csv_cell(const struct cli *cli, const json_t *value, enum column_kind kind)
{
        _cleanup_free_ char *text = output_scalar(value, kind, false);

        if (!text || !cli->terminal) {
                char *t = text;

                text = NULL;
                return t;
        }
        return text_escape(text, strlen(text), true);
}

static int no_memory(void)
{
        (void)fprintf(stderr, "croft: no memory\n");
        return CROFT_EXIT_EXHAUSTED;
}

int output_end(FILE *f)
{
        if (fflush(f) == 0 && !ferror(f))
                return 0;
        if (errno != EPIPE)
                (void)fprintf(stderr, "croft: write the output: %s\n", strerror(errno));
        return CROFT_EXIT_FAILURE;
}

static int print_names(const struct cli *cli, FILE *f, const json_t *array)
{
        static const char *const keys[] = {"name", "id", "instance", "path", "partition"};

        for (size_t i = 0; i < json_array_size(array); i++) {
                const json_t *object = json_array_get(array, i);
                const char *name = NULL;
                _cleanup_free_ char *escaped = NULL;

                for (size_t k = 0; k < ELEMENTS(keys) && (!name || !*name); k++)
                        name = json_string_value(json_object_get(object, keys[k]));
                if (!name)
                        continue;
                escaped = cli->terminal ? text_escape(name, strlen(name), false) : strdup(name);
                if (!escaped)
                        return no_memory();
                (void)fprintf(f, "%s\n", escaped);
        }
        return output_end(f);
}

static int print_json(const struct cli *cli, FILE *f, const json_t *value)
{
        /* A terminal gets no byte that it could take for a command: C1 controls are valid in JSON strings. */
        (void)json_dumpf(value, f, JSON_INDENT(2) | OUTPUT_REALS | (cli->terminal ? JSON_ENSURE_ASCII : 0));
        (void)fputc('\n', f);
        return output_end(f);
}

static bool column_used(const json_t *array, const struct cli_column *column)
{
        for (size_t i = 0; i < json_array_size(array); i++) {
                const json_t *value = output_at(json_array_get(array, i), column->path);

                if (value && !json_is_null(value))
                        return true;
        }
        return column->always;
}

static int print_table(const struct cli *cli, FILE *f, const json_t *array, const struct cli_column *columns)
{
        const struct cli_column *shown[64];
        const char *titles[64];
        bool right[64] = {false};
        struct table t = {.titles = cli->no_header ? NULL : titles, .right = right, .state_column = -1};
        int r = 0;

        for (const struct cli_column *c = columns; c->title && t.n_columns < ELEMENTS(shown); c++) {
                if (!column_used(array, c))
                        continue;
                titles[t.n_columns] = c->title;
                right[t.n_columns] = c->kind == COLUMN_NUMBER || c->kind == COLUMN_BYTES || c->kind == COLUMN_SECONDS;
                if (c->kind == COLUMN_STATE)
                        t.state_column = (int)t.n_columns;
                shown[t.n_columns++] = c;
        }
        for (size_t i = 0; i < json_array_size(array) && r == 0; i++) {
                for (size_t k = 0; k < t.n_columns && r == 0; k++)
                        r = table_add(&t, cell(output_at(json_array_get(array, i), shown[k]->path), shown[k]->kind));
        }
        if (r == 0)
                table_print(&t, f, cli->color);
        table_done(&t);
        return r == 0 ? output_end(f) : no_memory();
}

static int print_csv(const struct cli *cli, FILE *f, const json_t *array, const struct cli_column *columns)
{
        for (const struct cli_column *c = columns; c->title && !cli->no_header; c++)
                csv_field(f, c->path, c == columns);
        if (!cli->no_header)
                csv_end(f);
        for (size_t i = 0; i < json_array_size(array); i++) {
                for (const struct cli_column *c = columns; c->title; c++) {
                        _cleanup_free_ char *text =
                                csv_cell(cli, output_at(json_array_get(array, i), c->path), c->kind);

                        if (!text)
                                return no_memory();
                        csv_field(f, text, c == columns);
                }
                csv_end(f);
        }
        return output_end(f);
}

int output_list(const struct cli *cli, FILE *f, const json_t *array, const struct cli_column *columns)
{
        if (cli->quiet)
                return print_names(cli, f, array);
        switch (cli->format) {
        case FORMAT_JSON:
                return print_json(cli, f, array);
        case FORMAT_YAML:
                yaml_value(f, array);
                return output_end(f);
        case FORMAT_CSV:
                return print_csv(cli, f, array, columns);
        default:
                return print_table(cli, f, array, columns);
        }
}

/* Calls one for every leaf below value, with its path. */
static int each_leaf(const json_t *value, const char *path,
        int (*one)(void *context, const char *path, const json_t *value), void *context)
{
        json_t *object = (json_t *)(uintptr_t)value; /* only read */
        int r = 0;

        if (json_object_size(value) == 0)
                return *path && !json_is_object(value) ? one(context, path, value) : 0;
        for (void *i = json_object_iter(object); i && r == 0; i = json_object_iter_next(object, i)) {
                _cleanup_free_ char *child = NULL;

                if (asprintf(&child, "%s%s%s", path, *path ? "." : "", json_object_iter_key(i)) < 0) {
                        child = NULL;
                        return -1;
                }
                r = each_leaf(json_object_iter_value(i), child, one, context);
        }
        return r;
}

static int add_pair(void *context, const char *path, const json_t *value)
{
        enum column_kind kind = output_kind(path);
        _cleanup_free_ char *human = cell(value, kind), *exact = cell(value, COLUMN_TEXT), *both = NULL;
        char *text;

        if (!human || !exact)
                return -1;
        /* Rounded values are followed by the exact one: the table carries the same facts as the JSON. */
        if (strcmp(human, exact) == 0 || strcmp(human, "-") == 0)
                text = strdup(human);
        else if (asprintf(&both, "%s (%s)", human, exact) >= 0)
                text = strdup(both);
        else
                text = both = NULL;
        if (table_add(context, text_escape(path, strlen(path), false)) < 0) {
                free(text);
                return -1;
        }
        return table_add(context, text);
}

static int print_pairs(const struct cli *cli, FILE *f, const json_t *array)
{
        for (size_t i = 0; i < json_array_size(array); i++) {
                struct table t = {.n_columns = 2, .state_column = -1};
                int r = each_leaf(json_array_get(array, i), "", add_pair, &t);

                /* The second cell of the line whose first is "state". */
                for (size_t k = 0; k + 1 < t.n_cells; k += 2) {
                        if (strcmp(t.cells[k], "state") == 0)
                                t.state_column = 1;
                }
                if (r == 0 && i > 0)
                        (void)fputc('\n', f);
                if (r == 0)
                        table_print(&t, f, cli->color);
                table_done(&t);
                if (r < 0)
                        return no_memory();
        }
        return output_end(f);
}

int output_objects(const struct cli *cli, FILE *f, const json_t *array, bool single)
{
        const json_t *value = single && json_array_size(array) == 1 ? json_array_get(array, 0) : array;
        struct cli_column *columns;
        char all[] = "all";
        int r;

        if (cli->quiet)
                return print_names(cli, f, array);
        switch (cli->format) {
        case FORMAT_JSON:
                return print_json(cli, f, value);
        case FORMAT_YAML:
                yaml_value(f, value);
                return output_end(f);
        case FORMAT_CSV:
                columns = output_columns(array, all, NULL);
                if (!columns)
                        return no_memory();
                r = print_csv(cli, f, array, columns);
                output_columns_free(columns);
                return r;
        default:
                return print_pairs(cli, f, array);
        }
}

struct collect {
        const struct cli_column *known; /* those that are usual here */
        struct cli_column *columns;
        size_t n;
};

/* The usual column of that title or path; NULL: none. */
static const struct cli_column *known_column(const struct cli_column *known, const char *word)
{
        for (; known && known->title; known++)
                if (strcasecmp(known->title, word) == 0 || strcmp(known->path, word) == 0)
                        return known;
        return NULL;
}

/* Adds a column that isn't there yet.  The path is owned; the title is the path, too, or that of the usual column. */
static int add_column(void *context, const char *path, const json_t *value)
{
        struct collect *c = context;
        const struct cli_column *usual = known_column(c->known, path);
        struct cli_column *p;
        char *copy;

        (void)value;
        path = usual ? usual->path : path;
        for (size_t i = 0; i < c->n; i++) {
                if (strcmp(c->columns[i].path, path) == 0)
                        return 0;
        }
        p = reallocarray(c->columns, c->n + 2, sizeof(*p));
        copy = p ? strdup(path) : NULL;
        if (p)
                c->columns = p;
        if (!copy)
                return -1;
        p[c->n++] =
                (struct cli_column){usual ? usual->title : copy, copy, usual ? usual->kind : output_kind(path), true};
        p[c->n] = (struct cli_column){NULL};
        return 0;
}

struct cli_column *output_columns(const json_t *array, char *list, const struct cli_column *known)
{
        struct collect c = {known, calloc(1, sizeof(struct cli_column)), 0};
        char *save = NULL;
        int r = c.columns ? 0 : -1;

        for (char *word = strtok_r(list, ",", &save); word && r == 0; word = strtok_r(NULL, ",", &save)) {
                if (strcmp(word, "all") != 0)
                        r = add_column(&c, word, NULL);
                for (size_t i = 0; strcmp(word, "all") == 0 && i < json_array_size(array) && r == 0; i++)
                        r = each_leaf(json_array_get(array, i), "", add_column, &c);
        }
        if (r == 0)
                return c.columns;
        output_columns_free(c.columns);
        return NULL;
}

void output_columns_free(struct cli_column *columns)
{
        for (struct cli_column *c = columns; c && c->title; c++)
                free((char *)(uintptr_t)c->path);
        free(columns);
}
