/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * top.h - `croft top` without its terminal: rows made of two answers of /v1/stats, their order, and what the screen
 * shows.  Pure.
 */
#ifndef CROFT_CLI_TOP_H
#define CROFT_CLI_TOP_H

#include "screen.h"

#include <jansson.h>

enum top_column {
        TOP_NAME,
        TOP_STATE,
        TOP_CPU, /* percent of one CPU */
        TOP_MEMORY,
        TOP_LIMIT,
        TOP_SWAP,
        TOP_READ, /* bytes in a second */
        TOP_WRITE,
        TOP_RECEIVE,
        TOP_TRANSMIT,
        TOP_LOAD,
        TOP_CPU_PRESSURE, /* percent of the last 10 s in which some task waited */
        TOP_MEMORY_PRESSURE,
        TOP_IO_PRESSURE,
        TOP_TASKS,
        TOP_COLUMNS
};

struct top_row {
        const char *name, *state;   /* borrowed from the answer */
        double value[TOP_COLUMNS];  /* NAN: not known */
        const json_t *now, *before; /* borrowed; before may be NULL */
};

/* "cpu", "memory" ...: as --sort and csv have it. */
const char *top_column_key(enum top_column column);
/* TOP_COLUMNS: no such column. */
enum top_column top_column_find(const char *key);

/* Rows of the partitions of now, rates against before (NULL: none yet), in the order of the answer.  The caller frees
 * *ret before the answers.  0 or -ENOMEM. */
int top_rows(const json_t *now, const json_t *before, struct top_row **ret, size_t *ret_n);
/* Keeps the rows whose name has that text in it; returns how many. */
size_t top_filter(struct top_row *rows, size_t n, const char *text);
/* Large numbers first, text in its order; what isn't known last; equals by name. */
void top_sort(struct top_row *rows, size_t n, enum top_column by, bool reverse);

/* How much of a second's worth of `key` ("machine.user_ns") came in between the answers, per second; NAN. */
double top_rate(const json_t *now, const json_t *before, double seconds, const char *path);
double top_number(const json_t *object, const char *path); /* NAN: null, or not there */
/* "512", "9.8M", "12G": at most 5 columns; NAN: "-". */
const char *top_short(char *buf, size_t size, double value);
/* A value for a row of a table. */
const char *top_cell(char *buf, size_t size, const struct top_row *row, enum top_column column);

/* --- the screen --- */

enum top_key {
        TOP_KEY_NONE,
        TOP_KEY_ESCAPE = 256,
        TOP_KEY_UP,
        TOP_KEY_DOWN,
        TOP_KEY_LEFT,
        TOP_KEY_RIGHT,
        TOP_KEY_PAGE_UP,
        TOP_KEY_PAGE_DOWN,
        TOP_KEY_HOME,
        TOP_KEY_END
};

struct top_view {
        enum top_column sort;
        bool reverse, filtering, expanded, paused, help, quit;
        char filter[64];
        char selected[64]; /* name; "": the first row */
        size_t first;      /* row that is shown at the top of the table */
        unsigned int interval_ms;
        char message[256]; /* what went wrong at the last try, "" */
};

/* Takes the next key out of what a terminal sent; *at advances.  TOP_KEY_NONE: there is no more. */
int top_key_next(const char *bytes, size_t size, size_t *at);
/* What a key does.  rows are those shown. */
void top_press(struct top_view *view, int key, const struct top_row *rows, size_t n);
/* Puts everything on the screen.  now may be NULL: nothing has come yet. */
void top_draw(struct screen *screen, struct top_view *view, const json_t *now, const json_t *before,
        const struct top_row *rows, size_t n);

#endif
