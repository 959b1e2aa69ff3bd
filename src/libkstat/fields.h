/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fields.h - values in the data of a structure: where they are and what they say.  Pure.
 */
#ifndef CROFT_LIBKSTAT_FIELDS_H
#define CROFT_LIBKSTAT_FIELDS_H

#include "kstat/kstat.bpf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The fields of an INTR, IO or TIMER structure, or of a RAW one that is known by its keys; NULL: not known.  Static.
 * Integers may have 4 bytes in these.  *ret_size: how many bytes programs know it by; the kernel pads to 8. */
const struct kstat_field *kstat_fields_known(const struct kstat_head *head, size_t *ret_n, uint32_t *ret_size);

/* May a schema have this field? */
bool kstat_field_is_sound(const struct kstat_field *field);

struct kstat_value {
        union {
                int64_t i;  /* INT32, INT64 */
                uint64_t u; /* UINT32, UINT64 */
                struct {
                        const char *text; /* CHAR, STRING: into data, not ended by NUL */
                        size_t length;
                };
        };
};
/* The value of a field that lies in data. */
struct kstat_value kstat_field_value(const struct kstat_field *field, const uint8_t *data);

#endif
