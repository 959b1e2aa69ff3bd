/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sockopt_kit.h - for tests of statistics by options of a socket: kstats of the test's own, attached to the control
 * group of plane_kit.h's partitions, and children that ask.
 */
#ifndef CROFT_TESTS_SOCKOPT_KIT_H
#define CROFT_TESTS_SOCKOPT_KIT_H

#include "kstat/kstat.h"
#include "plane_kit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define A 101
#define B 102
#define GLOBAL 0
#define WORDS 8 /* of data in a structure of make() */

extern struct kstats *kstats;
void open_kstats(void); /* and attaches */
/* Fixtures of each test. */
int set_up_kstats(void **state);
int tear_down_kstats(void **state);

void refuse_bpf(unsigned int error); /* from now on bpf(2) fails so for the caller */
int new_socket(void);

/* A structure with the value in each word. */
uint64_t make(const char *module, int instance, uint64_t value, uint64_t partition);
struct kstat_call to_find(const char *module, int instance, const char *name);
uint64_t first_word(const struct kstat_call *call);

/* What the program returned; by_socket() is the two below it. */
int by_bpf(struct kstat_call *call);
int by_socket(int fd, struct kstat_call *call);
int put_request(int fd, const struct kstat_call *call);
int get_answer(int fd, struct kstat_call *call);
bool is_not_here(int r); /* errors of an option that nobody knows */

#endif
