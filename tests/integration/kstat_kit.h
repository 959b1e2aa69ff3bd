/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstat_kit.h - for tests of statistics by key: a croftd's side with two partitions, A in cgroup "a" and B in "b", and
 * asking as somebody in one of them.  Failures of its own fail the test.
 */
#ifndef CROFT_TESTS_KSTAT_KIT_H
#define CROFT_TESTS_KSTAT_KIT_H

#include "kstat/kstat.h"
#include "plane_kit.h"

#include <stdbool.h>
#include <stdint.h>

#define A 101
#define B 102
#define GLOBAL 0
#define WORDS 8 /* of data in a structure of these tests */

extern struct kstats *kstats;
extern int program; /* opened here, in global */

/* For cmocka, of the group: statistics that its tests share; and of each test. */
int make_kstats(void **state);
int remove_kstats(void **state);
int set_up_kstats(void **state);
int tear_down_kstats(void **state);
void open_kstats(void);
int open_pinned(const char *name);

int run(int fd, struct kstat_call *call);
void fill_key(struct kstat_call *call, const char *module, int instance, const char *name);
/* The call as a child in that cgroup makes it (NULL: in none). */
int ask_as(const char *cgroup, enum as as, struct kstat_call *call);
int find_as(const char *cgroup, const char *module, int instance, const char *name, struct kstat_call *call);
struct kstat_call list_as(const char *cgroup, unsigned int page);
uint64_t kcid_as(const char *cgroup);
const uint64_t *kids_of(const struct kstat_call *call);
bool lists(const struct kstat_call *call, uint64_t kid);
uint64_t first_word(const struct kstat_call *call);

struct kstat_def def_of(const char *module, int instance, const char *name, uint64_t subject, const void *data);
/* With each word of its data that value. */
uint64_t make(const char *module, int instance, uint64_t value, const uint64_t *partitions, size_t n);

#endif
