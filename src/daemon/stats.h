/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stats.h - the figures of all partitions, of the machine and of croftd at one instant, for an administrator.
 *
 * life_stats() collects them; /metrics, /v1/stats and so `croft top` are made of the same.  Nothing is counted between
 * two requests: the kernel counts.  Invariant: what isn't known is STATS_NONE, never 0; whatever fails for one
 * partition, one disk or one interface leaves STATS_NONE or a gap there and nothing else.
 */
#ifndef CROFT_DAEMON_STATS_H
#define CROFT_DAEMON_STATS_H

#include "daemon/life_rules.h"
#include "kstat/sample.bpf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATS_NONE UINT64_MAX
#define STATS_INTERFACES_MAX 32 /* of one partition: its root may make any number */
#define STATS_STATES (PARTITION_TRANSITIONAL + 1)

enum stats_resource { STATS_CPU, STATS_MEMORY, STATS_IO, STATS_RESOURCES };

struct stats_pressure {
        uint64_t avg[3]; /* over 10, 60 and 300 s; 1/100 of a percent */
        uint64_t total_us;
};

struct stats_cpu {
        uint64_t user_ns, nice_ns, system_ns;
};

struct stats_disk {
        char name[32]; /* "sda"; "8:0" when it has gone from the host's list */
        uint32_t major, minor;
        uint64_t reads, read_bytes, writes, written_bytes;
};

struct stats_interface {
        char name[16]; /* as the partition's root called it: any bytes but NUL, '/' and blanks */
        uint64_t receive_bytes, receive_packets, receive_errors, receive_drops;
        uint64_t transmit_bytes, transmit_packets, transmit_errors, transmit_drops;
};

/* Memory as `free` inside would show it. */
struct stats_free {
        uint64_t total, free, available;
};

struct stats_partition {
        uint64_t id;
        char name[NAME_LENGTH_MAX + 1];
        bool native;
        enum partition_state state;
        const char *operation; /* static; NULL: none */
        bool running;          /* it has processes: without, all figures are STATS_NONE */
        bool sampled;          /* the kernel plane's sample; false: only what the files of its cgroups tell */
        uint64_t started;      /* seconds since the epoch */
        struct stats_cpu time; /* of all CPUs; nice is part of user when it isn't sampled */
        uint64_t cpus;         /* that it may use now */
        uint64_t quota_us, period_us;
        uint64_t tasks, tasks_max, tasks_running, tasks_blocked, forks, switches;
        uint64_t load[3]; /* 1/2048 */
        struct stats_pressure pressure[STATS_RESOURCES][2];
        struct kstat_sample_memory memory;
        struct stats_free free;
        struct stats_cpu *cpu; /* owned; by number */
        size_t n_cpu;
        struct stats_disk disk[KSTAT_SAMPLE_DISKS];
        size_t n_disk;
        struct stats_interface *interface; /* owned */
        size_t n_interface;
        bool more_interfaces; /* than STATS_INTERFACES_MAX */
};

struct stats_machine {
        uint64_t cpus;
        uint64_t user_ns, system_ns, idle_ns, iowait_ns, steal_ns; /* irq and softirq are part of system */
        uint64_t memory_bytes, available_bytes, swap_bytes, swap_free_bytes;
        uint64_t load[3]; /* 1/100 */
        uint64_t tasks, tasks_running;
        uint64_t uptime_ns;
        struct stats_pressure pressure[STATS_RESOURCES][2];
};

struct stats_daemon {
        uint64_t done[LIFE_ACTIONS], failed[LIFE_ACTIONS]; /* operations since it began */
        uint64_t started, cpu_ns, memory_bytes, descriptors, descriptors_max;
        uint64_t state_size_bytes, state_free_bytes,
                state_available_bytes; /* of the file system of the state directory */
        uint64_t requests, refused, connections;
        uint64_t mounts_refused, mounts_failed; /* struct mount_watch_counts */
        bool plane;
        char tag[9];
};

struct stats {
        uint64_t now_ns, time_ms; /* CLOCK_MONOTONIC; since the epoch */
        struct stats_machine machine;
        struct stats_daemon daemon;
        struct stats_partition *partition; /* sorted by name */
        size_t n;
};

struct stats *stats_free(struct stats *stats); /* NULL is allowed; returns NULL */
void stats_freep(struct stats **stats);

/* Everything STATS_NONE, no partitions. */
void stats_init(struct stats *stats);
void stats_partition_init(struct stats_partition *p);
void stats_partition_done(struct stats_partition *p);

/* Takes what a sample tells; its counts are bounded here.  -ENOMEM: *p has all but the single CPUs. */
int stats_take_sample(struct stats_partition *p, const struct kstat_sample *sample);
/* p->free from p->memory and the machine's size: a partition without a limit may use all of it. */
void stats_derive(struct stats_partition *p, uint64_t machine_bytes);

/* Text of the kernel; what it doesn't say stays as it is. */
void stats_parse_pressure(const char *text, struct stats_pressure pressure[2]);           /* /proc/pressure/cpu */
int stats_parse_interfaces(const char *text, struct stats_partition *p);                  /* /proc/net/dev; -ENOMEM */
void stats_parse_stat(const char *text, uint64_t tick_ns, struct stats_machine *machine); /* /proc/stat */
void stats_parse_meminfo(const char *text, struct stats_machine *machine);                /* /proc/meminfo */
void stats_parse_loadavg(const char *text, struct stats_machine *machine);                /* /proc/loadavg */

/* Attributes of control groups, for a partition without sample: of v1 and of v2 alike.  They may hold anything. */
void stats_parse_cpu_stat(const char *text, struct stats_partition *p);    /* cpu.stat */
void stats_parse_memory_stat(const char *text, struct stats_partition *p); /* memory.stat */
void stats_parse_io_stat(const char *text, struct stats_partition *p);     /* io.stat */
/* blkio.throttle.io_service_bytes_recursive, and io_serviced_recursive with count set */
void stats_parse_blkio(const char *text, bool count, struct stats_partition *p);
uint64_t stats_parse_number(const char *text); /* STATS_NONE: "max", or what v1 means by it, or none */

#endif
