/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sockopt_kit.h - for tests of statistics by options of a socket: those of kstat_kit.h, attached to the control group
 * of its partitions, and children that ask.
 */
#ifndef CROFT_TESTS_SOCKOPT_KIT_H
#define CROFT_TESTS_SOCKOPT_KIT_H

#include "kstat_kit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void open_attached(void); /* open_kstats(), and attaches */
int set_up_attached(void **state);

void refuse_bpf(unsigned int error); /* from now on bpf(2) fails so for the caller */
int new_socket(void);

/* make() for one partition. */
uint64_t make_for(const char *module, int instance, uint64_t value, uint64_t partition);
struct kstat_call to_find(const char *module, int instance, const char *name);

/* What the program returned; by_socket() is the two below it. */
int by_bpf(struct kstat_call *call);
int by_socket(int fd, struct kstat_call *call);
int put_request(int fd, const struct kstat_call *call);
int get_answer(int fd, struct kstat_call *call);
bool is_not_here(int r); /* errors of an option that nobody knows */

#endif
