/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * metrics.c - one table of families, and a walk over it that writes text.  See metrics.h.  Pure.
 *
 * Names and labels are those of Incus where it has the metric (incus_ is croft_ here), so that its dashboards can be
 * used.  Invariant: a family's lines stand together behind its header, whatever partition has or lacks them.
 */
#include "daemon/metrics.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum kind { COUNTER, GAUGE, INFO };
enum scale { PLAIN, NS, US, LOAD2048 };
/* What a family has lines for: each is one function below. */
enum scope { DAEMON, BUILD, BY_STATE, OPERATIONS, PARTITION, STATE, CPU, QUOTA, ACTIVE_MEMORY, DISK, INTERFACE };

struct family {
        const char *name; /* without _total of a counter */
        enum kind kind;
        const char *unit; /* NULL: none; the name ends with it */
        const char *help;
        enum scope scope;
        enum scale scale;
        size_t offset; /* of a uint64_t in struct stats_daemon, stats_partition, stats_disk or stats_interface */
        size_t second; /* of a second one, which is added; 0: none */
};

#define AT_DAEMON(field) DAEMON, PLAIN, offsetof(struct stats_daemon, field)
#define AT(field) PARTITION, PLAIN, offsetof(struct stats_partition, field)
#define SCALED(scale, field) PARTITION, scale, offsetof(struct stats_partition, field)
#define AT_DISK(field) DISK, PLAIN, offsetof(struct stats_disk, field)
#define AT_INTERFACE(field) INTERFACE, PLAIN, offsetof(struct stats_interface, field)
#define WAITING(resource) SCALED(US, pressure[resource][0].total_us)
#define STALLED(resource) SCALED(US, pressure[resource][1].total_us)
#define BOTH(a, b) PARTITION, PLAIN, offsetof(struct stats_partition, a), offsetof(struct stats_partition, b)

static const struct family families[] = {
        /* croftd */
        {"croft_build", INFO, NULL, "Version of croftd, and the tag of this instance", BUILD},
        {"croft_partitions", GAUGE, NULL, "Partitions in that state", BY_STATE},
        {"croft_operations", COUNTER, NULL, "Operations on partitions that ended, by how", OPERATIONS},
        {"croft_api_requests", COUNTER, NULL, "Requests that croftd was sent", AT_DAEMON(requests)},
        {"croft_api_errors", COUNTER, NULL, "Requests that were answered with an error", AT_DAEMON(refused)},
        {"croft_api_connections", GAUGE, NULL, "Connections of clients now", AT_DAEMON(connections)},
        {"croft_mounts_refused", COUNTER, NULL, "Times that a mount found no room for statistics",
                AT_DAEMON(mounts_refused)},
        {"croft_mounts_failed", COUNTER, NULL, "Times that statistics of mounts could not be made for another reason",
                AT_DAEMON(mounts_failed)},
        {"croft_state_filesystem_size_bytes", GAUGE, "bytes", "Size of the file system of the state directory",
                AT_DAEMON(state_size_bytes)},
        {"croft_state_filesystem_free_bytes", GAUGE, "bytes", "Free there", AT_DAEMON(state_free_bytes)},
        {"croft_state_filesystem_avail_bytes", GAUGE, "bytes", "Free there, without what is kept for root",
                AT_DAEMON(state_available_bytes)},
        {"process_cpu_seconds", COUNTER, "seconds", "CPU time of croftd", DAEMON, NS,
                offsetof(struct stats_daemon, cpu_ns)},
        {"process_resident_memory_bytes", GAUGE, "bytes", "Memory of croftd", AT_DAEMON(memory_bytes)},
        {"process_start_time_seconds", GAUGE, "seconds", "When croftd began, since the epoch", AT_DAEMON(started)},
        {"process_open_fds", GAUGE, NULL, "Descriptors that croftd has", AT_DAEMON(descriptors)},
        {"process_max_fds", GAUGE, NULL, "Descriptors that croftd may have", AT_DAEMON(descriptors_max)},
        /* each partition */
        {"croft_partition_state", GAUGE, NULL, "1 for the state that the partition is in", STATE},
        {"croft_boot_time_seconds", GAUGE, "seconds", "When it was started, since the epoch", AT(started)},
        {"croft_cpu_seconds", COUNTER, "seconds", "CPU time, by CPU and mode", CPU, NS},
        {"croft_cpu_effective_total", GAUGE, NULL, "CPUs that it may use now", AT(cpus)},
        {"croft_cpu_limit_cpus", GAUGE, NULL, "CPU time that it may use of cpu.max, in CPUs", QUOTA},
        {"croft_memory_Active_anon_bytes", GAUGE, "bytes", "Anonymous memory in use", AT(memory.active_anon)},
        {"croft_memory_Active_bytes", GAUGE, "bytes", "Memory in use", BOTH(memory.active_anon, memory.active_file)},
        {"croft_memory_Active_file_bytes", GAUGE, "bytes", "Page cache in use", AT(memory.active_file)},
        {"croft_memory_Cached_bytes", GAUGE, "bytes", "Page cache", AT(memory.file)},
        {"croft_memory_Dirty_bytes", GAUGE, "bytes", "Waiting to be written back", AT(memory.file_dirty)},
        {"croft_memory_Inactive_anon_bytes", GAUGE, "bytes", "Anonymous memory long not used",
                AT(memory.inactive_anon)},
        {"croft_memory_Inactive_bytes", GAUGE, "bytes", "Memory long not used",
                BOTH(memory.inactive_anon, memory.inactive_file)},
        {"croft_memory_Inactive_file_bytes", GAUGE, "bytes", "Page cache long not used", AT(memory.inactive_file)},
        {"croft_memory_Mapped_bytes", GAUGE, "bytes", "Files mapped into memory", AT(memory.file_mapped)},
        {"croft_memory_MemAvailable_bytes", GAUGE, "bytes", "To be had without swapping", AT(free.available)},
        {"croft_memory_MemFree_bytes", GAUGE, "bytes", "Not used", AT(free.free)},
        {"croft_memory_MemTotal_bytes", GAUGE, "bytes", "The limit, or the machine's memory", AT(free.total)},
        {"croft_memory_OOM_kills", COUNTER, NULL, "Processes killed for want of memory", AT(memory.oom_kills)},
        {"croft_memory_RSS_bytes", GAUGE, "bytes", "Anonymous memory", AT(memory.anon)},
        {"croft_memory_Shmem_bytes", GAUGE, "bytes", "Shared memory and tmpfs", AT(memory.shmem)},
        {"croft_memory_Swap_bytes", GAUGE, "bytes", "Swapped out", AT(memory.swap_usage)},
        {"croft_memory_Unevictable_bytes", GAUGE, "bytes", "Locked in memory", AT(memory.unevictable)},
        {"croft_memory_Writeback_bytes", GAUGE, "bytes", "Being written back", AT(memory.file_writeback)},
        {"croft_memory_usage_bytes", GAUGE, "bytes", "All that is charged to it", AT(memory.usage)},
        {"croft_memory_limit_bytes", GAUGE, "bytes", "memory.max; none: no limit", AT(memory.limit)},
        {"croft_memory_swap_limit_bytes", GAUGE, "bytes", "memory.swap.max; none: no limit", AT(memory.swap_limit)},
        {"croft_memory_slab_reclaimable_bytes", GAUGE, "bytes", "Kernel objects that can be dropped",
                AT(memory.slab_reclaimable)},
        {"croft_memory_slab_unreclaimable_bytes", GAUGE, "bytes", "Kernel objects that can't",
                AT(memory.slab_unreclaimable)},
        {"croft_memory_kernel_stack_bytes", GAUGE, "bytes", "Stacks in the kernel", AT(memory.kernel_stack)},
        {"croft_memory_page_tables_bytes", GAUGE, "bytes", "Page tables", AT(memory.page_tables)},
        {"croft_memory_page_faults", COUNTER, NULL, "Page faults", AT(memory.pgfault)},
        {"croft_memory_major_page_faults", COUNTER, NULL, "Page faults that had to read", AT(memory.pgmajfault)},
        {"croft_memory_swapped_in_pages", COUNTER, "pages", "Pages read from swap", AT(memory.pswpin)},
        {"croft_memory_swapped_out_pages", COUNTER, "pages", "Pages written to swap", AT(memory.pswpout)},
        {"croft_procs_total", GAUGE, NULL, "Tasks: processes and their threads", AT(tasks)},
        {"croft_procs_limit", GAUGE, NULL, "pids.max; none: no limit", AT(tasks_max)},
        {"croft_procs_running", GAUGE, NULL, "Tasks on a CPU or waiting for one", AT(tasks_running)},
        {"croft_procs_blocked", GAUGE, NULL, "Tasks waiting for a disk", AT(tasks_blocked)},
        {"croft_forks", COUNTER, NULL, "Tasks made", AT(forks)},
        {"croft_context_switches", COUNTER, NULL, "Switches from one task to another", AT(switches)},
        {"croft_load1", GAUGE, NULL, "Load average of a minute", SCALED(LOAD2048, load[0])},
        {"croft_load5", GAUGE, NULL, "Load average of 5 minutes", SCALED(LOAD2048, load[1])},
        {"croft_load15", GAUGE, NULL, "Load average of 15 minutes", SCALED(LOAD2048, load[2])},
        {"croft_pressure_cpu_waiting_seconds", COUNTER, "seconds", "Time that some task waited for a CPU",
                WAITING(STATS_CPU)},
        {"croft_pressure_cpu_stalled_seconds", COUNTER, "seconds", "Time that all tasks waited for a CPU",
                STALLED(STATS_CPU)},
        {"croft_pressure_memory_waiting_seconds", COUNTER, "seconds", "Time that some task waited for memory",
                WAITING(STATS_MEMORY)},
        {"croft_pressure_memory_stalled_seconds", COUNTER, "seconds", "Time that all tasks waited for memory",
                STALLED(STATS_MEMORY)},
        {"croft_pressure_io_waiting_seconds", COUNTER, "seconds", "Time that some task waited for a disk",
                WAITING(STATS_IO)},
        {"croft_pressure_io_stalled_seconds", COUNTER, "seconds", "Time that all tasks waited for a disk",
                STALLED(STATS_IO)},
        {"croft_disk_read_bytes", COUNTER, "bytes", "Read from the disk", AT_DISK(read_bytes)},
        {"croft_disk_reads_completed", COUNTER, NULL, "Reads of the disk", AT_DISK(reads)},
        {"croft_disk_written_bytes", COUNTER, "bytes", "Written to the disk", AT_DISK(written_bytes)},
        {"croft_disk_writes_completed", COUNTER, NULL, "Writes to the disk", AT_DISK(writes)},
        {"croft_network_receive_bytes", COUNTER, "bytes", "Received on the interface", AT_INTERFACE(receive_bytes)},
        {"croft_network_receive_drop", COUNTER, NULL, "Packets received and dropped", AT_INTERFACE(receive_drops)},
        {"croft_network_receive_errs", COUNTER, NULL, "Errors in receiving", AT_INTERFACE(receive_errors)},
        {"croft_network_receive_packets", COUNTER, NULL, "Packets received", AT_INTERFACE(receive_packets)},
        {"croft_network_transmit_bytes", COUNTER, "bytes", "Sent on the interface", AT_INTERFACE(transmit_bytes)},
        {"croft_network_transmit_drop", COUNTER, NULL, "Packets dropped instead of sent", AT_INTERFACE(transmit_drops)},
        {"croft_network_transmit_errs", COUNTER, NULL, "Errors in sending", AT_INTERFACE(transmit_errors)},
        {"croft_network_transmit_packets", COUNTER, NULL, "Packets sent", AT_INTERFACE(transmit_packets)},
};

struct metrics {
        const struct stats *stats;
        enum metrics_format format;
        char **labels; /* of each partition: name="web",type="native" */
        size_t family, partition;
        bool begun, ended; /* the header of the family is out; all is */
        char *text;        /* what was made; read up to at */
        size_t at, size, room;
        bool no_memory;
};

static void put(struct metrics *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct metrics *m, const char *format, ...)
{
        for (;;) {
                va_list ap;
                char *text;
                int n;

                va_start(ap, format);
                n = vsnprintf(m->text + m->size, m->room - m->size, format, ap);
                va_end(ap);
                if (n < 0 || m->no_memory)
                        return;
                if ((size_t)n < m->room - m->size) {
                        m->size += (size_t)n;
                        return;
                }
                text = realloc(m->text, (m->room + (size_t)n) * 2);
                m->no_memory = !text;
                if (!text)
                        return;
                m->text = text;
                m->room = (m->room + (size_t)n) * 2;
        }
}

/* Backslash, quote and newline are escaped as the format has it; other control bytes and what isn't UTF-8, which it has
 * no way for, appear as \\xNN. */
static void put_label(struct metrics *m, const char *text)
{
        char shown[4 * 256 + 1];

        str_escape(shown, sizeof(shown), text, strlen(text)); /* doubles no backslash that wasn't there: \x5c */
        for (const char *c = shown; *c; c++)
                put(m, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
}

static void put_name(struct metrics *m, const struct family *f)
{
        put(m, "%s%s", f->name, f->kind == COUNTER ? "_total" : f->kind == INFO ? "_info" : "");
}

/* Exact: what is counted in whole numbers is never made a float. */
static void put_value(struct metrics *m, enum scale scale, uint64_t value)
{
        if (scale == NS)
                put(m, "%" PRIu64 ".%09" PRIu64 "\n", value / 1000000000, value % 1000000000);
        else if (scale == US)
                put(m, "%" PRIu64 ".%06" PRIu64 "\n", value / 1000000, value % 1000000);
        else if (scale == LOAD2048)
                put(m, "%" PRIu64 ".%02" PRIu64 "\n", value / 2048, value % 2048 * 100 / 2048);
        else
                put(m, "%" PRIu64 "\n", value);
}

static void put_plain(
        struct metrics *m, const struct family *f, const void *base, const char *labels, const char *device)
{
        uint64_t value, second = 0;

        memcpy(&value, (const char *)base + f->offset, sizeof(value));
        if (f->second)
                memcpy(&second, (const char *)base + f->second, sizeof(second));
        if (value == STATS_NONE || second == STATS_NONE)
                return;
        put_name(m, f);
        if (labels)
                put(m, "{%s", labels);
        if (device) {
                put(m, ",device=\"");
                put_label(m, device);
                put(m, "\"");
        }
        put(m, labels ? "} " : " ");
        put_value(m, f->scale, value + second);
}

/* --- croftd --- */

static void put_states(struct metrics *m, const struct family *f)
{
        size_t count[STATS_STATES] = {0};

        for (size_t i = 0; i < m->stats->n; i++)
                count[m->stats->partition[i].state]++;
        for (int s = 0; s < STATS_STATES; s++)
                put(m, "%s{state=\"%s\"} %zu\n", f->name, partition_state_name((enum partition_state)s), count[s]);
}

/* A forced stop is a stop: the name is what tells operations apart. */
static bool named_before(int action)
{
        for (int i = 0; i < action; i++)
                if (strcmp(life_action_name((enum life_action)i), life_action_name((enum life_action)action)) == 0)
                        return true;
        return false;
}

static void put_operations(struct metrics *m, const struct family *f)
{
        const struct stats_daemon *d = &m->stats->daemon;

        for (int a = 0; a < LIFE_ACTIONS; a++) {
                const char *name = life_action_name((enum life_action)a);

                if (named_before(a))
                        continue;
                put(m, "%s_total{operation=\"%s\",result=\"done\"} %" PRIu64 "\n", f->name, name, d->done[a]);
                put(m, "%s_total{operation=\"%s\",result=\"failed\"} %" PRIu64 "\n", f->name, name, d->failed[a]);
        }
}

static void put_build(struct metrics *m, const struct family *f)
{
        put_name(m, f);
        put(m, "{version=\"%s\",tag=\"%s\",plane=\"%s\"} 1\n", CROFT_VERSION, m->stats->daemon.tag,
                m->stats->daemon.plane ? "yes" : "no");
}

static void put_daemon(struct metrics *m, const struct family *f)
{
        if (f->scope == BUILD)
                put_build(m, f);
        else if (f->scope == BY_STATE)
                put_states(m, f);
        else if (f->scope == OPERATIONS)
                put_operations(m, f);
        else
                put_plain(m, f, &m->stats->daemon, NULL, NULL);
}

/* --- a partition --- */

static void put_mode(
        struct metrics *m, const struct family *f, const char *labels, const char *cpu, const char *mode, uint64_t ns)
{
        if (ns == STATS_NONE)
                return;
        put_name(m, f);
        put(m, "{%s,cpu=\"%s\",mode=\"%s\"} ", labels, cpu, mode);
        put_value(m, NS, ns);
}

static void put_cpu(struct metrics *m, const struct family *f, const char *labels, const struct stats_partition *p)
{
        char number[24];

        for (size_t i = 0; i < p->n_cpu; i++) {
                (void)snprintf(number, sizeof(number), "%zu", i);
                put_mode(m, f, labels, number, "user", p->cpu[i].user_ns);
                put_mode(m, f, labels, number, "nice", p->cpu[i].nice_ns);
                put_mode(m, f, labels, number, "system", p->cpu[i].system_ns);
        }
        if (p->n_cpu > 0)
                return;
        put_mode(m, f, labels, "all", "user", p->time.user_ns);
        put_mode(m, f, labels, "all", "nice", p->time.nice_ns);
        put_mode(m, f, labels, "all", "system", p->time.system_ns);
}

static void put_partition(
        struct metrics *m, const struct family *f, const struct stats_partition *p, const char *labels)
{
        switch (f->scope) {
        case STATE:
                put(m, "%s{%s,state=\"%s\"} 1\n", f->name, labels, partition_state_name(p->state));
                break;
        case CPU:
                put_cpu(m, f, labels, p);
                break;
        case QUOTA:
                if (p->quota_us != STATS_NONE && p->period_us != STATS_NONE && p->period_us > 0)
                        put(m, "%s{%s} %.6g\n", f->name, labels, (double)p->quota_us / (double)p->period_us);
                break;
        case DISK:
                for (size_t i = 0; i < p->n_disk; i++)
                        put_plain(m, f, &p->disk[i], labels, p->disk[i].name);
                break;
        case INTERFACE:
                for (size_t i = 0; i < p->n_interface; i++)
                        put_plain(m, f, &p->interface[i], labels, p->interface[i].name);
                break;
        default:
                put_plain(m, f, p, labels, NULL);
        }
}

/* --- the walk --- */

static void put_header(struct metrics *m, const struct family *f)
{
        static const char *const type[] = {"counter", "gauge", "info"};
        bool open = m->format == METRICS_OPENMETRICS;
        const char *end = open ? "" : f->kind == COUNTER ? "_total" : f->kind == INFO ? "_info" : "";

        put(m, "# TYPE %s%s %s\n", f->name, end, !open && f->kind == INFO ? "gauge" : type[f->kind]);
        if (open && f->unit)
                put(m, "# UNIT %s %s\n", f->name, f->unit);
        put(m, "# HELP %s%s %s.\n", f->name, end, f->help);
}

/* The next piece: the header of a family, or one partition's lines of it. */
static void step(struct metrics *m)
{
        const struct family *f = &families[m->family];

        if (m->family == ELEMENTS(families)) {
                if (m->format == METRICS_OPENMETRICS)
                        put(m, "# EOF\n");
                m->ended = true;
                return;
        }
        if (!m->begun) {
                put_header(m, f);
                m->begun = true;
                m->partition = 0;
                return;
        }
        if (f->scope < PARTITION) {
                put_daemon(m, f);
        } else if (m->partition < m->stats->n) {
                put_partition(m, f, &m->stats->partition[m->partition], m->labels[m->partition]);
                m->partition++;
        }
        if (f->scope >= PARTITION && m->partition < m->stats->n)
                return;
        m->family++;
        m->begun = false;
}

static int make_labels(struct metrics *m)
{
        m->labels = calloc(m->stats->n + 1, sizeof(*m->labels));
        if (!m->labels)
                return -ENOMEM;
        for (size_t i = 0; i < m->stats->n; i++) {
                const struct stats_partition *p = &m->stats->partition[i];

                m->size = 0;
                put(m, "name=\"");
                put_label(m, p->name);
                put(m, "\",type=\"%s\"", p->native ? "native" : "image");
                m->labels[i] = m->no_memory ? NULL : strdup(m->text);
                if (!m->labels[i])
                        return -ENOMEM;
        }
        m->size = 0;
        return 0;
}

struct metrics *metrics_new(const struct stats *stats, enum metrics_format format)
{
        struct metrics *m = calloc(1, sizeof(*m));

        if (!m)
                return NULL;
        m->stats = stats;
        m->format = format;
        m->room = 4096;
        m->text = malloc(m->room);
        return m->text && make_labels(m) == 0 ? m : metrics_free(m);
}

struct metrics *metrics_free(struct metrics *m)
{
        if (!m)
                return NULL;
        for (size_t i = 0; m->labels && i < m->stats->n; i++)
                free(m->labels[i]);
        free(m->labels);
        free(m->text);
        free(m);
        return NULL;
}

ssize_t metrics_read(struct metrics *m, char *buf, size_t max)
{
        size_t n;

        memmove(m->text, m->text + m->at, m->size - m->at); /* little: what the last step made too much */
        m->size -= m->at;
        m->at = 0;
        while (m->size < max && !m->ended && !m->no_memory)
                step(m);
        if (m->no_memory)
                return -ENOMEM;
        n = m->size < max ? m->size : max;
        memcpy(buf, m->text, n);
        m->at = n;
        return (ssize_t)n;
}

const char *metrics_content_type(enum metrics_format format)
{
        return format == METRICS_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                             : "text/plain; version=0.0.4; charset=utf-8";
}

/* --- what is wanted --- */

/* Thousandths of "q=0.5" in the parameters of a media range; 1000 when there is none. */
static unsigned int quality(const char *parameters, size_t length)
{
        for (size_t i = 0; i + 3 < length; i++) {
                char number[8];
                double q;

                if ((parameters[i] != ';' && parameters[i] != ' ') || strncasecmp(parameters + i + 1, "q=", 2) != 0)
                        continue;
                (void)snprintf(number, sizeof(number), "%.*s", (int)(length - i - 3), parameters + i + 3);
                q = strtod(number, NULL);
                return q >= 1 ? 1000 : q > 0 ? (unsigned int)(q * 1000) : 0;
        }
        return 1000;
}

static bool is_range(const char *range, size_t length, const char *name)
{
        return length == strlen(name) && strncasecmp(range, name, length) == 0;
}

enum metrics_format metrics_negotiate(const char *accept)
{
        unsigned int open = 0, plain = 0, any = 0;

        if (!accept)
                return METRICS_OPENMETRICS;
        while (*accept) {
                size_t length, whole, type;

                accept += strspn(accept, ", \t");
                whole = strcspn(accept, ",");
                type = strcspn(accept, ",; \t");
                length = quality(accept + type, whole - type);
                if (is_range(accept, type, "application/openmetrics-text"))
                        open = length > open ? (unsigned int)length : open;
                else if (is_range(accept, type, "text/plain") || is_range(accept, type, "text/*"))
                        plain = length > plain ? (unsigned int)length : plain;
                else if (is_range(accept, type, "*/*"))
                        any = length > any ? (unsigned int)length : any;
                accept += whole;
        }
        return plain > (open ? open : any) ? METRICS_PROMETHEUS : METRICS_OPENMETRICS;
}

const char *metrics_family(size_t i, const char **ret_type, const char **ret_unit)
{
        static const char *const type[] = {"counter", "gauge", "info"};

        if (i >= ELEMENTS(families))
                return NULL;
        *ret_type = type[families[i].kind];
        *ret_unit = families[i].unit;
        return families[i].name;
}
