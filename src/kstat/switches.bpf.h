/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * switches.bpf.h - context switches of a partition: what its tasks have made, those that live and those that have
 * ended.
 *
 * The kernel counts them in each task.  What a task had when it ended was added up then (count.bpf.h); those that live
 * are gone through when somebody asks, so that nobody pays for it at each switch, and whoever asks pays for his own
 * tasks only.  Lists are walked without the kernel's lock, by reads that can't fault: what changed under the walk is
 * walked again, or missed, and told the next time; less than was ever told is never told.
 *
 * Invariant: no other partition's tasks are counted, even if memory is given to another group, set or task meanwhile:
 * each group is checked to be below the one where the walk began, each set to be of its group, each task of its set.
 */
#ifndef CROFT_KSTAT_SWITCHES_BPF_H
#define CROFT_KSTAT_SWITCHES_BPF_H

#include "kstat/figures.bpf.h"

#define WALK_STEPS_MAX (1 << 20) /* tasks, css_sets and control groups; what is beyond isn't counted */
#define WALK_TRIES 4
/* For each step, which takes a tenth of a microsecond or two: so long no other walk begins.  However many tasks there
 * are, and however often somebody asks, not more than a fiftieth of the time goes to it; a thousand tasks are told as
 * of 10 ms ago at most. */
#define WALK_REST_NS 10000
#define FLAG_EXITING 0x4 /* PF_EXITING: what it has made is, or is just being, added to those that have ended */

enum walk_phase { WALK_SETS = 0, WALK_TASKS, WALK_ON };

struct walk {
        __u64 top; /* the control group that all are in or below, and its level */
        __u64 level;
        __u64 group; /* of whose tasks it is at */
        __u64 link;  /* entry in that one's list of css_sets */
        __u64 set;   /* css_set of whose tasks it is at */
        __u64 task;  /* entry in that one's list */
        struct kstat_switches sum, best, one;
        __u32 tries;
        __u32 phase;
        __u32 up; /* the groups below this one are done */
        __u32 steps;
};

#define HEAD_OF(type, at, field) ((at) + bpf_core_field_offset(struct type, field))
#define ENTRY_IN(type, at, field) ((struct type *)((at)-bpf_core_field_offset(struct type, field)))
#define FIRST_OF(type, at, field)                                                                                      \
        ({                                                                                                             \
                struct type *of_ = (struct type *)(at);                                                                \
                (__u64) BPF_CORE_READ(of_, field.next);                                                                \
        })

/* 1: it is none of this partition's; the end. */
static __always_inline long walk_enter(struct walk *w, struct cgroup_subsys_state *self)
{
        struct cgroup *group = BPF_CORE_READ(self, cgroup), *above = NULL;
        __u64 level = w->level;

        bpf_core_read(&above, sizeof(above), &group->ancestors[0] + level);
        w->group = (__u64)group;
        w->link = FIRST_OF(cgroup, group, cset_links);
        w->phase = WALK_SETS;
        return (__u64)above != w->top;
}

static __always_inline void walk_list(struct walk *w)
{
        w->task = FIRST_OF(css_set, w->set, tasks);
        w->one = (struct kstat_switches){0};
        w->phase = WALK_TASKS;
}

static __always_inline long walk_set(struct walk *w)
{
        struct cgrp_cset_link *link = ENTRY_IN(cgrp_cset_link, w->link, cset_link);

        if (w->link == HEAD_OF(cgroup, w->group, cset_links) || (__u64)BPF_CORE_READ(link, cgrp) != w->group) {
                w->phase = WALK_ON;
                return 0;
        }
        w->set = (__u64)BPF_CORE_READ(link, cset);
        w->best = (struct kstat_switches){0};
        w->tries = 0;
        walk_list(w);
        return 0;
}

static __always_inline void walk_list_end(struct walk *w, bool whole)
{
        struct cgrp_cset_link *link = ENTRY_IN(cgrp_cset_link, w->link, cset_link);
        struct css_set *set = (void *)w->set;

        if ((__u64)BPF_CORE_READ(set, dfl_cgrp) != w->group)
                w->one = (struct kstat_switches){0};
        if (w->one.voluntary + w->one.involuntary > w->best.voluntary + w->best.involuntary)
                w->best = w->one;
        if (!whole && ++w->tries < WALK_TRIES) {
                walk_list(w);
                return;
        }
        w->sum.voluntary += w->best.voluntary;
        w->sum.involuntary += w->best.involuntary;
        w->link = (__u64)BPF_CORE_READ(link, cset_link.next);
        w->phase = WALK_SETS;
}

static __always_inline long walk_task(struct walk *w)
{
        struct task_struct *task = ENTRY_IN(task_struct, w->task, cg_list);
        __u64 voluntary, involuntary, next;
        unsigned int flags;

        if (w->task == HEAD_OF(css_set, w->set, tasks)) {
                walk_list_end(w, true);
                return 0;
        }
        next = (__u64)BPF_CORE_READ(task, cg_list.next);
        voluntary = BPF_CORE_READ(task, nvcsw);
        involuntary = BPF_CORE_READ(task, nivcsw);
        flags = BPF_CORE_READ(task, flags);
        if (!next || next == w->task || (__u64)BPF_CORE_READ(task, cgroups) != w->set) {
                walk_list_end(w, false); /* it has left the list */
                return 0;
        }
        if (!(flags & FLAG_EXITING)) {
                w->one.voluntary += voluntary;
                w->one.involuntary += involuntary;
        }
        w->task = next;
        return 0;
}

/* To the next group: the first one below, or beside, or on the way up. */
static __always_inline long walk_on(struct walk *w)
{
        struct cgroup_subsys_state *self = (void *)HEAD_OF(cgroup, w->group, self), *parent, *next;
        __u64 at;

        if (!w->up) {
                at = (__u64)BPF_CORE_READ(self, children.next);
                next = ENTRY_IN(cgroup_subsys_state, at, sibling);
                if (at && at != HEAD_OF(cgroup_subsys_state, (__u64)self, children))
                        return walk_enter(w, next);
        }
        w->up = 0;
        if (w->group == w->top)
                return 1;
        parent = BPF_CORE_READ(self, parent);
        at = (__u64)BPF_CORE_READ(self, sibling.next);
        next = ENTRY_IN(cgroup_subsys_state, at, sibling);
        if (at && at != HEAD_OF(cgroup_subsys_state, (__u64)parent, children))
                return walk_enter(w, next);
        w->group = (__u64)BPF_CORE_READ(parent, cgroup);
        w->up = 1;
        return !w->group;
}

static long walk_step(__u32 index, struct walk *w)
{
        (void)index;
        if (w->phase == WALK_TASKS)
                return walk_task(w);
        if (w->phase == WALK_SETS)
                return walk_set(w);
        return walk_on(w);
}

/* Those of tasks that live; how many steps it took, 0: it can't be done.  By itself, as the next one, for the sake of
 * the stack, which counts over all that lie on the way. */
FIGURE __u32 living_switches(const struct kstat_objects *objects, struct kstat_switches *ret)
{
        struct cgroup *top = object_cgroup(objects);
        struct walk walk;

        /* Zeros that the verifier doesn't know of: until 6.7 it takes each turn for the first one, and what that can't
         * come to is no part of the program. */
        (void)bpf_probe_read_kernel(&walk, sizeof(walk), NULL);
        if (!top || !ret)
                return 0;
        walk.top = walk.group = (__u64)top;
        walk.level = BPF_CORE_READ(top, level);
        walk.link = FIRST_OF(cgroup, top, cset_links); /* and phase is WALK_SETS, but isn't known to be */
        walk.steps = bpf_loop(WALK_STEPS_MAX, walk_step, &walk, 0);
        *ret = walk.sum;
        return walk.steps;
}

FIGURE int ended_switches(const struct kstat_objects *objects, struct kstat_switches *ret)
{
        struct kstat_counts counts = {0};

        if (!ret || !total_counts(objects, &counts))
                return 0;
        *ret = counts.ended;
        return 1;
}

/* 1; 0: not known here, as nobody counts. */
FIGURE int read_switches(const struct kstat_objects *objects, struct kstat_switches *ret)
{
        struct kstat_switches ended = {0}, living = {0};
        __u64 id = objects ? objects->cgroup_id : 0, now = bpf_ktime_get_ns();
        struct kstat_counts *first = bpf_map_lookup_percpu_elem(&kstat_counts, &id, 0);

        if (!first || !ret)
                return 0;
        if (now >= *(volatile __u64 *)&first->rests_ns) {
                /* Those that have ended first: who ends meanwhile is missed, and not counted twice. */
                if (!ended_switches(objects, &ended))
                        return 0;
                *(volatile __u64 *)&first->rests_ns = now + (__u64)living_switches(objects, &living) * WALK_REST_NS;
                raise_to(&first->told.voluntary, ended.voluntary + living.voluntary);
                raise_to(&first->told.involuntary, ended.involuntary + living.involuntary);
        }
        *ret = first->told;
        return 1;
}

#endif
