/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_cpu.c - everything that has a line or a column for each CPU, load, uptime and pressure.
 *
 * Invariant: which CPUs there are is view->cpus, everywhere; they keep the numbers that sched_getaffinity(2) shows.
 * What the kernel doesn't keep for each partition (interrupts, soft interrupts) is 0 in a table of the right form.
 */
#include "base/cleanup.h"
#include "kstat/view_private.h"

#define LOAD_SHIFT 11 /* of the kernel's averages */

/* --- stat --- */

static void put_cpu(struct view *v, struct text *t, const struct kstat_sample_cpu *c, uint64_t idle_ns)
{
        text_next(t, view_ticks(v, c->user_ns));
        text_next(t, view_ticks(v, c->nice_ns));
        text_next(t, view_ticks(v, c->system_ns));
        text_next(t, view_ticks(v, idle_ns));
        text_str(t, " 0 0 0 0 0 0\n"); /* iowait, irq, softirq, steal, guest, guest_nice */
}

static void put_line(struct text *t, const char *label, uint64_t value)
{
        text_str(t, label);
        text_number(t, value, 0);
        text_char(t, '\n');
}

/* How many processes there were: the last pid is not less than that if nobody counts. */
static uint64_t forks_of(const struct view *v)
{
        return v->s.forks ? v->s.forks : v->processes_most;
}

/* With the one who reads: it runs, but for the moment in which it waits for this text.  Programs that leave themselves
 * out (sar -q) count on it. */
static uint64_t running_of(const struct view *v)
{
        return (uint64_t)v->s.running + 1;
}

int view_stat(struct view *v, struct text *t)
{
        struct kstat_sample_cpu all = {v->user_ns, v->nice_ns, v->system_ns};
        int64_t began = (int64_t)v->s.start_ns + view_realtime(v);

        text_str(t, "cpu ");
        put_cpu(v, t, &all, v->idle_all_ns);
        MASK_EACH (cpu, v->cpus) {
                text_str(t, "cpu");
                text_number(t, cpu, 0);
                put_cpu(v, t, &v->s.cpu[cpu], v->idle_ns[cpu]);
        }
        text_str(t, "intr 0\n");
        put_line(t, "ctxt ", v->s.switches);
        put_line(t, "btime ", began > 0 ? (uint64_t)began / NSEC_PER_SEC : 0);
        put_line(t, "processes ", forks_of(v));
        put_line(t, "procs_running ", running_of(v));
        put_line(t, "procs_blocked ", v->s.blocked);
        text_str(t, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
        return 0;
}

/* --- cpuinfo: put together anew only when the CPUs change --- */

/* The text behind "name\t...: " of a line, or NULL. */
static const char *line_is(const char *line, size_t size, const char *name)
{
        size_t length = strlen(name);
        const char *colon = memchr(line, ':', size);

        if (size < length || memcmp(line, name, length) != 0 || !colon)
                return NULL;
        for (const char *p = line + length; p < colon; p++)
                if (*p != '\t' && *p != ' ')
                        return NULL;
        return colon + 1;
}

/* CPUs of the partition in the same package, and the cores that these are on. */
static void count_package(const struct view *v, const struct facts_cpu *of, unsigned int *siblings, unsigned int *cores)
{
        *siblings = *cores = 0;
        MASK_EACH (cpu, v->cpus) {
                const struct facts_cpu *c = facts_cpu_find(v->facts, cpu);
                bool known = false;

                if (!c || c->package != of->package)
                        continue;
                ++*siblings;
                for (unsigned int k = mask_next(v->cpus, 0); k < cpu && !known; k = mask_next(v->cpus, k + 1)) {
                        const struct facts_cpu *other = facts_cpu_find(v->facts, k);

                        known = other && other->package == of->package && other->core == c->core;
                }
                *cores += !known;
        }
}

static void put_cpuinfo(const struct view *v, struct text *t, unsigned int cpu)
{
        const struct facts_cpu *c = facts_cpu_find(v->facts, cpu);
        unsigned int siblings, cores;
        const char *at, *end;

        if (!c) { /* came after the facts were collected */
                put_line(t, "processor\t: ", cpu);
                text_char(t, '\n');
                return;
        }
        count_package(v, c, &siblings, &cores);
        for (at = c->cpuinfo.text, end = at + c->cpuinfo.size; at < end;) {
                const char *line_end = memchr(at, '\n', (size_t)(end - at)), *value;
                size_t size = (size_t)((line_end ? line_end : end) - at);
                bool is_siblings = (value = line_is(at, size, "siblings")) != NULL;

                if (is_siblings || (value = line_is(at, size, "cpu cores"))) {
                        text_put(t, at, (size_t)(value - at));
                        text_next(t, is_siblings ? siblings : cores);
                } else {
                        text_put(t, at, size);
                }
                text_char(t, '\n');
                at += size + 1;
        }
        text_char(t, '\n');
}

static int cpuinfo_new(struct view *v)
{
        size_t size = 0;
        struct text t;
        char *buf;

        MASK_EACH (cpu, v->cpus) {
                const struct facts_cpu *c = facts_cpu_find(v->facts, cpu);

                size += (c ? c->cpuinfo.size : 0) + 64u; /* room for two numbers that have become longer */
        }
        buf = malloc(size);
        if (!buf)
                return -ENOMEM;
        t = (struct text){.start = buf, .at = buf, .end = buf + size};
        MASK_EACH (cpu, v->cpus)
                put_cpuinfo(v, &t, cpu);
        free(v->cpuinfo);
        v->cpuinfo = buf;
        v->cpuinfo_size = (size_t)(t.at - t.start);
        memcpy(v->cpuinfo_cpus, v->cpus, sizeof(v->cpuinfo_cpus));
        return 0;
}

int view_cpuinfo(struct view *v, struct text *t)
{
        if (!v->cpuinfo || memcmp(v->cpuinfo_cpus, v->cpus, sizeof(v->cpus)) != 0) {
                int error = cpuinfo_new(v);

                if (error < 0)
                        return error;
        }
        text_put(t, v->cpuinfo, v->cpuinfo_size);
        return 0;
}

/* --- load and time --- */

int view_loadavg(struct view *v, struct text *t)
{
        for (size_t i = 0; i < ELEMENTS(v->s.load); i++) {
                /* Rounded as the kernel does: 1/200 is added before it is cut. */
                uint64_t load = v->s.load[i] + (1u << LOAD_SHIFT) / 200;

                text_hundredths(
                        t, (load >> LOAD_SHIFT) * 100 + (load & ((1u << LOAD_SHIFT) - 1)) * 100 / (1u << LOAD_SHIFT));
                text_char(t, ' ');
        }
        text_number(t, running_of(v), 0);
        text_char(t, '/');
        text_number(t, v->s.threads, 0);
        text_next(t, v->s.processes_last);
        text_char(t, '\n');
        return 0;
}

/* As of the end of the time for which the text holds: ps(1) subtracts the start of a process from it, which may have
 * begun after the text was made, and doesn't know of less than nothing. */
int view_uptime(struct view *v, struct text *t)
{
        text_hundredths(t, (v->elapsed_ns + VIEW_AGE_MAX_NS) / (NSEC_PER_SEC / 100));
        text_char(t, ' ');
        text_hundredths(t, v->idle_all_ns / (NSEC_PER_SEC / 100));
        text_char(t, '\n');
        return 0;
}

/* --- tables with a column for each CPU --- */

static void put_heads(const struct view *v, struct text *t, size_t before)
{
        text_blanks(t, before);
        MASK_EACH (cpu, v->cpus) {
                const char *from = t->at;

                text_str(t, "CPU");
                text_number(t, cpu, 0);
                text_blanks(t, 11 - view_least(11, (uint64_t)(t->at - from)));
        }
        text_char(t, '\n');
}

int view_interrupts(struct view *v, struct text *t)
{
        /* Programs want one line at least, and these two are on each machine. */
        static const char *const rows[][2] = {
                {"LOC: ", "  Local timer interrupts\n"}, {"RES: ", "  Rescheduling interrupts\n"}};

        put_heads(v, t, 11);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                text_str(t, rows[i][0]);
                MASK_EACH (cpu, v->cpus)
                        text_str(t, "         0 ");
                text_str(t, rows[i][1]);
        }
        return 0;
}

int view_softirqs(struct view *v, struct text *t)
{
        static const char rows[][14] = {"          HI:", "       TIMER:", "      NET_TX:", "      NET_RX:",
                "       BLOCK:", "    IRQ_POLL:", "     TASKLET:", "       SCHED:", "     HRTIMER:", "         RCU:"};

        put_heads(v, t, 20);
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                text_str(t, rows[i]);
                MASK_EACH (cpu, v->cpus)
                        text_str(t, "          0");
                text_char(t, '\n');
        }
        return 0;
}

int view_schedstat(struct view *v, struct text *t)
{
        put_line(t, "version ", v->facts->schedstat_version);
        put_line(t, "timestamp ", view_ticks(v, v->elapsed_ns));
        MASK_EACH (cpu, v->cpus) {
                const struct kstat_sample_cpu *c = &v->s.cpu[cpu];

                text_str(t, "cpu");
                text_number(t, cpu, 0);
                text_str(t, " 0 0 0 0 0 0");
                text_next(t, c->user_ns + c->nice_ns + c->system_ns);
                text_str(t, " 0 0\n"); /* time waited, slices */
        }
        return 0;
}

/* --- pressure --- */

static int put_pressure(struct text *t, const struct kstat_sample_pressure pressure[2])
{
        static const char *const labels[] = {" avg10=", " avg60=", " avg300="};

        for (size_t i = 0; i < 2; i++) {
                text_str(t, i == 0 ? "some" : "full");
                for (size_t k = 0; k < ELEMENTS(labels); k++) {
                        text_str(t, labels[k]);
                        text_hundredths(t, pressure[i].avg[k]);
                }
                text_str(t, " total=");
                text_number(t, pressure[i].total_us, 0);
                text_char(t, '\n');
        }
        return 0;
}

int view_pressure_cpu(struct view *v, struct text *t)
{
        return put_pressure(t, v->s.pressure[0]);
}

int view_pressure_memory(struct view *v, struct text *t)
{
        return put_pressure(t, v->s.pressure[1]);
}

int view_pressure_io(struct view *v, struct text *t)
{
        return put_pressure(t, v->s.pressure[2]);
}
