/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * kstat.bpf.h - statistics in the kernel: what programs, croftd and libkstat share.
 *
 * A structure ("kstat") is a head, data, and the partitions that it is associated with.  Callers ask by running one of
 * two pinned programs, `kstat` or `kstat_large` (BPF_PROG_RUN); which partition asks is what the kernel knows of the
 * caller at that moment.  Nobody but croftd writes the maps.
 *
 * What is seen changes in one step: associations carry the generations from and until which they hold, chains the
 * generation from which their list does, and one number says which generation is in force.
 *
 * Layouts are fixed: libkstat inside a partition may be older than the plane.  KSTAT_LAYOUT changes with them.
 */
#ifndef CROFT_KSTAT_KSTAT_BPF_H
#define CROFT_KSTAT_KSTAT_BPF_H

#include <linux/types.h>

#define KSTAT_LAYOUT 3
#define KSTAT_NAME_SIZE 32 /* 31 bytes and a NUL, as KSTAT_STRLEN (KST-20) */
#define KSTAT_ALL (~0ULL)  /* stands for every partition, global among them */
#define KSTAT_SMALL_DATA 512
#define KSTAT_LARGE_DATA 4096
#define KSTAT_MAX 262144 /* half of it at most for mounts: MOUNTS_MAX */
#define KSTAT_PER_PARTITION_MAX 4096
#define KSTAT_ASSOCIATIONS_MAX 524288
#define KSTAT_SCHEMA_PAGES_MAX 1024

enum kstat_op {
        KSTAT_OP_CHAIN = 1, /* kcid, and how many structures the caller sees (total) */
        KSTAT_OP_LIST,      /* page `at` of the caller's kids, rising, in data (u64 each); n of them (a page needn't be
                               full), total in all pages */
        KSTAT_OP_READ,      /* by kid: head and data */
        KSTAT_OP_FIND,      /* by module, instance and name: head and data */
        KSTAT_OP_SCHEMA, /* fields of schema `kid` from number `at` on, in data (struct kstat_field each); n of them */
        KSTAT_OP_WRITE,  /* always refused: -EPERM for a partition, -EACCES for global (nothing is writable yet) */
};

enum kstat_type { KSTAT_RAW = 0, KSTAT_NAMED, KSTAT_INTR, KSTAT_IO, KSTAT_TIMER }; /* illumos's numbers */

enum kstat_flag { /* illumos's bits */
        KSTAT_VIRTUAL = 0x01,
        KSTAT_VAR = 0x02,
        KSTAT_WRITE = 0x04,
        KSTAT_PERSIST = 0x08,
        KSTAT_DORMANT = 0x10,
        KSTAT_INVALID_FLAG = 0x20,
};

struct kstat_key {
        char module[KSTAT_NAME_SIZE]; /* NUL-filled */
        char name[KSTAT_NAME_SIZE];
        __s32 instance;
        __u32 reserved; /* 0 */
};
_Static_assert(sizeof(struct kstat_key) == 72, "layout");

struct kstat_head {
        __u64 kid; /* rising, never given again */
        struct kstat_key key;
        char class[KSTAT_NAME_SIZE];
        __u8 type;    /* enum kstat_type */
        __u8 flags;   /* enum kstat_flag */
        __u16 schema; /* of a NAMED one; 0: none */
        __u32 n_data; /* values of a NAMED one, else 1 */
        __u32 size;   /* bytes of data */
        __u32 reserved;
        __s64 crtime;   /* CLOCK_MONOTONIC, ns; a record's the machine's, an answer's of who asks */
        __s64 snaptime; /* likewise; set at each read */
};
_Static_assert(sizeof(struct kstat_head) == 144, "layout");

/* What data of a NAMED structure holds at `offset`.  Strings are NUL-filled. */
struct kstat_field {
        char name[KSTAT_NAME_SIZE];
        __u8 type;    /* enum kstat_data */
        __u8 unit;    /* enum kstat_unit */
        __u16 offset; /* in data */
        __u16 size;   /* 8; 16 for CHAR; a multiple of 8 for STRING, the NUL included */
        __u16 reserved;
};
_Static_assert(sizeof(struct kstat_field) == 40, "layout");

/* illumos's numbers.  In data all but CHAR and STRING take 8 bytes, 32-bit ones too. */
enum kstat_data {
        KSTAT_DATA_CHAR = 0,
        KSTAT_DATA_INT32,
        KSTAT_DATA_UINT32,
        KSTAT_DATA_INT64,
        KSTAT_DATA_UINT64,
        KSTAT_DATA_STRING = 9,
};

enum kstat_unit {
        KSTAT_UNIT_NONE = 0, /* text, ids, states */
        KSTAT_UNIT_COUNT,    /* things there are */
        KSTAT_UNIT_EVENTS,   /* things that happened: never decreases */
        KSTAT_UNIT_BYTES,
        KSTAT_UNIT_PAGES,
        KSTAT_UNIT_NANOSECONDS,
        KSTAT_UNIT_TICKS, /* 1/100 s */
        KSTAT_UNIT_SECONDS,
        KSTAT_UNIT_LOAD, /* 1/256, as illumos's avenrun */
        KSTAT_UNIT_HERTZ,
        KSTAT_UNIT_MEGAHERTZ,
        KSTAT_UNIT_PERCENT_100, /* 1/100 of a percent */
        KSTAT_UNIT_BITS_PER_SECOND,
};

/* The context of the programs.  The caller fills the first group; the rest is filled when the program returns 0, and on
 * -ENOMEM (head, so that size tells what is needed: run kstat_large).
 * Return values: 0; -ENXIO: there is none, or none of yours (C-12); -EAGAIN: it is just being changed, ask again;
 * -ENOMEM; -EPERM; -EACCES; -EINVAL: no such op, or a page beyond the last; -ESRCH: `partition` names none (global);
 * all leave data untouched but for zeros. */
struct kstat_call {
        __u32 op; /* enum kstat_op */
        __u32 at; /* LIST: page; SCHEMA: number of the first field */
        __u64 kid;
        struct kstat_key key;
        __u64 partition; /* global may ask for one partition's private structures by adding it to the key: its id
                            (KST-8); 0: its own.  -EPERM from inside a partition unless 0. */
        /* answers */
        __u64 kcid;
        __u64 caller; /* the partition that was answered for; 0: global */
        __u32 n;
        __u32 total;
        struct kstat_head head;
        __u8 data[KSTAT_SMALL_DATA];
};
_Static_assert(sizeof(struct kstat_call) == 776, "layout");

struct kstat_call_large {
        struct kstat_call call; /* its data goes on in more */
        __u8 more[KSTAT_LARGE_DATA - KSTAT_SMALL_DATA];
};
_Static_assert(sizeof(struct kstat_call_large) == 4360, "layout");

/* The other way to the same answers, for callers that may not use bpf(2): two options of any socket, of this level.
 * setsockopt(2) of KSTAT_SOCKOPT_CALL takes the first group of a struct kstat_call, of just that size, and keeps it
 * with the socket; getsockopt(2) answers it with a whole struct kstat_call, each time anew and to the one who calls
 * then. The request comes back with the answer, so that those who share a socket can tell whose it is; what the program
 * `kstat` would have returned is in the upper half of op.  ENOPROTOOPT and EOPNOTSUPP: not here, or nothing was asked.
 * What needs `kstat_large` can't be read this way: the kernel hands one page over. */
#define KSTAT_SOCKOPT_LEVEL 0x63726f66 /* "crof" */
#define KSTAT_SOCKOPT_CALL 1
#define KSTAT_SOCKOPT_OP 0xffffU /* the lower half; -EINVAL if there was more */
#define KSTAT_SOCKOPT_RESULT(call) (-(int)((call)->op >> 16))

struct kstat_request { /* the first group of a struct kstat_call */
        __u32 op;
        __u32 at;
        __u64 kid;
        struct kstat_key key;
        __u64 partition;
};
_Static_assert(sizeof(struct kstat_request) == 96, "layout");

#define KSTAT_PAGE_KIDS 64   /* of LIST */
#define KSTAT_PAGE_FIELDS 12 /* of SCHEMA */

/* --- maps; only croftd and the programs --- */

/* `kstat_records`: kid leads to this.  A source other than KSTAT_SOURCE_STORED fills data at the moment of the read. */
struct kstat_record {
        __u64 version; /* of this content, never twice the same */
        struct kstat_head head;
        __u32 source; /* enum kstat_source, catalogue.bpf.h */
        __u32 reserved;
        __u64 subject;  /* the partition that a source tells about; 0: the machine */
        __u64 argument; /* of the source: number of a CPU, a device ... */
        __u8 data[KSTAT_SMALL_DATA];
};
_Static_assert(sizeof(struct kstat_record) == 688, "layout");

/* `kstat_state`, its only entry.  One store of generation puts all that was prepared for it into force at once, for
 * every partition. */
struct kstat_state {
        __u64 generation;
        __u64 next_kid;
        __u64 next_version;
        __u64 next_page;
        __u64 refused; /* structures and associations that found no room (C-15) */
        __u32 layout;  /* KSTAT_LAYOUT */
        __u32 level;   /* as plane_info */
};

/* In force while from <= generation < until. */
struct kstat_span {
        __u64 from, until;
};

/* `kstat_members`: may that partition see that structure? */
struct kstat_member_key {
        __u64 partition; /* or KSTAT_ALL */
        __u64 kid;
};

/* `kstat_index`: what that partition means by those keys. */
struct kstat_index_key {
        struct kstat_key key;
        __u64 partition;
};
struct kstat_index_value {
        __u64 kid;
        struct kstat_span span;
};

/* A list as it stands under one chain id. */
struct kstat_list {
        __u64 kcid; /* rises with this partition's changes alone: nobody else's show (KST-26) */
        __u32 total;
        __u32 pages;
};

/* `kstat_chains`: one for each partition that is on record here, and for global. */
struct kstat_chain {
        __u64 from; /* the generation from which next is in force; before it, last */
        struct kstat_list last, next;
};

/* `kstat_pages`: pages of kids, which several lists in a row share, and for each list pages that say which they are. */
enum kstat_page_level { KSTAT_PAGE_OF_KIDS, KSTAT_PAGE_OF_PAGES };
struct kstat_page_key {
        __u64 partition;
        __u64 number; /* of kids: the page's own; of pages: the list's kcid */
        __u32 level;  /* enum kstat_page_level */
        __u32 table;  /* of pages: which of them */
};
struct kstat_page {
        __u64 kids[KSTAT_PAGE_KIDS]; /* rising, 0 behind the last; of pages: KSTAT_PAGE_REFERENCE */
};
#define KSTAT_PAGE_REFERENCE(number, n) ((number) << 8 | (n)) /* with the number of its kids, 1 to KSTAT_PAGE_KIDS */
#define KSTAT_PAGE_NUMBER(reference) ((reference) >> 8)
#define KSTAT_PAGE_SIZE(reference) ((__u32)(reference)&0xff)

/* `kstat_schemas`. */
struct kstat_schema_key {
        __u32 schema;
        __u32 page; /* KSTAT_PAGE_FIELDS a page */
};
struct kstat_schema_page {
        __u32 n;
        __u32 total;
        struct kstat_field fields[KSTAT_PAGE_FIELDS];
};

/* `kstat_objects`: where the kernel keeps what belongs to a partition: addresses, found by a task iterator on its first
 * process (objects.h) and only ever read by bpf_probe_read_kernel(), so that one which is out of date can't hurt: a
 * group is passed over when it isn't the one any more that was found.  Partition 0: the roots.  0: not here. */
enum kstat_css {
        KSTAT_CSS_MEMORY,  /* struct mem_cgroup */
        KSTAT_CSS_CPU,     /* struct task_group */
        KSTAT_CSS_CPUACCT, /* struct cpuacct, v1 */
        KSTAT_CSS_CPUSET,
        KSTAT_CSS_PIDS,
        KSTAT_CSS_IO, /* struct blkcg */
        KSTAT_CSS_MAX
};
struct kstat_objects {
        __u64 cgroup; /* unified */
        __u64 cgroup_id;
        __u64 css[KSTAT_CSS_MAX];
        __u64 serial[KSTAT_CSS_MAX]; /* serial_nr of each */
        __u64 net;                   /* struct net */
        __u64 pidns;                 /* struct pid_namespace */
        __s64 boot_ns;               /* CLOCK_BOOTTIME of the host when its clocks began */
        __s64 began_s;               /* the same by the clock on the wall, seconds since 1970 */
        __u32 v1;                    /* bit N: css[N] is in a hierarchy of its own */
        __u32 net_inum;              /* of net */
        __u64 psi;                   /* of the machine: struct psi_group; of a partition 0: its cgroup has it */
};
_Static_assert(sizeof(struct kstat_objects) == 160, "layout");

#endif
