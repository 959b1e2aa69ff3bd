/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * table.c - columns that are as wide as their widest cell, two blanks between them.
 */
#include "output.h"
#include "text.h"

#include <string.h>

int table_add(struct table *t, char *text)
{
        if (!text)
                return -1;
        if (t->n_cells == t->room) {
                size_t room = t->room ? t->room * 2 : 64;
                char **p = reallocarray(t->cells, room, sizeof(*p));

                if (!p) {
                        free(text);
                        return -1;
                }
                t->cells = p;
                t->room = room;
        }
        t->cells[t->n_cells++] = text;
        return 0;
}

static const char *state_color(const char *state)
{
        static const struct {
                const char *state, *color;
        } table[] = {{"Active", "\033[32m"}, {"Broken", "\033[1;31m"}, {"Frozen", "\033[36m"}, {"Paused", "\033[36m"},
                {"Maintenance", "\033[33m"}, {"Moving", "\033[33m"}, {"Transitional", "\033[33m"},
                {"missing", "\033[1;31m"}, {"fallback", "\033[33m"}, {"ok", "\033[32m"}};

        for (size_t i = 0; i < ELEMENTS(table); i++) {
                if (strcmp(table[i].state, state) == 0)
                        return table[i].color;
        }
        return NULL;
}

static void pad(FILE *f, size_t n)
{
        (void)fprintf(f, "%*s", (int)n, "");
}

struct layout {
        const struct table *t;
        const size_t *widths;
        bool color;
};

static void print_cell(const struct layout *l, FILE *f, size_t column, const char *text, const char *color)
{
        size_t blank = l->widths[column] - text_width(text);
        bool right = l->t->right && l->t->right[column], last = column + 1 == l->t->n_columns;

        if (right)
                pad(f, blank);
        (void)fprintf(f, "%s%s%s", l->color && color ? color : "", text, l->color && color ? "\033[0m" : "");
        if (!right && !last)
                pad(f, blank);
        (void)fputs(last ? "\n" : "  ", f);
}

void table_print(const struct table *t, FILE *f, bool color)
{
        size_t *widths = calloc(t->n_columns ? t->n_columns : 1, sizeof(*widths));
        struct layout l = {t, widths, color};

        if (!widths)
                return;
        for (size_t c = 0; t->titles && c < t->n_columns; c++)
                widths[c] = text_width(t->titles[c]);
        for (size_t i = 0; i < t->n_cells; i++) {
                size_t width = text_width(t->cells[i]);

                if (width > widths[i % t->n_columns])
                        widths[i % t->n_columns] = width;
        }
        for (size_t c = 0; t->titles && c < t->n_columns; c++)
                print_cell(&l, f, c, t->titles[c], "\033[1m");
        for (size_t i = 0; i < t->n_cells; i++) {
                bool state = t->state_column >= 0 && i % t->n_columns == (size_t)t->state_column;

                print_cell(&l, f, i % t->n_columns, t->cells[i], state ? state_color(t->cells[i]) : NULL);
        }
        free(widths);
}

void table_done(struct table *t)
{
        for (size_t i = 0; i < t->n_cells; i++)
                free(t->cells[i]);
        free(t->cells);
        t->cells = NULL;
        t->n_cells = t->room = 0;
}
