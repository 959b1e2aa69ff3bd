/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * top_keys.c - what a terminal sends for keys, and what they do to the view of `croft top`.  See top.h.
 */
#include "cli.h"
#include "top.h"

#include <string.h>

#define INTERVAL_MIN_MS 100
#define INTERVAL_MAX_MS 60000

/* What follows "\033[" or "\033O". */
static int sequence(const char *bytes, size_t size, size_t *used)
{
        static const struct {
                const char *bytes;
                int key;
        } known[] = {{"A", TOP_KEY_UP}, {"B", TOP_KEY_DOWN}, {"C", TOP_KEY_RIGHT}, {"D", TOP_KEY_LEFT},
                {"H", TOP_KEY_HOME}, {"F", TOP_KEY_END}, {"5~", TOP_KEY_PAGE_UP}, {"6~", TOP_KEY_PAGE_DOWN},
                {"1~", TOP_KEY_HOME}, {"4~", TOP_KEY_END}};

        for (size_t i = 0; i < ELEMENTS(known); i++)
                if (size >= strlen(known[i].bytes) && memcmp(bytes, known[i].bytes, strlen(known[i].bytes)) == 0) {
                        *used = strlen(known[i].bytes);
                        return known[i].key;
                }
        /* Another one: to its final byte. */
        for (*used = 0; *used < size && (bytes[*used] < '@' || bytes[*used] > '~'); (*used)++)
                ;
        *used += *used < size;
        return TOP_KEY_NONE;
}

int top_key_next(const char *bytes, size_t size, size_t *at)
{
        while (*at < size) {
                size_t used;
                int key;

                if (bytes[*at] != '\033')
                        return (unsigned char)bytes[(*at)++];
                (*at)++;
                if (*at == size || (bytes[*at] != '[' && bytes[*at] != 'O'))
                        return TOP_KEY_ESCAPE;
                (*at)++;
                key = sequence(bytes + *at, size - *at, &used);
                *at += used;
                if (key != TOP_KEY_NONE)
                        return key;
        }
        return TOP_KEY_NONE;
}

static void press_filter(struct top_view *view, int key)
{
        size_t length = strlen(view->filter);

        if (key == TOP_KEY_ESCAPE) {
                view->filter[0] = '\0';
                view->filtering = false;
        } else if (key == '\r' || key == '\n') {
                view->filtering = false;
        } else if ((key == 127 || key == '\b') && length > 0) {
                view->filter[length - 1] = '\0';
        } else if (key > ' ' && key < 127 && length + 1 < sizeof(view->filter)) {
                view->filter[length] = (char)key;
                view->filter[length + 1] = '\0';
        }
}

/* The selection goes by names: the row moves, it stays with its partition. */
static void select_row(struct top_view *view, const struct top_row *rows, size_t n, long by)
{
        long at = 0;

        if (n == 0)
                return;
        for (size_t i = 0; i < n; i++)
                if (strcmp(rows[i].name, view->selected) == 0)
                        at = (long)i;
        at += by;
        at = at < 0 ? 0 : at >= (long)n ? (long)n - 1 : at;
        (void)snprintf(view->selected, sizeof(view->selected), "%s", rows[at].name);
}

static void order_by(struct top_view *view, enum top_column column)
{
        view->reverse = view->sort == column && !view->reverse;
        view->sort = column;
}

static bool press_order(struct top_view *view, int key)
{
        static const struct {
                int key;
                enum top_column column;
        } keys[] = {{'c', TOP_CPU}, {'m', TOP_MEMORY}, {'n', TOP_NAME}, {'t', TOP_TASKS}, {'l', TOP_LOAD}};

        for (size_t i = 0; i < ELEMENTS(keys); i++)
                if (keys[i].key == key) {
                        order_by(view, keys[i].column);
                        return true;
                }
        if (key == '<' || key == TOP_KEY_LEFT)
                view->sort = (enum top_column)((view->sort + TOP_COLUMNS - 1) % TOP_COLUMNS);
        else if (key == '>' || key == TOP_KEY_RIGHT)
                view->sort = (enum top_column)((view->sort + 1) % TOP_COLUMNS);
        else if (key == 'r')
                view->reverse = !view->reverse;
        else
                return false;
        return true;
}

static bool press_move(struct top_view *view, int key, const struct top_row *rows, size_t n)
{
        static const struct {
                int key;
                long by;
        } keys[] = {{TOP_KEY_UP, -1}, {'k', -1}, {TOP_KEY_DOWN, 1}, {'j', 1}, {TOP_KEY_PAGE_UP, -10},
                {TOP_KEY_PAGE_DOWN, 10}, {TOP_KEY_HOME, -1000000}, {TOP_KEY_END, 1000000}};

        for (size_t i = 0; i < ELEMENTS(keys); i++)
                if (keys[i].key == key) {
                        select_row(view, rows, n, keys[i].by);
                        return true;
                }
        return false;
}

static void slower(struct top_view *view, bool yes)
{
        unsigned int ms = yes ? view->interval_ms * 2 : view->interval_ms / 2;

        view->interval_ms = ms < INTERVAL_MIN_MS ? INTERVAL_MIN_MS : ms > INTERVAL_MAX_MS ? INTERVAL_MAX_MS : ms;
}

void top_press(struct top_view *view, int key, const struct top_row *rows, size_t n)
{
        if (key == 3) { /* Ctrl-C: the terminal is raw, so it comes as a key */
                view->quit = true;
        } else if (view->help) {
                view->help = false;
        } else if (view->filtering) {
                press_filter(view, key);
        } else if (key == 'q') {
                view->quit = true;
        } else if (key == 'h' || key == '?') {
                view->help = true;
        } else if (key == '/') {
                view->filtering = true;
        } else if (key == TOP_KEY_ESCAPE) {
                view->filter[0] = '\0';
        } else if (key == '\r' || key == '\n') {
                select_row(view, rows, n, 0); /* stays with it when the order changes */
                view->expanded = !view->expanded;
        } else if (key == ' ') {
                view->paused = !view->paused;
        } else if (key == '+' || key == '-') {
                slower(view, key == '+');
        } else if (!press_order(view, key)) {
                (void)press_move(view, key, rows, n);
        }
}
