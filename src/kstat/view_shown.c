/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_shown.c - which block devices a partition sees: those of the machine that its processes have used, and its own
 * (view_disks.h): bound by it, or exported to it, and used or not.
 *
 * Invariant: no two have the same number.  Where a partition may have loop devices of its own, "loop0" is never one of
 * the machine's, and a device that is no longer its own is gone with all its figures: the same number may be somebody
 * else's by then.  Where it may not, nothing of this costs more than one comparison.
 */
#include "base/cleanup.h"
#include "kstat/view_private.h"

#include <stdio.h>

#define LOOP_MAJOR 7

/* A list as it was read; of `spare`, which isn't shown, anything may be left. */
struct own_list {
        const struct view_disks *area; /* borrowed; NULL: it can't have such */
        bool known;
        uint32_t sequence, n;
        struct view_disk *list, *spare;
};

struct view_own {
        struct own_list of[VIEW_DISKS_KINDS];
};

/* --- its own --- */

int view_use_disks(struct view *v, enum view_disks_kind kind, const struct view_disks *disks)
{
        _cleanup_free_ struct view_own *new = v->own ? NULL : calloc(1, sizeof(*new));
        /* Of that much only what there are disks for is ever touched. */
        _cleanup_free_ struct view_disk *list = calloc(VIEW_DISKS_MAX, sizeof(*list));
        _cleanup_free_ struct view_disk *spare = calloc(VIEW_DISKS_MAX, sizeof(*spare));
        struct own_list *own;

        if (!(v->own || new) || !list || !spare)
                return -ENOMEM;
        if (!v->own)
                v->own = TAKE(new);
        own = &v->own->of[kind];
        free(own->list);
        free(own->spare);
        *own = (struct own_list){.area = disks, .list = TAKE(list), .spare = TAKE(spare)};
        v->stale_shown = true;
        return 0;
}

bool view_has_disks(const struct view *v, enum view_disks_kind kind)
{
        return v->own && v->own->of[kind].area;
}

struct view_own *view_own_free(struct view_own *own)
{
        for (unsigned int kind = 0; own && kind < VIEW_DISKS_KINDS; kind++) {
                free(own->of[kind].list);
                free(own->of[kind].spare);
        }
        free(own);
        return NULL;
}

static bool is_own(const struct view *v, uint32_t major, uint32_t minor)
{
        for (unsigned int kind = 0; v->own && kind < VIEW_DISKS_KINDS; kind++) {
                const struct own_list *own = &v->own->of[kind];

                for (uint32_t i = 0; i < own->n; i++)
                        if (own->list[i].major == major && own->list[i].minor == minor)
                                return true;
        }
        return false;
}

bool view_may_show(const struct view *v, const struct kstat_sample_disk *disk)
{
        return disk->major != LOOP_MAJOR || !view_has_disks(v, VIEW_LOOPS) || is_own(v, disk->major, disk->minor);
}

static void forget_used(struct view *v)
{
        uint32_t n = 0;

        for (uint32_t i = 0; i < v->n_disks; i++)
                if (view_may_show(v, &v->disks[i]))
                        v->disks[n++] = v->disks[i];
        v->n_disks = n;
}

/* Who meets a writer goes on with what it had.  True: another list. */
static bool take_list(struct own_list *own)
{
        struct view_disk *list;
        ssize_t n;

        if (!own->area || (own->known && !view_disks_changed(own->area, own->sequence)))
                return false;
        n = view_disks_read(own->area, own->spare, VIEW_DISKS_MAX, &own->sequence);
        if (n < 0)
                return false;
        list = own->list;
        own->list = own->spare;
        own->spare = list;
        own->n = (uint32_t)n;
        own->known = true;
        return true;
}

void view_own_take(struct view *v)
{
        bool changed = false;

        for (unsigned int kind = 0; kind < VIEW_DISKS_KINDS; kind++)
                changed = take_list(&v->own->of[kind]) || changed;
        if (!changed)
                return;
        v->stale_shown = true;
        forget_used(v);
}

/* --- all of them --- */

static const struct kstat_sample_disk *find_used(const struct view *v, uint32_t major, uint32_t minor)
{
        for (uint32_t i = 0; i < v->n_disks; i++)
                if (v->disks[i].major == major && v->disks[i].minor == minor)
                        return &v->disks[i];
        return NULL;
}

static int by_name(const void *a, const void *b)
{
        const struct view_shown *x = a, *y = b;

        return strverscmp(x->own->name, y->own->name);
}

/* Is there one like it among those that come before it? */
static bool is_like_another(const struct view *v, uint32_t from, uint32_t n, const struct view_disk *own)
{
        for (uint32_t i = from; i < n; i++)
                if (strcmp(v->shown[i].own->name, own->name) == 0 ||
                        (v->shown[i].major == own->major && v->shown[i].minor == own->minor))
                        return true;
        return false;
}

/* The disk that one of the list is a partition of.  NULL: it isn't listed. */
static const struct view_disk *find_whole(const struct own_list *list, const struct view_disk *part)
{
        char name[VIEW_NAME_SIZE];

        for (uint32_t i = 0; i < list->n; i++) {
                if (list->list[i].partition)
                        continue;
                (void)snprintf(name, sizeof(name), "%sp%u", list->list[i].name, part->partition);
                if (strcmp(name, part->name) == 0)
                        return &list->list[i];
        }
        return NULL;
}

/* A partition is shown below its disk, or not at all. */
static uint32_t add_own(struct view *v, enum view_disks_kind kind, uint32_t from, uint32_t n)
{
        const struct own_list *list = v->own ? &v->own->of[kind] : NULL;
        uint32_t before = n;

        for (uint32_t i = 0; view_has_disks(v, kind) && i < list->n; i++) {
                const struct view_disk *own = &list->list[i];
                const struct view_disk *whole = own->partition ? find_whole(list, own) : NULL;

                if (!is_like_another(v, from, before, own) && (whole || !own->partition))
                        v->shown[n++] =
                                (struct view_shown){own->major, own->minor, find_used(v, own->major, own->minor), own,
                                        kind == VIEW_EXPORTS ? facts_disk_find(v->facts, own->major, own->minor) : NULL,
                                        whole, false};
        }
        return n;
}

/* The machine's name of a disk may be what another one is called inside. */
static void number_doubles(struct view *v, uint32_t n_others, uint32_t n)
{
        char name[VIEW_NAME_SIZE];

        for (uint32_t i = 0; i < n_others; i++) {
                view_shown_name(&v->shown[i], name, sizeof(name));
                for (uint32_t k = n_others; k < n; k++)
                        if (strcmp(name, v->shown[k].own->name) == 0)
                                v->shown[i].numbered = true;
        }
}

/* In an order that changes with the list of its own only: a directory may be read while one is used for the first
 * time.  Its own ones as they are counted inside, whatever the machine's numbers are. */
void view_shown_make(struct view *v)
{
        uint32_t n = 0, n_others;

        for (uint32_t i = 0; i < v->n_disks; i++) {
                const struct kstat_sample_disk *d = &v->disks[i];

                if (is_own(v, d->major, d->minor))
                        continue;
                v->shown[n++] = (struct view_shown){
                        d->major, d->minor, d, NULL, facts_disk_find(v->facts, d->major, d->minor), NULL, false};
        }
        n_others = n;
        n = add_own(v, VIEW_LOOPS, n_others, n);
        n = add_own(v, VIEW_EXPORTS, n_others, n);
        number_doubles(v, n_others, n);
        qsort(v->shown + n_others, n - n_others, sizeof(v->shown[0]), by_name);
        v->n_shown = n;
        v->n_wholes = 0;
        for (uint32_t i = 0; i < n; i++)
                if (!v->shown[i].whole)
                        v->wholes[v->n_wholes++] = (uint16_t)i;
        v->stale_shown = false;
}

/* --- what is known of one --- */

void view_shown_name(const struct view_shown *d, char *ret, size_t size)
{
        if (d->own)
                (void)snprintf(ret, size, "%s", d->own->name);
        else if (d->known && !d->numbered)
                (void)snprintf(ret, size, "%.*s", (int)d->known->name.size, d->known->name.text);
        else if (d->major == LOOP_MAJOR && !d->numbered)
                (void)snprintf(ret, size, "loop%u", d->minor);
        else /* came after the facts were collected */
                (void)snprintf(ret, size, "disk%u-%u", d->major, d->minor);
}

uint64_t view_shown_sectors(const struct view_shown *d)
{
        if (d->own)
                return d->own->sectors;
        return d->known ? d->known->size_bytes / VIEW_SECTOR : 0;
}

uint32_t view_shown_part(const struct view_shown *d)
{
        return d->own ? d->own->partition : 0;
}

bool view_shown_is_loop(const struct view_shown *d)
{
        return d->own && d->own->flags & VIEW_DISK_LOOP;
}
