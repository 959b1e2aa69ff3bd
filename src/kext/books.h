/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * books.h - the two books (KXT-21): which extensions the kernel has for partitions, and which partition holds which.
 * What follows from them is said by pure functions; who acts on it is croftd.
 *
 * Invariants at rest: a row of `loaded` is of what the kernel has; one that isn't baseline has a holder, or is PENDING;
 * each holder that isn't lost has such a row.  A module's is of all its holders; of a BPF object each has its own.  A
 * name is of one kind only.  Names are normalised (kext_name_normalise()).
 */
#ifndef CROFT_KEXT_BOOKS_H
#define CROFT_KEXT_BOOKS_H

#include "kext/kext.h"

enum kext_loaded_state {
        KEXT_LOADING = 1, /* an intent: the kernel may have it */
        KEXT_LOADED = 2,
        KEXT_PENDING = 3, /* nobody holds it: to be taken out of the kernel as soon as nobody uses it */
};
const char *kext_loaded_state_name(enum kext_loaded_state state); /* "LOADED" */

#define KEXT_MAJORS_MAX 255
struct kext_loaded {
        char name[KEXT_NAME_MAX + 1];
        uint64_t partition;                  /* whose instance of a BPF object; 0: a module */
        char sha256[KEXT_SHA256_LENGTH + 1]; /* of global's copy that was loaded, or that it was shown to be */
        enum kext_loaded_state state;
        bool baseline;                    /* it was there before any partition asked: no partition takes it away */
        int64_t since;                    /* seconds since the epoch */
        char majors[KEXT_MAJORS_MAX + 1]; /* "char 240, block 252": those that came with it; "": none, or not known */
};

enum kext_via {
        KEXT_VIA_CALL = 1,   /* a system call of the partition */
        KEXT_VIA_COMMAND,    /* croft kext load */
        KEXT_VIA_DEPENDENCY, /* another one that it holds needs this one, and nothing else */
        KEXT_VIA_REQUEST,    /* the kernel looked for it, because of what a process of the partition did (KXT-30) */
};
const char *kext_via_name(enum kext_via via); /* "call" */

struct kext_holder {
        uint64_t partition; /* its id */
        char name[KEXT_NAME_MAX + 1];
        char sha256[KEXT_SHA256_LENGTH + 1];
        uint32_t count; /* how often it was asked for; 0: as a dependency only */
        bool local;     /* for that one alone */
        enum kext_via via;
        int64_t since;
        bool lost; /* global has taken it away */
};

struct kext_books {
        struct kext_loaded *loaded;
        size_t n_loaded;
        struct kext_holder *holders;
        size_t n_holders;
};
void kext_books_done(struct kext_books *books);

/* What there is of that name for that partition. */
const struct kext_loaded *kext_books_loaded(const struct kext_books *books, const char *name, uint64_t partition);
const struct kext_holder *kext_books_holder(const struct kext_books *books, uint64_t partition, const char *name);
/* The partition that has a module alone; 0: none. */
uint64_t kext_books_alone(const struct kext_books *books, const char *name);
/* "LOADED", "LOST": how it is for that holder (NULL: for nobody); loaded may be NULL. */
const char *kext_books_state_name(const struct kext_loaded *loaded, const struct kext_holder *holder);
/* How many partitions have it; lost ones don't. */
uint32_t kext_books_total(const struct kext_books *books, const char *name);

/* What a load comes to. */
enum kext_load {
        KEXT_LOAD_COUNT = 1, /* the partition has it already */
        KEXT_LOAD_JOIN,      /* the kernel has it for a partition: one holder more */
        KEXT_LOAD_ADOPT,     /* the kernel has it, and no partition does: if it proves to be the same, likewise */
        KEXT_LOAD_REALLY,
};
/* wanted: its partition, name, sha256 and local count; there: the kernel has it.  -EBUSY: another partition holds it
 * alone, or another file of that name is in the kernel (KID-20), of a BPF object in its own instance.  A negative
 * errno, or enum kext_load. */
int kext_books_judge(const struct kext_books *books, const struct kext_holder *wanted, enum kext_kind kind, bool there);

/* How many others that the partition holds need this one?  depends: a function that says what one needs, in the
 * form of kext_identity.depends. */
uint32_t kext_books_users(const struct kext_books *books, uint64_t partition, const char *name,
        const char *(*depends)(void *context, const char *sha256), void *context);

/* How often the kernel has loaded something for a partition: what modules leave behind adds up (KXT-38). */
#define KEXT_LOADS_S 60
#define KEXT_LOADS_MANY 100 /* in that time: to be told */
#define KEXT_LOADS_MAX 6000 /* more are refused */
struct kext_rate {
        int64_t since; /* seconds */
        uint32_t n;
};
/* One more, now.  0; 1: it is to be told; -EAGAIN: it is one too many. */
int kext_rate_note(struct kext_rate *rate, int64_t now);

#endif
