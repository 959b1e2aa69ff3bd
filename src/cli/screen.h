/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * screen.h - a full screen as cells; sends a terminal only what has changed.  Pure: it writes into memory.
 */
#ifndef CROFT_CLI_SCREEN_H
#define CROFT_CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum screen_style { SCREEN_PLAIN, SCREEN_BOLD, SCREEN_REVERSE, SCREEN_DIM, SCREEN_GREEN, SCREEN_YELLOW, SCREEN_RED };

struct screen;

/* Of at least 1x1; NULL: no memory.  color false: green, yellow and red are plain. */
struct screen *screen_new(unsigned int rows, unsigned int columns, bool color);
struct screen *screen_free(struct screen *screen); /* NULL is allowed; returns NULL */
/* Another size; the next update draws everything.  0 or -ENOMEM (nothing has changed). */
int screen_resize(struct screen *screen, unsigned int rows, unsigned int columns);
unsigned int screen_rows(const struct screen *screen);
unsigned int screen_columns(const struct screen *screen);

/* What is shown is not known (another program wrote there): the next update draws everything. */
void screen_forget(struct screen *screen);
void screen_clear(struct screen *screen); /* all blank, to be put anew */
/* Text from there on, cut at the right edge and at column `end` (0: the edge); outside nothing happens.  A byte that
 * isn't printable ASCII is shown as '?'.  Returns the column behind it. */
unsigned int screen_put(struct screen *screen, unsigned int row, unsigned int column, unsigned int end,
        enum screen_style style, const char *text);
/* The row as text, without what is blank at its end, for tests; valid until the next call. */
const char *screen_line(struct screen *screen, unsigned int row);

/* The bytes that make the terminal show the cells, and only those; valid until the next call.  NULL: no memory. */
const char *screen_update(struct screen *screen, size_t *ret_size);

#endif
