/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * collect.c - reads the structures that kstat(8) prints.
 *
 * A structure that vanishes between list and read is left out, as is one that is just being made.  When only whole keys
 * are asked for, nothing else is read.
 */
#include "kstatcmd/private.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <limits.h>
#include <string.h>

#define LIST_TRIES 20

void collection_done(struct collection *c)
{
        for (size_t i = 0; i < c->n; i++)
                croft_stat_free(c->stats[i]);
        free(c->stats);
        *c = (struct collection){.n = 0};
}

/* Is it one to leave out? */
static bool is_gone(int r)
{
        return r == -ENXIO || r == -EAGAIN;
}

/* One place more, with an empty structure in it that isn't counted yet. */
static struct croft_stat *next_place(struct collection *c, struct croft_error *err)
{
        struct croft_stat **grown;
        struct croft_stat *stat;

        if (c->n == c->room) {
                grown = reallocarray(c->stats, c->room * 2 + 16, sizeof(struct croft_stat *));
                if (!grown) {
                        (void)croft_error_set(err, ENOMEM, "read statistics");
                        return NULL;
                }
                c->stats = grown;
                c->room = c->room * 2 + 16;
        }
        stat = croft_stat_new();
        if (!stat)
                (void)croft_error_set(err, ENOMEM, "read statistics");
        else
                c->stats[c->n] = stat;
        return stat;
}

/* Keeps the structure at the next place if it was read and says something. */
static int keep(struct collection *c, int r, struct croft_error *err)
{
        struct croft_stat *stat = c->stats[c->n];
        const struct croft_stat_info *info = croft_stat_info(stat);

        if (r == 0 && !(info->type == CROFT_STAT_RAW && info->n_values == 0)) {
                c->n++;
                return 0;
        }
        croft_stat_free(stat);
        if (!is_gone(r))
                return r;
        croft_error_clear(err);
        return 0;
}

/* Another list by now: structures that were on the first may be gone, and those that took their places aren't there. */
static bool has_changed(struct croft_stats *stats, uint64_t generation)
{
        uint64_t now;

        return croft_stats_generation(stats, &now, NULL, NULL) == 0 && now != generation;
}

static int collect_list(struct croft_stats *stats, struct collection *c, bool *ret_changed, struct croft_error *err)
{
        struct croft_stats_list list;
        int r = croft_stats_list(stats, &list, err);

        if (r < 0)
                return r;
        for (size_t i = 0; r == 0 && i < list.n; i++) {
                struct croft_stat *stat = next_place(c, err);

                r = stat ? keep(c, croft_stats_read(stats, list.ids[i], stat, err), err) : -ENOMEM;
        }
        *ret_changed = r == 0 && has_changed(stats, list.generation);
        croft_stats_list_done(&list);
        return r;
}

/* All of one list: who moves from one pool to another is never told of both CPUs, or none.  With lists that change as
 * fast as they are read, the last one has to do. */
static int collect_all(struct croft_stats *stats, struct collection *c, struct croft_error *err)
{
        bool changed = true;
        int r = 0;

        for (int i = 0; i < LIST_TRIES && r == 0 && changed; i++) {
                collection_done(c);
                r = collect_list(stats, c, &changed, err);
        }
        return r;
}

/* A whole number as croft prints instances, so that "007" isn't 7: as a pattern it fits no instance. */
static bool is_instance(const char *text, int *ret)
{
        uint64_t number;
        bool minus = text[0] == '-';

        if (!str_to_u64(text + minus, INT_MAX, &number) || (text[minus] == '0' && (text[minus + 1] || minus)))
                return false;
        *ret = minus ? -(int)number : (int)number;
        return true;
}

static bool is_key(const struct selector *s)
{
        int instance;

        return pattern_is_literal(&s->module) && pattern_is_literal(&s->name) && pattern_is_literal(&s->instance) &&
               is_instance(s->instance.glob, &instance);
}

static bool only_keys(const struct options *o)
{
        for (size_t i = 0; i < o->n_selectors; i++) {
                if (!is_key(&o->selectors[i]))
                        return false;
        }
        return true;
}

static bool has(const struct collection *c, uint64_t id)
{
        for (size_t i = 0; i < c->n; i++) {
                if (croft_stat_info(c->stats[i])->id == id)
                        return true;
        }
        return false;
}

static int collect_key(
        struct croft_stats *stats, const struct selector *s, struct collection *c, struct croft_error *err)
{
        struct croft_stat *stat = next_place(c, err);
        int instance = 0, r;

        if (!stat)
                return -ENOMEM;
        (void)is_instance(s->instance.glob, &instance);
        r = croft_stats_find(stats, s->module.glob, instance, s->name.glob, stat, err);
        if (r == 0 && has(c, croft_stat_info(stat)->id)) /* asked for twice, for two of its values */
                r = -ENXIO;
        return keep(c, r, err);
}

static int compare(const void *a, const void *b)
{
        const struct croft_stat_info *x = croft_stat_info(*(struct croft_stat *const *)a),
                                     *y = croft_stat_info(*(struct croft_stat *const *)b);
        int r = strcasecmp(x->module, y->module);

        if (r == 0)
                r = (x->instance > y->instance) - (x->instance < y->instance);
        if (r == 0)
                r = strcasecmp(x->name, y->name);
        return r ? r : (x->id > y->id) - (x->id < y->id);
}

int collect(struct croft_stats *stats, const struct options *o, struct collection *ret, struct croft_error *err)
{
        struct collection c = {.n = 0};
        int r = 0;

        if (only_keys(o)) {
                for (size_t i = 0; r == 0 && i < o->n_selectors; i++)
                        r = collect_key(stats, &o->selectors[i], &c, err);
        } else {
                r = collect_all(stats, &c, err);
        }
        if (r < 0) {
                collection_done(&c);
                return r;
        }
        if (c.n > 1)
                qsort(c.stats, c.n, sizeof(struct croft_stat *), compare);
        *ret = c;
        return 0;
}
