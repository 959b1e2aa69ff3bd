/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * percpu.c - see percpu.h.  Offsets in the section of per-CPU variables; where the section lies is nobody's business
 * here.
 *
 * Invariant: what isn't known is 0, and nothing that reads it takes that for a place.
 */
#include "kstat/percpu.h"

#include "base/cleanup.h"

#include <bpf/btf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SECTION ".data..percpu"
#define ANCHOR "kernel_cpustat"

#define VARIABLE(variable) {#variable, offsetof(struct kstat_percpu, variable)},
static const struct {
        const char *name;
        size_t place; /* in struct kstat_percpu */
} variables[] = {KSTAT_PERCPU_VARIABLES(VARIABLE)};

static const struct btf_type *section_of(const struct btf *btf)
{
        int32_t id = btf__find_by_name_kind(btf, SECTION, BTF_KIND_DATASEC);

        return id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
}

/* NULL: no such variable. */
static const struct btf_var_secinfo *find_variable(
        const struct btf *btf, const struct btf_type *section, const char *name)
{
        const struct btf_var_secinfo *list = btf_var_secinfos(section);

        for (uint16_t i = 0; i < btf_vlen(section); i++) {
                const struct btf_type *variable = btf__type_by_id(btf, list[i].type);
                const char *its = variable ? btf__name_by_offset(btf, variable->name_off) : NULL;

                if (its && strcmp(its, name) == 0)
                        return &list[i];
        }
        return NULL;
}

void kstat_percpu_find(const struct btf *btf, struct kstat_percpu *ret)
{
        const struct btf_type *section = section_of(btf);
        const struct btf_var_secinfo *anchor = section ? find_variable(btf, section, ANCHOR) : NULL;

        *ret = (struct kstat_percpu){0};
        for (size_t i = 0; anchor && i < ELEMENTS(variables); i++) {
                const struct btf_var_secinfo *found = find_variable(btf, section, variables[i].name);
                __s64 distance = found ? (__s64)found->offset - anchor->offset : 0;

                memcpy((char *)ret + variables[i].place, &distance, sizeof(distance));
        }
}

void kstat_percpu_read(struct kstat_percpu *ret)
{
        struct btf *btf = btf__load_vmlinux_btf();

        *ret = (struct kstat_percpu){0};
        if (btf)
                kstat_percpu_find(btf, ret);
        btf__free(btf);
}
