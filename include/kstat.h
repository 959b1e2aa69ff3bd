/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstat.h - libkstat: statistics of the kernel, for programs written for Solaris and illumos, which compile unchanged.
 *
 * kstat_open() gives the chain of headers that the calling process may see; which partition asks is what the kernel
 * knows of the caller at each call.  kstat_read() fetches the data of one.  Link with -lkstat (pkg-config libkstat).
 *
 * What programs need of <sys/sysinfo.h>, <sys/var.h>, <sys/loadavg.h> and <sys/kstat.h> is in croft/illumos: add
 * `pkg-config --variable=illumosdir libkstat` to the include path (it hides the C library's <sys/sysinfo.h>).
 *
 * Functions that return an integer return -1 and set errno on failure.  A kstat_ctl_t belongs to one thread at a time.
 */
#ifndef CROFT_LIBKSTAT_KSTAT_H
#define CROFT_LIBKSTAT_KSTAT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned char uchar_t;
typedef unsigned int uint_t;
typedef unsigned long ulong_t;
typedef long long longlong_t;
typedef unsigned long long u_longlong_t;
typedef long long hrtime_t; /* nanoseconds of CLOCK_MONOTONIC */
typedef int kid_t;

#define KSTAT_STRLEN 31 /* with the NUL */

#define KSTAT_TYPE_RAW 0
#define KSTAT_TYPE_NAMED 1
#define KSTAT_TYPE_INTR 2
#define KSTAT_TYPE_IO 3
#define KSTAT_TYPE_TIMER 4
#define KSTAT_NUM_TYPES 5

#define KSTAT_FLAG_VIRTUAL 0x01
#define KSTAT_FLAG_VAR_SIZE 0x02
#define KSTAT_FLAG_WRITABLE 0x04
#define KSTAT_FLAG_PERSISTENT 0x08
#define KSTAT_FLAG_DORMANT 0x10
#define KSTAT_FLAG_INVALID 0x20

typedef struct kstat {
        hrtime_t ks_crtime;           /* when it was made */
        struct kstat *ks_next;        /* NULL: the last */
        kid_t ks_kid;                 /* rises along the chain */
        char ks_module[KSTAT_STRLEN]; /* a name of 31 bytes is cut to 30 here */
        uchar_t ks_resv;
        int ks_instance;
        char ks_name[KSTAT_STRLEN];
        uchar_t ks_type; /* KSTAT_TYPE_ */
        char ks_class[KSTAT_STRLEN];
        uchar_t ks_flags;     /* KSTAT_FLAG_ */
        void *ks_data;        /* of the last kstat_read(); NULL before the first */
        uint_t ks_ndata;      /* values of a NAMED one, else records */
        size_t ks_data_size;  /* bytes that ks_data takes */
        hrtime_t ks_snaptime; /* when ks_data was taken */
        /* not for programs */
        int (*ks_update)(struct kstat *, int);
        void *ks_private;
        int (*ks_snapshot)(struct kstat *, void *, int);
        void *ks_lock;
} kstat_t;

#define KSTAT_DATA_CHAR 0
#define KSTAT_DATA_INT32 1
#define KSTAT_DATA_UINT32 2
#define KSTAT_DATA_INT64 3
#define KSTAT_DATA_UINT64 4
#define KSTAT_DATA_FLOAT 5  /* never comes */
#define KSTAT_DATA_DOUBLE 6 /* never comes */
#define KSTAT_DATA_STRING 9
#define KSTAT_DATA_LONGLONG KSTAT_DATA_INT64
#define KSTAT_DATA_ULONGLONG KSTAT_DATA_UINT64
#ifdef __LP64__
#define KSTAT_DATA_LONG KSTAT_DATA_INT64
#define KSTAT_DATA_ULONG KSTAT_DATA_UINT64
#else
#define KSTAT_DATA_LONG KSTAT_DATA_INT32
#define KSTAT_DATA_ULONG KSTAT_DATA_UINT32
#endif

typedef struct kstat_named {
        char name[KSTAT_STRLEN];
        uchar_t data_type; /* KSTAT_DATA_ */
        union {
                char c[16]; /* not ended by NUL when it has 16 bytes */
                int32_t i32;
                uint32_t ui32;
                struct {
                        union {
                                char *ptr; /* into ks_data, ended by NUL */
                                char __pad[8];
                        } addr;
                        uint32_t len; /* with the NUL */
                } str;
                int64_t i64;
                uint64_t ui64;
                long l;
                ulong_t ul;
                longlong_t ll;
                u_longlong_t ull;
                float f;
                double d;
        } value;
} kstat_named_t;

#define KSTAT_NAMED_PTR(kptr) ((kstat_named_t *)(kptr)->ks_data)
#define KSTAT_NAMED_STR_PTR(knptr) ((knptr)->value.str.addr.ptr)
#define KSTAT_NAMED_STR_BUFLEN(knptr) ((knptr)->value.str.len)

#define KSTAT_INTR_HARD 0
#define KSTAT_INTR_SOFT 1
#define KSTAT_INTR_WATCHDOG 2
#define KSTAT_INTR_SPURIOUS 3
#define KSTAT_INTR_MULTSVC 4
#define KSTAT_NUM_INTRS 5

typedef struct kstat_intr {
        uint_t intrs[KSTAT_NUM_INTRS];
} kstat_intr_t;

#define KSTAT_INTR_PTR(kptr) ((kstat_intr_t *)(kptr)->ks_data)

typedef struct kstat_io {
        u_longlong_t nread;    /* bytes */
        u_longlong_t nwritten; /* bytes */
        uint_t reads;
        uint_t writes;
        hrtime_t wtime;       /* time that something waited */
        hrtime_t wlentime;    /* sum of length of the waiting line times how long it had it */
        hrtime_t wlastupdate; /* when the waiting line changed */
        hrtime_t rtime;       /* the same of what is being served */
        hrtime_t rlentime;
        hrtime_t rlastupdate;
        uint_t wcnt; /* waiting now */
        uint_t rcnt; /* being served now */
} kstat_io_t;

#define KSTAT_IO_PTR(kptr) ((kstat_io_t *)(kptr)->ks_data)

typedef struct kstat_timer {
        char name[KSTAT_STRLEN];
        uchar_t resv;
        u_longlong_t num_events;
        hrtime_t elapsed_time;
        hrtime_t min_time;
        hrtime_t max_time;
        hrtime_t start_time;
        hrtime_t stop_time;
} kstat_timer_t;

#define KSTAT_TIMER_PTR(kptr) ((kstat_timer_t *)(kptr)->ks_data)

typedef struct kstat_ctl {
        kid_t kc_chain_id;
        kstat_t *kc_chain; /* the headers, of kc_chain_id; the first is unix:0:kstat_headers */
        int kc_kd;         /* a descriptor; -1: none */
} kstat_ctl_t;

/* The caller ends the result by kstat_close().  NULL: ENOENT no statistics here, EACCES, EPERM may not be asked,
 * ENOMEM, EAGAIN, EIO an answer that makes no sense. */
extern kstat_ctl_t *kstat_open(void);
extern int kstat_close(kstat_ctl_t *);

/* Reads the data of ksp into ksp->ks_data and, when it isn't NULL, buf (ksp->ks_data_size bytes).  Returns the chain id
 * that was in force.  -1, ksp is as it was: ENXIO there is no such one any more, or it isn't for you; EAGAIN it is
 * being made; ENOMEM; EIO. */
extern kid_t kstat_read(kstat_ctl_t *, kstat_t *ksp, void *buf);
/* -1: EPERM in a partition, EACCES it can't be written, EINVAL without data, ENXIO as above. */
extern kid_t kstat_write(kstat_ctl_t *, kstat_t *ksp, void *buf);

/* Brings kc_chain up to date: headers that vanished are freed, new ones are added, the others stay where they are with
 * their data.  Returns the new chain id, 0 when nothing changed, -1 when the chain was left as it was. */
extern kid_t kstat_chain_update(kstat_ctl_t *);

/* The first in the chain that fits; NULL, -1, NULL stand for any.  NULL: ENOENT. */
extern kstat_t *kstat_lookup(kstat_ctl_t *, const char *module, int instance, const char *name);
/* A kstat_named_t or kstat_timer_t of data that was read.  NULL: ENOENT none of that name, EINVAL another type. */
extern void *kstat_data_lookup(kstat_t *, const char *name);

#ifdef __cplusplus
}
#endif
#endif
