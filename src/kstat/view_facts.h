/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_facts.h - facts about the host as they are in memory; for facts.c, which collects them, and for the views.
 *
 * Texts are borrowed from the mapping that was decoded, so that all wardens share them.  Invariant after decoding:
 * every text and every list of files lies in that mapping, counts are within the bounds below, cpus and disks rise.
 */
#ifndef CROFT_KSTAT_VIEW_FACTS_H
#define CROFT_KSTAT_VIEW_FACTS_H

#include "base/wire.h"
#include "kstat/view.h"

#define FACTS_MAGIC 0x66726331 /* "1crf" */
#define FACTS_NAMES_MAX 1024   /* lines of meminfo, of vmstat */
#define FACTS_FILES_MAX 512    /* below one directory of sysfs */
#define FACTS_DISKS_MAX 4096
#define FACTS_TEXT_MAX 16384

struct facts_text {
        const char *text; /* not NUL-ended */
        uint32_t size;
};

enum facts_file_kind {
        FACTS_FILE_TEXT,      /* the text itself */
        FACTS_FILE_MASK,      /* CPUs, of which the partition's own are shown: 32 bits a word */
        FACTS_FILE_MASK_LIST, /* likewise, as ranges */
        FACTS_FILE_KINDS
};

/* A file of sysfs.  In the encoding: path below the directory, kind, and text or four words of mask. */
struct facts_file {
        struct facts_text path; /* "cache/index0/size" */
        enum facts_file_kind kind;
        struct facts_text text;
        uint64_t cpus[KSTAT_CPUS_MAX / 64];
};

/* Files of one directory and what is below, sorted by path; read with facts_files_at(), not unpacked. */
struct facts_files {
        const uint8_t *data;
        uint32_t size, n;
};

struct facts_cpu {
        uint32_t number, package, core; /* number < KSTAT_CPUS_MAX */
        struct facts_text cpuinfo;      /* its block of /proc/cpuinfo, "processor" line first, no empty line */
        struct facts_files files;       /* of /sys/devices/system/cpu/cpuN */
};

struct facts_disk {
        uint32_t major, minor;
        uint64_t size_bytes;
        uint32_t rotational, sector_bytes;
        struct facts_text name, driver; /* "sda", "sd" */
};

struct view_facts {
        uint32_t user_hz, page_bytes, n_possible; /* n_possible: CPUs in the kernel's masks */
        uint32_t overcommit_ratio, schedstat_version;
        uint64_t memory_bytes, swap_bytes, hugepage_bytes, vmalloc_bytes,
                block_bytes;                 /* block: of hot-plugged memory */
        uint64_t seed[2];                    /* from the host's boot id, one way */
        struct facts_text *meminfo, *vmstat; /* names of their lines, in the kernel's order */
        uint32_t n_meminfo, n_vmstat;
        struct facts_files system_cpu; /* of /sys/devices/system/cpu, the host's own */
        struct facts_cpu *cpus;
        uint32_t n_cpus;
        struct facts_disk *disks;
        uint32_t n_disks;
};

/* The next file of a list that was checked when it was decoded: begin with an *at of 0; false: there are no more. */
bool facts_files_next(const struct facts_files *files, uint32_t *at, struct facts_file *ret);
/* NULL: the host had no such CPU, no such disk. */
const struct facts_cpu *facts_cpu_find(const struct view_facts *facts, unsigned int number);
const struct facts_disk *facts_disk_find(const struct view_facts *facts, uint32_t major, uint32_t minor);

/* The encoding of facts; the writer keeps the fault. */
void facts_encode(struct wire_writer *w, const struct view_facts *facts);
void facts_file_encode(struct wire_writer *w, const struct facts_file *file);

/* facts.c: appends the facts of the host whose root is root_fd.  0 or -ENOMEM. */
int facts_collect(int root_fd, struct wire_writer *w);

#endif
