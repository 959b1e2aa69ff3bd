/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * probe.h - what this kernel offers to croft, feature by feature, for `croft check` and for croftd's own start.
 *
 * Each probe tries the thing itself, in a short-lived child where it would change the process, and leaves nothing
 * behind.  All of them together take some 20 ms, and where trampolines are attached (bpf-trampoline, bpf-lsm) more.
 */
#ifndef CROFT_KERNEL_PROBE_H
#define CROFT_KERNEL_PROBE_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>

struct cgroup_tree;

enum probe_status {
        PROBE_OK,
        PROBE_FALLBACK, /* something else does the work: fallback and lost say what */
        PROBE_MISSING   /* lost says what croft can't do */
};
const char *probe_status_name(enum probe_status status); /* "ok", "fallback", "missing" */

/* All strings but detail are static. */
struct probe_result {
        const char *name;     /* "user-namespace" */
        const char *use;      /* what croft does with it */
        const char *fallback; /* what is done instead; NULL unless PROBE_FALLBACK */
        const char *lost;     /* NULL when PROBE_OK */
        bool essential;       /* no partition can start without it */
        enum probe_status status;
        char detail[160]; /* what was found: a version, an error; may be empty */
};

/* state_dir: the state directory, whose file system has to carry roots (borrowed).  cgroups: croft's tree (borrowed); a
 * partition's cgroups are made and removed in it, under the id UINT64_MAX that no partition has.  The caller frees
 * *ret. May be called from any thread; calls wait for one another.  What fails is a result, not an error: only -ENOMEM
 * is. */
int probe_run(int state_dir, struct cgroup_tree *cgroups, struct probe_result **ret, size_t *ret_count,
        struct croft_error *err);

/* Tries the essential ones only, until one is missing: 1, and *ret says which; 0: croft can run here.  Else as above.
 */
int probe_essential(int state_dir, struct cgroup_tree *cgroups, struct probe_result *ret);

/* The first essential one that is missing; NULL: croft can run here.  Borrowed from results. */
const struct probe_result *probe_blocker(const struct probe_result *results, size_t count);

#endif
