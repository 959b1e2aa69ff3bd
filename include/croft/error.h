/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * croft/error.h - the one error type of croft.
 *
 * An error is a code (a positive errno value), and a chain of sentence fragments from the outermost ("start 'web'")
 * to the innermost cause ("open 'manifest': No such file or directory").  Storage is fixed: reporting an error never
 * allocates and never fails; what doesn't fit is cut at the outer end, because the cause matters most.
 *
 * Functions that take a `struct croft_error *err` return 0 or a negative errno, fill *err on failure only, and accept
 * NULL for it.
 */
#ifndef CROFT_ERROR_H
#define CROFT_ERROR_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CROFT_ERROR_TEXT_MAX 1024 /* bytes, with the final NUL */
#define CROFT_ERROR_CAUSES_MAX 12
#define CROFT_ERROR_ARGS_MAX 1024 /* bytes */

/* Exit status and API class of a failure (requirement C-13).  Everything that is no special class is
 * CROFT_EXIT_FAILURE. */
enum croft_exit {
        CROFT_EXIT_OK = 0,
        CROFT_EXIT_FAILURE = 1,
        CROFT_EXIT_USAGE = 2,
        CROFT_EXIT_NOT_FOUND = 3,
        CROFT_EXIT_DENIED = 4,
        CROFT_EXIT_BUSY = 5,
        CROFT_EXIT_EXHAUSTED = 6,
        CROFT_EXIT_NOT_EQUIVALENT = 7,
        CROFT_EXIT_OUT_OF_SYNC = 8,
        CROFT_EXIT_BROKEN = 9,
};

struct croft_error {
        int code;                                  /* positive errno, 0: no error */
        unsigned int n_causes;                     /* fragments in text[] */
        unsigned short at[CROFT_ERROR_CAUSES_MAX]; /* offset of fragment i in text[]; 0 is the innermost */
        unsigned short used;                       /* bytes of text[] in use */
        char text[CROFT_ERROR_TEXT_MAX];           /* the fragments, each ended by NUL, innermost first */
        /* What each was made of, to be said in another language. */
        struct {
                const char *format;      /* lives as long as the program; NULL: see copied */
                unsigned short at, size; /* of its packed arguments, in args[] */
                unsigned char n;         /* how many they are */
                unsigned char copied; /* the format isn't ours: it is in args[], ended by NUL, behind the arguments */
        } made_of[CROFT_ERROR_CAUSES_MAX]; /* as at[] */
        unsigned short args_used;
        unsigned char args[CROFT_ERROR_ARGS_MAX];
};

#define CROFT_ERROR_INIT                                                                                               \
        {                                                                                                              \
                .code = 0                                                                                              \
        }

/* Forgets what *err says.  NULL is allowed. */
void croft_error_clear(struct croft_error *err);

/* Formats of croft_error_set() and croft_error_prefix() are literals, or live as long: *err keeps where they are.
 *
 * Sets *err to the code (sign doesn't matter; 0 becomes EIO, our bug) and one fragment; the text of errno is appended
 * as
 * ": No such file or directory" unless the fragment ends in '.' (a full sentence that says it all, the dot is dropped).
 * Returns the negative code, so that `return croft_error_set(...)` reads well. */
int croft_error_set(struct croft_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts what the caller was doing in front.  Does nothing when *err has no error.  Returns the negative code of *err, or
 * -EIO with err == NULL: so keep your own r when err may be NULL. */
int croft_error_prefix(struct croft_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Copies src to *err when err isn't NULL.  Returns the negative code. */
int croft_error_copy(struct croft_error *err, const struct croft_error *src);

/* Fragment i of the chain, 0 is the OUTERMOST; NULL beyond the end.  Borrowed from *err. */
const char *croft_error_cause(const struct croft_error *err, unsigned int i);

/* The whole chain as one line, "outer: middle: inner", cut to size with NUL.  Returns buf. */
const char *croft_error_line(const struct croft_error *err, char *buf, size_t size);

/* The exit status that belongs to the code: ENOENT, ENXIO, ESRCH 3; EPERM, EACCES 4; EBUSY, EEXIST, EAGAIN 5; ENOSPC,
 * EDQUOT, EMFILE, ENFILE, ENOMEM, EUSERS 6; EINVAL 2; EUCLEAN, ENOTRECOVERABLE 9; ESTALE 8; EILSEQ 7; else 1. */
enum croft_exit croft_error_exit(const struct croft_error *err);

/* "ENOENT" for ENOENT; "EUNKNOWN" for what the C library doesn't name. */
const char *croft_error_name(int code);

#ifdef __cplusplus
}
#endif
#endif
