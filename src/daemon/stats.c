/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stats.c - figures out of samples and of the kernel's texts.  See stats.h.  Pure: nothing here asks the kernel.
 */
#include "daemon/stats.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <inttypes.h>
#include <string.h>

struct stats *stats_free(struct stats *stats)
{
        if (!stats)
                return NULL;
        for (size_t i = 0; i < stats->n; i++)
                stats_partition_done(&stats->partition[i]);
        free(stats->partition);
        free(stats);
        return NULL;
}

void stats_freep(struct stats **stats)
{
        *stats = stats_free(*stats);
}

void stats_init(struct stats *stats)
{
        memset(stats, 0, sizeof(*stats));
        memset(&stats->machine, 0xff, sizeof(stats->machine)); /* STATS_NONE everywhere */
        stats->daemon.started = stats->daemon.cpu_ns = stats->daemon.memory_bytes = STATS_NONE;
        stats->daemon.descriptors = stats->daemon.descriptors_max = STATS_NONE;
        stats->daemon.state_size_bytes = STATS_NONE;
        stats->daemon.state_free_bytes = stats->daemon.state_available_bytes = STATS_NONE;
}

void stats_partition_init(struct stats_partition *p)
{
        memset(p, 0, sizeof(*p));
        p->started = p->cpus = p->quota_us = p->period_us = STATS_NONE;
        p->tasks = p->tasks_max = p->tasks_running = p->tasks_blocked = p->forks = p->switches = STATS_NONE;
        memset(&p->time, 0xff, sizeof(p->time));
        memset(p->load, 0xff, sizeof(p->load));
        memset(p->pressure, 0xff, sizeof(p->pressure));
        memset(&p->memory, 0xff, sizeof(p->memory));
        memset(&p->free, 0xff, sizeof(p->free));
}

void stats_partition_done(struct stats_partition *p)
{
        free(TAKE(p->cpu));
        free(TAKE(p->interface));
        p->n_cpu = p->n_interface = 0;
}

/* --- a sample --- */

static void take_disks(struct stats_partition *p, const struct kstat_sample *sample)
{
        p->n_disk = sample->n_disks < KSTAT_SAMPLE_DISKS ? sample->n_disks : KSTAT_SAMPLE_DISKS;
        for (size_t i = 0; i < p->n_disk; i++) {
                const struct kstat_sample_disk *from = &sample->disks[i];
                struct stats_disk *to = &p->disk[i];

                *to = (struct stats_disk){.major = from->major,
                        .minor = from->minor,
                        .reads = from->reads,
                        .read_bytes = from->read_bytes,
                        .writes = from->writes,
                        .written_bytes = from->written_bytes};
                (void)snprintf(to->name, sizeof(to->name), "%u:%u", from->major, from->minor);
        }
}

static void take_pressure(struct stats_partition *p, const struct kstat_sample *sample)
{
        for (size_t i = 0; i < STATS_RESOURCES; i++)
                for (size_t full = 0; full < 2; full++) {
                        for (size_t k = 0; k < 3; k++)
                                p->pressure[i][full].avg[k] = sample->pressure[i][full].avg[k];
                        p->pressure[i][full].total_us = sample->pressure[i][full].total_us;
                }
}

static int take_cpus(struct stats_partition *p, const struct kstat_sample *sample)
{
        size_t n = sample->n_cpus < KSTAT_CPUS_MAX ? sample->n_cpus : KSTAT_CPUS_MAX;

        p->time = (struct stats_cpu){0};
        for (size_t i = 0; i < n; i++) {
                p->time.user_ns += sample->cpu[i].user_ns;
                p->time.nice_ns += sample->cpu[i].nice_ns;
                p->time.system_ns += sample->cpu[i].system_ns;
        }
        p->cpu = n ? calloc(n, sizeof(*p->cpu)) : NULL;
        if (!p->cpu)
                return n ? -ENOMEM : 0;
        for (size_t i = 0; i < n; i++)
                p->cpu[i] =
                        (struct stats_cpu){sample->cpu[i].user_ns, sample->cpu[i].nice_ns, sample->cpu[i].system_ns};
        p->n_cpu = n;
        return 0;
}

int stats_take_sample(struct stats_partition *p, const struct kstat_sample *sample)
{
        p->sampled = true;
        p->cpus = 0;
        for (size_t i = 0; i < ELEMENTS(sample->cpus); i++)
                p->cpus += (uint64_t)__builtin_popcountll(sample->cpus[i]);
        p->quota_us = sample->quota_us ? sample->quota_us : STATS_NONE;
        p->period_us = sample->quota_us && sample->period_us ? sample->period_us : STATS_NONE;
        p->tasks = sample->threads;
        p->tasks_running = sample->running;
        p->tasks_blocked = sample->blocked;
        p->forks = sample->forks;
        p->switches = sample->switches;
        for (size_t i = 0; i < ELEMENTS(p->load); i++)
                p->load[i] = sample->load[i];
        p->memory = sample->memory;
        take_pressure(p, sample);
        take_disks(p, sample);
        return take_cpus(p, sample);
}

static uint64_t known(uint64_t value)
{
        return value == STATS_NONE ? 0 : value;
}

void stats_derive(struct stats_partition *p, uint64_t machine_bytes)
{
        const struct kstat_sample_memory *m = &p->memory;
        struct stats_free *f = &p->free;

        f->total = m->limit < machine_bytes ? m->limit : machine_bytes;
        if (f->total == STATS_NONE || m->usage == STATS_NONE)
                return;
        f->free = m->usage < f->total ? f->total - m->usage : 0;
        /* What the kernel gives back without swapping; without these figures only what is free. */
        f->available = f->free + known(m->inactive_file) + known(m->active_file) + known(m->slab_reclaimable);
        if (f->available > f->total)
                f->available = f->total;
}

/* --- texts of the kernel --- */

static const char *next_line(const char *text)
{
        text = strchr(text, '\n');
        return text ? text + 1 : NULL;
}

/* "0.25" in hundredths. */
static bool hundredths(const char *text, uint64_t *ret)
{
        unsigned long whole;
        unsigned int part;
        int used = 0;

        if (sscanf(text, "%lu.%2u%n", &whole, &part, &used) != 2 || used == 0)
                return false;
        *ret = (uint64_t)whole * 100 + part;
        return true;
}

static void parse_pressure_line(const char *line, struct stats_pressure *p)
{
        char avg[3][24];
        uint64_t total;

        if (sscanf(line, "%*s avg10=%23s avg60=%23s avg300=%23s total=%" SCNu64, avg[0], avg[1], avg[2], &total) != 4)
                return;
        for (size_t i = 0; i < 3; i++)
                (void)hundredths(avg[i], &p->avg[i]);
        p->total_us = total;
}

void stats_parse_pressure(const char *text, struct stats_pressure pressure[2])
{
        for (; text && *text; text = next_line(text)) {
                if (str_has_prefix(text, "some "))
                        parse_pressure_line(text, &pressure[0]);
                else if (str_has_prefix(text, "full "))
                        parse_pressure_line(text, &pressure[1]);
        }
}

/* "  eth0: 1 2 ...": the kernel allows neither blanks nor ':' and '/' in a name (dev_valid_name()). */
static bool parse_interface(const char *line, struct stats_interface *ret)
{
        const char *name = line + strspn(line, " "), *colon = strchr(name, ':');
        uint64_t v[8];

        if (!colon || colon == name || (size_t)(colon - name) >= sizeof(ret->name) ||
                (size_t)(colon - name) > strcspn(name, "\n"))
                return false;
        /* bytes packets errs drop fifo frame compressed multicast, then bytes packets errs drop sent */
        if (sscanf(colon + 1,
                    "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%*u%*u%*u%*u%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64,
                    &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) != 8)
                return false;
        *ret = (struct stats_interface){.receive_bytes = v[0],
                .receive_packets = v[1],
                .receive_errors = v[2],
                .receive_drops = v[3],
                .transmit_bytes = v[4],
                .transmit_packets = v[5],
                .transmit_errors = v[6],
                .transmit_drops = v[7]};
        memcpy(ret->name, name, (size_t)(colon - name));
        return true;
}

int stats_parse_interfaces(const char *text, struct stats_partition *p)
{
        struct stats_interface found;

        for (; text && *text; text = next_line(text)) {
                if (!parse_interface(text, &found))
                        continue;
                if (p->n_interface == STATS_INTERFACES_MAX) {
                        p->more_interfaces = true;
                        return 0;
                }
                if (!p->interface)
                        p->interface = calloc(STATS_INTERFACES_MAX, sizeof(*p->interface));
                if (!p->interface)
                        return -ENOMEM;
                p->interface[p->n_interface++] = found;
        }
        return 0;
}

static void take_times(const char *line, uint64_t tick_ns, struct stats_machine *m)
{
        uint64_t v[8];

        if (sscanf(line, "cpu %" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64,
                    &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) != 8)
                return;
        m->user_ns = (v[0] + v[1]) * tick_ns;
        m->system_ns = (v[2] + v[5] + v[6]) * tick_ns;
        m->idle_ns = v[3] * tick_ns;
        m->iowait_ns = v[4] * tick_ns;
        m->steal_ns = v[7] * tick_ns;
}

void stats_parse_stat(const char *text, uint64_t tick_ns, struct stats_machine *m)
{
        uint64_t cpus = 0;

        for (; text && *text; text = next_line(text)) {
                if (str_has_prefix(text, "cpu "))
                        take_times(text, tick_ns, m);
                else if (str_has_prefix(text, "cpu"))
                        cpus++;
        }
        m->cpus = cpus ? cpus : STATS_NONE;
}

void stats_parse_meminfo(const char *text, struct stats_machine *m)
{
        const struct {
                const char *key;
                uint64_t *value;
        } table[] = {{"MemTotal:", &m->memory_bytes}, {"MemAvailable:", &m->available_bytes},
                {"SwapTotal:", &m->swap_bytes}, {"SwapFree:", &m->swap_free_bytes}};

        for (; text && *text; text = next_line(text))
                for (size_t i = 0; i < ELEMENTS(table); i++) {
                        uint64_t kb;

                        if (str_has_prefix(text, table[i].key) &&
                                sscanf(text + strlen(table[i].key), "%" SCNu64, &kb) == 1)
                                *table[i].value = kb * 1024;
                }
}

void stats_parse_loadavg(const char *text, struct stats_machine *m)
{
        uint64_t running, tasks;
        char load[3][24];

        if (sscanf(text, "%23s %23s %23s %" SCNu64 "/%" SCNu64, load[0], load[1], load[2], &running, &tasks) != 5)
                return;
        for (size_t i = 0; i < 3; i++)
                (void)hundredths(load[i], &m->load[i]);
        m->tasks = tasks;
        m->tasks_running = running;
}
