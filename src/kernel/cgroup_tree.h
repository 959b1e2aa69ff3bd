/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup_tree.h - what the files of cgroup*.c share.  Not for others: they use cgroup.h.
 *
 * Invariant of a tree: h[0] is the unified hierarchy; every h[i] has an open croft.<tag>; by[c] is the index of the
 * hierarchy that rules controller c, or -1 and why[c] says why there is none.
 */
#ifndef CROFT_KERNEL_CGROUP_TREE_H
#define CROFT_KERNEL_CGROUP_TREE_H

#include "kernel/cgroup.h"

#define CGROUP_FILE_MAX 65536 /* bytes read of an attribute; cgroup.procs is read in pieces */

enum cgroup_controller {
        CGROUP_CPU,
        CGROUP_CPUACCT,
        CGROUP_CPUSET,
        CGROUP_MEMORY,
        CGROUP_IO,
        CGROUP_PIDS,
        CGROUP_CONTROLLERS
};

struct cgroup_controller_info {
        const char *name; /* in v2, and in our texts; cpuacct is part of the core there */
        const char *v1;
};
extern const struct cgroup_controller_info cgroup_controllers[CGROUP_CONTROLLERS];

struct cgroup_hierarchy {
        bool v2;
        unsigned int controllers; /* bit c: ruled here */
        char *own;                /* the own cgroup, as /proc/self/cgroup names it */
        char *names;              /* the controllers of the line in /proc/self/cgroup */
        int own_fd;               /* that directory */
        int fd;                   /* croft.<tag> in it */
};

struct cgroup_tree {
        char directory[48]; /* "croft.<tag>" */
        char leaf[48];      /* "croftd.<tag>" */
        struct cgroup_hierarchy h[CGROUP_HIERARCHIES_MAX];
        size_t n;
        int by[CGROUP_CONTROLLERS];
        char why[CGROUP_CONTROLLERS][96];
        unsigned int level;
        char *own_text;
};

/* Room for a partition's directory name. */
#define CGROUP_NAME_SIZE 24
void cgroup_name(char name[CGROUP_NAME_SIZE], uint64_t id);
/* Opens the partition's directory in hierarchy i; the descriptor or a negative errno. */
int cgroup_directory(const struct cgroup_tree *tree, size_t i, uint64_t id);
/* Reads an attribute of at most CGROUP_FILE_MAX bytes; the final newline is cut off.  Caller frees. */
int cgroup_read(int dir_fd, const char *file, char **ret);
int cgroup_read_u64(int dir_fd, const char *file, uint64_t *ret); /* "max" and -1 are UINT64_MAX */
/* The first process in cgroup.procs; 0: none.  Negative errno. */
pid_t cgroup_first_process(int dir_fd);

/* cgroup_discover.c: fills h[], by[], level (own_fd open, fd not). */
int cgroup_discover(struct cgroup_tree *tree, const char *own, struct croft_error *err);
/* cgroup_discover.c: v2: moves the caller to the leaf, and enables the controllers down to croft.<tag>. */
int cgroup_enable(struct cgroup_tree *tree, struct croft_error *err);
/* Makes (if it isn't there) and opens (unless ret_fd is NULL) the directory `name` of parent_fd; a v1 cpuset inherits
 * what it needs to take processes. */
int cgroup_make_below(int parent_fd, const char *name, bool v1_cpuset, int *ret_fd);
/* cgroup_remove.c: the directory `name` of dir_fd with everything below.  -EBUSY: a process stays inside. */
int cgroup_remove_below(int dir_fd, const char *name, struct croft_error *err);

#endif
