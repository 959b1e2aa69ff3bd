/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devid_kit.h - for tests of device numbers: croftd's side with two partitions, A in cgroup "a" and B in "b", and calls
 * as whoever makes them.  Failures of its own fail the test.
 */
#ifndef CROFT_TESTS_DEVID_KIT_H
#define CROFT_TESTS_DEVID_KIT_H

#include "devid/client.h"
#include "devid/devid.h"
#include "plane_kit.h"

#include <stdint.h>

#define A 101
#define B 102

extern struct devid *devid;
extern int program; /* opened here, in global */

void open_devid(void);
void close_devid(void);

/* For cmocka, of the group: a table that its tests share; of each test; and of those that draw on numbers which others
 * have left to drain: a table of their own. */
int make_devid(void **state);
int remove_devid(void **state);
int set_up_devid(void **state);
int set_up_new(void **state);
int tear_down_devid(void **state);

/* partition: 0, the caller's own.  ret: the whole answer, or NULL; with a count in it, it says what is wanted.  Returns
 * 0 or a negative errno. */
int call_for(uint64_t partition, enum devid_op op, const char *family, const char *instance, struct devid_call *ret);
/* Of one that is free; the number, or a negative errno. */
int take(uint64_t partition, const char *family, const char *instance);
int take_group(uint64_t partition, const char *family, const char *instance, uint32_t preferred, uint32_t count,
        uint32_t within, uint32_t between);
int release(uint64_t partition, const char *family, const char *instance);
int state_of(uint64_t partition, const char *family, const char *instance);
unsigned int count_of(uint64_t partition, const char *family);

#endif
