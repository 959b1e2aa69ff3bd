/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * figures.bpf.h - what a partition uses, read from where the kernel counts it: CPU time, processes, load.  Memory is in
 * memory.bpf.h.  For programs that run for a reader; nothing here is policy and nothing is written but what must be
 * remembered (figures.h).
 *
 * All reads are by bpf_probe_read_kernel() from the addresses in kstat_objects: nothing can crash; what isn't there is
 * 0 or KSTAT_NONE, as each function says.
 */
#ifndef CROFT_KSTAT_FIGURES_BPF_H
#define CROFT_KSTAT_FIGURES_BPF_H

#include "kstat/figures_maps.bpf.h"
#include "kstat/sample.bpf.h"
#include "plane/kernel.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define FIGURES_CPUS_MAX KSTAT_CPUS_MAX
/* CPUs that there can be; whoever loads the programs may say that there are fewer (kstat_possible_cpus()).  The
 * verifier goes through each turn of a loop over CPUs: with 2 of them loading takes less than half the time that it
 * takes with 256. */
const volatile __u32 cpus_max = FIGURES_CPUS_MAX;
#define FOR_EACH_CPU(cpu, n) for (__u32 cpu = 0; cpu < cpus_max && cpu < (n); cpu++)
/* Not static: the verifier walks such a function once, and not again for each call and each way that leads there.  Its
 * pointers are to memory of the program, never to the kernel's; that of objects of the kernel is passed as a number.
 * For the same reason loops over CPUs have nothing in them but a call: 6.1 walks each turn of a loop, and for each
 * branch in it all later turns once more. */
#define FIGURE __noinline

/* Where a CPU's share of per-CPU data begins.  The kernel's own table of that, and its per-CPU variables, can be found
 * by name only where its symbol table has data (CONFIG_KALLSYMS_ALL); an array of ours is made of such data, too. */
struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, __u64);
} cpu_data SEC(".maps");

struct cpu_base {
        __u64 address; /* of that CPU's element of cpu_data */
        __u64 map;     /* address of cpu_data itself */
        __u64 offset;  /* what to add to a per-CPU pointer; 0: not worked out yet */
};
struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, FIGURES_CPUS_MAX);
        __type(key, __u32);
        __type(value, struct cpu_base);
} cpu_bases SEC(".maps");

/* Whoever comes first works it out, the same for everybody. */
FIGURE __u64 cpu_offset_of(__u32 cpu)
{
        struct cpu_base *base = bpf_map_lookup_elem(&cpu_bases, &cpu);
        struct bpf_array *map;
        __u64 shared = 0;
        __u32 zero = 0;
        void *element;

        if (!base)
                return 0;
        if (base->offset)
                return base->offset;
        element = bpf_map_lookup_percpu_elem(&cpu_data, &zero, cpu);
        if (!element)
                return 0;
        /* As numbers: the verifier lets no pointer be reckoned with. */
        base->address = (__u64)element;
        base->map = (__u64)&cpu_data;
        map = (struct bpf_array *)*(volatile __u64 *)&base->map;
        bpf_core_read(&shared, sizeof(shared), &map->pptrs[0]);
        if (shared)
                base->offset = *(volatile __u64 *)&base->address - shared;
        return base->offset;
}

/* What to add to a per-CPU pointer; false: there is no such CPU. */
static __always_inline bool cpu_offset(__u32 cpu, __u64 *ret)
{
        *ret = cpu_offset_of(cpu);
        return *ret != 0;
}

/* How many CPUs there can be: their numbers are below. */
FIGURE __u32 count_cpus(void)
{
        __u32 n = 0;

        for (; n < cpus_max; n++)
                if (!cpu_offset_of(n))
                        break;
        return n;
}

/* The group of that kind, 0 if there is none or it isn't the one that was found. */
static __always_inline __u64 object_css(const struct kstat_objects *objects, enum kstat_css which)
{
        __u64 at = objects ? objects->css[which] : 0;

        if (!at || BPF_CORE_READ((struct cgroup_subsys_state *)at, serial_nr) != objects->serial[which])
                return 0;
        return at;
}

static __always_inline struct cgroup *object_cgroup(const struct kstat_objects *objects)
{
        struct cgroup *cgroup = objects ? (struct cgroup *)objects->cgroup : NULL;

        if (!cgroup || BPF_CORE_READ(cgroup, kn, id) != objects->cgroup_id)
                return NULL;
        return cgroup;
}

/* --- CPU time --- */

/* Where the kernel keeps base counters of a unified cgroup on a CPU, 0: nowhere.  subtree: with all below it, as of its
 * last flush (since 6.6); else of its own processes, live. */
static __always_inline struct cgroup_base_stat *base_stat(struct cgroup *cgroup, __u64 off, bool subtree)
{
        __u64 at;

        if (bpf_core_field_exists(cgroup->rstat_base_cpu)) {
                struct cgroup_rstat_base_cpu *p;

                at = (__u64)BPF_CORE_READ(cgroup, rstat_base_cpu);
                p = (void *)(at + off);
                return !at ? NULL : subtree ? &p->subtree_bstat : &p->bstat;
        } else {
                struct cgroup_rstat_cpu *p;

                at = (__u64)BPF_CORE_READ(cgroup, rstat_cpu);
                p = (void *)(at + off);
                if (subtree && !bpf_core_field_exists(p->subtree_bstat))
                        return NULL;
                return !at ? NULL : subtree ? &p->subtree_bstat : &p->bstat;
        }
}

/* total * part / whole without overflow; part <= whole. */
static __always_inline __u64 share_of(__u64 total, __u64 part, __u64 whole)
{
        for (int i = 0; i < 32 && whole >> 32; i++) {
                whole >>= 1;
                part >>= 1;
        }
        if (!whole)
                return 0;
        return total / whole * part + total % whole * part / whole;
}

/* Splits total as part : whole says, so that neither share is less than it ever was: as cputime_adjust() does. */
FIGURE __u64 split(__u64 total, __u64 part, __u64 whole, __u64 last_part, __u64 last_rest)
{
        __u64 share = share_of(total, part, whole);

        if (share < last_part)
                share = last_part;
        if (share > total || total - share < last_rest)
                share = total > last_rest ? total - last_rest : 0;
        return share < last_part ? last_part : share;
}

static __always_inline void raise_to(__u64 *at, __u64 value)
{
        __u64 old = *(volatile __u64 *)at;

        for (int i = 0; i < 8 && old < value; i++) {
                __u64 seen = __sync_val_compare_and_swap(at, old, value);

                if (seen == old)
                        break;
                old = seen;
        }
}

/* What times are made from. */
struct kstat_base {
        __u64 utime, stime, ntime; /* ntime: of utime */
        __u64 total;
};

/* User, nice and system time out of a total, with the proportions of `base`; never less than what was told before. */
FIGURE int split_time(
        __u64 partition, __u32 cpu, __u64 total, const struct kstat_base *base, struct kstat_sample_cpu *ret)
{
        struct kstat_time_key key = {.partition = partition, .cpu = cpu};
        struct kstat_time *last = bpf_map_lookup_elem(&kstat_times, &key), none = {0};
        __u64 utime, stime, user;

        if (!base || !ret)
                return 0;
        utime = base->utime;
        stime = base->stime;
        if (!last) {
                if (!total)
                        return 0; /* never used: nothing to remember */
                bpf_map_update_elem(&kstat_times, &key, &none, BPF_NOEXIST);
                last = bpf_map_lookup_elem(&kstat_times, &key);
        }
        if (last)
                none = *last;
        ret->system_ns = split(total, stime, utime + stime, none.system_ns, none.user_ns + none.nice_ns);
        user = total > ret->system_ns ? total - ret->system_ns : 0;
        ret->nice_ns = split(user, base->ntime, utime > base->ntime ? utime : base->ntime, none.nice_ns, none.user_ns);
        ret->user_ns = user > ret->nice_ns ? user - ret->nice_ns : 0;
        if (ret->user_ns < none.user_ns)
                ret->user_ns = none.user_ns;
        if (last) {
                raise_to(&last->system_ns, ret->system_ns);
                raise_to(&last->nice_ns, ret->nice_ns);
                raise_to(&last->user_ns, ret->user_ns);
        }
        return 0;
}

static __always_inline void read_base(struct cgroup_base_stat *at, struct kstat_base *ret)
{
        ret->utime = BPF_CORE_READ(at, cputime.utime);
        ret->stime = BPF_CORE_READ(at, cputime.stime);
        ret->total = BPF_CORE_READ(at, cputime.sum_exec_runtime);
        ret->ntime = 0;
        if (bpf_core_field_exists(at->ntime))
                ret->ntime = BPF_CORE_READ(at, ntime);
}

/* Ticks, of a kernel_cpustat on one CPU. */
FIGURE int read_cpustat(__u64 at, struct kstat_base *ret)
{
        __u64 t[5] = {0};

        if (!ret)
                return 0;
        bpf_probe_read_kernel(t, sizeof(t), (void *)at);
        /* CPUTIME_USER, NICE, SYSTEM, SOFTIRQ, IRQ: the same since 2.6.33 */
        ret->utime = t[0] + t[1];
        ret->ntime = t[1];
        ret->stime = t[2] + t[3] + t[4];
        return 0;
}

static __always_inline __u64 group_runtime(struct task_group *group, __u32 cpu)
{
        struct sched_entity **entities = BPF_CORE_READ(group, se), *entity = NULL;

        if (!entities)
                return 0;
        bpf_probe_read_kernel(&entity, sizeof(entity), &entities[cpu]);
        return entity ? BPF_CORE_READ(entity, sum_exec_runtime) : 0;
}

FIGURE int base_v1(__u64 at, __u64 off, struct kstat_base *ret)
{
        struct cpuacct *cpuacct = (void *)at;
        __u64 total = 0;

        if (!ret)
                return 0;
        read_cpustat((__u64)BPF_CORE_READ(cpuacct, cpustat) + off, ret);
        bpf_probe_read_kernel(&total, sizeof(total), (void *)((__u64)BPF_CORE_READ(cpuacct, cpuusage) + off));
        ret->total = total;
        return 0;
}

FIGURE int base_v2(const struct kstat_objects *objects, __u32 cpu, __u64 off, struct kstat_base *ret)
{
        struct task_group *group = (struct task_group *)object_css(objects, KSTAT_CSS_CPU);
        struct cgroup *cgroup = object_cgroup(objects);
        struct cgroup_base_stat *at;
        __u64 total = 0;

        if (!ret || !cgroup)
                return 0;
        at = base_stat(cgroup, off, true);
        if (at)
                read_base(at, ret);
        total = group ? group_runtime(group, cpu) : 0;
        total = total > ret->total ? total : ret->total;
        if (!ret->utime && !ret->stime)
                read_base(&cgroup->bstat, ret); /* before 6.6, or never flushed: of all CPUs */
        if (!ret->utime && !ret->stime && (at = base_stat(cgroup, off, false)))
                read_base(at, ret);
        ret->total = total;
        return 0;
}

/* What the partition has used of that CPU: the time is the scheduler's, which is exact, the proportions are those of
 * ticks, as in the files of cgroups.  v1 cpuacct has both, live.  On v2 the sum of the task group is live, that of the
 * cgroup as fresh as its last flush. */
FIGURE int read_cpu(
        const struct kstat_objects *objects, __u64 partition, __u32 cpu, __u64 off, struct kstat_sample_cpu *ret)
{
        __u64 cpuacct = object_css(objects, KSTAT_CSS_CPUACCT);
        struct kstat_base base = {0};

        if (!ret)
                return 0;
        *ret = (struct kstat_sample_cpu){0}; /* a CPU that was never used has nothing to split */
        if (cpuacct)
                base_v1(cpuacct, off, &base);
        else
                base_v2(objects, cpu, off, &base);
        if (partition)
                return split_time(partition, cpu, base.total, &base, ret);
        ret->user_ns = base.utime - base.ntime; /* as /proc/stat */
        ret->nice_ns = base.ntime;
        ret->system_ns = base.stime;
        return 0;
}

FIGURE __u64 runtime_on(__u64 cpuusage, __u64 group, __u32 cpu)
{
        __u64 off = cpu_offset_of(cpu), used = 0;

        if (!cpuusage)
                return group ? group_runtime((void *)group, cpu) : 0;
        bpf_probe_read_kernel(&used, sizeof(used), (void *)(cpuusage + off));
        return used;
}

/* CPU time of all CPUs, cheaply. */
FIGURE __u64 total_runtime(const struct kstat_objects *objects)
{
        struct cpuacct *cpuacct = (struct cpuacct *)object_css(objects, KSTAT_CSS_CPUACCT);
        __u64 group = object_css(objects, KSTAT_CSS_CPU), total = 0;
        __u64 usage = cpuacct ? (__u64)BPF_CORE_READ(cpuacct, cpuusage) : 0;
        __u32 n = count_cpus();

        FOR_EACH_CPU(cpu, n)
        total += runtime_on(usage, group, cpu);
        return total;
}

/* --- processes --- */

struct kstat_active {
        __u32 running, blocked;
        __s64 load; /* those that count for the load average */
};

enum queue_figure { QUEUE_RUNNING, QUEUE_BLOCKED, QUEUE_SLEEPING, QUEUE_SWITCHES };

FIGURE __s64 queue_figure(__u64 queues, __u32 cpu, enum queue_figure which)
{
        struct cfs_rq *queue = NULL;

        bpf_probe_read_kernel(&queue, sizeof(queue), (void *)(queues + cpu * sizeof(queue)));
        if (!queue)
                return 0;
        if (which == QUEUE_RUNNING)
                return BPF_CORE_READ(queue, rq, nr_running);
        if (which == QUEUE_BLOCKED)
                return BPF_CORE_READ(queue, rq, nr_iowait.counter);
        if (which == QUEUE_SWITCHES)
                return BPF_CORE_READ(queue, rq, nr_switches);
        if (bpf_core_field_size(((struct rq *)0)->nr_uninterruptible) == sizeof(int))
                return (int)BPF_CORE_READ(queue, rq, nr_uninterruptible);
        return (long)BPF_CORE_READ(queue, rq, nr_uninterruptible);
}

/* Context switches of a CPU; 0: not known. */
FIGURE __u64 machine_switches(const struct kstat_objects *objects, __u32 cpu)
{
        struct task_group *group = (struct task_group *)object_css(objects, KSTAT_CSS_CPU);
        __u64 queues = group ? (__u64)BPF_CORE_READ(group, cfs_rq) : 0;

        return queues ? queue_figure(queues, cpu, QUEUE_SWITCHES) : 0;
}

FIGURE __u64 all_switches(const struct kstat_objects *objects)
{
        __u32 n = count_cpus();
        __u64 sum = 0;

        FOR_EACH_CPU(cpu, n)
        sum += machine_switches(objects, cpu);
        return sum;
}

/* As the kernel counts for its own load average; from the run queues, which the root of task groups leads to. */
FIGURE int count_machine(const struct kstat_objects *objects, struct kstat_active *ret)
{
        struct task_group *group = (struct task_group *)object_css(objects, KSTAT_CSS_CPU);
        __u64 queues = group ? (__u64)BPF_CORE_READ(group, cfs_rq) : 0;
        __s64 running = 0, blocked = 0, load = 0;
        __u32 n = queues ? count_cpus() : 0;

        FOR_EACH_CPU(cpu, n)
        {
                running += queue_figure(queues, cpu, QUEUE_RUNNING);
                blocked += queue_figure(queues, cpu, QUEUE_BLOCKED);
                load += queue_figure(queues, cpu, QUEUE_SLEEPING);
        }
        load += running;
        if (!ret)
                return 0;
        ret->running = running;
        ret->blocked = blocked < 0 ? 0 : blocked;
        ret->load = load < 0 ? 0 : load;
        return 0;
}

FIGURE __u32 psi_tasks(__u64 pcpu, __u32 cpu, __u32 which)
{
        struct psi_group_cpu *p = (void *)(pcpu + cpu_offset_of(cpu));
        unsigned int n = 0;

        bpf_core_read(&n, sizeof(n), &p->tasks[0] + (which & 3));
        return n;
}

/* From the pressure accounting: the kernel counts them there for each unified cgroup and all below it. */
FIGURE int count_active(const struct kstat_objects *objects, struct kstat_active *ret)
{
        struct cgroup *cgroup = object_cgroup(objects);
        __u64 pcpu = cgroup ? (__u64)BPF_CORE_READ(cgroup, psi, pcpu) : 0, running = 0, blocked = 0;
        __u32 n = pcpu ? count_cpus() : 0;

        FOR_EACH_CPU(cpu, n)
        {
                running += psi_tasks(pcpu, cpu, 2); /* NR_RUNNING */
                blocked += psi_tasks(pcpu, cpu, 0); /* NR_IOWAIT */
        }
        if (!ret)
                return 0;
        ret->running = running;
        ret->blocked = blocked;
        ret->load = running + blocked;
        return 0;
}

static __always_inline __u32 psi_waiting(__u64 pcpu, __u32 cpu)
{
        struct psi_group_cpu *p = (void *)(pcpu + cpu_offset_of(cpu));
        __u32 running = 0;

        bpf_core_read(&running, sizeof(running), &p->tasks[0] + 2); /* NR_RUNNING; a bit says if one has the CPU */
        if (running && BPF_CORE_READ(p, state_mask) >> bpf_core_enum_value(enum psi_states, NR_PSI_STATES) & 1)
                running--;
        return running;
}

static __always_inline __u32 queue_waiting(__u64 queues, __u32 cpu)
{
        struct cfs_rq *queue = NULL;
        __u32 running = 0;

        bpf_probe_read_kernel(&queue, sizeof(queue), (void *)(queues + cpu * sizeof(queue)));
        if (queue)
                running = BPF_CORE_READ(queue, rq, nr_running);
        return running > 1 ? running - 1 : 0;
}

/* at: of the pressure accounting's figures, or of the run queues of the machine. */
FIGURE __u32 waiting_on(__u64 partition, __u64 at, __u32 cpu, __u32 reader)
{
        __u32 n = partition ? psi_waiting(at, cpu) : queue_waiting(at, cpu);

        return n && cpu == reader ? n - 1 : n;
}

/* Tasks that wait for a CPU.  reader: the CPU where somebody runs only to ask this, in the place of another. */
FIGURE __u32 count_waiting(const struct kstat_objects *objects, __u64 partition, __u32 reader)
{
        struct task_group *group = (struct task_group *)object_css(objects, KSTAT_CSS_CPU);
        struct cgroup *cgroup = object_cgroup(objects);
        __u64 at = 0;
        __u32 sum = 0, n;

        if (partition)
                at = cgroup ? (__u64)BPF_CORE_READ(cgroup, psi, pcpu) : 0;
        else
                at = group ? (__u64)BPF_CORE_READ(group, cfs_rq) : 0;
        n = at ? count_cpus() : 0;
        FOR_EACH_CPU(cpu, n)
        sum += waiting_on(partition, at, cpu, reader);
        return sum;
}

/* Tasks there are.  The root of pids counts none: in global it is the numbers that its namespace has given away. */
FIGURE __u32 count_threads(const struct kstat_objects *objects)
{
        struct pids_cgroup *pids = (struct pids_cgroup *)object_css(objects, KSTAT_CSS_PIDS);
        struct pid_namespace *ns = objects ? (struct pid_namespace *)objects->pidns : NULL;

        if (pids && BPF_CORE_READ(pids, css.parent))
                return BPF_CORE_READ(pids, counter.counter);
        return ns ? BPF_CORE_READ(ns, pid_allocated) & 0x7fffffff : 0; /* without PIDNS_ADDING */
}

/* --- load average --- */

FIGURE __u64 load_times(__u64 a, __u64 b, bool really)
{
        return really ? (a * b + KSTAT_LOAD_ONE / 2) / KSTAT_LOAD_ONE : a;
}

/* x^n, fixed-point, as fixed_power_int() of the kernel. */
FIGURE __u64 load_power(__u64 x, __u64 n)
{
        __u64 result = KSTAT_LOAD_ONE;

        for (int i = 0; i < 32; i++) {
                if (!n)
                        break;
                result = load_times(result, x, n & 1);
                x = load_times(x, x, true);
                n >>= 1;
        }
        return result;
}

/* As calc_load_n() of the kernel; active in 1/2048. */
FIGURE __u32 load_advance(__u32 load, __u32 decay, __u64 active, __u64 n)
{
        __u64 power = load_power(decay, n), next = (__u64)load * power + active * (KSTAT_LOAD_ONE - power);

        if (active >= load)
                next += KSTAT_LOAD_ONE - 1;
        return next / KSTAT_LOAD_ONE;
}

/* Carries the averages on to `now`, if a step has passed since.  Of several who come at once one does it. */
FIGURE int load_step(struct kstat_load *load, const struct kstat_objects *objects, __u64 partition, __u64 now)
{
        __u64 stepped, n, cpu_ns, active_load;
        struct kstat_active active = {0};

        if (!load)
                return 0;
        stepped = *(volatile __u64 *)&load->stepped_ns;
        if (now < stepped + KSTAT_LOAD_STEP_NS)
                return 0;
        n = (now - stepped) / KSTAT_LOAD_STEP_NS;
        if (__sync_val_compare_and_swap(&load->stepped_ns, stepped, stepped + n * KSTAT_LOAD_STEP_NS) != stepped)
                return 0;
        if (partition)
                count_active(objects, &active);
        else
                count_machine(objects, &active);
        active_load = (__u64)active.load * KSTAT_LOAD_ONE;
        cpu_ns = total_runtime(objects);
        if (n > 3 && cpu_ns >= load->cpu_ns) /* nobody has looked: how many ran, on average? */
                active_load = share_of(KSTAT_LOAD_ONE, cpu_ns - load->cpu_ns, now - stepped);
        load->cpu_ns = cpu_ns;
        load->load[0] = load_advance(load->load[0], 1884, active_load, n);
        load->load[1] = load_advance(load->load[1], 2014, active_load, n);
        load->load[2] = load_advance(load->load[2], 2037, active_load, n);
        return 0;
}

struct kstat_averages {
        __u32 load[3];
};
/* The load averages of a partition, 0: the machine. */
FIGURE int read_load(const struct kstat_objects *objects, __u64 partition, struct kstat_averages *ret)
{
        struct kstat_load *load = bpf_map_lookup_elem(&kstat_loads, &partition);
        __u64 now = bpf_ktime_get_boot_ns();

        if (!objects || !ret)
                return 0;
        if (!load) {
                struct kstat_load new = {.stepped_ns = objects->boot_ns > 0 ? objects->boot_ns : 0};

                bpf_map_update_elem(&kstat_loads, &partition, &new, BPF_NOEXIST);
                load = bpf_map_lookup_elem(&kstat_loads, &partition);
                if (!load)
                        return 0;
        }
        *(volatile __u64 *)&load->read_ns = now;
        load_step(load, objects, partition, now);
        ret->load[0] = load->load[0];
        ret->load[1] = load->load[1];
        ret->load[2] = load->load[2];
        return 0;
}

/* --- pressure --- */

/* resource: 0 CPU, 1 memory, 2 I/O.  total is live but for the last two seconds; the kernel works averages out when
 * there is something to add, so for one that nobody has looked at they are decayed here to what they would be now. */
FIGURE int read_pressure(
        const struct kstat_objects *objects, __u32 resource, bool full, struct kstat_sample_pressure *ret)
{
        static const __u32 decay[3] = {1677, 1981, 2034}; /* 2048/e^(2/10), 2048/e^(2/60), 2048/e^(2/300) */
        struct cgroup *cgroup = object_cgroup(objects);
        struct psi_group *group = objects ? (struct psi_group *)objects->psi : NULL;
        __u32 state = (2 - resource) * 2 + full; /* PSI_IO_SOME, PSI_IO_FULL, PSI_MEM_SOME ... */
        __u64 now = bpf_ktime_get_ns(), updated, missed = 0;

        if (!group && cgroup)
                group = BPF_CORE_READ(cgroup, psi);
        if (!group || !ret || state > 5)
                return 0;
        updated = BPF_CORE_READ(group, avg_last_update);
        if (now > updated)
                missed = (now - updated) / 2000000000;
        bpf_core_read(&ret->total_us, sizeof(ret->total_us), &group->total[0] + state);
        ret->total_us /= 1000;
        for (int i = 0; i < 3; i++) {
                unsigned long avg = 0;

                bpf_core_read(&avg, sizeof(avg), &group->avg[0] + (state * 3 + i));
                if (missed > 1)
                        avg = avg * load_power(decay[i], missed) / KSTAT_LOAD_ONE;
                ret->avg[i] = avg * 100 / KSTAT_LOAD_ONE; /* the kernel's is percent in 1/2048 */
        }
        return 0;
}

/* --- CPUs --- */

/* Word `word` of the first n. */
static __always_inline __u64 possible_cpus(__u32 n, __u32 word)
{
        __u32 first = word * 64;

        return n <= first ? 0 : n - first >= 64 ? ~0ULL : (1ULL << (n - first)) - 1;
}

struct kstat_quota {
        __u32 quota_us, period_us;
};

/* quota << 32 | period of that group, if it is tighter than best (likewise; 0: none), else best. */
FIGURE __u64 tighter_quota(__u64 best, __u64 at)
{
        struct task_group *group = (void *)at;
        __u64 quota = BPF_CORE_READ(group, cfs_bandwidth.quota) / 1000;
        __u64 period = (__u64)BPF_CORE_READ(group, cfs_bandwidth.period) / 1000;

        if (quota >= 1ULL << 31 || !period || period >= 1ULL << 31) /* RUNTIME_INF is all ones */
                return best;
        if (best && quota * (best & 0xffffffff) >= (best >> 32) * period)
                return best;
        return quota << 32 | period;
}

/* The tightest limit of CPU time from here to the root; quota 0: none. */
FIGURE int read_quota(const struct kstat_objects *objects, struct kstat_quota *ret)
{
        struct task_group *group = (struct task_group *)object_css(objects, KSTAT_CSS_CPU);
        __u64 best = 0;

        for (int i = 0; i < 32; i++) {
                if (!group)
                        break;
                best = tighter_quota(best, (__u64)group);
                group = BPF_CORE_READ(group, parent);
        }
        if (!ret)
                return 0;
        ret->quota_us = best >> 32;
        ret->period_us = best;
        return 0;
}

/* --- tasks that were made (count.bpf.h) --- */

/* Adds what that CPU has counted.  1; 0: nobody counts there. */
FIGURE int add_counts(const struct kstat_objects *objects, __u32 cpu, struct kstat_counts *ret)
{
        __u64 id = objects ? objects->cgroup_id : 0;
        const struct kstat_counts *at = bpf_map_lookup_percpu_elem(&kstat_counts, &id, cpu);

        if (!at || !ret)
                return 0;
        ret->forks += at->forks;
        ret->vforks += at->vforks;
        ret->threads += at->threads;
        ret->execs += at->execs;
        ret->ended.voluntary += at->ended.voluntary;
        ret->ended.involuntary += at->ended.involuntary;
        return 1;
}

/* Of all CPUs, likewise. */
FIGURE int total_counts(const struct kstat_objects *objects, struct kstat_counts *ret)
{
        __u32 n = count_cpus();
        int known = 0;

        if (!ret)
                return 0;
        FOR_EACH_CPU(cpu, n)
        known |= add_counts(objects, cpu, ret);
        return known;
}

/* The pid that was given last; 0: not known. */
FIGURE __u32 last_pid(const struct kstat_objects *objects)
{
        struct pid_namespace *ns = objects ? (struct pid_namespace *)objects->pidns : NULL;
        __u32 next = ns ? BPF_CORE_READ(ns, idr.idr_next) : 0;

        return next ? next - 1 : 0;
}

FIGURE __u64 cpus_of(__u64 cpuset, __u32 word, bool configured)
{
        struct cpuset___off *off = (void *)cpuset;
        struct cpuset___on *on = (void *)cpuset;
        __u64 at = 0, bits = 0;

        if (bpf_core_field_exists(off->effective_cpus))
                at = configured ? (__u64)BPF_CORE_READ(off, cpus_allowed) : (__u64)BPF_CORE_READ(off, effective_cpus);
        else if (bpf_core_field_exists(on->effective_cpus))
                at = configured ? (__u64)&on->cpus_allowed : (__u64)&on->effective_cpus;
        if (at)
                bpf_probe_read_kernel(&bits, sizeof(bits), (void *)(at + word * sizeof(bits)));
        return bits;
}

/* Word `word` of the CPUs that may be used; configured: offline ones included. */
FIGURE __u64 read_cpus(const struct kstat_objects *objects, __u32 word, bool configured)
{
        __u64 css = object_css(objects, KSTAT_CSS_CPUSET), bits = 0;

        for (int i = 0; i < 32; i++) {
                if (!css)
                        break;
                bits = cpus_of(css, word, configured);
                if (bits || !configured)
                        break;
                /* v2: nothing was asked for here, so it is as above; parents are alive as long as we are */
                css = (__u64)BPF_CORE_READ((struct cgroup_subsys_state *)css, parent);
        }
        return bits;
}

#endif
