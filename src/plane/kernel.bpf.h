/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * kernel.bpf.h - the kernel's structures, as far as our programs read them.
 *
 * CO-RE moves each access to where the running kernel has the field: only names and types matter here, no offsets.  A
 * generated vmlinux.h would bind the build to a machine that has BTF, and be a thousand times longer.
 */
#ifndef CROFT_PLANE_KERNEL_BPF_H
#define CROFT_PLANE_KERNEL_BPF_H

#include <linux/types.h>
#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct user_namespace {
        int level; /* 0: the initial one, and no other */
};

struct cred {
        struct user_namespace *user_ns;
};

struct kernfs_node {
        const char *name;
        __u64 id;
};

struct cgroup_root;
struct cgroup;

struct list_head {
        struct list_head *next;
};

struct cgroup_subsys_state {
        struct cgroup *cgroup;
        struct list_head children, sibling;
        struct cgroup_subsys_state *parent;
        __u64 serial_nr; /* never given twice */
};

struct task_cputime {
        __u64 stime, utime;
        unsigned long long sum_exec_runtime;
};

struct cgroup_base_stat {
        struct task_cputime cputime;
        __u64 ntime; /* 6.14: of utime, by nice processes */
};

/* Until 6.15 as cgroup_rstat_cpu, since then as cgroup_rstat_base_cpu. */
struct cgroup_rstat_cpu {
        struct cgroup_base_stat bstat;
        struct cgroup_base_stat subtree_bstat; /* since 6.6 */
};
struct cgroup_rstat_base_cpu {
        struct cgroup_base_stat bstat;
        struct cgroup_base_stat subtree_bstat;
};

struct psi_group_cpu {
        unsigned int tasks[4];
        __u32 state_mask; /* bit NR_PSI_STATES: one of them is on the CPU */
};
enum psi_states { NR_PSI_STATES };
struct psi_group {
        struct psi_group *parent;
        bool enabled;
        struct psi_group_cpu *pcpu;
        __u64 avg_total[6];
        __u64 avg_last_update;
        __u64 avg_next_update;
        __u64 total[12];
        unsigned long avg[18];
};

struct cgroup {
        struct cgroup_subsys_state self;
        int level;
        struct kernfs_node *kn;
        struct cgroup_root *root;
        struct cgroup_rstat_cpu *rstat_cpu;
        struct cgroup_rstat_base_cpu *rstat_base_cpu;
        struct cgroup_base_stat bstat;
        struct psi_group *psi;
        struct list_head cset_links; /* of cgrp_cset_link */
        struct cgroup *ancestors[1];
};

enum cgroup_subsys_id {
        cpuset_cgrp_id,
        cpu_cgrp_id,
        cpuacct_cgrp_id,
        io_cgrp_id,
        memory_cgrp_id,
        pids_cgrp_id,
};

struct css_set {
        struct cgroup_subsys_state *subsys[1];
        struct cgroup *dfl_cgrp;
        struct list_head tasks;
};
struct cgrp_cset_link {
        struct cgroup *cgrp;
        struct css_set *cset;
        struct list_head cset_link;
};

typedef struct {
        __s64 counter;
} atomic64_t;
typedef atomic64_t atomic_long_t;
typedef struct {
        int counter;
} atomic_t;

struct page_counter {
        atomic_long_t usage;
        unsigned long max;
        struct page_counter *parent;
};

struct memcg_vmstats {
        long state[1];
        unsigned long events[1];
};
struct memcg_vmstats_percpu {
        long state[1];
        unsigned long events[1];
        long state_prev[1];
        unsigned long events_prev[1];
};
struct zone {
        atomic_long_t managed_pages;
        atomic_long_t vm_stat[1];
};
struct pglist_data {
        struct zone node_zones[1];
        int node_id;
};
struct lruvec {
        struct pglist_data *pgdat;
};
struct mem_cgroup_per_node {
        struct lruvec lruvec;
};
struct mem_cgroup {
        struct cgroup_subsys_state css;
        struct page_counter memory;
        struct page_counter swap; /* v1: memory and swap */
        struct memcg_vmstats *vmstats;
        struct memcg_vmstats_percpu *vmstats_percpu;
        atomic_long_t memory_events[1];
        unsigned long soft_limit;
        struct mem_cgroup_per_node *nodeinfo[1];
};

struct sched_entity {
        __u64 sum_exec_runtime;
};
struct cfs_bandwidth {
        __s64 period;
        __u64 quota;
        int nr_periods;
        int nr_throttled;
        __u64 throttled_time;
};
struct cfs_rq {
        struct rq *rq;
};
struct task_group {
        struct cgroup_subsys_state css;
        struct sched_entity **se;
        struct cfs_rq **cfs_rq;
        struct task_group *parent;
        struct cfs_bandwidth cfs_bandwidth;
};

struct kernel_cpustat {
        __u64 cpustat[10];
};
struct cpuacct {
        struct cgroup_subsys_state css;
        __u64 *cpuusage;
        struct kernel_cpustat *cpustat;
};

/* Interrupts on a CPU; the second one differs from machine to machine, this is x86. */
struct kernel_stat {
        unsigned long irqs_sum;
        unsigned int softirqs[1];
};
typedef struct {
        unsigned int __nmi_count, apic_timer_irqs, irq_spurious_count, icr_read_retry_count, x86_platform_ipis;
        unsigned int apic_perf_irqs, apic_irq_work_irqs, irq_resched_count, irq_call_count;
        unsigned int irq_thermal_count, irq_threshold_count;
        unsigned int irq_hv_callback_count, irq_hv_reenlightenment_count, hyperv_stimer0_count;
} irq_cpustat_t;

struct cpumask {
        unsigned long bits[4]; /* the first 256 CPUs at most */
};
struct cpuset {
        struct cgroup_subsys_state css;
};
/* With CONFIG_CPUMASK_OFFSTACK, and without. */
struct cpuset___off {
        struct cpumask *cpus_allowed;
        struct cpumask *effective_cpus;
};
struct cpuset___on {
        struct cpumask cpus_allowed[1];
        struct cpumask effective_cpus[1];
};

struct pids_cgroup {
        struct cgroup_subsys_state css;
        atomic64_t counter;
        atomic64_t limit;
};

/* Block devices: what the kernel counts of each for a control group (struct blkcg). */
struct hlist_node {
        struct hlist_node *next;
};
struct hlist_head {
        struct hlist_node *first;
};
struct disk_stats {
        unsigned long sectors[4];
        unsigned long ios[4];
};
struct block_device {
        struct disk_stats *bd_stats;
};
struct throtl_data;
struct request_queue {
        struct gendisk *disk;
        struct throtl_data *td;
};
struct gendisk {
        int major;
        int first_minor;
        struct block_device *part0;
        struct request_queue *queue;
};
struct blkcg {
        struct cgroup_subsys_state css;
        struct hlist_head blkg_list;
};
struct blkg_iostat {
        __u64 bytes[3];
        __u64 ios[3];
};
struct blkg_iostat_set {
        struct blkg_iostat cur;
        struct blkg_iostat last;
};
struct blkg_policy_data {
        struct blkcg_gq *blkg;
};
struct blkcg_gq {
        struct request_queue *q;
        struct hlist_node blkcg_node;
        struct blkcg *blkcg;
        struct blkg_iostat_set *iostat_cpu;
        struct blkg_iostat_set iostat;
        struct blkg_policy_data *pd[1];
};
struct raw_spinlock {
        unsigned int word; /* 0: free */
};
struct percpu_counter {
        struct raw_spinlock lock;
        __s64 count;
        __s32 *counters;
};
struct blkg_rwstat {
        struct percpu_counter cpu_cnt[5];
};
struct throtl_grp {
        struct blkg_policy_data pd;
        struct throtl_data *td;
        struct blkg_rwstat stat_bytes;
        struct blkg_rwstat stat_ios;
};
enum { BLKG_IOSTAT_READ, BLKG_IOSTAT_WRITE }; /* the same in all kernels, as the next two */
enum { BLKG_RWSTAT_READ, BLKG_RWSTAT_WRITE };
enum { STAT_READ, STAT_WRITE };

struct ipstats_mib {
        __u64 mibs[1];
};
struct tcp_mib {
        unsigned long mibs[1];
};
struct udp_mib {
        unsigned long mibs[1];
};
struct icmp_mib {
        unsigned long mibs[1];
};
struct icmpmsg_mib { /* by type of message; not for each CPU */
        atomic64_t mibs[1];
};
struct netns_mib {
        struct ipstats_mib *ip_statistics;
        struct tcp_mib *tcp_statistics;
        struct udp_mib *udp_statistics;
        struct icmp_mib *icmp_statistics;
        struct icmpmsg_mib *icmpmsg_statistics;
};
struct ns_common {
        unsigned int inum;
};
struct net {
        struct ns_common ns;
        struct netns_mib mib;
        struct list_head dev_base_head;
};
struct u64_stats { /* u64_stats_t, a structure there, too */
        __u64 v;
};
struct pcpu_lstats {
        struct u64_stats packets, bytes;
};
struct pcpu_sw_netstats {
        struct u64_stats rx_packets, rx_bytes, tx_packets, tx_bytes;
};
enum netdev_stat_type { NETDEV_PCPU_STAT_TSTATS };
struct rtnl_link_ops {
        const char *kind;
};
struct net_device {
        struct list_head dev_list;
        char name[16];
        int ifindex;
        unsigned int mtu, flags, operstate;
        const struct rtnl_link_ops *rtnl_link_ops;
        struct pcpu_lstats *lstats;
        struct pcpu_sw_netstats *tstats;
        enum netdev_stat_type pcpu_stat_type; /* since 6.8 */
        __u8 priv[1];                         /* since 6.10; before, it lay behind the structure */
};
struct timespec64 {
        __s64 tv_sec;
        long tv_nsec;
};
struct timens_offsets {
        struct timespec64 monotonic;
        struct timespec64 boottime;
};
struct time_namespace {
        struct timens_offsets offsets;
};
struct nsproxy {
        struct net *net_ns;
        struct time_namespace *time_ns;
};
struct idr {
        unsigned int idr_next;
};
struct pid_namespace {
        struct idr idr;
        unsigned int pid_allocated;
};
struct upid {
        int nr;
        struct pid_namespace *ns;
};
struct pid {
        unsigned int level;
        struct upid numbers[1];
};

struct rq {
        unsigned int nr_running;
        __u64 nr_switches;
        unsigned long nr_uninterruptible;
        atomic_t nr_iowait;
};

struct bpf_array {
        void *pptrs[1];
};

struct task_struct {
        const struct cred *cred;
        struct css_set *cgroups;
        struct nsproxy *nsproxy;
        struct pid *thread_pid;
        struct task_struct *group_leader, *real_parent;
        int pid, tgid; /* in the initial pid namespace */
        unsigned int flags;
        unsigned long nvcsw, nivcsw;
        struct list_head cg_list; /* in css_set.tasks */
        char comm[16];
        __u64 start_boottime;
        void *worker_private; /* since 5.17; of the kernel's threads: struct kthread */
};

struct kthread {
        void *data;
};
struct crypto_larval;
struct cryptomgr_param {
        struct crypto_larval *larval;
};
struct subprocess_info {
        char **argv;
};

struct seq_file;
struct bpf_iter_meta {
        struct seq_file *seq;
};
struct bpf_iter__task {
        struct bpf_iter_meta *meta;
        struct task_struct *task;
};
struct bpf_iter__cgroup {
        struct bpf_iter_meta *meta;
        struct cgroup *cgroup;
};

/* Numbers are the running kernel's (bpf_core_enum_value). */
enum node_stat_item {
        NR_INACTIVE_ANON,
        NR_ACTIVE_ANON,
        NR_INACTIVE_FILE,
        NR_ACTIVE_FILE,
        NR_UNEVICTABLE,
        NR_SLAB_RECLAIMABLE_B,
        NR_SLAB_UNRECLAIMABLE_B,
        WORKINGSET_REFAULT_ANON,
        WORKINGSET_REFAULT_FILE,
        WORKINGSET_ACTIVATE_ANON,
        WORKINGSET_ACTIVATE_FILE,
        WORKINGSET_RESTORE_ANON,
        WORKINGSET_RESTORE_FILE,
        WORKINGSET_NODERECLAIM,
        NR_ANON_MAPPED,
        NR_FILE_MAPPED,
        NR_FILE_PAGES,
        NR_FILE_DIRTY,
        NR_WRITEBACK,
        NR_SHMEM,
        NR_SHMEM_THPS,
        NR_FILE_THPS,
        NR_ANON_THPS,
        NR_KERNEL_STACK_KB,
        NR_PAGETABLE,
        NR_SECONDARY_PAGETABLE,
        NR_SWAPCACHE,
        PGPROMOTE_SUCCESS,
        PGDEMOTE_KSWAPD,
        PGDEMOTE_DIRECT,
        PGDEMOTE_KHUGEPAGED,
        PGDEMOTE_PROACTIVE,
        NR_HUGETLB,
};
enum memcg_stat_item {
        MEMCG_SWAP,
        MEMCG_SOCK,
        MEMCG_PERCPU_B,
        MEMCG_VMALLOC,
        MEMCG_KMEM,
        MEMCG_ZSWAP_B,
        MEMCG_ZSWAPPED,
        MEMCG_NR_STAT,
};
enum memcg_memory_event {
        MEMCG_OOM_KILL,
};
enum vm_event_item {
        PGPGIN,
        PGPGOUT,
        PSWPIN,
        PSWPOUT,
        PGSCAN_KSWAPD,
        PGSCAN_DIRECT,
        PGSCAN_KHUGEPAGED,
        PGSCAN_PROACTIVE,
        PGSTEAL_KSWAPD,
        PGSTEAL_DIRECT,
        PGSTEAL_KHUGEPAGED,
        PGSTEAL_PROACTIVE,
        PGFAULT,
        PGMAJFAULT,
        PGREFILL,
        PGACTIVATE,
        PGDEACTIVATE,
        PGLAZYFREE,
        PGLAZYFREED,
        SWPIN_ZERO,
        SWPOUT_ZERO,
        ZSWPIN,
        ZSWPOUT,
        ZSWPWB,
        THP_FAULT_ALLOC,
        THP_COLLAPSE_ALLOC,
        THP_SWPOUT,
        THP_SWPOUT_FALLBACK,
        NUMA_PAGE_MIGRATE,
        NUMA_PTE_UPDATES,
        NUMA_HINT_FAULTS,
};

#pragma clang attribute pop

#endif
