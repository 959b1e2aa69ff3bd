/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * majors.h - which majors the machine has, or may come to have: those are never given out (DEV-21).
 */
#ifndef CROFT_DEVID_MAJORS_H
#define CROFT_DEVID_MAJORS_H

#include "devid/devid.bpf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bit for each major that is the machine's.  All but those that Documentation/admin-guide/devices.txt leaves to local
 * use, 60 to 63 and 120 to 127: the kernel assigns none of these, neither by its lists nor when a driver wants any. */
struct devid_majors {
        __u64 of_char[DEVID_WORDS], of_block[DEVID_WORDS];
};

bool devid_majors_is_local(unsigned int major);

/* With those of /proc/devices, of which this is the text: a driver may have taken one for local use, too.  false: it
 * has not the form that it should have. */
bool devid_majors_read(const char *text, struct devid_majors *ret);

/* The major of the block driver that /proc/devices, of which this is the text, lists by that name.  false: none. */
bool devid_majors_find(const char *text, const char *driver, uint32_t *ret);

/* --- drivers that have come --- */

struct devid_major {
        uint32_t type, major;
};
#define DEVID_BROUGHT_MAX 64

/* What the later one of two texts of /proc/devices has and the other hasn't, by major and driver: a major that one
 * driver has given back may be another's by then.  How many there are; no more than max are in ret. */
size_t devid_majors_added(const char *before, const char *after, struct devid_major *ret, size_t max);
/* "char 240, block 252"; those that don't fit are left out.  And is that one among them? */
void devid_majors_write(const struct devid_major *list, size_t n, char *buf, size_t size);
bool devid_majors_lists(const char *text, uint32_t type, uint32_t major);

#endif
