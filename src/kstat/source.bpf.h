/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * source.bpf.h - the sources of statistics: what fills the data of a structure at the moment of a read.
 *
 * For the programs that answer readers (SYSCALL): these can't have the kernel bring its counters together, so what is
 * read here is live where the kernel counts live (memory in use, CPU time, pressure, processes, network) and else as of
 * the last time that somebody had it done: events and kinds of memory of nested cgroups at most two seconds ago.
 *
 * Only constant offsets of the context may be written to.  The data is zeros before; on failure it is left so.
 */
#ifndef CROFT_KSTAT_SOURCE_BPF_H
#define CROFT_KSTAT_SOURCE_BPF_H

#include "kstat/catalogue.bpf.h"
#include "kstat/disks.bpf.h"
#include "kstat/figures.bpf.h"
#include "kstat/illumos.h"
#include "kstat/interrupts.bpf.h"
#include "kstat/load_clock.bpf.h"
#include "kstat/memory.bpf.h"
#include "kstat/mount_source.bpf.h"
#include "kstat/net_source.bpf.h"
#include "kstat/own_disks.bpf.h"
#include "kstat/source_kit.bpf.h"
#include "kstat/sums.bpf.h"
#include "kstat/switches.bpf.h"
#include "plane/clock.bpf.h"

#include <linux/errno.h>

#define TICK_NS 10000000 /* illumos's: 1/100 s */

/* What was before the caller's clock began is told as if it had been then. */
static __always_inline __s64 callers_time(__s64 machines)
{
        __s64 time = callers_monotonic(machines);

        return time > 0 ? time : 0;
}

static __always_inline __u32 count_bits(__u64 x)
{
        x = x - (x >> 1 & 0x5555555555555555ULL);
        x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
        x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
        return x * 0x0101010101010101ULL >> 56;
}

static __always_inline __u32 allowed_cpus(const struct source *s)
{
        __u32 possible = count_cpus(), n = 0;

        for (int i = 0; i < KSTAT_CPUS_MAX / 64; i++)
                n += count_bits(read_cpus(s->objects, i, false) & possible_cpus(possible, i));
        return n;
}

/* Load in 1/256. */
static __always_inline void source_averages(const struct source *s, struct kstat_averages *ret)
{
        read_load(s->objects, s->partition, ret);
        clock_arm();
        for (int i = 0; i < 3; i++)
                ret->load[i] = ret->load[i] >> 3;
}

SOURCE source_system_misc(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_system_misc data;
        struct kstat_averages averages = {0};
        __u64 up = bpf_ktime_get_boot_ns() - s->objects->boot_ns;

        source_averages(s, &averages);
        PUT(ncpus, allowed_cpus(s));
        PUT(lbolt, (__u32)(up / TICK_NS));
        PUT(clk_intr, (__u32)(up / TICK_NS));
        PUT(nproc, count_threads(s->objects));
        PUT(avenrun_1min, averages.load[0]);
        PUT(avenrun_5min, averages.load[1]);
        PUT(avenrun_15min, averages.load[2]);
        PUT(boot_time, (__u32)s->objects->began_s);
        PUT(nsec_per_tick, TICK_NS);
        return 0;
}

SOURCE source_load(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_load data;
        struct kstat_averages averages = {0};

        source_averages(s, &averages);
        PUT(load_1min, averages.load[0]);
        PUT(load_5min, averages.load[1]);
        PUT(load_15min, averages.load[2]);
        return 0;
}

SOURCE source_processes(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_processes data;
        struct kstat_active active = {0};
        struct kstat_counts counts = {0};

        if (s->partition)
                count_active(s->objects, &active);
        else
                count_machine(s->objects, &active);
        PUT(threads, count_threads(s->objects));
        PUT(running, active.running);
        PUT(blocked, active.blocked);
        PUT(last_pid, last_pid(s->objects));
        if (!total_counts(s->objects, &counts))
                counts.forks = counts.execs = KSTAT_NONE;
        PUT(made, counts.forks + counts.vforks + counts.threads);
        PUT(execs, counts.execs);
        return 0;
}

/* Of the machine the kernel counts by CPU, and not of which kind. */
SOURCE source_switches(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_switches data;
        struct kstat_switches switches = {KSTAT_NONE, KSTAT_NONE};
        __u64 total = KSTAT_NONE;

        if (!s->partition)
                total = all_switches(s->objects);
        else if (read_switches(s->objects, &switches))
                total = switches.voluntary + switches.involuntary;
        PUT(total, total);
        PUT(voluntary, switches.voluntary);
        PUT(involuntary, switches.involuntary);
        return 0;
}

/* User and system time of all CPUs. */
FIGURE int source_times(const struct kstat_objects *objects, __u64 partition, struct kstat_sample_cpu *ret)
{
        struct kstat_sample_cpu sum = {0}, one = {0};
        __u32 n = count_cpus();

        if (!objects || !ret)
                return 0;
        FOR_EACH_CPU(cpu, n)
        {
                read_cpu(objects, partition, cpu, cpu_offset_of(cpu), &one);
                sum.user_ns += one.user_ns;
                sum.nice_ns += one.nice_ns;
                sum.system_ns += one.system_ns;
        }
        *ret = sum;
        return 0;
}

SOURCE source_partition_misc(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_partition_misc data;
        struct kstat_averages averages = {0};
        struct kstat_sample_cpu times = {0};

        source_averages(s, &averages);
        source_times(s->objects, s->partition, &times);
        PUT(partition_id, s->partition);
        PUT(boot_time, s->objects->began_s);
        PUT(uptime, bpf_ktime_get_boot_ns() - s->objects->boot_ns);
        PUT(nsec_user, times.user_ns + times.nice_ns);
        PUT(nsec_sys, times.system_ns);
        PUT(avenrun_1min, averages.load[0]);
        PUT(avenrun_5min, averages.load[1]);
        PUT(avenrun_15min, averages.load[2]);
        PUT(nproc, count_threads(s->objects));
        return 0;
}

/* One CPU's time; idle: the rest of the time since the partition began, never less than before. */
static __always_inline int one_cpu(const struct source *s, struct kstat_sample_cpu *ret, __u64 *ret_idle)
{
        struct kstat_time_key key = {.partition = s->partition, .cpu = s->argument};
        struct kstat_time *last, none = {0};
        __u64 off, up = bpf_ktime_get_boot_ns() - s->objects->boot_ns, used, idle;

        if (s->argument >= FIGURES_CPUS_MAX || !cpu_offset(s->argument, &off))
                return -ENXIO;
        read_cpu(s->objects, s->partition, s->argument, off, ret);
        used = ret->user_ns + ret->nice_ns + ret->system_ns;
        idle = up > used ? up - used : 0;
        last = bpf_map_lookup_elem(&kstat_times, &key);
        if (!last) {
                bpf_map_update_elem(&kstat_times, &key, &none, BPF_NOEXIST);
                last = bpf_map_lookup_elem(&kstat_times, &key);
        }
        if (last) {
                raise_to(&last->idle_ns, idle);
                idle = idle > last->idle_ns ? idle : last->idle_ns;
        }
        *ret_idle = idle;
        return 0;
}

/* What happened on a CPU.  KSTAT_NONE: not known: context switches are counted by CPU for the machine only, and tasks
 * for partitions only. */
struct cpu_events {
        __u64 switches, interrupts;
        struct kstat_counts counts;
};

static __noinline int cpu_events_of(const struct source *s, struct cpu_events *ret)
{
        struct kstat_interrupts interrupts = {0};
        __u64 off = 0;

        ret->switches = s->partition ? KSTAT_NONE : machine_switches(s->objects, s->argument);
        if (!s->partition && !(cpu_offset(s->argument, &off) && read_interrupts(s->objects, off, &interrupts)))
                interrupts.hard = KSTAT_NONE;
        ret->interrupts = interrupts.hard;
        if (!add_counts(s->objects, s->argument, &ret->counts))
                ret->counts = (struct kstat_counts){
                        .forks = KSTAT_NONE, .vforks = KSTAT_NONE, .threads = KSTAT_NONE, .execs = KSTAT_NONE};
        return 0;
}

static __noinline int put_cpu_events(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_cpu_sys data;
        struct cpu_events events = {0};

        cpu_events_of(s, &events);
        PUT(pswitch, events.switches);
        PUT(intr, events.interrupts);
        PUT(sysfork, events.counts.forks);
        PUT(sysvfork, events.counts.vforks);
        PUT(sysexec, events.counts.execs);
        PUT(nthreads, events.counts.threads);
        return 0;
}

SOURCE source_cpu_sys(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_cpu_sys data;
        struct kstat_sample_cpu cpu = {0};
        __u64 idle = 0;
        int r = one_cpu(s, &cpu, &idle);

        if (r < 0)
                return r;
        PUT(cpu_ticks_idle, idle / TICK_NS);
        PUT(cpu_ticks_user, (cpu.user_ns + cpu.nice_ns) / TICK_NS);
        PUT(cpu_ticks_kernel, cpu.system_ns / TICK_NS);
        PUT(cpu_nsec_idle, idle);
        PUT(cpu_nsec_user, cpu.user_ns + cpu.nice_ns);
        PUT(cpu_nsec_kernel, cpu.system_ns);
        PUT(cpu_nsec_nice, cpu.nice_ns);
        return put_cpu_events(s, call);
}

/* Of the machine's; a partition has none, as in its /proc/interrupts.  Linux has neither of illumos's other kinds. */
SOURCE source_cpu_intr(const struct source *s, struct kstat_call *call)
{
        typedef struct illumos_intr data;
        struct kstat_interrupts interrupts = {0};
        __u64 off;

        if (s->argument >= FIGURES_CPUS_MAX || !cpu_offset(s->argument, &off) ||
                (!s->partition && !read_interrupts(s->objects, off, &interrupts)))
                return -ENXIO;
        PUT(intrs[ILLUMOS_INTR_HARD], (__u32)interrupts.hard);
        PUT(intrs[ILLUMOS_INTR_SOFT], (__u32)interrupts.soft);
        PUT(intrs[ILLUMOS_INTR_SPURIOUS], (__u32)interrupts.spurious);
        return 0;
}

/* What a CPU has counted for the partition's own cgroup is live; cgroups below it count for themselves. */
SOURCE source_cpu_vm(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_cpu_vm data;
        struct memory_reader one = {.cpu = s->argument};
        struct memory_counts counts = {0};

        if (s->argument >= FIGURES_CPUS_MAX || !memory_begin(object_css(s->objects, KSTAT_CSS_MEMORY), &one))
                return -ENXIO;
        read_events(&one, &counts);
        PUT(pgpgin, counts.pgpgin);
        PUT(pgpgout, counts.pgpgout);
        PUT(pgswapin, counts.pswpin);
        PUT(pgswapout, counts.pswpout);
        PUT(as_fault, counts.pgfault);
        PUT(maj_fault, counts.pgmajfault);
        PUT(scan, counts.pgscan);
        PUT(dfree, counts.pgsteal);
        return 0;
}

static __always_inline int cpu_stat_events(const struct source *s, struct kstat_call *call)
{
        typedef struct illumos_cpu_stat data;
        struct memory_reader one = {.cpu = s->argument};
        struct memory_counts counts = {0};

        if (!memory_begin(object_css(s->objects, KSTAT_CSS_MEMORY), &one) || !one.events)
                return 0;
        read_events(&one, &counts);
        PUT(vminfo.pgpgin, counts.pgpgin);
        PUT(vminfo.pgpgout, counts.pgpgout);
        PUT(vminfo.pgswapin, counts.pswpin);
        PUT(vminfo.pgswapout, counts.pswpout);
        PUT(vminfo.as_fault, counts.pgfault);
        PUT(vminfo.maj_fault, counts.pgmajfault);
        PUT(vminfo.scan, counts.pgscan);
        PUT(vminfo.dfree, counts.pgsteal);
        return 0;
}

/* What isn't known is 0 in this one. */
static __always_inline __u32 known(__u64 value)
{
        return value == KSTAT_NONE ? 0 : value;
}

static __noinline int cpu_stat_happened(const struct source *s, struct kstat_call *call)
{
        typedef struct illumos_cpu_stat data;
        struct cpu_events events = {0};

        cpu_events_of(s, &events);
        PUT(sysinfo.pswitch, known(events.switches));
        PUT(sysinfo.intr, known(events.interrupts));
        PUT(sysinfo.sysfork, known(events.counts.forks));
        PUT(sysinfo.sysvfork, known(events.counts.vforks));
        PUT(sysinfo.sysexec, known(events.counts.execs));
        PUT(sysinfo.nthreads, known(events.counts.threads));
        return 0;
}

SOURCE source_cpu_stat(const struct source *s, struct kstat_call *call)
{
        typedef struct illumos_cpu_stat data;
        struct kstat_sample_cpu cpu = {0};
        __u64 idle = 0;
        int r = one_cpu(s, &cpu, &idle);

        if (r < 0)
                return r;
        PUT(sysinfo.cpu[ILLUMOS_CPU_IDLE], idle / TICK_NS);
        PUT(sysinfo.cpu[ILLUMOS_CPU_USER], (cpu.user_ns + cpu.nice_ns) / TICK_NS);
        PUT(sysinfo.cpu[ILLUMOS_CPU_KERNEL], cpu.system_ns / TICK_NS);
        cpu_stat_happened(s, call);
        return cpu_stat_events(s, call);
}

/* --- memory --- */

SOURCE source_memory(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_memory data;
        __u64 memcg = object_css(s->objects, KSTAT_CSS_MEMORY);
        struct memory_reader all = {.cpu = KSTAT_NONE}, *reader = &all;
        struct kstat_limits limits = {0};
        __u32 at = 0;

        if (!memory_begin(memcg, &all))
                return -ENXIO;
        read_memory_limits(s->objects, memcg, &limits);
        PUT(usage, limits.usage);
        PUT(limit, limits.memory);
        PUT(swap_usage, limits.swap_usage);
        PUT(swap_limit, limits.swap);
#define MEMORY_ADD(field, value) PUT(field, value)
        if (all.states) {
                MEMORY_STATES(MEMORY_STATE_T, MEMORY_STATE_S)
        }
#undef MEMORY_ADD
        return 0;
}

SOURCE source_vmstat(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_vmstat data;
        __u64 memcg = object_css(s->objects, KSTAT_CSS_MEMORY);
        struct memory_reader all = {.cpu = KSTAT_NONE};
        struct memory_counts counts = {0};

        if (!memory_begin(memcg, &all))
                return -ENXIO;
        read_events(&all, &counts);
        PUT(pgfault, counts.pgfault);
        PUT(pgmajfault, counts.pgmajfault);
        PUT(pgpgin, counts.pgpgin);
        PUT(pgpgout, counts.pgpgout);
        PUT(pswpin, counts.pswpin);
        PUT(pswpout, counts.pswpout);
        PUT(pgscan, counts.pgscan);
        PUT(pgsteal, counts.pgsteal);
        PUT(oom_kill, oom_kills(memcg));
        return 0;
}

/* The kernel's, and the cache, of system_pages. */
static __noinline int pages_of_states(const struct memory_reader *reader, struct kstat_call *call)
{
        typedef struct kstat_data_system_pages data;
        __u64 __attribute__((unused)) usage = 0, anon = 0, file = 0, shmem = 0, file_mapped = 0, file_dirty = 0,
                                      file_writeback = 0;
        __u64 __attribute__((unused)) inactive_anon = 0, active_anon = 0, inactive_file = 0, active_file = 0,
                                      unevictable = 0, anon_thp = 0;
        __u64 __attribute__((unused)) slab_reclaimable = 0, slab_unreclaimable = 0, kernel_stack = 0, page_tables = 0,
                                      percpu = 0, vmalloc = 0;
        __u32 at = 0;

#define MEMORY_ADD(field, value) field += (value)
        MEMORY_STATES(MEMORY_STATE_T, MEMORY_STATE_S)
#undef MEMORY_ADD
        PUT(availrmem, ((file > shmem ? file - shmem : 0) + slab_reclaimable) / memory_page);
        PUT(pp_kernel,
                (slab_unreclaimable + slab_reclaimable + kernel_stack + page_tables + percpu + vmalloc) / memory_page);
        PUT(pageslocked, unevictable / memory_page);
        return 0;
}

SOURCE source_system_pages(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_system_pages data;
        struct memory_reader all = {.cpu = KSTAT_NONE};
        struct kstat_pages pages = {0};

        if (!read_pages(s->objects, s->partition, &pages) ||
                !memory_begin(object_css(s->objects, KSTAT_CSS_MEMORY), &all))
                return -ENXIO;
        if (all.states)
                pages_of_states(&all, call);
        PUT(physmem, pages.total);
        PUT(pagestotal, pages.total);
        PUT(pagesfree, pages.free);
        PUT(freemem, pages.free);
        barrier_var(call);
        PUT(availrmem, ((data *)call->data)->availrmem + pages.free);
        PUT(lotsfree, pages.total / 64); /* as illumos begins: 1/64, half and half again */
        PUT(desfree, pages.total / 128);
        PUT(minfree, pages.total / 256);
        return 0;
}

/* --- sums that grow while somebody reads them (sums.bpf.h) --- */

SOURCE source_vminfo(const struct source *s, struct kstat_call *call)
{
        typedef struct illumos_vminfo data;
        struct kstat_sum sum = {0};
        int r = sums_read(s->objects, s->partition, &sum);

        if (r < 0)
                return r;
        PUT(freemem, sum.freemem);
        PUT(swap_resv, sum.swap_used); /* Linux reserves none beforehand */
        PUT(swap_alloc, sum.swap_used);
        PUT(swap_avail, sum.swap_free);
        PUT(swap_free, sum.swap_free);
        PUT(updates, sum.updates);
        return 0;
}

/* No process is swapped out whole on Linux: swpque and swpocc stay 0. */
SOURCE source_sysinfo(const struct source *s, struct kstat_call *call)
{
        typedef struct illumos_sysinfo data;
        struct kstat_sum sum = {0};
        int r = sums_read(s->objects, s->partition, &sum);

        if (r < 0)
                return r;
        PUT(updates, (__u32)sum.updates);
        PUT(runque, (__u32)sum.runque);
        PUT(runocc, (__u32)sum.runocc);
        PUT(waiting, (__u32)sum.waiting);
        return 0;
}

/* --- limits --- */

SOURCE source_caps(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_caps data;
        struct pids_cgroup *pids = (struct pids_cgroup *)object_css(s->objects, KSTAT_CSS_PIDS);
        struct task_group *group = (struct task_group *)object_css(s->objects, KSTAT_CSS_CPU);
        struct mem_cgroup *memcg = (struct mem_cgroup *)object_css(s->objects, KSTAT_CSS_MEMORY);
        struct kstat_limits limits = {.memory = KSTAT_NONE, .swap = KSTAT_NONE};
        struct kstat_quota quota = {0};
        __u64 limit = KSTAT_NONE;

        if (memcg)
                read_memory_limits(s->objects, (__u64)memcg, &limits);
        read_quota(s->objects, &quota);
        if (pids)
                limit = BPF_CORE_READ(pids, limit.counter);
        PUT(memory_usage, limits.usage);
        PUT(memory_limit, limits.memory);
        PUT(swap_limit, limits.swap);
        PUT(pids_usage, count_threads(s->objects));
        PUT(pids_limit, limit >= 4194304 ? KSTAT_NONE : limit); /* PIDS_MAX: PID_MAX_LIMIT + 1 */
        PUT(cpu_quota, quota.quota_us ? quota.quota_us * 1000ULL : KSTAT_NONE);
        PUT(cpu_period, quota.period_us * 1000ULL);
        if (group) {
                PUT(cpu_periods, BPF_CORE_READ(group, cfs_bandwidth.nr_periods));
                PUT(cpu_throttled, BPF_CORE_READ(group, cfs_bandwidth.nr_throttled));
                PUT(cpu_throttled_time, BPF_CORE_READ(group, cfs_bandwidth.throttled_time));
        }
        return 0;
}

SOURCE source_pressure(const struct source *s, struct kstat_call *call)
{
        typedef struct kstat_data_pressure data;
        struct kstat_sample_pressure some = {0}, full = {0};

        read_pressure(s->objects, s->argument, false, &some);
        read_pressure(s->objects, s->argument, true, &full);
        PUT(some_avg10, some.avg[0]);
        PUT(some_avg60, some.avg[1]);
        PUT(some_avg300, some.avg[2]);
        PUT(some_total, some.total_us * 1000);
        PUT(full_avg10, full.avg[0]);
        PUT(full_avg60, full.avg[1]);
        PUT(full_avg300, full.avg[2]);
        PUT(full_total, full.total_us * 1000);
        return 0;
}

SOURCE source_var(const struct source *s, struct kstat_call *call)
{
        typedef struct illumos_var data;
        struct pids_cgroup *pids = (struct pids_cgroup *)object_css(s->objects, KSTAT_CSS_PIDS);
        __u64 limit = pids ? BPF_CORE_READ(pids, limit.counter) : 0;
        __u32 most = limit && limit < 4194304 ? limit : 32768;

        PUT(v_proc, most);
        PUT(v_maxup, most - 5);
        PUT(v_maxupttl, most - 5);
        PUT(v_nglobpris, 140); /* Linux's priorities */
        PUT(v_maxsyspri, 99);
        PUT(v_maxpmem, 0);
        PUT(v_autoup, 30);
        return 0;
}

/* --- block devices --- */

/* All of them together.  Nobody counts the times of a control group, or what waits. */
SOURCE source_io(const struct source *s, struct kstat_call *call)
{
        typedef struct illumos_io data;
        struct kstat_sample_disk sum = {0};

        if (!object_css(s->objects, KSTAT_CSS_IO) || disks_sum(disks_read(s->objects, s->partition), &sum) < 0)
                return -ENXIO;
        PUT(nread, sum.read_bytes);
        PUT(nwritten, sum.written_bytes);
        PUT(reads, (__u32)sum.reads);
        PUT(writes, (__u32)sum.writes);
        return 0;
}

/* --- calls on mounts --- */

/* Nobody times the calls of global. */
SOURCE source_call_timer(const struct source *s, struct kstat_call *call)
{
        typedef struct illumos_timer data;
        struct mount_timer timer = {0};
        bool is_read = s->argument == MOUNT_TIMER_READ;
        int r = s->partition ? mount_timer_snapshot(s->partition, s->argument, &timer) : -ENXIO;

        if (r < 0)
                return r;
        PUT(name[0], is_read ? 'r' : 'w'); /* "read", "write" */
        PUT(name[1], is_read ? 'e' : 'r');
        PUT(name[2], is_read ? 'a' : 'i');
        PUT(name[3], is_read ? 'd' : 't');
        PUT(name[4], is_read ? 0 : 'e');
        PUT(num_events, timer.events);
        PUT(elapsed_time, timer.elapsed);
        PUT(min_time, timer.shortest);
        PUT(max_time, timer.longest);
        PUT(start_time, timer.start ? callers_time(timer.start) : 0);
        PUT(stop_time, timer.stop ? callers_time(timer.stop) : 0);
        return 0;
}

/* --- the contract --- */

#define SOURCE_CASE(name, function, type)                                                                              \
        case KSTAT_SOURCE_##name:                                                                                      \
                return source_##function(&s, call);
#define SOURCE_SIZE(name, function, type) _Static_assert(sizeof(type) <= KSTAT_SMALL_DATA, "data");
KSTAT_SOURCES(SOURCE_SIZE)

/* A function of its own: what it needs of the stack isn't on the way to the others. */
static __noinline int source_of_mount(struct kstat_call *call, const struct kstat_record *record)
{
        return record->source == KSTAT_SOURCE_MOUNT_IO ? source_mount_io(call, record) : source_mntinfo(call, record);
}

/* Fills data of a source whose data is at most KSTAT_SMALL_DATA bytes.  0, -ENXIO: this kernel, or this partition,
 * hasn't got it; -EAGAIN: it is just being changed. */
static __noinline __attribute__((unused)) int source_fill_small(
        struct kstat_call *call, const struct kstat_record *record)
{
        __u64 partition = record->subject;
        struct source s = {.partition = partition, .argument = record->argument};

        if (record->source == KSTAT_SOURCE_MOUNT_IO || record->source == KSTAT_SOURCE_MNTINFO)
                return source_of_mount(call, record);
        s.objects = bpf_map_lookup_elem(&kstat_objects, &partition);
        if (!s.objects)
                return -ENXIO;
        switch (record->source) {
                KSTAT_SOURCES(SOURCE_CASE)
        }
        return -ENXIO;
}

/* Likewise for more; there is none yet. */
static __always_inline int source_fill_large(struct kstat_call_large *call, const struct kstat_record *record)
{
        (void)call;
        (void)record;
        return -ENXIO;
}

#endif
