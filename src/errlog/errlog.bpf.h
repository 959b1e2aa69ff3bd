/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * errlog.bpf.h - the record of errors in the kernel: layouts that programs, croftd, libcroft and their successors
 * share.
 *
 * Each partition has a book of its own (0: global's).  Who writes is what the kernel says at the time of the call
 * (C-1): a process in a partition writes into that partition's book and reads it, and no other; one in global may name
 * any. Numbers in a book count what was recorded, in true order.  A book has room for ERRLOG_OWN_MAX records by its own
 * partition and, apart from that, for ERRLOG_RESERVED_MAX by the kernel and by global: what finds no room is refused
 * and counted, and what is there stays (ERR-25, ERR-26).
 *
 * Whoever changes a structure raises ERRLOG_LAYOUT.
 */
#ifndef CROFT_ERRLOG_ERRLOG_BPF_H
#define CROFT_ERRLOG_ERRLOG_BPF_H

#include <linux/types.h>

#define ERRLOG_LAYOUT 2
#define ERRLOG_OWN_MAX 64
#define ERRLOG_RESERVED_MAX 96
#define ERRLOG_SLOTS (ERRLOG_OWN_MAX + ERRLOG_RESERVED_MAX)

#define ERRLOG_COMPONENT 24
#define ERRLOG_HOST 64
#define ERRLOG_CATALOGUE 64
#define ERRLOG_FORMAT 128
#define ERRLOG_ARGS 280
#define ERRLOG_ARGS_MAX 16

enum errlog_source {
        ERRLOG_KERNEL = 1,
        ERRLOG_LIBRARY,
        ERRLOG_PROGRAM,
        ERRLOG_SCRIPT,
        ERRLOG_REMOTE,
};

enum errlog_severity { ERRLOG_ERROR, ERRLOG_WARNING, ERRLOG_INFO };

/* One record.  Text is NUL-filled, and not ended by NUL when it fills its field.  Written by a partition: nothing below
 * the first group can be trusted to be anything. */
struct errlog_record {
        /* by the kernel */
        __u64 partition;
        __u64 seq; /* from 1; 0: there is none here, or it is being written */
        __u64 attempt;
        __u64 cause;                  /* seq of the record that led to this one, 0: none; always less than seq */
        __s64 boot_ns;                /* CLOCK_BOOTTIME; in an answer of who asks */
        __u32 pid, tid;               /* 0 where a partition reads */
        __u32 pid_inside, tid_inside; /* as its own pid namespace has them */
        __u8 source;                  /* enum errlog_source */
        /* by the recorder */
        __u8 severity; /* enum errlog_severity */
        __u8 n_args;
        __u8 part;    /* enum errlog_part: whose room it takes; by the kernel */
        __s32 errnum; /* 0: none */
        __u32 set, number;
        __u16 args_size; /* bytes of args in use */
        __u16 reserved1;
        __u32 far_seq; /* of ERRLOG_REMOTE: its number in the record there */
        char component[ERRLOG_COMPONENT];
        char host[ERRLOG_HOST]; /* of ERRLOG_REMOTE: who found it */
        char catalogue[ERRLOG_CATALOGUE];
        char format[ERRLOG_FORMAT];
        __u8 args[ERRLOG_ARGS]; /* packed: base/message.h */
};
_Static_assert(sizeof(struct errlog_record) == 640, "layout");

enum errlog_part { ERRLOG_PART_OWN, ERRLOG_PART_RESERVED };

/* Where a record is: slots 0 to ERRLOG_OWN_MAX - 1 are the partition's own, those from there on reserved.  What has
 * been in use stays in the map, blank, until the book goes: to put it there is the dearest part of recording. */
struct errlog_key {
        __u64 partition;
        __u64 slot;
};

/* A partition's book. */
struct errlog_book {
        __u64 layout; /* ERRLOG_LAYOUT */
        __u64 first;  /* there is no record before this one */
        __u64 next;   /* the number that the next one gets */
        __u64 ended;  /* how many were written or given up; next - 1: nobody is writing just now */
        __u64 attempt;
        __s64 attempt_ns;   /* when that began, CLOCK_BOOTTIME; in an answer of who asks */
        __u64 refused[2];   /* by enum errlog_part, since the attempt began */
        __u64 used[4];      /* a bit for each slot with a record, or one that is being written */
        char operation[16]; /* of the attempt: "start" */
        char name[64];      /* the partition's */
};
_Static_assert(sizeof(struct errlog_book) == 176 && ERRLOG_SLOTS <= 4 * 64 && ERRLOG_OWN_MAX == 64, "layout");

enum errlog_op {
        ERRLOG_OP_BOOK = 1, /* fills book.  ESRCH: there is none */
        ERRLOG_OP_READ,   /* the first record from number seq on into record.  ENOENT: none; EAGAIN: it has just gone */
        ERRLOG_OP_WRITE,  /* record: by the recorder's half.  ENOMEM: no room, counted; EINVAL.  seq: its number */
        ERRLOG_OP_REMOVE, /* global only: record number seq goes, and is in record.  ENOENT */
        ERRLOG_OP_CLEAR,  /* global only: all that is there goes, and nothing was refused since */
        ERRLOG_OP_BEGIN,  /* the same, and a new attempt begins: operation of book; book is filled */
        ERRLOG_OP_NAME,   /* global only: name of book becomes the partition's */
};

/* The context of program `errlog`, which returns 0 or a negative errno.  EPERM: another's book, or neither a partition
 * nor global; ESRCH: no such book. */
struct errlog_call {
        struct errlog_record record; /* first: programs can't reckon with the context's address */
        struct errlog_book book;
        __u32 op;
        __u32 reserved;
        __u64 partition; /* whose book; 0: the caller's own */
        __u64 seq;
};
_Static_assert(sizeof(struct errlog_call) == 840, "layout");

#endif
