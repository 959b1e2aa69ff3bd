/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view.h - what a partition reads in /proc and /sys of itself: text, made of one sample and of facts about the host.
 *
 * Nothing here asks the kernel (but for the clock, for btime): a view is a function of `struct kstat_sample`, of the
 * facts, and of the greatest values that were shown before, because counters must never run backwards.  It needs base
 * only, so that a confined warden can do it.  Not for several threads at once.
 *
 * Everything that can be read is a node, with a number that stays the same for the same thing, in another process too.
 * Single files are numbered 1 to view_count(); trees of directories come behind and change with the sample: a CPU that
 * the partition may no longer use is gone from them.
 */
#ifndef CROFT_KSTAT_VIEW_H
#define CROFT_KSTAT_VIEW_H

#include "kstat/sample.bpf.h"
#include "kstat/view_disks.h"
#include "kstat/view_modules.h"
#include "kstat/view_totals.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* --- facts: of the host, the same for all partitions, collected once by croftd --- */

struct view_facts;

#define VIEW_FACTS_MAX (8u << 20)
/* Whoever serves views sees to it that nobody reads a text that is older. */
#define VIEW_AGE_MAX_NS 100000000ULL

/* A new sealed memfd with the facts of this host, for view_facts_decode().  What the host doesn't tell is left out.
 * Returns a descriptor or a negative errno. */
int view_facts_memfd(struct croft_error *err);

/* Reads facts.  data is borrowed until view_facts_free(), and by every view that is made of them.  -EBADMSG, -EMSGSIZE:
 * not ours; -EPROTONOSUPPORT: of another version of croft; -ENOMEM. */
int view_facts_decode(const void *data, size_t size, struct view_facts **ret);
struct view_facts *view_facts_free(struct view_facts *facts);
void view_facts_freep(struct view_facts **facts);
/* What sysinfo(2) needs of them. */
void view_facts_machine(const struct view_facts *facts, struct view_machine *ret);

/* --- one partition's view --- */

struct view;

/* facts is borrowed until view_free(). -ENOMEM. */
int view_new(const struct view_facts *facts, struct view **ret);
/* What the machine has by now: memory and swap come and go.  Until that is said it is what the facts say. */
void view_set_machine(struct view *view, const struct view_machine *machine);
struct view *view_free(struct view *view);
void view_freep(struct view **view);

/* What must survive the warden for its successor to go on without a step backwards.  Copied by value, may lie in shared
 * memory; all zeros: nothing yet.  Whatever it holds does no harm to anybody but this partition's figures. */
struct view_state {
        uint64_t start_ns;       /* of the sample; another one begins anew */
        uint64_t now_ns;         /* likewise */
        uint64_t idle_ns;        /* shown last, of all CPUs together */
        uint64_t idle_offset_ns; /* that is more than these CPUs' own */
        int64_t realtime_ns;     /* what the wall clock is ahead of CLOCK_BOOTTIME */
        uint64_t cpus[KSTAT_CPUS_MAX / 64];
};
void view_get_state(const struct view *view, struct view_state *ret);
void view_set_state(struct view *view, const struct view_state *state);

/* From now on it shows block devices of its own, too: that list (view_disks.h; borrowed until view_free()) is looked at
 * before each text.  -ENOMEM: nothing has changed. */
int view_use_disks(struct view *view, enum view_disks_kind kind, const struct view_disks *disks);
bool view_has_disks(const struct view *view, enum view_disks_kind kind);
/* Whether a node changes as soon as that list does. */
bool view_tells_disks(uint64_t node);

/* The same for the modules that it holds (view_modules.h). */
void view_use_modules(struct view *view, const struct view_modules *modules);
bool view_has_modules(const struct view *view);
bool view_tells_modules(uint64_t node);

/* --- single files --- */

size_t view_count(void);
/* Without leading slash, for i < view_count(): "proc/meminfo", "proc/pressure/cpu" ... */
const char *view_path(size_t i);
/* Writes the text of file i, not NUL-ended.  Returns its size; -ENOSPC: size is too small; -ENOMEM.  Fields of the
 * sample are bounded here. */
ssize_t view_render(struct view *view, size_t i, const struct kstat_sample *sample, char *buf, size_t size);

/* --- trees --- */

enum view_kind { VIEW_FILE, VIEW_DIRECTORY, VIEW_LINK };
#define VIEW_NAME_SIZE 64

struct view_entry {
        uint64_t node;
        enum view_kind kind;
        char name[VIEW_NAME_SIZE];
};

size_t view_tree_count(void);
/* Without leading slash: "sys/devices/system/cpu", "sys/block" ... */
const char *view_tree_path(size_t i);
/* The directory itself. */
uint64_t view_tree_node(size_t i);

/* Child number at (from 0 on) of a directory: 1 and *ret, 0: there are no more, -ENOTDIR, -ENOENT: no such node (any
 * more). */
int view_list(
        struct view *view, uint64_t directory, const struct kstat_sample *sample, size_t at, struct view_entry *ret);
/* The child with that name.  0, -ENOENT, -ENOTDIR. */
int view_lookup(struct view *view, uint64_t directory, const struct kstat_sample *sample, const char *name,
        struct view_entry *ret);
/* Kind of a node, single files too: -ENOENT. */
int view_kind(struct view *view, uint64_t node, const struct kstat_sample *sample);
/* Text of a file, as view_render(), or target of a link.  -EISDIR, -ENOENT. */
ssize_t view_read(struct view *view, uint64_t node, const struct kstat_sample *sample, char *buf, size_t size);

#endif
