/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstats_commit.c - one change of the statistics, in three acts: prepare, put into force, clean up.  See
 * kstats_private.h.
 *
 * Until the generation is stored readers see nothing of it; after it they see all of it.
 */
#include "kstat/kstats_private.h"

#include "base/cleanup.h"
#include "base/steps.h"

#include <bpf/bpf.h>
#include <string.h>

/* The views whose lists change, with what they will be. */
struct lists {
        struct kstat_view **views;
        struct kids *kids;
        size_t n;
};

static void lists_done(struct lists *lists)
{
        for (size_t i = 0; lists->kids && i < lists->n; i++)
                kids_done(&lists->kids[i]);
        free(lists->kids);
        free(lists->views);
}

static struct kstat_page_key page_key(uint64_t partition, uint64_t kcid, size_t page)
{
        return (struct kstat_page_key){.partition = partition, .kcid = kcid, .page = (uint32_t)page};
}

int kstats_write_list(struct kstats *k, struct kstat_view *view, const struct kids *kids, struct croft_error *err)
{
        const struct kstat_list next = {.kcid = view->kcid + 1, .total = (uint32_t)kids->n};
        struct kstat_chain chain = {.from = KSTAT_NEVER};
        int r = 0;

        for (size_t first = 0; r == 0 && first < kids->n; first += KSTAT_PAGE_KIDS) {
                struct kstat_page_key key = page_key(view->partition, next.kcid, first / KSTAT_PAGE_KIDS);
                size_t n = kids->n - first < KSTAT_PAGE_KIDS ? kids->n - first : KSTAT_PAGE_KIDS;
                struct kstat_page page = {{0}};

                memcpy(page.kids, kids->at + first, n * sizeof(*page.kids));
                r = kstat_put(k->maps.pages, &key, &page, "lists", err);
        }
        if (r < 0)
                return r;
        if (bpf_map_lookup_elem(k->maps.chains, &view->partition, &chain) == 0 && chain.next.kcid == view->kcid)
                chain.last = chain.next;
        chain.from = k->state.generation + 1;
        chain.next = next;
        return kstat_put(k->maps.chains, &view->partition, &chain, "chains", err);
}

void kstats_drop_list(struct kstats *k, uint64_t partition, uint64_t kcid, size_t total)
{
        for (size_t page = 0; page * KSTAT_PAGE_KIDS < total; page++) {
                struct kstat_page_key key = page_key(partition, kcid, page);

                (void)bpf_map_delete_elem(k->maps.pages, &key); /* may never have been there */
        }
}

/* --- which lists change --------------------------------------------------------------------------------------------
 */

static bool touches(const struct kstat_association *at, size_t n, uint64_t partition)
{
        for (size_t i = 0; i < n; i++)
                if (at[i].partition == partition)
                        return true;
        return false;
}

/* The kids of a partition (or of KSTAT_ALL) after the change. */
static int kids_after(const struct kids *now, uint64_t partition, const struct kstat_commit *c, struct kids *ret)
{
        const struct kids none = {.n = 0};
        struct kids after;
        int r = kids_merge(now, &none, &after);

        if (r < 0)
                return r;
        for (size_t i = 0; i < c->n_drop; i++)
                if (c->drop[i].partition == partition)
                        kids_drop(&after, c->drop[i].kid);
        for (size_t i = 0; r == 0 && i < c->n_add; i++)
                if (c->add[i].partition == partition)
                        r = kids_add(&after, c->add[i].kid);
        if (r < 0)
                kids_done(&after);
        else
                *ret = after;
        return r;
}

static int add_list(struct lists *lists, struct kstat_view *view, const struct kids *all, const struct kstat_commit *c)
{
        struct kids own;
        int r = kids_after(&view->kids, view->partition, c, &own);

        if (r < 0)
                return r;
        r = kids_merge(&own, all, &lists->kids[lists->n]);
        kids_done(&own);
        if (r == 0)
                lists->views[lists->n++] = view;
        return r;
}

static int make_lists(struct kstats *k, const struct kstat_commit *c, struct lists *lists)
{
        struct kstat_view *all_view = table_view(&k->table, KSTAT_ALL);
        bool everybody = touches(c->add, c->n_add, KSTAT_ALL) || touches(c->drop, c->n_drop, KSTAT_ALL);
        struct kids all;
        int r = kids_after(&all_view->kids, KSTAT_ALL, c, &all);

        if (r < 0)
                return r;
        lists->views = calloc(k->table.n_views, sizeof(*lists->views));
        lists->kids = calloc(k->table.n_views, sizeof(*lists->kids));
        if (!lists->views || !lists->kids)
                r = -ENOMEM;
        for (size_t i = 0; r == 0 && i < k->table.n_views; i++) {
                struct kstat_view *view = &k->table.views[i];

                if (view->partition == KSTAT_ALL)
                        continue;
                if (everybody || touches(c->add, c->n_add, view->partition) ||
                        touches(c->drop, c->n_drop, view->partition))
                        r = add_list(lists, view, &all, c);
        }
        kids_done(&all);
        return r;
}

/* --- prepare -------------------------------------------------------------------------------------------------------
 */

static int put_record(
        struct kstats *k, const struct kstat_entry *entry, const void *data, uint64_t version, struct croft_error *err)
{
        struct kstat_record record = {.version = version,
                .head = entry->head,
                .source = entry->source,
                .subject = entry->subject,
                .argument = entry->argument,
                .version_end = version};

        if (data)
                memcpy(record.data, data, entry->head.size);
        return kstat_put(k->maps.records, &entry->head.kid, &record, "statistics", err);
}

static const struct kstat_entry *find_entry(const struct kstats *k, const struct kstat_commit *c, uint64_t kid)
{
        for (size_t i = 0; i < c->n_created; i++)
                if (c->created[i].head.kid == kid)
                        return &c->created[i];
        return table_find(&k->table, kid);
}

static int put_association(struct kstats *k, const struct kstat_commit *c, const struct kstat_association *a,
        struct kstat_span span, struct croft_error *err)
{
        const struct kstat_member_key member = {.partition = a->partition, .kid = a->kid};
        const struct kstat_index_key index = {.key = find_entry(k, c, a->kid)->head.key, .partition = a->partition};
        const struct kstat_index_value value = {.kid = a->kid, .span = span};
        int r = kstat_put(k->maps.members, &member, &span, "associations", err);

        return r < 0 ? r : kstat_put(k->maps.index, &index, &value, "keys", err);
}

static void delete_association(struct kstats *k, const struct kstat_commit *c, const struct kstat_association *a)
{
        const struct kstat_member_key member = {.partition = a->partition, .kid = a->kid};
        const struct kstat_index_key index = {.key = find_entry(k, c, a->kid)->head.key, .partition = a->partition};

        (void)bpf_map_delete_elem(k->maps.members, &member);
        (void)bpf_map_delete_elem(k->maps.index, &index);
}

static int prepare(struct kstats *k, const struct kstat_commit *c, const struct lists *lists, struct croft_error *err)
{
        const struct kstat_span comes = {.from = k->state.generation + 1, .until = KSTAT_NEVER};
        const struct kstat_span goes = {.from = 0, .until = k->state.generation + 1};
        int r = 0;

        for (size_t i = 0; r == 0 && i < c->n_created; i++)
                r = put_record(k, &c->created[i], c->data[i], k->state.next_version++, err);
        for (size_t i = 0; r == 0 && i < c->n_add; i++)
                r = put_association(k, c, &c->add[i], comes, err);
        for (size_t i = 0; r == 0 && i < c->n_drop; i++)
                r = put_association(k, c, &c->drop[i], goes, err);
        for (size_t i = 0; r == 0 && i < lists->n; i++)
                r = kstats_write_list(k, lists->views[i], &lists->kids[i], err);
        return r;
}

/* All as before.  Only deletions and updates of what is there: these find room. */
static void take_back(struct kstats *k, const struct kstat_commit *c, const struct lists *lists)
{
        const struct kstat_span stays = {.from = 0, .until = KSTAT_NEVER};

        for (size_t i = 0; i < c->n_add; i++)
                delete_association(k, c, &c->add[i]);
        for (size_t i = 0; i < c->n_drop; i++)
                (void)put_association(k, c, &c->drop[i], stays, NULL);
        for (size_t i = 0; i < c->n_created; i++)
                (void)bpf_map_delete_elem(k->maps.records, &c->created[i].head.kid);
        for (size_t i = 0; i < lists->n; i++) {
                struct kstat_view *view = lists->views[i];
                struct kstat_chain chain;

                if (bpf_map_lookup_elem(k->maps.chains, &view->partition, &chain) < 0 || chain.next.kcid == view->kcid)
                        continue;
                chain.next = chain.last;
                chain.from = 0;
                (void)bpf_map_update_elem(k->maps.chains, &view->partition, &chain, BPF_ANY);
                kstats_drop_list(k, view->partition, view->kcid + 1, lists->kids[i].n);
        }
}

/* --- the table, then what is no longer in force ----------------------------------------------------------------------
 */

static int enter(struct kstats *k, const struct kstat_commit *c)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < c->n_created; i++) {
                struct kstat_entry *entry = table_add(&k->table, &c->created[i].head);

                if (!entry)
                        return -ENOMEM;
                entry->source = c->created[i].source;
                entry->subject = c->created[i].subject;
                entry->argument = c->created[i].argument;
        }
        for (size_t i = 0; r == 0 && i < c->n_add; i++)
                r = table_associate(&k->table, c->add[i].kid, c->add[i].partition);
        return r;
}

static void leave(struct kstats *k, const struct kstat_commit *c)
{
        for (size_t i = 0; i < c->n_add; i++)
                table_dissociate(&k->table, c->add[i].kid, c->add[i].partition);
        for (size_t i = 0; i < c->n_created; i++)
                table_drop(&k->table, c->created[i].head.kid);
}

static void clean_up(struct kstats *k, const struct kstat_commit *c, const struct lists *lists)
{
        for (size_t i = 0; i < c->n_drop; i++) {
                delete_association(k, c, &c->drop[i]);
                table_dissociate(&k->table, c->drop[i].kid, c->drop[i].partition);
        }
        for (size_t i = 0; i < c->n_deleted; i++) {
                (void)bpf_map_delete_elem(k->maps.records, &c->deleted[i]);
                table_drop(&k->table, c->deleted[i]);
        }
        for (size_t i = 0; i < lists->n; i++) {
                struct kstat_view *view = lists->views[i];
                struct kstat_chain chain;

                if (bpf_map_lookup_elem(k->maps.chains, &view->partition, &chain) == 0)
                        kstats_drop_list(k, view->partition, view->kcid, chain.last.total);
                view->kcid++;
        }
}

int kstats_commit(struct kstats *k, const struct kstat_commit *c, struct croft_error *err)
{
        _cleanup_(lists_done) struct lists lists = {.n = 0};
        const struct kstat_state before = k->state;
        int r = make_lists(k, c, &lists);

        if (r < 0)
                return croft_error_set(err, r, "change statistics");
        r = enter(k, c);
        if (r < 0) {
                leave(k, c);
                return croft_error_set(err, r, "change statistics");
        }
        crash_point(c->name, "prepare", "");
        r = prepare(k, c, &lists, err);
        crash_point(c->name, "force", "");
        if (r == 0) {
                k->state.generation++;
                r = kstat_put_state(k, err);
        }
        if (r < 0) {
                k->state.generation = before.generation;
                take_back(k, c, &lists);
                leave(k, c);
                return r;
        }
        crash_point(c->name, "clean", "");
        clean_up(k, c, &lists);
        return 0;
}
