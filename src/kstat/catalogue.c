/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * catalogue.c - the tables of catalogue.h, from the lists of catalogue.bpf.h.
 */
#include "kstat/catalogue.h"

#include "base/cleanup.h"

#define FIELD_N(field_name, field_type, field_unit)                                                                    \
        {.name = #field_name, .type = KSTAT_DATA_##field_type, .unit = KSTAT_UNIT_##field_unit, .size = 8},
#define FIELD_C(field_name) {.name = #field_name, .type = KSTAT_DATA_CHAR, .size = 16},
#define FIELD_S(field_name) {.name = #field_name, .type = KSTAT_DATA_STRING, .size = KSTAT_STRING_SIZE},
#define FIELDS(schema_number, schema_name, list)                                                                       \
        static const struct kstat_field fields_##schema_name[] = {list(FIELD_N, FIELD_C, FIELD_S)};
KSTAT_SCHEMAS(FIELDS)

#define SCHEMA(schema_number, schema_name, list)                                                                       \
        {.number = schema_number,                                                                                      \
                .name = #schema_name,                                                                                  \
                .fields = fields_##schema_name,                                                                        \
                .n_fields = ELEMENTS(fields_##schema_name),                                                            \
                .size = sizeof(struct kstat_data_##schema_name)},
const struct kstat_schema_info catalogue_schemas[] = {KSTAT_SCHEMAS(SCHEMA)};
const size_t catalogue_n_schemas = ELEMENTS(catalogue_schemas);

void catalogue_fields(const struct kstat_schema_info *schema, struct kstat_field *ret)
{
        uint16_t offset = 0;

        for (size_t i = 0; i < schema->n_fields; i++) {
                ret[i] = schema->fields[i];
                ret[i].offset = offset;
                offset = (uint16_t)(offset + ret[i].size);
        }
}

const struct kstat_schema_info *catalogue_schema(unsigned int number)
{
        for (size_t i = 0; i < catalogue_n_schemas; i++)
                if (catalogue_schemas[i].number == number)
                        return &catalogue_schemas[i];
        return NULL;
}

#define PRIVATE(def_module, def_name, def_class, schema_name, def_source)                                              \
        {                                                                                                              \
                .module = def_module, .name = def_name, .class = def_class, .type = KSTAT_NAMED,                       \
                .schema = KSTAT_SCHEMA_##schema_name, .source = KSTAT_SOURCE_##def_source,                             \
                .size = sizeof(struct kstat_data_##schema_name)                                                        \
        }

const struct kstat_def catalogue_private[] = {
        PRIVATE("unix", "system_misc", "misc", system_misc, SYSTEM_MISC),
};
const size_t catalogue_n_private = ELEMENTS(catalogue_private);
