/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mibs.c - see mibs.h.  The enumeration has no name, which libbpf's relocations would need.
 */
#include "kstat/mibs.h"

#include "base/cleanup.h"
#include "kernel/types.h"

#define FIRST "IPSTATS_MIB_NUM" /* what the enumeration begins with */

void kstat_mibs_find(const struct kernel_types *types, struct kstat_mibs *ret)
{
        *ret = (struct kstat_mibs){KSTAT_MIBS(KSTAT_MIB_PLACE)};
#define TAKE_PLACE(counter, name, place) (void)kernel_types_value(types, FIRST, "IPSTATS_MIB_" #name, &ret->counter);
        KSTAT_MIBS(TAKE_PLACE)
        (void)kernel_types_value(types, FIRST, KSTAT_MIB_REQUESTS, &ret->outRequests);
}

void kstat_mibs_read(struct kstat_mibs *ret)
{
        _cleanup_(kernel_types_unrefp) struct kernel_types *types = NULL;

        *ret = (struct kstat_mibs){KSTAT_MIBS(KSTAT_MIB_PLACE)};
        if (kernel_types_ref(&types, NULL) == 0)
                kstat_mibs_find(types, ret);
}
