/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * screen.c - cells, and the difference between two screens.  See screen.h.
 *
 * Of control sequences it uses those of ECMA-48 that every terminal has: CUP, EL, ED and SGR.  Invariant: `shown` is
 * what the terminal has once it got all updates.
 */
#include "screen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP 8 /* unchanged cells that are cheaper sent again than jumped over */

struct cell {
        char c;
        uint8_t style;
};

struct screen {
        unsigned int rows, columns;
        bool color, known; /* known: shown is true */
        struct cell *wanted, *shown;
        char *out;
        size_t size, room;
        bool no_memory;
        int style; /* the terminal's now; -1: not known */
        char *line;
};

struct screen *screen_new(unsigned int rows, unsigned int columns, bool color)
{
        struct screen *s = calloc(1, sizeof(*s));

        if (!s)
                return NULL;
        s->color = color;
        return screen_resize(s, rows, columns) == 0 ? s : screen_free(s);
}

struct screen *screen_free(struct screen *s)
{
        if (!s)
                return NULL;
        free(s->wanted);
        free(s->shown);
        free(s->out);
        free(s->line);
        free(s);
        return NULL;
}

int screen_resize(struct screen *s, unsigned int rows, unsigned int columns)
{
        size_t n = (size_t)(rows ? rows : 1) * (columns ? columns : 1);
        struct cell *wanted = calloc(n, sizeof(*wanted)), *shown = calloc(n, sizeof(*shown));
        char *line = malloc((size_t)columns + 2);

        if (!wanted || !shown || !line) {
                free(wanted);
                free(shown);
                free(line);
                return -ENOMEM;
        }
        free(s->wanted);
        free(s->shown);
        free(s->line);
        s->wanted = wanted;
        s->shown = shown;
        s->line = line;
        s->rows = rows ? rows : 1;
        s->columns = columns ? columns : 1;
        screen_forget(s);
        screen_clear(s);
        return 0;
}

unsigned int screen_rows(const struct screen *s)
{
        return s->rows;
}

unsigned int screen_columns(const struct screen *s)
{
        return s->columns;
}

void screen_forget(struct screen *s)
{
        s->known = false;
}

static void blank(struct cell *cells, size_t n)
{
        for (size_t i = 0; i < n; i++)
                cells[i] = (struct cell){' ', SCREEN_PLAIN};
}

void screen_clear(struct screen *s)
{
        blank(s->wanted, (size_t)s->rows * s->columns);
}

unsigned int screen_put(struct screen *s, unsigned int row, unsigned int column, unsigned int end,
        enum screen_style style, const char *text)
{
        if (end == 0 || end > s->columns)
                end = s->columns;
        if (row >= s->rows)
                return column;
        if (!s->color && style >= SCREEN_GREEN)
                style = SCREEN_PLAIN;
        for (; *text && column < end; text++, column++)
                s->wanted[(size_t)row * s->columns + column] =
                        (struct cell){*text < ' ' || *text > '~' ? '?' : *text, (uint8_t)style};
        return column;
}

const char *screen_line(struct screen *s, unsigned int row)
{
        unsigned int n = s->columns;
        const struct cell *cells = s->wanted + (size_t)row * s->columns;

        while (n > 0 && cells[n - 1].c == ' ')
                n--;
        for (unsigned int i = 0; i < n; i++)
                s->line[i] = cells[i].c;
        s->line[n] = '\0';
        return s->line;
}

/* --- the difference --- */

static void out(struct screen *s, const char *text, size_t size)
{
        if (s->size + size > s->room) {
                size_t room = (s->size + size) * 2;
                char *p = realloc(s->out, room);

                if (!p) {
                        s->no_memory = true;
                        return;
                }
                s->out = p;
                s->room = room;
        }
        memcpy(s->out + s->size, text, size);
        s->size += size;
}

static void out_style(struct screen *s, int style)
{
        static const char *const code[] = {
                "\033[m", "\033[0;1m", "\033[0;7m", "\033[0;2m", "\033[0;32m", "\033[0;33m", "\033[0;31m"};

        if (style == s->style)
                return;
        out(s, code[style], strlen(code[style]));
        s->style = style;
}

static void out_move(struct screen *s, unsigned int row, unsigned int column)
{
        char text[32];
        int n = snprintf(text, sizeof(text), "\033[%u;%uH", row + 1, column + 1);

        out(s, text, (size_t)n);
}

static bool same(const struct cell *a, const struct cell *b)
{
        return a->c == b->c && a->style == b->style;
}

/* From where on the wanted row is blank to its end. */
static unsigned int blank_from(const struct screen *s, const struct cell *wanted)
{
        unsigned int n = s->columns;

        while (n > 0 && wanted[n - 1].c == ' ' && wanted[n - 1].style == SCREEN_PLAIN)
                n--;
        return n;
}

/* The end of the run of cells to be sent that begins at `at`. */
static unsigned int run_end(const struct cell *wanted, const struct cell *shown, unsigned int at, unsigned int end)
{
        unsigned int last = at, i;

        for (i = at; i < end && i - last <= GAP; i++)
                if (!same(&wanted[i], &shown[i]))
                        last = i;
        return last + 1;
}

static void update_row(struct screen *s, unsigned int row)
{
        const struct cell *wanted = s->wanted + (size_t)row * s->columns;
        struct cell *shown = s->shown + (size_t)row * s->columns;
        unsigned int at = 0, end = blank_from(s, wanted);

        while (at < end) {
                unsigned int stop;

                if (same(&wanted[at], &shown[at])) {
                        at++;
                        continue;
                }
                stop = run_end(wanted, shown, at, end);
                out_move(s, row, at);
                for (; at < stop; at++) {
                        out_style(s, wanted[at].style);
                        out(s, &wanted[at].c, 1);
                }
        }
        for (at = end; at < s->columns && same(&wanted[at], &shown[at]); at++)
                ;
        if (at < s->columns) { /* something is shown where nothing is to be */
                out_move(s, row, end);
                out_style(s, SCREEN_PLAIN); /* erases in that style */
                out(s, "\033[K", 3);
        }
        memcpy(shown, wanted, s->columns * sizeof(*shown));
}

const char *screen_update(struct screen *s, size_t *ret_size)
{
        s->size = 0;
        s->no_memory = false;
        if (!s->known) {
                s->style = -1;
                out_style(s, SCREEN_PLAIN);
                out(s, "\033[H\033[2J", 7);
                blank(s->shown, (size_t)s->rows * s->columns);
        }
        for (unsigned int row = 0; row < s->rows; row++)
                update_row(s, row);
        s->known = !s->no_memory;
        out(s, "", 1);
        *ret_size = s->size - 1;
        return s->no_memory ? NULL : s->out;
}
