/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * sample.bpf.c - iterators of croftd: where the kernel keeps a partition's figures (find), and all of them at one
 * instant (sample).
 *
 * `find` differs from our other programs: it isn't about the one who reads but about the task that the link names.
 */
#include "kstat/objects.bpf.h"

#include <linux/bpf.h>
#include <linux/errno.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "kernel/calls.bpf.h"
#include "plane/partitions.bpf.h"

#include "kstat/disks.bpf.h"
#include "kstat/figures.bpf.h"
#include "kstat/links.bpf.h"
#include "kstat/load_clock.bpf.h"
#include "kstat/memory.bpf.h"
#include "kstat/switches.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* What find looks for; set before each run by the only one who runs it. */
struct kstat_find find_what;

/* --- find --- */

static __always_inline bool name_is(struct cgroup *cgroup, const __u64 *want)
{
        __u64 name[KSTAT_FIND_NAME / 8] = {0}, differ = 0;

        bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(cgroup, kn, name));
        for (int i = 0; i < KSTAT_FIND_NAME / 8; i++) /* no branches: fewer ways for the verifier to walk */
                differ |= name[i] ^ want[i];
        return differ == 0;
}

/* css, if it is in the partition's cgroup of a hierarchy of its own; else found. */
__noinline __u64 find_v1_one(__u64 at, __u64 found)
{
        struct cgroup_subsys_state *css = (void *)at, *parent = BPF_CORE_READ(css, parent);

        if (find_what.machine)
                return parent ? found : at;
        if (!parent || !name_is(BPF_CORE_READ(css, cgroup), find_what.name) ||
                !name_is(BPF_CORE_READ(parent, cgroup), find_what.parent))
                return found;
        return at;
}

/* The group of a hierarchy of its own that belongs to the partition: the topmost one that has its name in a directory
 * of our name.  0: none has. */
__noinline __u64 find_v1(__u64 css)
{
        __u64 found = 0;

        for (int i = 0; i < 64; i++) {
                if (!css)
                        break;
                found = find_v1_one(css, found);
                css = (__u64)BPF_CORE_READ((struct cgroup_subsys_state *)css, parent);
        }
        return found;
}

/* Is it the one that find_v2() looks for?  1: it is, -1: there is none, 0: perhaps one above. */
__noinline int find_v2_one(__u64 at, bool inherited)
{
        int level = find_what.machine ? 0 : (int)find_what.level;
        int its = BPF_CORE_READ((struct cgroup_subsys_state *)at, cgroup, level);

        if (its == level || (its < level && inherited))
                return 1;
        return its < level ? -1 : 0;
}

/* On the unified hierarchy: the one in force at the partition's level.  inherited: that of a cgroup above will do. */
__noinline __u64 find_v2(__u64 css, bool inherited)
{
        for (int i = 0; i < 64 && css; i++) {
                int verdict = find_v2_one(css, inherited);

                if (verdict)
                        return verdict > 0 ? css : 0;
                css = (__u64)BPF_CORE_READ((struct cgroup_subsys_state *)css, parent);
        }
        return 0;
}

static __always_inline void find_css(struct css_set *set, int number, enum kstat_css which, struct kstat_objects *ret)
{
        struct cgroup_subsys_state *css = NULL;
        struct cgroup_root *unified = BPF_CORE_READ(set, dfl_cgrp, root);

        bpf_core_read(&css, sizeof(css), &set->subsys[0] + number);
        if (!css)
                return;
        if (BPF_CORE_READ(css, cgroup, root) == unified) {
                css = (void *)find_v2((__u64)css, which == KSTAT_CSS_CPUSET);
        } else {
                css = (void *)find_v1((__u64)css);
                ret->v1 |= 1u << which;
        }
        if (!css)
                return;
        ret->css[which] = (__u64)css;
        ret->serial[which] = BPF_CORE_READ(css, serial_nr);
}

#define FIND(controller, which)                                                                                        \
        if (bpf_core_enum_value_exists(enum cgroup_subsys_id, controller##_cgrp_id))                                   \
        find_css(set, bpf_core_enum_value(enum cgroup_subsys_id, controller##_cgrp_id), which, &ret)

static __always_inline struct cgroup *find_cgroup(struct css_set *set)
{
        struct cgroup *cgroup = BPF_CORE_READ(set, dfl_cgrp);
        int level = BPF_CORE_READ(cgroup, level), want = find_what.machine ? 0 : (int)find_what.level;

        if (level < want || want < 0)
                return NULL;
        bpf_core_read(&cgroup, sizeof(cgroup), &cgroup->ancestors[0] + want);
        return cgroup;
}

/* The pressure accounting of the whole machine, to which that of each cgroup leads but the root's, which has none. */
static __always_inline __u64 find_machine_psi(struct css_set *set)
{
        struct psi_group *group = BPF_CORE_READ(set, dfl_cgrp, psi), *parent;

        for (int i = 0; i < 64 && group; i++) {
                parent = BPF_CORE_READ(group, parent);
                if (!parent)
                        break;
                group = parent;
        }
        return (__u64)group;
}

/* When the clocks of its time namespace began; without one, when it was started itself. */
static __always_inline __s64 find_boot(struct task_struct *task)
{
        __s64 offset = BPF_CORE_READ(task, nsproxy, time_ns, offsets.boottime.tv_sec) * 1000000000LL +
                       BPF_CORE_READ(task, nsproxy, time_ns, offsets.boottime.tv_nsec);

        return offset ? -offset : (__s64)BPF_CORE_READ(task, start_boottime);
}

static __noinline int write_link(struct seq_file *seq, __u64 at)
{
        struct net_device *dev = link_of(at);
        struct kstat_link one = {.ifindex = BPF_CORE_READ(dev, ifindex)};

        bpf_probe_read_kernel_str(one.name, sizeof(one.name), dev->name);
        return bpf_seq_write(seq, &one, sizeof(one));
}

static __always_inline void write_links(struct seq_file *seq, __u64 net)
{
        __u64 at = 0;

        for (int i = 0; i < KSTAT_FIND_LINKS; i++) {
                at = link_next(net, at);
                if (!at)
                        break;
                write_link(seq, at);
        }
}

SEC("iter/task")
int find(struct bpf_iter__task *ctx)
{
        struct task_struct *task = ctx->task;
        struct kstat_objects ret = {0};
        struct cgroup *cgroup;
        struct css_set *set;
        struct pid *pid;
        unsigned int level;

        if (!task)
                return 0;
        set = BPF_CORE_READ(task, cgroups);
        cgroup = find_cgroup(set);
        if (!cgroup)
                return 0; /* not where a partition is: nothing is said */
        ret.cgroup = (__u64)cgroup;
        ret.cgroup_id = BPF_CORE_READ(cgroup, kn, id);
        FIND(memory, KSTAT_CSS_MEMORY);
        FIND(cpu, KSTAT_CSS_CPU);
        FIND(cpuacct, KSTAT_CSS_CPUACCT);
        FIND(cpuset, KSTAT_CSS_CPUSET);
        FIND(pids, KSTAT_CSS_PIDS);
        FIND(io, KSTAT_CSS_IO);
        if (!find_what.machine && !(ret.v1 & 1u << KSTAT_CSS_CPUACCT)) /* v2 has the root's only: the machine's */
                ret.css[KSTAT_CSS_CPUACCT] = 0;
        ret.net = (__u64)BPF_CORE_READ(task, nsproxy, net_ns);
        ret.net_inum = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
        pid = BPF_CORE_READ(task, thread_pid);
        level = BPF_CORE_READ(pid, level);
        bpf_core_read(&ret.pidns, sizeof(ret.pidns), &(&pid->numbers[0] + (level & 31))->ns);
        if (find_what.machine)
                ret.psi = find_machine_psi(set);
        else
                ret.boot_ns = find_boot(task);
        bpf_seq_write(ctx->meta->seq, &ret, sizeof(ret));
        write_links(ctx->meta->seq, ret.net);
        return 0;
}

/* --- sample --- */

/* Brings a unified cgroup's own counters up to date.  Which function does is known by what came with its new name. */
static __always_inline void flush(struct cgroup *cgroup)
{
        if (bpf_core_field_exists(cgroup->rstat_base_cpu))
                KERNEL_CALL(css_rstat_flush, &cgroup->self);
        else
                KERNEL_CALL(cgroup_rstat_flush, cgroup);
}

static __noinline int write_cpus(struct seq_file *seq, const struct kstat_objects *objects, __u64 partition)
{
        struct kstat_sample_cpu one = {0};
        __u32 n = count_cpus();

        FOR_EACH_CPU(cpu, n)
        {
                read_cpu(objects, partition, cpu, cpu_offset_of(cpu), &one);
                bpf_seq_write(seq, &one, sizeof(one));
        }
        return 0;
}

/* The sample is written piece by piece: the stack has no room for it, and memory that is shared by readers might mix
 * two partitions.  First its head up to cpus[]. */
struct sample_head {
        __u32 version, size;
        __u64 now_ns, boottime_ns, start_ns;
};
/* From quota_us to n_disks. */
struct sample_figures {
        __u32 quota_us, period_us, threads, running, blocked, processes_last;
        __u64 forks, switches;
        __u32 load[3];
        __u32 n_disks;
};
#define SAMPLE_AT(field) __builtin_offsetof(struct kstat_sample, field)
_Static_assert(sizeof(struct sample_head) == SAMPLE_AT(cpus), "layout");
_Static_assert(sizeof(struct sample_figures) == SAMPLE_AT(pressure) - SAMPLE_AT(quota_us), "layout");

static __noinline int write_head(struct seq_file *seq, const struct kstat_objects *objects)
{
        struct sample_head head = {.version = KSTAT_SAMPLE_VERSION};
        __u32 n = count_cpus();

        head.size = sizeof(struct kstat_sample) - (KSTAT_CPUS_MAX - n) * sizeof(struct kstat_sample_cpu);
        head.now_ns = bpf_ktime_get_ns();
        head.boottime_ns = bpf_ktime_get_boot_ns();
        head.start_ns = objects->boot_ns;
        bpf_seq_write(seq, &head, sizeof(head));
        for (int i = 0; i < KSTAT_CPUS_MAX / 32; i++) { /* effective ones, then configured ones */
                __u32 word = i % (KSTAT_CPUS_MAX / 64);
                __u64 bits = read_cpus(objects, word, i >= KSTAT_CPUS_MAX / 64) & possible_cpus(n, word);

                bpf_seq_write(seq, &bits, sizeof(bits));
        }
        return 0;
}

/* With its first one. */
static __noinline __u64 count_forks(const struct kstat_objects *objects)
{
        struct kstat_counts counts = {0};

        return total_counts(objects, &counts) ? counts.forks + counts.vforks + counts.threads + 1 : KSTAT_NONE;
}

static __noinline __u64 count_switches(const struct kstat_objects *objects)
{
        struct kstat_switches switches = {0};

        return read_switches(objects, &switches) ? switches.voluntary + switches.involuntary : KSTAT_NONE;
}

static __noinline int write_figures(
        struct seq_file *seq, const struct kstat_objects *objects, __u64 partition, __u32 n_disks)
{
        struct sample_figures figures = {.forks = count_forks(objects), .switches = count_switches(objects)};
        struct kstat_averages averages = {0};
        struct kstat_active active = {0};
        struct kstat_quota quota = {0};

        read_quota(objects, &quota);
        figures.quota_us = quota.quota_us;
        figures.period_us = quota.period_us;
        count_active(objects, &active);
        figures.running = active.running;
        figures.blocked = active.blocked;
        figures.threads = count_threads(objects);
        figures.processes_last = last_pid(objects);
        read_load(objects, partition, &averages);
        for (int i = 0; i < 3; i++)
                figures.load[i] = averages.load[i];
        clock_arm();
        figures.n_disks = n_disks;
        return bpf_seq_write(seq, &figures, sizeof(figures));
}

static __noinline int write_pressure(struct seq_file *seq, const struct kstat_objects *objects)
{
        for (__u32 resource = 0; resource < 3; resource++) {
                struct kstat_sample_pressure pressure[2] = {0};

                read_pressure(objects, resource, false, &pressure[0]);
                read_pressure(objects, resource, true, &pressure[1]);
                bpf_seq_write(seq, pressure, sizeof(pressure));
        }
        return 0;
}

static __noinline int write_states(struct seq_file *seq, const struct memory_reader *reader)
{
        struct memory_states states = {0};

        read_states(reader, &states);
        return bpf_seq_write(seq, &states, sizeof(states));
}

static __noinline int write_events(struct seq_file *seq, const struct memory_reader *reader, __u64 memcg)
{
        struct memory_events events = {0};

        read_events(reader, &events.counts);
        if (memcg)
                events.oom_kills = oom_kills(memcg);
        return bpf_seq_write(seq, &events, sizeof(events));
}

/* usage KSTAT_NONE: nobody counts its memory here, and all else is 0. */
static __noinline int write_memory(struct seq_file *seq, const struct kstat_objects *objects)
{
        __u64 memcg = object_css(objects, KSTAT_CSS_MEMORY);
        struct memory_reader reader = {.cpu = KSTAT_NONE};
        struct kstat_limits limits = {KSTAT_NONE, KSTAT_NONE, 0, KSTAT_NONE};

        if (memory_begin(memcg, &reader))
                read_memory_limits(objects, memcg, &limits);
        bpf_seq_write(seq, &limits, sizeof(limits));
        write_states(seq, &reader);
        return write_events(seq, &reader, memcg);
}

/* From where they are remembered: no stack has room for them.  Places behind the last one that was counted don't count.
 */
static __noinline int write_disks(struct seq_file *seq, const struct kstat_disks *disks)
{
        const struct kstat_sample_disk none = {0};

        if (disks)
                return bpf_seq_write(seq, disks, sizeof(*disks));
        for (int i = 0; i < KSTAT_SAMPLE_DISKS; i++)
                bpf_seq_write(seq, &none, sizeof(none));
        return 0;
}

SEC("iter.s/cgroup")
int sample(struct bpf_iter__cgroup *ctx)
{
        struct seq_file *seq = ctx->meta->seq;
        struct cgroup *cgroup = ctx->cgroup;
        struct plane_partition *partition;
        struct kstat_objects *objects;
        struct kstat_disks *disks;
        struct {
                __u32 n_cpus, reserved;
        } cpus = {0};
        __u64 id;

        if (!cgroup)
                return 0;
        id = cgroup->kn->id;
        partition = bpf_map_lookup_elem(&partitions, &id);
        if (!partition)
                return 0;
        id = partition->id;
        objects = bpf_map_lookup_elem(&kstat_objects, &id);
        if (!objects)
                return 0;
        flush(cgroup);
        write_head(seq, objects);
        disks = disks_read(objects, id);
        write_figures(seq, objects, id, disks_count(disks));
        write_pressure(seq, objects);
        write_memory(seq, objects);
        write_disks(seq, disks);
        cpus.n_cpus = count_cpus();
        bpf_seq_write(seq, &cpus, sizeof(cpus));
        write_cpus(seq, objects, id);
        return 0;
}
