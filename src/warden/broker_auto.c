/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_auto.c - devices that go by themselves, when nobody has them open any more (LO_FLAGS_AUTOCLEAR).
 *
 * The kernel's own flag is of no use: it would unbind a device that can still be opened inside.  So they are looked at:
 * each second, and soon after a mount has gone in the partition's mount namespace.  Soon, because images that are
 * mounted one after the other would use up its numbers, and a file that is made anew may have the inode number of one
 * that a device is still bound to.  What
 * was mounted and isn't any more disappears from the views first and is closed then, so that whoever looks for a device
 * doesn't find one that he can't open.
 */
#include "warden/broker_parts.h"

#include "base/cleanup.h"
#include "base/clock.h"

#define EVERY_MS 1000
#define QUIET_MS 20    /* since the last call: whoever asks has a device open, as a rule */
#define LATEST_MS 4000 /* of calls that come all the time */
#define SOON_MS 4      /* unmounting takes a while after it is seen; then four times as long, and again */
#define LOOKS 4

static bool is_in(const uint64_t set[], uint32_t inside)
{
        return set[inside / 64 % (LOOPS_MAX / 64)] >> inside % 64 & 1;
}

static void put_in(uint64_t set[], uint32_t inside, bool in)
{
        uint64_t *word = &set[inside / 64 % (LOOPS_MAX / 64)], bit = UINT64_C(1) << inside % 64;

        *word = in ? *word | bit : *word & ~bit;
}

void broker_auto_begin(struct broker *b, const struct loops_device *device)
{
        put_in(b->young, device->inside, true);
        put_in(b->mounted, device->inside, false);
        b->holders[device->inside % LOOPS_MAX] = 0;
        b->automatic++;
}

/* false: somebody has it open.  For whoever opens it just then it is closed for some milliseconds. */
static bool end(struct broker *b, const struct loops_device *device)
{
        return broker_unbind(b, device) == 0;
}

static void end_unmounted(struct broker *b, const struct loops_device *device)
{
        broker_hide(b, device);
        if (!end(b, device))
                broker_show(b, device);
}

static bool is_automatic(const struct loops_device *device)
{
        return !device->is_free && device->flags & DEVID_AUTO;
}

/* One that is held open is left alone: to look closely it is closed for some milliseconds, for whoever opens it then.
 * But many who have it open for a moment, one after the other, don't keep it. */
static bool is_held(struct broker *b, const struct loops_device *device)
{
        pid_t *holder = &b->holders[device->inside % LOOPS_MAX], before = *holder;

        *holder = broker_find_holder(b, device);
        return *holder && (!before || *holder == before);
}

/* Whoever has just bound one is about to open it again, or to mount it. */
static void sweep_one(const struct loops_device *device, void *context)
{
        struct broker *b = context;
        bool young = is_in(b->young, device->inside);

        if (!is_automatic(device))
                return;
        put_in(b->young, device->inside, false);
        if (young || loops_is_mounted(&b->loops, device) || is_held(b, device) || !end(b, device))
                b->automatic++;
}

void broker_auto_sweep(struct broker *b)
{
        if (b->n_mounts > 0)
                return;
        b->automatic = 0;
        loops_each(&b->loops, sweep_one, b);
        b->swept_ms = now_ms();
}

void broker_auto_tick(struct broker *b)
{
        if (!b->automatic)
                b->swept_ms = now_ms();
        else if (now_ms() - b->swept_ms >= LATEST_MS)
                broker_auto_sweep(b);
}

static void look_at(const struct loops_device *device, void *context)
{
        struct broker *b = context;
        bool mounted;

        if (!is_automatic(device))
                return;
        mounted = loops_is_mounted(&b->loops, device);
        if (!mounted && is_in(b->mounted, device->inside))
                end_unmounted(b, device);
        put_in(b->mounted, device->inside, mounted);
}

bool broker_auto_is_due(const struct broker *b)
{
        return b->automatic && b->looks > 0 && b->n_mounts == 0;
}

void broker_auto_look(struct broker *b, bool changed)
{
        if (changed)
                b->looks = LOOKS;
        if (!broker_auto_is_due(b))
                return;
        b->looks--;
        loops_each(&b->loops, look_at, b);
}

/* Until the next sweep, or the next look if that comes first: one that is longer than the time between two calls would
 * put off both, again and again. */
int broker_auto_timeout(const struct broker *b)
{
        int64_t left = EVERY_MS - (now_ms() - b->swept_ms);
        int soon = broker_auto_is_due(b) ? SOON_MS << 2 * (LOOKS - b->looks) : EVERY_MS;

        if (!b->automatic || b->n_mounts > 0 || left > EVERY_MS)
                return EVERY_MS;
        if (left < QUIET_MS)
                left = QUIET_MS;
        return left < soon ? (int)left : soon;
}
