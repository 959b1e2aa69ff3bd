/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kid_list.c - lists in pages.  See kid_list.h.
 *
 * Kids rise and are never given again: new ones go to the last page, and what ends leaves gaps.  A page that has become
 * short is joined to the one behind it where both fit into one, so that lists don't end up as many small pages.
 */
#include "kstat/kid_list.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define SHORT (KSTAT_PAGE_KIDS / 4)

void kid_list_done(struct kid_list *list)
{
        for (size_t i = 0; i < list->n_pages; i++)
                free(list->pages[i]);
        free(list->pages);
        *list = (struct kid_list){.n = 0};
}

static void free_arrays(struct kid_change *change)
{
        free(change->fresh);
        free(change->stale);
        free(change->after.pages);
        *change = (struct kid_change){.n_fresh = 0};
}

void kid_change_done(struct kid_change *change)
{
        for (size_t i = 0; i < change->n_fresh; i++)
                free(change->fresh[i]);
        free_arrays(change);
}

void kid_change_keep(struct kid_change *change, struct kid_list *list)
{
        for (size_t i = 0; i < change->n_stale; i++)
                free(change->stale[i]);
        free(list->pages);
        *list = change->after;
        change->after = (struct kid_list){.n = 0};
        free_arrays(change);
}

/* The kids that wait for a page of theirs. */
struct filling {
        struct kid_change *change;
        __u64 *next_id;
        uint64_t kids[KSTAT_PAGE_KIDS];
        size_t n;
};

static void put_page(struct kid_change *change, struct kid_page *page)
{
        change->after.pages[change->after.n_pages++] = page;
        change->after.n += page->n;
}

static int flush(struct filling *f)
{
        struct kid_page *page;

        if (f->n == 0)
                return 0;
        page = calloc(1, sizeof(*page));
        if (!page)
                return -ENOMEM;
        page->id = (*f->next_id)++;
        page->n = (uint32_t)f->n;
        memcpy(page->kids, f->kids, f->n * sizeof(f->kids[0]));
        f->n = 0;
        f->change->fresh[f->change->n_fresh++] = page;
        put_page(f->change, page);
        return 0;
}

static int push(struct filling *f, uint64_t kid)
{
        f->kids[f->n++] = kid;
        return f->n == KSTAT_PAGE_KIDS ? flush(f) : 0;
}

static bool skip_to(struct kid_numbers *numbers, uint64_t kid)
{
        while (numbers->n > 0 && numbers->at[0] < kid) {
                numbers->at++;
                numbers->n--;
        }
        return numbers->n > 0 && numbers->at[0] == kid;
}

static bool has_before(const struct kid_numbers *numbers, uint64_t end)
{
        return numbers->n > 0 && numbers->at[0] < end;
}

/* What is to be added before that kid. */
static int push_added(struct filling *f, struct kid_numbers *add, uint64_t before)
{
        int r = 0;

        for (; r == 0 && has_before(add, before); add->at++, add->n--)
                r = push(f, add->at[0]);
        return r;
}

/* A page that is touched: what is left of it, and what comes before `end`, where the next begins. */
static int refill(
        struct filling *f, const struct kid_page *page, struct kid_numbers *add, struct kid_numbers *drop, uint64_t end)
{
        int r = 0;

        for (uint32_t i = 0; r == 0 && page && i < page->n; i++) {
                uint64_t kid = page->kids[i];

                r = push_added(f, add, kid);
                if (skip_to(add, kid)) { /* there already, or dropped and added at once */
                        add->at++;
                        add->n--;
                } else if (skip_to(drop, kid)) {
                        continue;
                }
                if (r == 0)
                        r = push(f, kid);
        }
        if (r == 0)
                r = push_added(f, add, end);
        (void)skip_to(drop, end); /* those that aren't there */
        return r;
}

static int change_pages(const struct kid_list *list, struct kid_numbers add, struct kid_numbers drop, struct filling *f)
{
        struct kid_change *change = f->change;
        int r = 0;

        for (size_t i = 0; r == 0 && i < list->n_pages; i++) {
                struct kid_page *page = list->pages[i];
                uint64_t end = i + 1 < list->n_pages ? list->pages[i + 1]->kids[0] : UINT64_MAX;
                bool joined = f->n > 0 && f->n < SHORT && f->n + page->n <= KSTAT_PAGE_KIDS;

                if (!joined)
                        r = flush(f);
                if (r == 0 && !joined && !has_before(&add, end) && !has_before(&drop, end)) {
                        put_page(change, page);
                } else if (r == 0) {
                        change->stale[change->n_stale++] = page;
                        r = refill(f, page, &add, &drop, end);
                }
        }
        if (r == 0)
                r = push_added(f, &add, UINT64_MAX);
        return r < 0 ? r : flush(f);
}

int kid_list_change(const struct kid_list *list, struct kid_numbers add, struct kid_numbers drop, __u64 *next_id,
        struct kid_change *ret)
{
        /* each page of before may be cut in two by what is added to it */
        size_t room = 2 * list->n_pages + add.n / KSTAT_PAGE_KIDS + 2;
        struct kid_change change = {
                .after.pages = calloc(room, sizeof(struct kid_page *)),
                .fresh = calloc(room, sizeof(struct kid_page *)),
                .stale = calloc(list->n_pages + 1, sizeof(struct kid_page *)),
        };
        struct filling filling = {.change = &change, .next_id = next_id};
        int r = !change.after.pages || !change.fresh || !change.stale ? -ENOMEM : 0;

        if (r == 0)
                r = change_pages(list, add, drop, &filling);
        if (r < 0) {
                kid_change_done(&change);
                return r;
        }
        *ret = change;
        return 0;
}
