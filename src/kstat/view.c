/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view.c - one partition's view: takes in samples so that nothing runs backwards, and knows the single files.
 *
 * What never decreases is derived from the sample wherever that can be done, so that a new warden goes on where the
 * one before ended: the idle time of a CPU is what has passed since the start, less what it was busy.  Only the idle
 * time of all CPUs together depends on which CPUs the partition had before; it is in struct view_state.
 */
#include "base/cleanup.h"
#include "kstat/view_private.h"

#include <string.h>
#include <time.h>

/* --- which files --- */

static const struct {
        const char *path;
        int (*render)(struct view *v, struct text *t);
} files[] = {
        {"proc/meminfo", view_meminfo},
        {"proc/stat", view_stat},
        {"proc/cpuinfo", view_cpuinfo},
        {"proc/loadavg", view_loadavg},
        {"proc/uptime", view_uptime},
        {"proc/vmstat", view_vmstat},
        {"proc/diskstats", view_diskstats},
        {"proc/partitions", view_partitions},
        {"proc/swaps", view_swaps},
        {"proc/pressure/cpu", view_pressure_cpu},
        {"proc/pressure/memory", view_pressure_memory},
        {"proc/pressure/io", view_pressure_io},
        {"proc/interrupts", view_interrupts},
        {"proc/softirqs", view_softirqs},
        {"proc/schedstat", view_schedstat},
        {"proc/zoneinfo", view_zoneinfo},
        {"proc/buddyinfo", view_buddyinfo},
        {"proc/slabinfo", view_slabinfo},
        {"proc/modules", view_modules},
        {"proc/devices", view_devices},
        {"proc/sys/kernel/random/boot_id", view_boot_id},
        {"proc/sys/kernel/pty/nr", view_zero},
        {"proc/sys/fs/aio-nr", view_zero},
        {"proc/sys/fs/file-nr", view_file_nr},
        {"proc/sys/fs/inode-nr", view_inode_nr},
        {"proc/sys/fs/inode-state", view_inode_state},
        {"proc/sys/fs/dentry-state", view_dentry_state},
};

size_t view_count(void)
{
        return ELEMENTS(files);
}

const char *view_path(size_t i)
{
        return i < ELEMENTS(files) ? files[i].path : NULL;
}

bool view_tells_disks(uint64_t node)
{
        if (node >= 1 && node <= ELEMENTS(files))
                return files[node - 1].render == view_partitions;
        return view_tree_tells_disks(node);
}

bool view_tells_modules(uint64_t node)
{
        if (node >= 1 && node <= ELEMENTS(files))
                return files[node - 1].render == view_modules;
        return view_tree_tells_modules(node);
}

ssize_t view_render(struct view *v, size_t i, const struct kstat_sample *sample, char *buf, size_t size)
{
        struct text t = {.start = buf, .at = buf, .end = buf + size};
        int error;

        if (i >= ELEMENTS(files))
                return -ENOENT;
        view_take(v, sample);
        error = files[i].render(v, &t);
        return error < 0 ? error : text_end(&t);
}

/* --- CPUs --- */

unsigned int mask_next(const __u64 *mask, unsigned int from)
{
        for (unsigned int i = from / 64; i < CPU_WORDS; i++) {
                uint64_t word = mask[i];

                if (i == from / 64)
                        word &= ~0ULL << (from % 64);
                if (word)
                        return i * 64 + (unsigned int)__builtin_ctzll(word);
        }
        return KSTAT_CPUS_MAX;
}

static unsigned int mask_count(const __u64 *mask)
{
        unsigned int n = 0;

        for (size_t i = 0; i < CPU_WORDS; i++)
                n += (unsigned int)__builtin_popcountll(mask[i]);
        return n;
}

/* One more than the greatest; 0: none. */
static unsigned int mask_top(const __u64 *mask)
{
        for (unsigned int i = CPU_WORDS; i-- > 0;)
                if (mask[i])
                        return i * 64 + 64 - (unsigned int)__builtin_clzll(mask[i]);
        return 0;
}

static unsigned int greater(unsigned int a, unsigned int b)
{
        return a > b ? a : b;
}

static uint64_t idle_of(const struct view *v, const __u64 *cpus)
{
        uint64_t sum = 0;

        MASK_EACH (cpu, cpus)
                sum += v->idle_ns[cpu];
        return sum;
}

static void take_cpus(struct view *v)
{
        memcpy(v->cpus, v->s.cpus, sizeof(v->cpus));
        if (mask_next(v->cpus, 0) == KSTAT_CPUS_MAX) { /* a program that divides by their number must not fail */
                unsigned int first = mask_next(v->s.configured, 0);

                first = first < KSTAT_CPUS_MAX ? first : 0;
                v->cpus[first / 64] |= 1ULL << (first % 64);
        }
        for (size_t i = 0; i < CPU_WORDS; i++)
                v->configured[i] = v->s.configured[i] | v->cpus[i];
        v->n_possible = greater(v->facts->n_possible, mask_top(v->configured));
        v->n_online = mask_count(v->cpus);
}

/* --- samples: counters are raised, the rest is taken as it is --- */

static void raise_to(__u64 *value, uint64_t to)
{
        if (to > *value)
                *value = to;
}

#define COUNTER(field) offsetof(struct kstat_sample, field)
static const uint16_t counters[] = {
        COUNTER(forks),
        COUNTER(switches),
        COUNTER(pressure[0][0].total_us),
        COUNTER(pressure[0][1].total_us),
        COUNTER(pressure[1][0].total_us),
        COUNTER(pressure[1][1].total_us),
        COUNTER(pressure[2][0].total_us),
        COUNTER(pressure[2][1].total_us),
        COUNTER(memory.pgfault),
        COUNTER(memory.pgmajfault),
        COUNTER(memory.pgpgin),
        COUNTER(memory.pgpgout),
        COUNTER(memory.pswpin),
        COUNTER(memory.pswpout),
        COUNTER(memory.pgscan),
        COUNTER(memory.pgsteal),
        COUNTER(memory.oom_kills),
};

static __u64 *counter(struct kstat_sample *s, size_t i)
{
        return (__u64 *)(void *)((char *)s + counters[i]);
}

/* All but times: what is not known counts as what was known last, or 0. */
static void take_counters(struct view *v, const struct kstat_sample *sample)
{
        uint64_t old[ELEMENTS(counters)];

        for (size_t i = 0; i < ELEMENTS(counters); i++)
                old[i] = *counter(&v->s, i);
        memcpy(&v->s, sample, offsetof(struct kstat_sample, cpu));
        for (size_t i = 0; i < ELEMENTS(counters); i++) {
                if (*counter(&v->s, i) == KSTAT_NONE)
                        *counter(&v->s, i) = old[i];
                raise_to(counter(&v->s, i), old[i]);
        }
}

static void raise_disk(struct kstat_sample_disk *d, const struct kstat_sample_disk *to)
{
        raise_to(&d->reads, to->reads);
        raise_to(&d->read_bytes, to->read_bytes);
        raise_to(&d->writes, to->writes);
        raise_to(&d->written_bytes, to->written_bytes);
}

/* A disk that isn't in the sample this time is kept: it has been used. */
static void take_disks(struct view *v, const struct kstat_sample *sample)
{
        uint32_t n = sample->n_disks < KSTAT_SAMPLE_DISKS ? sample->n_disks : KSTAT_SAMPLE_DISKS;

        for (uint32_t i = 0; i < n; i++) {
                const struct kstat_sample_disk *d = &sample->disks[i];
                uint32_t k = 0;

                if (!view_may_show(v, d))
                        continue;
                while (k < v->n_disks && (v->disks[k].major != d->major || v->disks[k].minor != d->minor))
                        k++;
                if (k == KSTAT_SAMPLE_DISKS)
                        continue;
                if (k == v->n_disks) {
                        v->disks[v->n_disks++] = *d;
                        v->stale_shown = true;
                }
                raise_disk(&v->disks[k], d);
        }
}

static void take_times(struct view *v, const struct kstat_sample *sample)
{
        uint32_t n = sample->n_cpus < KSTAT_CPUS_MAX ? sample->n_cpus : KSTAT_CPUS_MAX;

        /* No fewer than there were before, and one at least: see take_cpus(). */
        v->n_times = greater(greater(v->n_times, n), greater(mask_top(v->s.cpus), mask_top(v->s.configured)));
        v->n_times = greater(v->n_times, mask_top(v->cpus));
        v->n_times = greater(v->n_times, 1);
        v->user_ns = v->nice_ns = v->system_ns = 0;
        for (uint32_t i = 0; i < v->n_times; i++) {
                struct kstat_sample_cpu *c = &v->s.cpu[i];
                uint64_t busy;

                if (i < n) {
                        raise_to(&c->user_ns, sample->cpu[i].user_ns);
                        raise_to(&c->nice_ns, sample->cpu[i].nice_ns);
                        raise_to(&c->system_ns, sample->cpu[i].system_ns);
                }
                v->user_ns += c->user_ns;
                v->nice_ns += c->nice_ns;
                v->system_ns += c->system_ns;
                busy = c->user_ns + c->nice_ns + c->system_ns;
                raise_to(&v->idle_ns[i], busy < v->elapsed_ns ? v->elapsed_ns - busy : 0);
        }
}

/* The sum of idle times goes on from where it is, by what its CPUs are idle from now on: it neither falls when the
 * partition loses one nor jumps by the past of a new one. */
static void take_idle(struct view *v, bool first)
{
        uint64_t before = idle_of(v, v->cpus), after;

        take_cpus(v);
        after = idle_of(v, v->cpus);
        if (!first)
                v->idle_offset_ns += before - after; /* modulo 2^64 */
        raise_to(&v->idle_all_ns, after + v->idle_offset_ns);
}

static void begin_anew(struct view *v, const struct kstat_sample *sample)
{
        memset(&v->s, 0, sizeof(v->s));
        memset(v->idle_ns, 0, sizeof(v->idle_ns));
        v->s.start_ns = sample->start_ns;
        v->idle_all_ns = v->idle_offset_ns = v->elapsed_ns = 0;
        v->n_disks = v->processes_most = 0;
        v->stale_shown = true;
}

static void take_sample(struct view *v, const struct kstat_sample *sample)
{
        bool first = v->fresh || v->s.start_ns != sample->start_ns;

        if (first)
                begin_anew(v, sample);
        else if (v->taken && sample->now_ns <= v->s.now_ns)
                return;
        v->fresh = false;
        v->taken = true;
        take_counters(v, sample);
        if (v->s.boottime_ns > v->s.start_ns)
                raise_to(&v->elapsed_ns, v->s.boottime_ns - v->s.start_ns);
        if (v->s.processes_last > v->processes_most)
                v->processes_most = v->s.processes_last;
        take_disks(v, sample);
        take_times(v, sample);
        take_idle(v, first);
}

void view_take(struct view *v, const struct kstat_sample *sample)
{
        if (v->own)
                view_own_take(v); /* before the sample, which has figures of what is listed */
        view_modules_take(v);
        take_sample(v, sample);
        if (v->stale_shown)
                view_shown_make(v);
}

/* --- the wall clock --- */

void view_set_realtime(struct view *v, int64_t ahead_ns)
{
        v->realtime_ns = ahead_ns;
        v->realtime_fixed = true;
}

static int64_t ns_of(clockid_t clock)
{
        struct timespec t = {0};

        (void)clock_gettime(clock, &t); /* of the machine's own clocks: can't fail */
        return t.tv_sec * (int64_t)NSEC_PER_SEC + t.tv_nsec;
}

/* btime must not flicker between two seconds because the two clocks are read one after the other: it follows when the
 * clock was set, not when a read was slow. */
int64_t view_realtime(struct view *v)
{
        int64_t ahead;

        if (v->realtime_fixed)
                return v->realtime_ns;
        ahead = ns_of(CLOCK_REALTIME) - ns_of(CLOCK_BOOTTIME);
        if (!v->realtime_ns || llabs(ahead - v->realtime_ns) > (int64_t)NSEC_PER_SEC / 2)
                v->realtime_ns = ahead;
        return v->realtime_ns;
}

/* --- life --- */

int view_new(const struct view_facts *facts, struct view **ret)
{
        _cleanup_(view_freep) struct view *v = calloc(1, sizeof(*v));
        int error;

        if (!v)
                return -ENOMEM;
        v->facts = facts;
        view_facts_machine(facts, &v->machine);
        v->fresh = true;
        error = view_lines_new(v);
        if (error < 0)
                return error;
        *ret = TAKE(v);
        return 0;
}

void view_set_machine(struct view *view, const struct view_machine *machine)
{
        view->machine = *machine;
}

struct view *view_free(struct view *view)
{
        if (!view)
                return NULL;
        free(view->meminfo);
        free(view->vmstat);
        free(view->cpuinfo);
        view_own_free(view->own);
        free(view);
        return NULL;
}

void view_freep(struct view **view)
{
        *view = view_free(*view);
}

void view_get_state(const struct view *view, struct view_state *ret)
{
        *ret = (struct view_state){
                .start_ns = view->s.start_ns,
                .now_ns = view->s.now_ns,
                .idle_ns = view->idle_all_ns,
                .idle_offset_ns = view->idle_offset_ns,
                .realtime_ns = view->realtime_ns,
        };
        memcpy(ret->cpus, view->cpus, sizeof(ret->cpus));
}

void view_set_state(struct view *view, const struct view_state *state)
{
        if (!state->now_ns)
                return;
        view->fresh = false;
        view->s.start_ns = state->start_ns;
        view->s.now_ns = state->now_ns;
        view->idle_all_ns = state->idle_ns;
        view->idle_offset_ns = state->idle_offset_ns;
        view->realtime_ns = state->realtime_ns;
        memcpy(view->cpus, state->cpus, sizeof(view->cpus));
}
