/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * catalogue.bpf.h - what is in the data of each NAMED statistic: one list of fields each, from which come the layout
 * that the programs fill and the schema that readers get.
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

/* Every schema: number, name of its structure, list.  Numbers are for ever. */
#define KSTAT_SCHEMAS(X)                                                                                               \
        X(1, system_misc, KSTAT_FIELDS_SYSTEM_MISC)                                                                    \
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

/* Who fills the data of a structure. */
enum kstat_source {
        KSTAT_SOURCE_STORED = 0, /* what was stored with it */
        KSTAT_SOURCE_SYSTEM_MISC,
        KSTAT_SOURCE_MOUNT_IO, /* argument: key in kstat_mounts (mount.bpf.h) */
        KSTAT_SOURCE_MNTINFO,  /* likewise */
        KSTAT_SOURCE_MAX
};

#endif
