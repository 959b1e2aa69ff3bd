/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * percpu.c - see percpu.h.  Offsets in the section of per-CPU variables; where the section lies is nobody's business
 * here.
 *
 * Invariant: what isn't known is 0, and nothing that reads it takes that for a place.
 */
#include "kstat/percpu.h"

#include "base/cleanup.h"
#include "kernel/types.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ANCHOR "kernel_cpustat"

#define VARIABLE(variable) {#variable, offsetof(struct kstat_percpu, variable)},
static const struct {
        const char *name;
        size_t place; /* in struct kstat_percpu */
} variables[] = {KSTAT_PERCPU_VARIABLES(VARIABLE)};

void kstat_percpu_find(const struct kernel_types *types, struct kstat_percpu *ret)
{
        uint32_t anchor, offset;

        *ret = (struct kstat_percpu){0};
        if (!kernel_types_percpu(types, ANCHOR, &anchor))
                return;
        for (size_t i = 0; i < ELEMENTS(variables); i++) {
                __s64 distance = 0;

                if (kernel_types_percpu(types, variables[i].name, &offset))
                        distance = (__s64)offset - anchor;
                memcpy((char *)ret + variables[i].place, &distance, sizeof(distance));
        }
}

void kstat_percpu_read(struct kstat_percpu *ret)
{
        _cleanup_(kernel_types_unrefp) struct kernel_types *types = NULL;

        *ret = (struct kstat_percpu){0};
        if (kernel_types_ref(&types, NULL) == 0)
                kstat_percpu_find(types, ret);
}
