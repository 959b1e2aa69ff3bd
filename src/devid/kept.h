/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kept.h - which device numbers a partition had when it stopped, so that it has the same ones when it starts again
 * (DEV-22): the text of a file in its directory.  A record of what was, never the authority.
 *
 * One line for each instance, "FAMILY FIRST COUNT WITHIN VIRTUAL STATE INSTANCE", and the name of its special file if
 * it has one; instance and name in hexadecimal digits: they are the partition's word and may be any bytes.
 */
#ifndef CROFT_DEVID_KEPT_H
#define CROFT_DEVID_KEPT_H

#include "devid/devid.bpf.h"

#include <stdbool.h>
#include <stddef.h>

#define KEPT_LINE_MAX 256

/* The line of a group, of which this is the first number; 0: it doesn't fit into buf.  special: "", it has none. */
size_t kept_format(const struct devid_number *number, const struct devid_name *special, char *buf, size_t size);
/* *line moves behind what was read.  1: a group; 0: the end; -EBADMSG: it has another form. */
int kept_parse(const char **line, struct devid_number *ret, struct devid_name *ret_special);

/* "c60" when char major 60 has become 61: "c61".  Other names stay. */
void kept_rename(struct devid_name *family, __u32 type, __u32 from, __u32 to);

#endif
