/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * catalogue.bpf.h - what is in the data of each NAMED statistic: one list of fields each, from which come the layout
 * that the programs fill and the schema that readers get.  What each means is in croft-kstats(7).
 *
 * N(name, type, unit): 8 bytes; C(name): CHAR, 16 bytes; S(name): STRING, KSTAT_STRING_SIZE bytes.
 * A schema only ever grows at its end.
 */
#ifndef CROFT_KSTAT_CATALOGUE_BPF_H
#define CROFT_KSTAT_CATALOGUE_BPF_H

#include "kstat/kstat.bpf.h"

#define KSTAT_STRING_SIZE 128

#define KSTAT_FIELDS_SYSTEM_MISC(N, C, S)                                                                              \
        N(ncpus, UINT32, COUNT)                                                                                        \
        N(lbolt, UINT32, TICKS)                                                                                        \
        N(deficit, UINT32, NONE)                                                                                       \
        N(clk_intr, UINT32, EVENTS)                                                                                    \
        N(vac, UINT32, NONE)                                                                                           \
        N(nproc, UINT32, COUNT)                                                                                        \
        N(avenrun_1min, UINT32, LOAD)                                                                                  \
        N(avenrun_5min, UINT32, LOAD)                                                                                  \
        N(avenrun_15min, UINT32, LOAD)                                                                                 \
        N(boot_time, UINT32, SECONDS)                                                                                  \
        N(nsec_per_tick, UINT32, NANOSECONDS)

/* mount:N:io: what the partition's processes did by system calls on one mount.  rlentime, wlentime: the sum of how long
 * the calls took; they and the counts of calls by duration (each below that, and not below the one before) stay zero
 * unless mount.stats is `latency`. */
#define KSTAT_FIELDS_MOUNT_IO(N, C, S)                                                                                 \
        N(reads, UINT64, EVENTS)                                                                                       \
        N(nread, UINT64, BYTES)                                                                                        \
        N(rlentime, UINT64, NANOSECONDS)                                                                               \
        N(writes, UINT64, EVENTS)                                                                                      \
        N(nwritten, UINT64, BYTES)                                                                                     \
        N(wlentime, UINT64, NANOSECONDS)                                                                               \
        N(ops_1us, UINT64, EVENTS)                                                                                     \
        N(ops_4us, UINT64, EVENTS)                                                                                     \
        N(ops_16us, UINT64, EVENTS)                                                                                    \
        N(ops_66us, UINT64, EVENTS)                                                                                    \
        N(ops_262us, UINT64, EVENTS)                                                                                   \
        N(ops_1ms, UINT64, EVENTS)                                                                                     \
        N(ops_4ms, UINT64, EVENTS)                                                                                     \
        N(ops_17ms, UINT64, EVENTS)                                                                                    \
        N(ops_67ms, UINT64, EVENTS)                                                                                    \
        N(ops_268ms, UINT64, EVENTS)                                                                                   \
        N(ops_1s, UINT64, EVENTS)                                                                                      \
        N(ops_longer, UINT64, EVENTS)

/* mount:N:mntinfo.  The partition chose the strings: bytes that aren't printable, and backslashes, are \ooo.
 * partition: id of the one whose namespace it is in; base: 1: global made it before init. */
#define KSTAT_FIELDS_MNTINFO(N, C, S)                                                                                  \
        S(special)                                                                                                     \
        S(mountpoint)                                                                                                  \
        S(options)                                                                                                     \
        C(fstype)                                                                                                      \
        N(dev_major, UINT32, NONE)                                                                                     \
        N(dev_minor, UINT32, NONE)                                                                                     \
        N(mnt_id, UINT32, NONE)                                                                                        \
        N(unique_id, UINT64, NONE)                                                                                     \
        N(partition, UINT64, NONE)                                                                                     \
        N(base, UINT32, NONE)

#define KSTAT_FIELDS_SYSTEM_PAGES(N, C, S)                                                                             \
        N(physmem, UINT64, PAGES)                                                                                      \
        N(freemem, UINT64, PAGES)                                                                                      \
        N(availrmem, UINT64, PAGES)                                                                                    \
        N(lotsfree, UINT64, PAGES)                                                                                     \
        N(desfree, UINT64, PAGES)                                                                                      \
        N(minfree, UINT64, PAGES)                                                                                      \
        N(pp_kernel, UINT64, PAGES)                                                                                    \
        N(pagesfree, UINT64, PAGES)                                                                                    \
        N(pageslocked, UINT64, PAGES)                                                                                  \
        N(pagestotal, UINT64, PAGES)

#define KSTAT_FIELDS_CPU_INFO(N, C, S)                                                                                 \
        C(state)                                                                                                       \
        N(clock_MHz, INT32, MEGAHERTZ)                                                                                 \
        N(current_clock_Hz, UINT64, HERTZ)                                                                             \
        N(chip_id, INT32, NONE)                                                                                        \
        N(core_id, INT32, NONE)                                                                                        \
        N(family, INT32, NONE)                                                                                         \
        N(model, INT32, NONE)                                                                                          \
        N(stepping, INT32, NONE)                                                                                       \
        C(vendor_id)                                                                                                   \
        C(cpu_type)                                                                                                    \
        S(brand)

#define KSTAT_FIELDS_CPU_SYS(N, C, S)                                                                                  \
        N(cpu_ticks_idle, UINT64, TICKS)                                                                               \
        N(cpu_ticks_user, UINT64, TICKS)                                                                               \
        N(cpu_ticks_kernel, UINT64, TICKS)                                                                             \
        N(cpu_ticks_wait, UINT64, TICKS)                                                                               \
        N(cpu_nsec_idle, UINT64, NANOSECONDS)                                                                          \
        N(cpu_nsec_user, UINT64, NANOSECONDS)                                                                          \
        N(cpu_nsec_kernel, UINT64, NANOSECONDS)                                                                        \
        N(cpu_nsec_nice, UINT64, NANOSECONDS)                                                                          \
        N(pswitch, UINT64, EVENTS)                                                                                     \
        N(intr, UINT64, EVENTS)                                                                                        \
        N(sysfork, UINT64, EVENTS)                                                                                     \
        N(sysvfork, UINT64, EVENTS)                                                                                    \
        N(sysexec, UINT64, EVENTS)                                                                                     \
        N(nthreads, UINT64, EVENTS)

#define KSTAT_FIELDS_CPU_VM(N, C, S)                                                                                   \
        N(pgpgin, UINT64, PAGES)                                                                                       \
        N(pgpgout, UINT64, PAGES)                                                                                      \
        N(pgswapin, UINT64, PAGES)                                                                                     \
        N(pgswapout, UINT64, PAGES)                                                                                    \
        N(as_fault, UINT64, EVENTS)                                                                                    \
        N(maj_fault, UINT64, EVENTS)                                                                                   \
        N(scan, UINT64, PAGES)                                                                                         \
        N(dfree, UINT64, PAGES)

#define KSTAT_FIELDS_MEMORY(N, C, S)                                                                                   \
        N(usage, UINT64, BYTES)                                                                                        \
        N(limit, UINT64, BYTES)                                                                                        \
        N(swap_usage, UINT64, BYTES)                                                                                   \
        N(swap_limit, UINT64, BYTES)                                                                                   \
        N(anon, UINT64, BYTES)                                                                                         \
        N(file, UINT64, BYTES)                                                                                         \
        N(shmem, UINT64, BYTES)                                                                                        \
        N(file_mapped, UINT64, BYTES)                                                                                  \
        N(file_dirty, UINT64, BYTES)                                                                                   \
        N(file_writeback, UINT64, BYTES)                                                                               \
        N(inactive_anon, UINT64, BYTES)                                                                                \
        N(active_anon, UINT64, BYTES)                                                                                  \
        N(inactive_file, UINT64, BYTES)                                                                                \
        N(active_file, UINT64, BYTES)                                                                                  \
        N(unevictable, UINT64, BYTES)                                                                                  \
        N(slab_reclaimable, UINT64, BYTES)                                                                             \
        N(slab_unreclaimable, UINT64, BYTES)                                                                           \
        N(kernel_stack, UINT64, BYTES)                                                                                 \
        N(page_tables, UINT64, BYTES)                                                                                  \
        N(percpu, UINT64, BYTES)                                                                                       \
        N(vmalloc, UINT64, BYTES)                                                                                      \
        N(anon_thp, UINT64, BYTES)

#define KSTAT_FIELDS_VMSTAT(N, C, S)                                                                                   \
        N(pgfault, UINT64, EVENTS)                                                                                     \
        N(pgmajfault, UINT64, EVENTS)                                                                                  \
        N(pgpgin, UINT64, PAGES)                                                                                       \
        N(pgpgout, UINT64, PAGES)                                                                                      \
        N(pswpin, UINT64, PAGES)                                                                                       \
        N(pswpout, UINT64, PAGES)                                                                                      \
        N(pgscan, UINT64, PAGES)                                                                                       \
        N(pgsteal, UINT64, PAGES)                                                                                      \
        N(oom_kill, UINT64, EVENTS)

#define KSTAT_FIELDS_PROCESSES(N, C, S)                                                                                \
        N(threads, UINT32, COUNT)                                                                                      \
        N(running, UINT32, COUNT)                                                                                      \
        N(blocked, UINT32, COUNT)                                                                                      \
        N(last_pid, UINT32, NONE)                                                                                      \
        N(made, UINT64, EVENTS)                                                                                        \
        N(execs, UINT64, EVENTS)

#define KSTAT_FIELDS_SWITCHES(N, C, S)                                                                                 \
        N(total, UINT64, EVENTS)                                                                                       \
        N(voluntary, UINT64, EVENTS)                                                                                   \
        N(involuntary, UINT64, EVENTS)

#define KSTAT_FIELDS_LOAD(N, C, S)                                                                                     \
        N(load_1min, UINT32, LOAD)                                                                                     \
        N(load_5min, UINT32, LOAD)                                                                                     \
        N(load_15min, UINT32, LOAD)

#define KSTAT_FIELDS_PRESSURE(N, C, S)                                                                                 \
        N(some_avg10, UINT32, PERCENT_100)                                                                             \
        N(some_avg60, UINT32, PERCENT_100)                                                                             \
        N(some_avg300, UINT32, PERCENT_100)                                                                            \
        N(some_total, UINT64, NANOSECONDS)                                                                             \
        N(full_avg10, UINT32, PERCENT_100)                                                                             \
        N(full_avg60, UINT32, PERCENT_100)                                                                             \
        N(full_avg300, UINT32, PERCENT_100)                                                                            \
        N(full_total, UINT64, NANOSECONDS)

#define KSTAT_FIELDS_CAPS(N, C, S)                                                                                     \
        N(memory_usage, UINT64, BYTES)                                                                                 \
        N(memory_limit, UINT64, BYTES)                                                                                 \
        N(swap_limit, UINT64, BYTES)                                                                                   \
        N(pids_usage, UINT64, COUNT)                                                                                   \
        N(pids_limit, UINT64, COUNT)                                                                                   \
        N(cpu_quota, UINT64, NANOSECONDS)                                                                              \
        N(cpu_period, UINT64, NANOSECONDS)                                                                             \
        N(cpu_periods, UINT64, EVENTS)                                                                                 \
        N(cpu_throttled, UINT64, EVENTS)                                                                               \
        N(cpu_throttled_time, UINT64, NANOSECONDS)

#define KSTAT_FIELDS_PARTITION_MISC(N, C, S)                                                                           \
        N(partition_id, UINT64, NONE)                                                                                  \
        N(boot_time, UINT64, SECONDS)                                                                                  \
        N(uptime, UINT64, NANOSECONDS)                                                                                 \
        N(nsec_user, UINT64, NANOSECONDS)                                                                              \
        N(nsec_sys, UINT64, NANOSECONDS)                                                                               \
        N(avenrun_1min, UINT32, LOAD)                                                                                  \
        N(avenrun_5min, UINT32, LOAD)                                                                                  \
        N(avenrun_15min, UINT32, LOAD)                                                                                 \
        N(nproc, UINT32, COUNT)

#define KSTAT_FIELDS_NET_IP(N, C, S)                                                                                   \
        N(inReceives, UINT64, EVENTS)                                                                                  \
        N(inHdrErrors, UINT64, EVENTS)                                                                                 \
        N(inAddrErrors, UINT64, EVENTS)                                                                                \
        N(inDiscards, UINT64, EVENTS)                                                                                  \
        N(inDelivers, UINT64, EVENTS)                                                                                  \
        N(outRequests, UINT64, EVENTS)                                                                                 \
        N(outDiscards, UINT64, EVENTS)                                                                                 \
        N(outNoRoutes, UINT64, EVENTS)                                                                                 \
        N(forwDatagrams, UINT64, EVENTS)                                                                               \
        N(inOctets, UINT64, BYTES)                                                                                     \
        N(outOctets, UINT64, BYTES)

#define KSTAT_FIELDS_NET_TCP(N, C, S)                                                                                  \
        N(activeOpens, UINT64, EVENTS)                                                                                 \
        N(passiveOpens, UINT64, EVENTS)                                                                                \
        N(attemptFails, UINT64, EVENTS)                                                                                \
        N(estabResets, UINT64, EVENTS)                                                                                 \
        N(currEstab, UINT64, COUNT)                                                                                    \
        N(inSegs, UINT64, EVENTS)                                                                                      \
        N(outSegs, UINT64, EVENTS)                                                                                     \
        N(retransSegs, UINT64, EVENTS)                                                                                 \
        N(inErrs, UINT64, EVENTS)                                                                                      \
        N(outRsts, UINT64, EVENTS)

#define KSTAT_FIELDS_NET_UDP(N, C, S)                                                                                  \
        N(inDatagrams, UINT64, EVENTS)                                                                                 \
        N(noPorts, UINT64, EVENTS)                                                                                     \
        N(inErrors, UINT64, EVENTS)                                                                                    \
        N(outDatagrams, UINT64, EVENTS)                                                                                \
        N(rcvbufErrors, UINT64, EVENTS)                                                                                \
        N(sndbufErrors, UINT64, EVENTS)

#define KSTAT_FIELDS_NET_ICMP(N, C, S)                                                                                 \
        N(inMsgs, UINT64, EVENTS)                                                                                      \
        N(inErrors, UINT64, EVENTS)                                                                                    \
        N(inDestUnreachs, UINT64, EVENTS)                                                                              \
        N(inEchos, UINT64, EVENTS)                                                                                     \
        N(inEchoReps, UINT64, EVENTS)                                                                                  \
        N(outMsgs, UINT64, EVENTS)                                                                                     \
        N(outErrors, UINT64, EVENTS)                                                                                   \
        N(outDestUnreachs, UINT64, EVENTS)                                                                             \
        N(outEchos, UINT64, EVENTS)                                                                                    \
        N(outEchoReps, UINT64, EVENTS)

/* An interface, as its own network namespace sees it.  Those without 64: the lower half, as illumos has them. */
#define KSTAT_FIELDS_LINK(N, C, S)                                                                                     \
        N(ipackets64, UINT64, EVENTS)                                                                                  \
        N(opackets64, UINT64, EVENTS)                                                                                  \
        N(rbytes64, UINT64, BYTES)                                                                                     \
        N(obytes64, UINT64, BYTES)                                                                                     \
        N(ipackets, UINT32, EVENTS)                                                                                    \
        N(opackets, UINT32, EVENTS)                                                                                    \
        N(rbytes, UINT32, BYTES)                                                                                       \
        N(obytes, UINT32, BYTES)                                                                                       \
        N(mtu, UINT32, BYTES)                                                                                          \
        N(link_up, UINT32, NONE)                                                                                       \
        N(ifindex, UINT32, NONE)

/* Every schema: number, name of its structure, list.  Numbers are for ever. */
#define KSTAT_SCHEMAS(X)                                                                                               \
        X(1, system_misc, KSTAT_FIELDS_SYSTEM_MISC)                                                                    \
        X(2, system_pages, KSTAT_FIELDS_SYSTEM_PAGES)                                                                  \
        X(3, cpu_info, KSTAT_FIELDS_CPU_INFO)                                                                          \
        X(4, cpu_sys, KSTAT_FIELDS_CPU_SYS)                                                                            \
        X(5, cpu_vm, KSTAT_FIELDS_CPU_VM)                                                                              \
        X(6, memory, KSTAT_FIELDS_MEMORY)                                                                              \
        X(7, vmstat, KSTAT_FIELDS_VMSTAT)                                                                              \
        X(8, processes, KSTAT_FIELDS_PROCESSES)                                                                        \
        X(9, load, KSTAT_FIELDS_LOAD)                                                                                  \
        X(10, pressure, KSTAT_FIELDS_PRESSURE)                                                                         \
        X(11, caps, KSTAT_FIELDS_CAPS)                                                                                 \
        X(12, partition_misc, KSTAT_FIELDS_PARTITION_MISC)                                                             \
        X(13, net_ip, KSTAT_FIELDS_NET_IP)                                                                             \
        X(14, net_tcp, KSTAT_FIELDS_NET_TCP)                                                                           \
        X(15, net_udp, KSTAT_FIELDS_NET_UDP)                                                                           \
        X(16, net_icmp, KSTAT_FIELDS_NET_ICMP)                                                                         \
        X(17, switches, KSTAT_FIELDS_SWITCHES)                                                                         \
        X(20, link, KSTAT_FIELDS_LINK)                                                                                 \
        X(30, mount_io, KSTAT_FIELDS_MOUNT_IO)                                                                         \
        X(31, mntinfo, KSTAT_FIELDS_MNTINFO)

#define KSTAT_STRUCT_N(name, type, unit) __s64 name;
#define KSTAT_STRUCT_C(name) char name[16];
#define KSTAT_STRUCT_S(name) char name[KSTAT_STRING_SIZE];
#define KSTAT_STRUCT(number, name, fields)                                                                             \
        struct kstat_data_##name {                                                                                     \
                fields(KSTAT_STRUCT_N, KSTAT_STRUCT_C, KSTAT_STRUCT_S)                                                 \
        };                                                                                                             \
        _Static_assert(sizeof(struct kstat_data_##name) <= KSTAT_LARGE_DATA, "data");
KSTAT_SCHEMAS(KSTAT_STRUCT)

#define KSTAT_NUMBER(number, name, fields) KSTAT_SCHEMA_##name = number,
enum kstat_schema { KSTAT_SCHEMA_NONE = 0, KSTAT_SCHEMAS(KSTAT_NUMBER) };

/* Who fills the data of a structure at the moment of a read.  X(name in capitals, function, type of its data): the name
 * of the source is KSTAT_SOURCE_name. */
#define KSTAT_SOURCES(X)                                                                                               \
        X(SYSTEM_MISC, system_misc, struct kstat_data_system_misc)                                                     \
        X(SYSTEM_PAGES, system_pages, struct kstat_data_system_pages)                                                  \
        X(VAR, var, struct illumos_var)                                                                                \
        X(CPU_SYS, cpu_sys, struct kstat_data_cpu_sys)                                                                 \
        X(CPU_VM, cpu_vm, struct kstat_data_cpu_vm)                                                                    \
        X(CPU_STAT, cpu_stat, struct illumos_cpu_stat)                                                                 \
        X(MEMORY, memory, struct kstat_data_memory)                                                                    \
        X(VMSTAT, vmstat, struct kstat_data_vmstat)                                                                    \
        X(PROCESSES, processes, struct kstat_data_processes)                                                           \
        X(LOAD, load, struct kstat_data_load)                                                                          \
        X(PRESSURE, pressure, struct kstat_data_pressure)                                                              \
        X(IO, io, struct illumos_io)                                                                                   \
        X(CAPS, caps, struct kstat_data_caps)                                                                          \
        X(PARTITION_MISC, partition_misc, struct kstat_data_partition_misc)                                            \
        X(NET_IP, net_ip, struct kstat_data_net_ip)                                                                    \
        X(NET_TCP, net_tcp, struct kstat_data_net_tcp)                                                                 \
        X(NET_UDP, net_udp, struct kstat_data_net_udp)                                                                 \
        X(NET_ICMP, net_icmp, struct kstat_data_net_icmp)                                                              \
        X(LINK, link, struct kstat_data_link)                                                                          \
        X(VMINFO, vminfo, struct illumos_vminfo)                                                                       \
        X(SYSINFO, sysinfo, struct illumos_sysinfo)                                                                    \
        X(CPU_INTR, cpu_intr, struct illumos_intr)                                                                     \
        X(CALL_TIMER, call_timer, struct illumos_timer)                                                                \
        X(OWN_DISK, own_disk, struct illumos_io)                                                                       \
        X(SWITCHES, switches, struct kstat_data_switches)

#define KSTAT_SOURCE_NUMBER(name, function, type) KSTAT_SOURCE_##name,
enum kstat_source {
        KSTAT_SOURCE_STORED = 0,                                  /* what was stored with it */
        KSTAT_SOURCES(KSTAT_SOURCE_NUMBER) KSTAT_SOURCE_MOUNT_IO, /* argument: key in kstat_mounts (mount.bpf.h) */
        KSTAT_SOURCE_MNTINFO,                                     /* likewise */
        KSTAT_SOURCE_MAX
};

#endif
