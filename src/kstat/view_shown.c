/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_shown.c - which block devices a partition sees: those of the machine that its processes have used, and its own
 * (view_disks.h), bound by it and used or not.
 *
 * Invariant: no two have the same number.  Where a partition may have loop devices of its own, "loop0" is never one of
 * the machine's, and a device that is no longer its own is gone with all its figures: the same number may be somebody
 * else's by then.  Where it may not, nothing of this costs more than one comparison.
 */
#include "base/cleanup.h"
#include "kstat/view_private.h"

#include <stdio.h>

#define LOOP_MAJOR 7

/* Lists as they were read: of the second one, which isn't shown, anything may be left. */
struct view_own {
        const struct view_disks *area; /* borrowed */
        bool known;
        uint32_t sequence, n;
        struct view_disk *list, *spare;
};

/* --- its own --- */

int view_use_disks(struct view *v, const struct view_disks *disks)
{
        _cleanup_free_ struct view_own *own = calloc(1, sizeof(*own));
        /* Of that much only what there are disks for is ever touched. */
        _cleanup_free_ struct view_disk *list = calloc(VIEW_DISKS_MAX, sizeof(*list));
        _cleanup_free_ struct view_disk *spare = calloc(VIEW_DISKS_MAX, sizeof(*spare));

        if (!own || !list || !spare)
                return -ENOMEM;
        view_own_free(v->own);
        own->area = disks;
        own->list = TAKE(list);
        own->spare = TAKE(spare);
        v->own = TAKE(own);
        v->stale_shown = true;
        return 0;
}

bool view_has_disks(const struct view *v)
{
        return v->own;
}

struct view_own *view_own_free(struct view_own *own)
{
        if (!own)
                return NULL;
        free(own->list);
        free(own->spare);
        free(own);
        return NULL;
}

static const struct view_disk *find_own(const struct view *v, uint32_t major, uint32_t minor)
{
        for (uint32_t i = 0; v->own && i < v->own->n; i++)
                if (v->own->list[i].major == major && v->own->list[i].minor == minor)
                        return &v->own->list[i];
        return NULL;
}

bool view_may_show(const struct view *v, const struct kstat_sample_disk *disk)
{
        return disk->major != LOOP_MAJOR || !v->own || find_own(v, disk->major, disk->minor);
}

static void forget_used(struct view *v)
{
        uint32_t n = 0;

        for (uint32_t i = 0; i < v->n_disks; i++)
                if (view_may_show(v, &v->disks[i]))
                        v->disks[n++] = v->disks[i];
        v->n_disks = n;
}

/* Who meets a writer goes on with what it had. */
void view_own_take(struct view *v)
{
        struct view_own *own = v->own;
        struct view_disk *list;
        ssize_t n;

        if (own->known && !view_disks_changed(own->area, own->sequence))
                return;
        n = view_disks_read(own->area, own->spare, VIEW_DISKS_MAX, &own->sequence);
        if (n < 0)
                return;
        list = own->list;
        own->list = own->spare;
        own->spare = list;
        own->n = (uint32_t)n;
        own->known = true;
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

/* In an order that changes with the list of its own only: a directory may be read while one is used for the first
 * time.  Its own ones as they are counted inside, whatever the machine's numbers are. */
void view_shown_make(struct view *v)
{
        uint32_t n = 0, n_others;

        for (uint32_t i = 0; i < v->n_disks; i++) {
                const struct kstat_sample_disk *d = &v->disks[i];

                if (find_own(v, d->major, d->minor))
                        continue;
                v->shown[n++] =
                        (struct view_shown){d->major, d->minor, d, NULL, facts_disk_find(v->facts, d->major, d->minor)};
        }
        n_others = n;
        for (uint32_t i = 0; v->own && i < v->own->n; i++) {
                const struct view_disk *own = &v->own->list[i];

                v->shown[n++] =
                        (struct view_shown){own->major, own->minor, find_used(v, own->major, own->minor), own, NULL};
        }
        qsort(v->shown + n_others, n - n_others, sizeof(v->shown[0]), by_name);
        v->n_shown = n;
        v->stale_shown = false;
}

/* --- what is known of one --- */

void view_shown_name(const struct view_shown *d, char *ret, size_t size)
{
        if (d->own)
                (void)snprintf(ret, size, "%s", d->own->name);
        else if (d->known)
                (void)snprintf(ret, size, "%.*s", (int)d->known->name.size, d->known->name.text);
        else if (d->major == LOOP_MAJOR)
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

bool view_shown_is_loop(const struct view_shown *d)
{
        return d->own && d->own->flags & VIEW_DISK_LOOP;
}
