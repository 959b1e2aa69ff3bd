/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * catalogue.h - the statistics that croft publishes: their schemas, and which ones every partition and every CPU has.
 * For people they are described in croft-kstats(7).
 */
#ifndef CROFT_KSTAT_CATALOGUE_H
#define CROFT_KSTAT_CATALOGUE_H

#include "kstat/catalogue.bpf.h"
#include "kstat/kstat.h"

struct kstat_schema_info {
        unsigned int number;              /* enum kstat_schema */
        const char *name;                 /* as in struct kstat_data_NAME */
        const struct kstat_field *fields; /* without offsets: catalogue_fields() */
        size_t n_fields;
        uint32_t size; /* of the data */
};
extern const struct kstat_schema_info catalogue_schemas[];
extern const size_t catalogue_n_schemas;
/* The fields with their offsets; ret has room for n_fields. */
void catalogue_fields(const struct kstat_schema_info *schema, struct kstat_field *ret);
/* NULL: no such number. */
const struct kstat_schema_info *catalogue_schema(unsigned int number);

/* The private structures of a partition, and of global; the subject is to be filled in. */
extern const struct kstat_def catalogue_private[];
extern const size_t catalogue_n_private;

/* Those of each CPU, about what the partition (global: the machine) has used of it; subject, instance and argument (the
 * CPU, both) are to be filled in, and the name by catalogue_name(). */
extern const struct kstat_def catalogue_cpu[];
extern const size_t catalogue_n_cpu;
/* An interface: its name, and as argument its number in the partition's network namespace, are to be filled in. */
extern const struct kstat_def catalogue_link;
/* A disk of a partition's own: its name, and as argument its number, the major in the upper half, are to be filled in.
 */
extern const struct kstat_def catalogue_disk;
/* What a CPU is: stored; instance, name and data are to be filled in. */
extern const struct kstat_def catalogue_cpu_info;
/* The name for that instance: "%d" in the table's one is replaced. */
void catalogue_name(const struct kstat_def *def, int32_t instance, char (*ret)[KSTAT_NAME_SIZE]);

#endif
