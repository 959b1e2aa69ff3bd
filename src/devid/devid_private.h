/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devid_private.h - between the files of croftd's side of the table of device numbers.
 */
#ifndef CROFT_DEVID_DEVID_PRIVATE_H
#define CROFT_DEVID_DEVID_PRIVATE_H

#include "devid/devid.h"

#include <pthread.h>

struct ring_buffer;

struct devid {
        struct plane *plane; /* borrowed */
        int program, gate, families, numbers, instances, grants, specials, wake, exports, state;
        struct ring_buffer *ring;
        pthread_mutex_t lock;          /* what the machine has is looked at, or made, by one thread */
        pthread_mutex_t specials_lock; /* special files are made and removed by one thread */
        int told, refusals;            /* refusals.c */
};

int devid_get_family(struct devid *d, const char *name, struct devid_family *ret, struct croft_error *err);

/* Walks through all numbers; the one that it is at may be taken away. Begins with {.begun = false}. false: the end. */
struct devid_walk {
        struct devid_node node, next;
        bool begun, more;
};
bool devid_walk(struct devid *d, struct devid_walk *walk);

/* As devid_settle(), but for loop devices, which take long and are their brokers' to remove. */
void devid_settle_drivers(struct devid *d);

/* Of the number whose node this is, which is its group's first. */
bool devid_get_special(struct devid *d, const struct devid_node *node, struct devid_special *ret);
/* The partition is dead, and its /dev with it: its special files are forgotten. */
void devid_forget_specials(struct devid *d, uint64_t partition);

/* Calls f for each group that the partition has, until it fails: the majors first, or their minors.  call: the answer
 * about its first number. */
typedef int (*devid_number_function)(struct devid *d, const struct devid_call *call, void *context);
int devid_each_of(struct devid *d, uint64_t partition, bool majors_last, devid_number_function f, void *context);

#endif
