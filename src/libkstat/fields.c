/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fields.c - see fields.h.  The tables come from the lists in kstat/illumos.h, so that what programs in the kernel fill
 * and what is printed can't differ.
 */
#include "libkstat/fields.h"

#include "base/cleanup.h"
#include "kstat/illumos.h"

#include <string.h>

#define FIELD_UNIT(label, structure, member, kind, measure)                                                            \
        {                                                                                                              \
                .name = (label), .type = KSTAT_DATA_##kind, .unit = KSTAT_UNIT_##measure,                              \
                .offset = offsetof(struct structure, member), .size = sizeof(((struct structure *)NULL)->member)       \
        }
#define FIELD(structure, member, kind, measure) FIELD_UNIT(#member, structure, member, kind, measure)

#define SYSINFO_FIELD(name) FIELD_UNIT(#name, illumos_cpu_stat, sysinfo.name, UINT32, EVENTS),
#define SYSWAIT_FIELD(name) FIELD_UNIT(#name, illumos_cpu_stat, syswait.name, INT32, COUNT),
#define CPU_VM_FIELD(name) FIELD_UNIT(#name, illumos_cpu_stat, vminfo.name, UINT32, EVENTS),
static const struct kstat_field cpu_stat_fields[] = {
        FIELD_UNIT("idle", illumos_cpu_stat, sysinfo.cpu[ILLUMOS_CPU_IDLE], UINT32, TICKS),
        FIELD_UNIT("user", illumos_cpu_stat, sysinfo.cpu[ILLUMOS_CPU_USER], UINT32, TICKS),
        FIELD_UNIT("kernel", illumos_cpu_stat, sysinfo.cpu[ILLUMOS_CPU_KERNEL], UINT32, TICKS),
        FIELD_UNIT("wait", illumos_cpu_stat, sysinfo.cpu[ILLUMOS_CPU_WAIT], UINT32, TICKS),
        FIELD_UNIT("wait_io", illumos_cpu_stat, sysinfo.wait[ILLUMOS_WAIT_IO], UINT32, TICKS),
        FIELD_UNIT("wait_swap", illumos_cpu_stat, sysinfo.wait[ILLUMOS_WAIT_SWAP], UINT32, TICKS),
        FIELD_UNIT("wait_pio", illumos_cpu_stat, sysinfo.wait[ILLUMOS_WAIT_PIO], UINT32, TICKS),
        ILLUMOS_CPU_SYSINFO(SYSINFO_FIELD) ILLUMOS_CPU_SYSWAIT(SYSWAIT_FIELD) ILLUMOS_CPU_VMINFO(CPU_VM_FIELD)};

#define VMINFO_FIELD(name) FIELD(illumos_vminfo, name, UINT64, NONE),
static const struct kstat_field vminfo_fields[] = {ILLUMOS_VMINFO(VMINFO_FIELD)};

#define MACHINE_FIELD(name) FIELD(illumos_sysinfo, name, UINT32, NONE),
static const struct kstat_field sysinfo_fields[] = {ILLUMOS_SYSINFO(MACHINE_FIELD)};

#define VAR_FIELD(name) FIELD(illumos_var, name, INT32, NONE),
static const struct kstat_field var_fields[] = {ILLUMOS_VAR(VAR_FIELD)};

static const struct kstat_field intr_fields[] = {
        FIELD_UNIT("hard", illumos_intr, intrs[0], UINT32, EVENTS),
        FIELD_UNIT("soft", illumos_intr, intrs[1], UINT32, EVENTS),
        FIELD_UNIT("watchdog", illumos_intr, intrs[2], UINT32, EVENTS),
        FIELD_UNIT("spurious", illumos_intr, intrs[3], UINT32, EVENTS),
        FIELD_UNIT("multiple_service", illumos_intr, intrs[4], UINT32, EVENTS),
};

static const struct kstat_field io_fields[] = {
        FIELD(illumos_io, nread, UINT64, BYTES),
        FIELD(illumos_io, nwritten, UINT64, BYTES),
        FIELD(illumos_io, reads, UINT32, EVENTS),
        FIELD(illumos_io, writes, UINT32, EVENTS),
        FIELD(illumos_io, wtime, INT64, NANOSECONDS),
        FIELD(illumos_io, wlentime, INT64, NANOSECONDS),
        FIELD(illumos_io, wlastupdate, INT64, NANOSECONDS),
        FIELD(illumos_io, rtime, INT64, NANOSECONDS),
        FIELD(illumos_io, rlentime, INT64, NANOSECONDS),
        FIELD(illumos_io, rlastupdate, INT64, NANOSECONDS),
        FIELD(illumos_io, wcnt, UINT32, COUNT),
        FIELD(illumos_io, rcnt, UINT32, COUNT),
};

static const struct kstat_field timer_fields[] = {
        FIELD(illumos_timer, name, STRING, NONE),
        FIELD(illumos_timer, num_events, UINT64, EVENTS),
        FIELD(illumos_timer, elapsed_time, INT64, NANOSECONDS),
        FIELD(illumos_timer, min_time, INT64, NANOSECONDS),
        FIELD(illumos_timer, max_time, INT64, NANOSECONDS),
        FIELD(illumos_timer, start_time, INT64, NANOSECONDS),
        FIELD(illumos_timer, stop_time, INT64, NANOSECONDS),
};

static const struct known {
        enum kstat_type type;
        const char *module, *name; /* of a RAW one, without digits; NULL: any */
        size_t size;               /* of one record */
        const struct kstat_field *fields;
        size_t n;
} known[] = {
        {KSTAT_INTR, NULL, NULL, sizeof(struct illumos_intr), intr_fields, ELEMENTS(intr_fields)},
        {KSTAT_IO, NULL, NULL, sizeof(struct illumos_io), io_fields, ELEMENTS(io_fields)},
        {KSTAT_TIMER, NULL, NULL, sizeof(struct illumos_timer), timer_fields, ELEMENTS(timer_fields)},
        {KSTAT_RAW, "cpu_stat", "cpu_stat", sizeof(struct illumos_cpu_stat), cpu_stat_fields,
                ELEMENTS(cpu_stat_fields)},
        {KSTAT_RAW, "unix", "vminfo", sizeof(struct illumos_vminfo), vminfo_fields, ELEMENTS(vminfo_fields)},
        {KSTAT_RAW, "unix", "sysinfo", sizeof(struct illumos_sysinfo), sysinfo_fields, ELEMENTS(sysinfo_fields)},
        {KSTAT_RAW, "unix", "var", sizeof(struct illumos_var), var_fields, ELEMENTS(var_fields)},
};

/* Is name the given one, but for digits at its end? */
static bool is_numbered(const char *name, const char *base)
{
        size_t length = strlen(base);

        return strncmp(name, base, length) == 0 && name[length + strspn(name + length, "0123456789")] == '\0';
}

static bool fits(const struct known *k, const struct kstat_head *head)
{
        if (k->type != (enum kstat_type)head->type)
                return false;
        if (k->type == KSTAT_TIMER ? head->size == 0 || head->size % k->size != 0
                                   : head->size != k->size && head->size != (k->size + 7) / 8 * 8)
                return false;
        return !k->module || (strcmp(head->key.module, k->module) == 0 && is_numbered(head->key.name, k->name));
}

const struct kstat_field *kstat_fields_known(const struct kstat_head *head, size_t *ret_n, uint32_t *ret_size)
{
        for (size_t i = 0; i < ELEMENTS(known); i++) {
                if (!fits(&known[i], head))
                        continue;
                *ret_n = known[i].n;
                *ret_size = known[i].type == KSTAT_TIMER ? head->size : (uint32_t)known[i].size;
                return known[i].fields;
        }
        return NULL;
}

bool kstat_field_is_sound(const struct kstat_field *field)
{
        size_t length = strnlen(field->name, sizeof(field->name));

        if (length == 0 || length == sizeof(field->name) || field->offset % 8 != 0 ||
                (size_t)field->offset + field->size > KSTAT_LARGE_DATA)
                return false;
        switch (field->type) {
        case KSTAT_DATA_CHAR:
                return field->size == 16;
        case KSTAT_DATA_STRING:
                return field->size > 0 && field->size % 8 == 0;
        case KSTAT_DATA_INT32:
        case KSTAT_DATA_UINT32:
        case KSTAT_DATA_INT64:
        case KSTAT_DATA_UINT64:
                return field->size == 8;
        default:
                return false;
        }
}

struct kstat_value kstat_field_value(const struct kstat_field *field, const uint8_t *data)
{
        const uint8_t *at = data + field->offset;
        struct kstat_value value = {.u = 0};
        int32_t short_one;

        if (field->type == KSTAT_DATA_CHAR || field->type == KSTAT_DATA_STRING) {
                value.text = (const char *)at;
                value.length = strnlen(value.text, field->size);
                return value;
        }
        if (field->size == sizeof(value.u)) {
                memcpy(&value.u, at, sizeof(value.u));
        } else {
                memcpy(&short_one, at, sizeof(short_one));
                value.i = short_one;
        }
        /* Whatever stands above them, 32-bit ones have 32 bits. */
        if (field->type == KSTAT_DATA_INT32)
                value.i = (int32_t)value.u;
        if (field->type == KSTAT_DATA_UINT32)
                value.u = (uint32_t)value.u;
        return value;
}
