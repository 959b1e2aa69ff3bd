/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * interrupts.bpf.h - how many interrupts a CPU has had, as the kernel counts them for /proc/stat.  They are the
 * machine's: no interrupt belongs to a partition.  Rules for functions and addresses are those of figures.bpf.h.
 */
#ifndef CROFT_KSTAT_INTERRUPTS_BPF_H
#define CROFT_KSTAT_INTERRUPTS_BPF_H

#include "kstat/figures.bpf.h"
#include "kstat/percpu.bpf.h"

#define INTERRUPT_KINDS 16 /* soft ones; 10 today */

/* Set before loading. */
const volatile struct kstat_percpu percpu = {0};

struct kstat_interrupts {
        __u64 hard; /* all but spurious ones */
        __u64 soft, spurious;
};

/* Where CPU's kernel_cpustat is, 0: not known, or it isn't what we take it for. */
FIGURE __u64 percpu_anchor(const struct kstat_objects *objects, __u64 off)
{
        struct cpuacct *cpuacct = (struct cpuacct *)object_css(objects, KSTAT_CSS_CPUACCT);
        __u64 anchor = cpuacct ? (__u64)BPF_CORE_READ(cpuacct, cpustat) : 0;

        if (!anchor || !percpu.root_cpuacct_cpuusage ||
                (__u64)BPF_CORE_READ(cpuacct, cpuusage) != anchor + percpu.root_cpuacct_cpuusage)
                return 0;
        return anchor + off;
}

#define INTERRUPTS_OF(field) (bpf_core_field_exists(at->field) ? BPF_CORE_READ(at, field) : 0)

/* What x86 counts beside the interrupts of devices: as arch_irq_stat_cpu() does.  Other machines have none of these. */
FIGURE __u64 processor_interrupts(__u64 anchor)
{
        irq_cpustat_t *at = (void *)(anchor + percpu.irq_stat);
        unsigned int exceptions = 0, polls = 0;
        __u64 sum = 0;

        if (percpu.irq_stat) {
                sum += INTERRUPTS_OF(__nmi_count);
                sum += INTERRUPTS_OF(apic_timer_irqs);
                sum += INTERRUPTS_OF(apic_perf_irqs);
                sum += INTERRUPTS_OF(apic_irq_work_irqs);
                sum += INTERRUPTS_OF(icr_read_retry_count);
                sum += INTERRUPTS_OF(x86_platform_ipis);
                sum += INTERRUPTS_OF(irq_resched_count);
                sum += INTERRUPTS_OF(irq_call_count);
                sum += INTERRUPTS_OF(irq_thermal_count);
                sum += INTERRUPTS_OF(irq_threshold_count);
                sum += INTERRUPTS_OF(irq_hv_callback_count);
                sum += INTERRUPTS_OF(irq_hv_reenlightenment_count);
                sum += INTERRUPTS_OF(hyperv_stimer0_count);
        }
        if (percpu.mce_exception_count)
                bpf_probe_read_kernel(&exceptions, sizeof(exceptions), (void *)(anchor + percpu.mce_exception_count));
        if (percpu.mce_poll_count)
                bpf_probe_read_kernel(&polls, sizeof(polls), (void *)(anchor + percpu.mce_poll_count));
        return sum + exceptions + polls;
}

FIGURE __u64 soft_interrupts(__u64 at)
{
        struct kernel_stat *stat = (void *)at;
        __u32 n = bpf_core_field_size(stat->softirqs) / sizeof(unsigned int), one = 0;
        __u64 sum = 0;

        for (__u32 i = 0; i < INTERRUPT_KINDS && i < n; i++) {
                bpf_core_read(&one, sizeof(one), &stat->softirqs[0] + i);
                sum += one;
        }
        return sum;
}

/* off: of the CPU.  1; 0: this kernel doesn't tell. */
FIGURE int read_interrupts(const struct kstat_objects *objects, __u64 off, struct kstat_interrupts *ret)
{
        __u64 anchor = percpu_anchor(objects, off);
        struct kernel_stat *stat = (void *)(anchor + percpu.kstat);
        irq_cpustat_t *at = (void *)(anchor + percpu.irq_stat);

        if (!anchor || !percpu.kstat || !ret)
                return 0;
        ret->hard = BPF_CORE_READ(stat, irqs_sum) + processor_interrupts(anchor);
        ret->soft = soft_interrupts((__u64)stat);
        ret->spurious = percpu.irq_stat ? INTERRUPTS_OF(irq_spurious_count) : 0;
        return 1;
}

#endif
