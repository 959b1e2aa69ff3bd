/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plane_kit.h - for tests of what lives in the kernel plane: a plane of the test's own, and "partitions" that are
 * cgroups two levels below the one it runs in, as croftd makes them: a is 101, b is 102.
 */
#ifndef CROFT_TESTS_PLANE_KIT_H
#define CROFT_TESTS_PLANE_KIT_H

#include "plane/plane.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#define TAG "0badcafe"
#define OTHER_TAG "deadbeef"

extern char run_path[64];
extern int run_dir;        /* the plane's */
extern int cgroups;        /* the directory that partitions are in */
extern unsigned int level; /* of a partition */
extern struct plane *plane;

/* Fixtures of cmocka.  Tests of a plane have one each: make_cgroups() and remove_cgroups() are of the group, set_up()
 * and tear_down() of each test.  Others share one, since to make it takes a second in the guest: make_plane() and
 * remove_plane() are of the group, add_partitions() and remove_partitions(), after which it is as new but for numbers
 * that are given once, of each test. */
int make_cgroups(void **state);
int remove_cgroups(void **state);
int set_up(void **state);
int tear_down(void **state);
int make_plane(void **state);
int remove_plane(void **state);
int add_partitions(void **state);
int remove_partitions(void **state);

struct plane *open_plane(void); /* another look at the same one */
void make_cgroup(const char *name);
void remove_cgroup(const char *name);
uint64_t cgroup_id(const char *name);

enum as {
        AS_IS = 0,
        AS_NOBODY = 1,        /* uid 65534, no capability */
        AS_USER_NS = 2,       /* in a user namespace of its own */
        AS_NESTED_NS = 4,     /* and in one inside */
        AS_NO_CAPABILITY = 8, /* gives up those that the new namespace has given */
        AS_OTHER_CLOCK = 16   /* in a time namespace whose clocks are eleven days ahead */
};

/* In a child: 0, or -1. */
int enter_cgroup(const char *name);
int become(enum as as);

/* In a child, which has no test framework. */
#define require(condition)                                                                                             \
        do {                                                                                                           \
                if (!(condition)) {                                                                                    \
                        (void)fprintf(stderr, "# %s:%d: %s: errno %d\n", __FILE__, __LINE__, #condition, errno);       \
                        _exit(1);                                                                                      \
                }                                                                                                      \
        } while (0)

/* Runs f in a child, in that control group (NULL: in none, global). */
void as(const char *cgroup, enum as who, void (*f)(void *context), void *context);

#endif
