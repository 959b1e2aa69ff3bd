/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * output.h - lists and objects as tables, JSON, CSV (RFC 4180) or YAML.
 *
 * All forms are made of the same JSON values; the human ones only round them and put units to them.
 */
#ifndef CROFT_CLI_OUTPUT_H
#define CROFT_CLI_OUTPUT_H

#include "cli.h"

#define OUTPUT_REALS JSON_REAL_PRECISION(15) /* 0.1 is 0.1, not 0.10000000000000001 */

enum column_kind {
        COLUMN_TEXT,
        COLUMN_NUMBER,
        COLUMN_BYTES,
        COLUMN_AGE,     /* a time "2026-11-21T09:00:00Z" as the time since then */
        COLUMN_SECONDS, /* a length of time */
        COLUMN_STATE,
        COLUMN_DIGEST, /* 64 digits, of which the first say enough */
};

struct cli_column {
        const char *title;
        const char *path; /* "name", "usage.cpu_us", "properties.memory.max" */
        enum column_kind kind;
        bool always; /* in the table even when no row has it; csv has all columns */
};

/* The value at path in object: a key with dots in it wins over a step down.  Borrowed; NULL: none. */
const json_t *output_at(const json_t *object, const char *path);

/* An array of objects; columns end with title NULL.  With quiet set only the names.  0 or an exit status (standard
 * output is full or closed: said). */
int output_list(const struct cli *cli, FILE *f, const json_t *array, const struct cli_column *columns);
/* Everything about each object of an array; single: JSON and YAML show the one object, not an array. */
int output_objects(const struct cli *cli, FILE *f, const json_t *array, bool single);

/* The columns named by "name,pid,usage.cpu_us", or by the titles of the usual ones, known (NULL: none), in any case;
 * list is changed.  "all": every key that the objects of array have.  A new array that borrows from known, for
 * output_columns_free(); NULL: no memory. */
struct cli_column *output_columns(const json_t *array, char *list, const struct cli_column *known);
void output_columns_free(struct cli_column *columns);

/* A scalar for people (table true) or programs: a new string, caller frees.  NULL: no memory. */
char *output_scalar(const json_t *value, enum column_kind kind, bool table);
enum column_kind output_kind(const char *path); /* by its name */

/* csv.c, yaml.c, table.c */
void csv_field(FILE *f, const char *text, bool first);
void csv_end(FILE *f);
void yaml_value(FILE *f, const json_t *value);

struct table {
        size_t n_columns, n_cells, room;
        const char *const *titles; /* NULL: no line of titles */
        const bool *right;         /* n_columns: aligned to the right */
        int state_column;          /* coloured; -1: none */
        char **cells;              /* escaped, owned */
};
/* Appends a cell; cells come row by row.  text is taken over. */
int table_add(struct table *t, char *text);
void table_print(const struct table *t, FILE *f, bool color);
void table_done(struct table *t);

/* Flushes f: an exit status, and a line, when what was written didn't arrive. */
int output_end(FILE *f);

#endif
