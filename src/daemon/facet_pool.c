/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_pool.c - a partition's place on the CPUs: taken before its first process is born, given up when the last has
 * gone.  What a place is, and how it changes meanwhile, is in life_pool.c.
 */
#include "daemon/facet_pool.h"
#include "daemon/life_private.h"

static int prepare(struct partition *p, struct croft_error *err)
{
        return life_pool_enter(unit_of(p), err);
}

static int release(struct partition *p, struct croft_error *err)
{
        (void)err;
        life_pool_leave(unit_of(p));
        return 0;
}

static int adopt(struct partition *p, struct croft_error *err)
{
        (void)err;
        life_pool_adopt(unit_of(p));
        return 0;
}

const struct facet facet_pool = {
        .name = "pool",
        .prepare = prepare,
        .release = release,
        .adopt = adopt,
};
