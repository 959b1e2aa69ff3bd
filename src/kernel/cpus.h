/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cpus.h - sets of CPUs: arithmetic, the kernel's list format ("0-3,6"), and which CPUs this machine has.
 *
 * A set is a value of 1 KiB: copied, never owned.  All but cpus_read() are pure.
 */
#ifndef CROFT_KERNEL_CPUS_H
#define CROFT_KERNEL_CPUS_H

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>

#define CPUS_MAX 8192 /* NR_CPUS of the largest kernels */

struct cpus {
        uint64_t bits[CPUS_MAX / 64];
};

/* "0-3,6" in any order, overlapping too; "" is the empty set.  false: no list, or a number that is no CPU's. */
bool cpus_parse(const char *text, struct cpus *ret);
/* The normal form: rising, merged; "" for the empty set.  A new string; NULL: no memory. */
char *cpus_format(const struct cpus *cpus);

bool cpus_has(const struct cpus *cpus, unsigned int cpu);
/* Moves *cpu up to the next one of the set, itself if it is in; false: there is none. */
bool cpus_next(const struct cpus *cpus, unsigned int *cpu);
void cpus_add(struct cpus *cpus, unsigned int cpu);
unsigned int cpus_count(const struct cpus *cpus);
bool cpus_is_empty(const struct cpus *cpus);
bool cpus_equal(const struct cpus *a, const struct cpus *b);
bool cpus_intersect(const struct cpus *a, const struct cpus *b);
struct cpus cpus_and(const struct cpus *a, const struct cpus *b);
struct cpus cpus_or(const struct cpus *a, const struct cpus *b);
struct cpus cpus_without(const struct cpus *a, const struct cpus *b);

/* which: "present" (configured) or "online". */
int cpus_read(const char *which, struct cpus *ret, struct croft_error *err);

#endif
