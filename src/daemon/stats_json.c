/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stats_json.c - statistics as JSON.  See stats_json.h.  Pure.
 */
#include "daemon/stats_json.h"

#include "base/cleanup.h"
#include "daemon/api_json.h"

#include <string.h>

/* A line for each number of a struct. */
struct field {
        const char *key;
        size_t offset;
};

static json_t *number(uint64_t value)
{
        return value == STATS_NONE ? json_null() : json_integer((json_int_t)(value & INT64_MAX));
}

/* All of the fields, in order; NULL: no memory. */
static json_t *numbers(const void *base, const struct field *fields, size_t n)
{
        json_t *object = json_object();

        for (size_t i = 0; object && i < n; i++) {
                uint64_t value;

                memcpy(&value, (const char *)base + fields[i].offset, sizeof(value));
                if (json_object_set_new(object, fields[i].key, number(value)) < 0) {
                        json_decref(object);
                        return NULL;
                }
        }
        return object;
}

static json_t *real(uint64_t value, double unit)
{
        return value == STATS_NONE ? json_null() : json_real((double)value / unit);
}

static json_t *load_json(const uint64_t load[3], double unit)
{
        if (load[0] == STATS_NONE)
                return json_null();
        return json_pack("[o, o, o]", real(load[0], unit), real(load[1], unit), real(load[2], unit));
}

static json_t *pressure_line(const struct stats_pressure *p)
{
        if (p->total_us == STATS_NONE)
                return json_null();
        return json_pack("{s:o, s:o, s:o, s:o}", "avg10", real(p->avg[0], 100), "avg60", real(p->avg[1], 100), "avg300",
                real(p->avg[2], 100), "total_us", number(p->total_us));
}

static json_t *pressure_json(const struct stats_pressure pressure[STATS_RESOURCES][2])
{
        static const char *const name[] = {"cpu", "memory", "io"};
        json_t *object = json_object();

        for (size_t i = 0; object && i < STATS_RESOURCES; i++)
                if (json_object_set_new(object, name[i],
                            json_pack("{s:o, s:o}", "some", pressure_line(&pressure[i][0]), "full",
                                    pressure_line(&pressure[i][1]))) < 0) {
                        json_decref(object);
                        return NULL;
                }
        return object;
}

/* --- a partition --- */

static json_t *cpus_json(const struct stats_partition *p)
{
        json_t *array = json_array();

        for (size_t i = 0; array && i < p->n_cpu; i++)
                if (json_array_append_new(array, json_pack("[o, o, o]", number(p->cpu[i].user_ns),
                                                         number(p->cpu[i].nice_ns), number(p->cpu[i].system_ns))) < 0) {
                        json_decref(array);
                        return NULL;
                }
        return array;
}

static json_t *cpu_json(const struct stats_partition *p)
{
        bool limited = p->quota_us != STATS_NONE && p->period_us != STATS_NONE && p->period_us > 0;

        return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "user_ns", number(p->time.user_ns), "nice_ns",
                number(p->time.nice_ns), "system_ns", number(p->time.system_ns), "effective", number(p->cpus), "limit",
                limited ? json_real((double)p->quota_us / (double)p->period_us) : json_null(), "each", cpus_json(p));
}

static json_t *memory_json(const struct stats_partition *p)
{
#define AT(field) #field "_bytes", offsetof(struct stats_partition, memory.field)
#define COUNT(field) #field, offsetof(struct stats_partition, memory.field)
        static const struct field fields[] = {
                {AT(usage)},
                {AT(limit)},
                {AT(swap_usage)},
                {AT(swap_limit)},                                                      /**/
                {"total_bytes", offsetof(struct stats_partition, free.total)},         /**/
                {"free_bytes", offsetof(struct stats_partition, free.free)},           /**/
                {"available_bytes", offsetof(struct stats_partition, free.available)}, /**/
                {AT(anon)},
                {AT(file)},
                {AT(shmem)},
                {AT(file_mapped)},
                {AT(file_dirty)}, /**/
                {AT(file_writeback)},
                {AT(inactive_anon)},
                {AT(active_anon)},
                {AT(inactive_file)}, /**/
                {AT(active_file)},
                {AT(unevictable)},
                {AT(slab_reclaimable)},
                {AT(slab_unreclaimable)}, /**/
                {AT(kernel_stack)},
                {AT(page_tables)},
                {COUNT(pgfault)},
                {COUNT(pgmajfault)}, /**/
                {COUNT(pswpin)},
                {COUNT(pswpout)},
                {COUNT(oom_kills)},
        };

        return numbers(p, fields, ELEMENTS(fields));
}

static json_t *tasks_json(const struct stats_partition *p)
{
#define TASKS(key, field) key, offsetof(struct stats_partition, field)
        static const struct field fields[] = {{TASKS("count", tasks)}, {TASKS("limit", tasks_max)},
                {TASKS("running", tasks_running)}, {TASKS("blocked", tasks_blocked)}, {TASKS("forks", forks)},
                {TASKS("switches", switches)}};

        return numbers(p, fields, ELEMENTS(fields));
}

static json_t *disks_json(const struct stats_partition *p)
{
        static const struct field fields[] = {{"reads", offsetof(struct stats_disk, reads)},
                {"read_bytes", offsetof(struct stats_disk, read_bytes)},
                {"writes", offsetof(struct stats_disk, writes)},
                {"written_bytes", offsetof(struct stats_disk, written_bytes)}};
        json_t *array = json_array();

        for (size_t i = 0; array && i < p->n_disk; i++) {
                json_t *disk = numbers(&p->disk[i], fields, ELEMENTS(fields));

                if (disk)
                        (void)json_object_set_new(disk, "name", api_json_text(p->disk[i].name));
                if (json_array_append_new(array, disk) < 0) {
                        json_decref(array);
                        return NULL;
                }
        }
        return array;
}

static json_t *interfaces_json(const struct stats_partition *p)
{
#define INTERFACE(field) #field, offsetof(struct stats_interface, field)
        static const struct field fields[] = {{INTERFACE(receive_bytes)}, {INTERFACE(receive_packets)},
                {INTERFACE(receive_errors)}, {INTERFACE(receive_drops)}, {INTERFACE(transmit_bytes)},
                {INTERFACE(transmit_packets)}, {INTERFACE(transmit_errors)}, {INTERFACE(transmit_drops)}};
        json_t *array = json_array();

        for (size_t i = 0; array && i < p->n_interface; i++) {
                json_t *interface = numbers(&p->interface[i], fields, ELEMENTS(fields));

                if (interface)
                        (void)json_object_set_new(interface, "name", api_json_text(p->interface[i].name));
                if (json_array_append_new(array, interface) < 0) {
                        json_decref(array);
                        return NULL;
                }
        }
        return array;
}

static json_t *partition_json(const struct stats_partition *p)
{
        return json_pack("{s:o, s:I, s:s, s:b, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", /**/
                "name", api_json_text(p->name),                                                         /**/
                "id", (json_int_t)p->id,                                                                /**/
                "state", partition_state_name(p->state),                                                /**/
                "native", p->native,                                                                    /**/
                "operation", api_json_text(p->operation),                                               /**/
                "started", number(p->started),                                                          /**/
                "sampled", p->sampled,                                                                  /**/
                "cpu", cpu_json(p),                                                                     /**/
                "memory", memory_json(p),                                                               /**/
                "tasks", tasks_json(p),                                                                 /**/
                "load", load_json(p->load, 2048),                                                       /**/
                "pressure", pressure_json(p->pressure),                                                 /**/
                "disks", disks_json(p),                                                                 /**/
                "interfaces", interfaces_json(p),                                                       /**/
                "more_interfaces", p->more_interfaces);
}

static json_t *machine_json(const struct stats_machine *m)
{
#define MACHINE(field) #field, offsetof(struct stats_machine, field)
        static const struct field fields[] = {{MACHINE(cpus)}, {MACHINE(user_ns)}, {MACHINE(system_ns)},
                {MACHINE(idle_ns)}, {MACHINE(iowait_ns)}, {MACHINE(steal_ns)}, {MACHINE(memory_bytes)},
                {MACHINE(available_bytes)}, {MACHINE(swap_bytes)}, {MACHINE(swap_free_bytes)}, {MACHINE(tasks)},
                {MACHINE(tasks_running)}, {MACHINE(uptime_ns)}};
        json_t *object = numbers(m, fields, ELEMENTS(fields));

        if (!object || json_object_set_new(object, "load", load_json(m->load, 100)) < 0 ||
                json_object_set_new(object, "pressure", pressure_json(m->pressure)) < 0) {
                json_decref(object);
                return NULL;
        }
        return object;
}

json_t *stats_json(const struct stats *stats)
{
        json_t *array = json_array();

        for (size_t i = 0; array && i < stats->n; i++)
                if (json_array_append_new(array, partition_json(&stats->partition[i])) < 0) {
                        json_decref(array);
                        return NULL;
                }
        return json_pack("{s:o, s:o, s:o, s:o}", "time_ms", number(stats->time_ms), "now_ns", number(stats->now_ns),
                "machine", machine_json(&stats->machine), "partitions", array);
}
