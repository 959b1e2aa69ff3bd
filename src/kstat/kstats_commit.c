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
        struct kid_change *changes;
        size_t n;
};

static void lists_done(struct lists *lists)
{
        for (size_t i = 0; lists->changes && i < lists->n; i++)
                kid_change_done(&lists->changes[i]);
        free(lists->changes);
        free(lists->views);
}

/* --- lists in the maps ---------------------------------------------------------------------------------------------
 */

static struct kstat_page_key table_key(uint64_t partition, uint64_t kcid, size_t table)
{
        return (struct kstat_page_key){
                .partition = partition, .number = kcid, .level = KSTAT_PAGE_OF_PAGES, .table = (uint32_t)table};
}

static struct kstat_page_key page_key(uint64_t partition, const struct kid_page *page)
{
        return (struct kstat_page_key){.partition = partition, .number = page->id, .level = KSTAT_PAGE_OF_KIDS};
}

static int put_tables(struct kstats *k, const struct kstat_view *view, const struct kid_list *list, uint64_t kcid,
        struct croft_error *err)
{
        int r = 0;

        for (size_t first = 0; r == 0 && first < list->n_pages; first += KSTAT_PAGE_KIDS) {
                struct kstat_page_key key = table_key(view->partition, kcid, first / KSTAT_PAGE_KIDS);
                size_t left = list->n_pages - first;
                struct kstat_page table = {{0}};

                for (size_t i = 0; i < KSTAT_PAGE_KIDS && i < left; i++)
                        table.kids[i] = KSTAT_PAGE_REFERENCE(list->pages[first + i]->id, list->pages[first + i]->n);
                r = kstat_put(k->maps.pages, &key, &table, "lists", err);
        }
        return r;
}

static void drop_tables(struct kstats *k, uint64_t partition, uint64_t kcid, size_t n_pages)
{
        for (size_t first = 0; first < n_pages; first += KSTAT_PAGE_KIDS) {
                struct kstat_page_key key = table_key(partition, kcid, first / KSTAT_PAGE_KIDS);

                (void)bpf_map_delete_elem(k->maps.pages, &key); /* may never have been there */
        }
}

static void drop_pages(struct kstats *k, uint64_t partition, struct kid_page *const *pages, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct kstat_page_key key = page_key(partition, pages[i]);

                (void)bpf_map_delete_elem(k->maps.pages, &key); /* likewise */
        }
}

int kstats_write_list(
        struct kstats *k, struct kstat_view *view, const struct kid_change *change, struct croft_error *err)
{
        const struct kstat_list next = {
                .kcid = view->kcid + 1, .total = (uint32_t)change->after.n, .pages = (uint32_t)change->after.n_pages};
        struct kstat_chain chain = {.from = KSTAT_NEVER};
        int r = 0;

        for (size_t i = 0; r == 0 && i < change->n_fresh; i++) {
                struct kstat_page_key key = page_key(view->partition, change->fresh[i]);
                struct kstat_page page;

                memcpy(page.kids, change->fresh[i]->kids, sizeof(page.kids));
                r = kstat_put(k->maps.pages, &key, &page, "lists", err);
        }
        if (r == 0)
                r = put_tables(k, view, &change->after, next.kcid, err);
        if (r < 0)
                return r;
        if (bpf_map_lookup_elem(k->maps.chains, &view->partition, &chain) == 0 && chain.next.kcid == view->kcid)
                chain.last = chain.next;
        chain.from = k->state.generation + 1;
        chain.next = next;
        return kstat_put(k->maps.chains, &view->partition, &chain, "chains", err);
}

void kstats_drop_list(struct kstats *k, const struct kstat_view *view)
{
        drop_tables(k, view->partition, view->kcid, view->list.n_pages);
        drop_pages(k, view->partition, view->list.pages, view->list.n_pages);
}

/* --- which lists change --------------------------------------------------------------------------------------------
 */

static void touch(struct lists *lists, struct kstat_view *view)
{
        for (size_t i = lists->n; i-- > 0;) /* the same one as before, as a rule */
                if (lists->views[i] == view)
                        return;
        lists->views[lists->n++] = view;
}

static bool touch_all_of(struct kstats *k, const struct kstat_association *at, size_t n, struct lists *lists)
{
        struct kstat_view *view = NULL;

        for (size_t i = 0; i < n; i++) {
                if (at[i].partition == KSTAT_ALL)
                        return true;
                if (!view || view->partition != at[i].partition)
                        view = table_view(&k->table, at[i].partition);
                if (view)
                        touch(lists, view);
        }
        return false;
}

static void find_touched(struct kstats *k, const struct kstat_commit *c, struct lists *lists)
{
        if (!touch_all_of(k, c->add, c->n_add, lists) && !touch_all_of(k, c->drop, c->n_drop, lists))
                return;
        for (lists->n = 0; lists->n < k->table.n_views; lists->n++)
                lists->views[lists->n] = &k->table.views[lists->n];
}

static bool has(const struct kstat_association *at, size_t n, uint64_t kid, uint64_t partition)
{
        for (size_t i = 0; i < n; i++)
                if (at[i].kid == kid && at[i].partition == partition)
                        return true;
        return false;
}

/* Is a structure that loses one association still seen by that view?  By its own or by everybody's. */
static bool is_seen_after(struct kstats *k, const struct kstat_commit *c, const struct kstat_association *lost,
        const struct kstat_view *view)
{
        const uint64_t ways[] = {view->partition, KSTAT_ALL};
        const struct kstat_entry *entry = table_find(&k->table, lost->kid);

        for (size_t i = 0; i < ELEMENTS(ways); i++) {
                if (has(c->add, c->n_add, lost->kid, ways[i]))
                        return true;
                if (ways[i] != lost->partition && entry && kids_have(&entry->partitions, ways[i]) &&
                        !has(c->drop, c->n_drop, lost->kid, ways[i]))
                        return true;
        }
        return false;
}

static bool concerns(const struct kstat_association *a, const struct kstat_view *view)
{
        return a->partition == view->partition || a->partition == KSTAT_ALL;
}

/* Arrays of n_add and n_drop numbers. */
static void find_numbers(struct kstats *k, const struct kstat_commit *c, const struct kstat_view *view, uint64_t *add,
        struct kid_numbers ret[2])
{
        uint64_t *drop = add + c->n_add;

        ret[0] = (struct kid_numbers){.at = add};
        ret[1] = (struct kid_numbers){.at = drop};
        for (size_t i = 0; i < c->n_add; i++)
                if (concerns(&c->add[i], view))
                        add[ret[0].n++] = c->add[i].kid;
        for (size_t i = 0; i < c->n_drop; i++)
                if (concerns(&c->drop[i], view) && !is_seen_after(k, c, &c->drop[i], view))
                        drop[ret[1].n++] = c->drop[i].kid;
        kids_sort(add, ret[0].n);
        kids_sort(drop, ret[1].n);
}

static int make_lists(struct kstats *k, const struct kstat_commit *c, struct lists *lists)
{
        _cleanup_free_ uint64_t *numbers = calloc(c->n_add + c->n_drop + 1, sizeof(*numbers));
        struct kid_numbers change[2];
        int r = 0;

        lists->views = calloc(k->table.n_views, sizeof(*lists->views));
        lists->changes = calloc(k->table.n_views, sizeof(*lists->changes));
        if (!numbers || !lists->views || !lists->changes)
                return -ENOMEM;
        find_touched(k, c, lists);
        for (size_t i = 0; r == 0 && i < lists->n; i++) {
                find_numbers(k, c, lists->views[i], numbers, change);
                r = kid_list_change(
                        &lists->views[i]->list, change[0], change[1], &k->state.next_page, &lists->changes[i]);
        }
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
                .argument = entry->argument};

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
                if (lists->views[i]->partition != KSTAT_ALL)
                        r = kstats_write_list(k, lists->views[i], &lists->changes[i], err);
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
                const struct kstat_view *view = lists->views[i];
                const struct kid_change *change = &lists->changes[i];
                struct kstat_chain chain;

                if (bpf_map_lookup_elem(k->maps.chains, &view->partition, &chain) == 0 &&
                        chain.next.kcid != view->kcid) {
                        chain.next = chain.last;
                        chain.from = 0;
                        (void)bpf_map_update_elem(k->maps.chains, &view->partition, &chain, BPF_ANY);
                }
                drop_tables(k, view->partition, view->kcid + 1, change->after.n_pages);
                drop_pages(k, view->partition, change->fresh, change->n_fresh);
        }
}

/* --- the table, then what is no longer in force ----------------------------------------------------------------------
 */

static int enter(struct kstats *k, const struct kstat_commit *c)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < c->n_created; i++) {
                if (!table_add(&k->table, &c->created[i]))
                        return -ENOMEM;
        }
        for (size_t i = 0; r == 0 && i < c->n_add; i++)
                r = table_associate(&k->table, c->add[i].kid, c->add[i].partition);
        return r;
}

static void leave(struct kstats *k, const struct kstat_commit *c)
{
        for (size_t i = 0; i < c->n_add; i++)
                table_dissociate(&k->table, c->add[i].kid, c->add[i].partition);
        for (size_t i = 0; i < c->n_created; i++) {
                const uint64_t kid = c->created[i].head.kid;

                table_drop(&k->table, &kid, 1);
        }
}

static void clean_up(struct kstats *k, const struct kstat_commit *c, const struct lists *lists)
{
        for (size_t i = 0; i < c->n_drop; i++) {
                delete_association(k, c, &c->drop[i]);
                table_dissociate(&k->table, c->drop[i].kid, c->drop[i].partition);
        }
        for (size_t i = 0; i < c->n_deleted; i++)
                (void)bpf_map_delete_elem(k->maps.records, &c->deleted[i]);
        table_drop(&k->table, c->deleted, c->n_deleted);
        for (size_t i = 0; i < lists->n; i++) {
                struct kstat_view *view = lists->views[i];
                struct kid_change *change = &lists->changes[i];

                drop_tables(k, view->partition, view->kcid, view->list.n_pages);
                drop_pages(k, view->partition, change->stale, change->n_stale);
                kid_change_keep(change, &view->list);
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
