/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fake_kstat.h - statistics in memory, in the kernel's place: whatever opens the pinned programs gets this instead (the
 * linker puts it there, see meson.build).  It answers as kstat.bpf.h says, and can be told to be slow, to change at a
 * bad moment or to fail.
 */
#ifndef CROFT_TESTS_FAKE_KSTAT_H
#define CROFT_TESTS_FAKE_KSTAT_H

#include "libkstat/transport.h"

#include <stddef.h>
#include <stdint.h>

struct fake_kstat {
        int open_error;     /* open fails with it */
        uint64_t caller;    /* the partition that asks; 0: global */
        uint64_t other;     /* a partition that global may ask for; it sees the structures of `private` ... */
        unsigned int again; /* so many calls are answered "ask again" */
        int error;          /* all calls fail with it */
        bool moving;        /* the list is another one at each page */
        unsigned int calls; /* so many there were */
        unsigned int opened, closed;
        uint64_t kcid;
};
extern struct fake_kstat fake_kstat;

/* Forgets all: no structures, chain id 1. */
void fake_kstat_reset(void);

/* A structure at the end of the list; the pointer stands until the next one is added or removed.  Its id is the highest
 * ever + 1. */
struct fake_stat {
        struct kstat_head head;
        bool private; /* only `other` sees it */
        uint8_t data[KSTAT_LARGE_DATA];
};
struct fake_stat *fake_kstat_add(const char *module, int instance, const char *name, const char *class, int type);
void fake_kstat_remove(uint64_t kid);

/* A new NAMED structure gets its values one by one, each with a field in the schema of its own. */
void fake_kstat_number(struct fake_stat *stat, const char *name, int type, int unit, int64_t value);
void fake_kstat_text(struct fake_stat *stat, const char *name, int type, const char *value);
/* Of the other types. */
void fake_kstat_data(struct fake_stat *stat, const void *data, size_t size);

/* A little of everything: what the golden files were made of. */
void fake_kstat_machine(void);

int __wrap_kstat_transport_open(const char *directory, struct kstat_transport *ret);

#endif
