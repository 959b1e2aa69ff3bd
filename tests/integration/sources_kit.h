/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sources_kit.h - two partitions that are nothing but control groups with a process that does as it is told, and the
 * sources of statistics asked about them without anybody in between.  For tests in C that run as root and print TAP.
 */
#ifndef CROFT_TESTS_SOURCES_KIT_H
#define CROFT_TESTS_SOURCES_KIT_H

#include "kernel/cgroup.h"
#include "kstat/catalogue.h"
#include "kstat/mibs.h"
#include "kstat/objects.h"
#include "kstat/percpu.h" /* for the skeleton */
#include "kstat/sample.h"

#include "kstat_source.skel.h"

#define OWNER 1000000
#define A 101
#define B 102
#define MEBI 1048576
#define PATIENCE_S 120 /* far more than anything here takes, even under emulation */

extern struct cgroup_tree *tree;
extern struct kstat_sampler *sampler;
extern struct kstat_source_bpf *source;
extern char tag[32];

/* What the process in a partition is to do: told through memory that is shared with it. */
struct orders {
        volatile int ready;   /* it has its namespaces */
        volatile int burn;    /* use CPU, in user mode */
        volatile int calls;   /* use CPU, in the kernel */
        volatile int mebi;    /* memory to have touched */
        volatile int have;    /* mebibytes that it has */
        volatile int packets; /* datagrams to send over its own loopback */
        volatile int sent;    /* datagrams that it has sent */
        volatile int burners; /* children that use CPU 0, to be made; they never end */
        volatile int write;   /* mebibytes to write to the disk, past its page cache, and to read back half of them */
        volatile int wrote;   /* mebibytes that it has written */
        char disk[32];        /* path of the disk */
};
struct partition {
        uint64_t id;
        pid_t pid;
        int sample; /* link */
        struct orders *orders;
};

void nap(unsigned int ms);
time_t now_s(void);

bool make(uint64_t id, struct partition *ret);
void end(struct partition *p);

/* The last one read of that partition. */
struct kstat_sample *sample_of(const struct partition *p);
/* The attribute of the partition's cgroup that rules the controller (NULL: the unified one), as the kernel shows it for
 * the process; the caller frees it.  NULL: none. */
char *attribute(pid_t pid, const char *controller, const char *file);
/* The number behind `key` at the beginning of a line; 0: there is none. */
uint64_t number_in(const char *text, const char *key);
/* Within one part in a hundred, or as much as `slack`. */
bool near(uint64_t a, uint64_t b, uint64_t slack);

bool load_sources(void);
/* Runs one source for the subject; the data are in call->data.  What the program returns. */
int ask(enum kstat_source which, uint64_t subject, uint64_t argument, struct kstat_call *call);

#endif
