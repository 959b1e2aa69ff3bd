/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * croft/errlog.h - the record of errors of a partition: what kernel code, libraries, programs, scripts and other
 * machines found, in one true order, in the kernel's memory.
 *
 * A process in a partition writes into that partition's book and reads it; one in global may name any.  The kernel says
 * at each call which of them the caller is.  A record is data: a format and its arguments, put together when somebody
 * reads. Formats are those of printf(3) with the conversions d i u o x X c s and %% only, all with positions (%2$s) or
 * none.
 *
 * Recording never blocks, and costs nothing while nothing fails.  A book has room for 64 records by its partition and
 * for 96 by the kernel and by global; what finds none is refused (ENOMEM) and counted, and what is there stays.
 *
 * All functions may be called from any thread, not from signal handlers.  They return 0 or a negative errno and fill
 * *err (may be NULL) on failure only.
 */
#ifndef CROFT_ERRLOG_H
#define CROFT_ERRLOG_H

#include <croft/error.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct croft_errlog;

/* directory: where the program `errlog` is pinned; NULL: where kstat(8) finds its own.  No daemon is needed.  The
 * caller ends *ret with croft_errlog_close().  -ENOENT: there is no record here; -EACCES, -EPERM. */
int croft_errlog_open(const char *directory, struct croft_errlog **ret, struct croft_error *err);
struct croft_errlog *croft_errlog_close(struct croft_errlog *log); /* NULL is allowed; returns NULL */

enum croft_errlog_source {
        CROFT_ERRLOG_KERNEL = 1,
        CROFT_ERRLOG_LIBRARY,
        CROFT_ERRLOG_PROGRAM,
        CROFT_ERRLOG_SCRIPT,
        CROFT_ERRLOG_REMOTE, /* another machine */
};
enum croft_errlog_severity { CROFT_ERRLOG_ERROR, CROFT_ERRLOG_WARNING, CROFT_ERRLOG_INFO };
const char *croft_errlog_source_name(unsigned int source);     /* "kernel"; "unknown" */
const char *croft_errlog_severity_name(unsigned int severity); /* "error"; "unknown" */

/* --- writing --- */

/* Who says it, and where a translation is found.  Strings are cut to what a record has room for; NULL: none. */
struct croft_errlog_message {
        uint64_t partition;              /* 0: the caller's own (in global: global's) */
        enum croft_errlog_source source; /* LIBRARY, PROGRAM or SCRIPT; in global also REMOTE */
        enum croft_errlog_severity severity;
        int errnum;            /* 0: none */
        uint64_t cause;        /* number of the record that led to this one, 0: none */
        const char *component; /* at most 24 bytes */
        const char *host;      /* of REMOTE: at most 64 */
        const char *catalogue; /* a text domain of gettext(3), at most 64 */
        uint32_t set, number;  /* the message's in it */
        uint32_t far_seq;      /* of REMOTE: its number in the record there, 0: none */
};

/* Records one message.  *ret_seq (may be NULL): its number.  -ENOMEM: no room, counted; -EPERM: another's book; -ESRCH:
 * there is no such partition; -EINVAL: the format is none (its rules are above, and less than 128 bytes). */
int croft_errlog_write(struct croft_errlog *log, const struct croft_errlog_message *message, uint64_t *ret_seq,
        const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same with arguments as words, for scripts.  Also -EINVAL: another number of words than the format wants, or one
 * is no number where it wants one; -ENOSPC instead of -ENOMEM: no room. */
int croft_errlog_write_words(struct croft_errlog *log, const struct croft_errlog_message *message, const char *format,
        char *const *words, size_t n_words, uint64_t *ret_seq, struct croft_error *err);

/* A chain of this thread: push the error that was met, then what each caller was doing, and either commit all of it,
 * with each record the cause of the one pushed after it, or drop it when the operation succeeds after all.  At most 16;
 * what is pushed beyond is counted and replaced by the last one.  partition and cause of a message in a chain: those of
 * the first one count. */
int croft_errlog_push(const struct croft_errlog_message *message, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
/* *ret_refused (may be NULL): how many found no room.  The chain is empty afterwards, whatever is returned. */
int croft_errlog_commit(struct croft_errlog *log, unsigned int *ret_refused);
void croft_errlog_drop(void);

/* --- reading --- */

struct croft_errlog_book {
        uint64_t partition; /* 0: global's */
        char name[64];
        uint64_t attempt;   /* counts what was tried: each load, start, stop and restart is one */
        char operation[16]; /* of the attempt: "start"; "" before the first */
        int64_t attempt_ns; /* when it began, CLOCK_REALTIME as of now */
        unsigned int records;
        uint64_t refused_own, refused_reserved; /* by the partition; by the kernel and by global */
};
int croft_errlog_get_book(
        struct croft_errlog *log, uint64_t partition, struct croft_errlog_book *ret, struct croft_error *err);
/* All, by name, a new array for free(3).  Root in global only: -EPERM, -EACCES. */
int croft_errlog_list_books(
        struct croft_errlog *log, struct croft_errlog_book **ret, size_t *ret_n, struct croft_error *err);

struct croft_errlog_record {
        uint64_t partition, seq, attempt, cause;
        int64_t time_ns;       /* CLOCK_REALTIME as of now */
        unsigned int source;   /* enum croft_errlog_source */
        unsigned int severity; /* enum croft_errlog_severity */
        int by_partition;      /* not 0: a process of the partition wrote it; else the kernel, or somebody in global */
        int errnum;            /* 0: none */
        uint32_t pid, tid;     /* in global: global's; inside: the partition's own */
        uint32_t set, number;
        uint32_t far_seq; /* of REMOTE: its number in the record there */
        char component[25], host[65], catalogue[65], format[129];
        unsigned int n_args;
        size_t args_size;
        unsigned char args[280]; /* croft_errlog_argument() */
};
/* The first record with a number from seq on.  -ENOENT: none. */
int croft_errlog_read(struct croft_errlog *log, uint64_t partition, uint64_t seq, struct croft_errlog_record *ret,
        struct croft_error *err);
/* What the record says, in the language of the process (setlocale(3)) if its catalogue has that; a new string for
 * free(3), with the bytes that the recorder gave: escape it before a terminal sees it.  NULL: no memory. */
char *croft_errlog_text(const struct croft_errlog_record *record);
/* Argument i, from 0, as text; a new string.  NULL: none, or no memory. */
char *croft_errlog_argument(const struct croft_errlog_record *record, unsigned int i);

#ifdef __cplusplus
}
#endif
#endif
