/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * catalogue.c - the tables of catalogue.h, from the lists of catalogue.bpf.h.
 */
#include "kstat/catalogue.h"

#include "base/cleanup.h"
#include "kstat/illumos.h"
#include "kstat/mount.bpf.h"

#include <stdio.h>
#include <string.h>

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

/* Keys, classes, types and schemas are what programs depend on: they are only ever added to. */
#define KEY(def_module, def_name, def_class) .module = def_module, .name = def_name, .class = def_class
#define NAMED(of) .type = KSTAT_NAMED, .schema = KSTAT_SCHEMA_##of, .size = sizeof(struct kstat_data_##of)
#define RAW(of) .type = KSTAT_RAW, .size = sizeof(of)
#define STANDARD(of, data) .type = KSTAT_##of, .size = sizeof(data)
#define FROM(of) .source = KSTAT_SOURCE_##of

const struct kstat_def catalogue_private[] = {
        {KEY("unix", "system_misc", "misc"), NAMED(system_misc), FROM(SYSTEM_MISC)},
        {KEY("unix", "system_pages", "pages"), NAMED(system_pages), FROM(SYSTEM_PAGES)},
        {KEY("unix", "var", "misc"), RAW(struct illumos_var), FROM(VAR)},
        {KEY("unix", "vminfo", "vm"), RAW(struct illumos_vminfo), FROM(VMINFO)},
        {KEY("unix", "sysinfo", "misc"), RAW(struct illumos_sysinfo), FROM(SYSINFO)},
        {KEY("croft", "memory", "memory"), NAMED(memory), FROM(MEMORY)},
        {KEY("croft", "vmstat", "memory"), NAMED(vmstat), FROM(VMSTAT)},
        {KEY("croft", "processes", "misc"), NAMED(processes), FROM(PROCESSES)},
        {KEY("croft", "switches", "misc"), NAMED(switches), FROM(SWITCHES)},
        {KEY("croft", "load", "misc"), NAMED(load), FROM(LOAD)},
        {KEY("croft", "pressure_cpu", "pressure"), NAMED(pressure), FROM(PRESSURE), .argument = 0},
        {KEY("croft", "pressure_memory", "pressure"), NAMED(pressure), FROM(PRESSURE), .argument = 1},
        {KEY("croft", "pressure_io", "pressure"), NAMED(pressure), FROM(PRESSURE), .argument = 2},
        {KEY("croft", "io", "disk"), STANDARD(IO, struct illumos_io), FROM(IO)},
        {KEY("croft", "call_read", "calls"), STANDARD(TIMER, struct illumos_timer), FROM(CALL_TIMER),
                .argument = MOUNT_TIMER_READ},
        {KEY("croft", "call_write", "calls"), STANDARD(TIMER, struct illumos_timer), FROM(CALL_TIMER),
                .argument = MOUNT_TIMER_WRITE},
        {KEY("croft", "caps", "caps"), NAMED(caps), FROM(CAPS)},
        {KEY("croft", "partition_misc", "partition_misc"), NAMED(partition_misc), FROM(PARTITION_MISC)},
        {KEY("net", "ip", "mib2"), NAMED(net_ip), FROM(NET_IP)},
        {KEY("net", "tcp", "mib2"), NAMED(net_tcp), FROM(NET_TCP)},
        {KEY("net", "udp", "mib2"), NAMED(net_udp), FROM(NET_UDP)},
        {KEY("net", "icmp", "mib2"), NAMED(net_icmp), FROM(NET_ICMP)},
        {KEY("link", "lo", "net"), NAMED(link), FROM(LINK), .argument = 1}, /* the first interface of each namespace */
};
const size_t catalogue_n_private = ELEMENTS(catalogue_private);

const struct kstat_def catalogue_cpu[] = {
        {KEY("cpu", "sys", "misc"), NAMED(cpu_sys), FROM(CPU_SYS)},
        {KEY("cpu", "vm", "misc"), NAMED(cpu_vm), FROM(CPU_VM)},
        {KEY("cpu", "intr", "misc"), STANDARD(INTR, struct illumos_intr), FROM(CPU_INTR)},
        {KEY("cpu_stat", "cpu_stat%d", "misc"), RAW(struct illumos_cpu_stat), FROM(CPU_STAT)},
};
const size_t catalogue_n_cpu = ELEMENTS(catalogue_cpu);

const struct kstat_def catalogue_link = {KEY("link", "", "net"), NAMED(link), FROM(LINK)};

const struct kstat_def catalogue_disk = {KEY("disk", "", "disk"), STANDARD(IO, struct illumos_io), FROM(OWN_DISK)};

const struct kstat_def catalogue_cpu_info = {KEY("cpu_info", "cpu_info%d", "misc"), NAMED(cpu_info)};

void catalogue_name(const struct kstat_def *def, int32_t instance, char (*ret)[KSTAT_NAME_SIZE])
{
        const char *place = strstr(def->name, "%d");

        if (place)
                (void)snprintf(
                        *ret, KSTAT_NAME_SIZE, "%.*s%d%s", (int)(place - def->name), def->name, instance, place + 2);
        else
                (void)snprintf(*ret, KSTAT_NAME_SIZE, "%s", def->name);
}
