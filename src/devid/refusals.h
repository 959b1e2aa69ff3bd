/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * refusals.h - what the table of device numbers has refused to partitions, for croftd, which puts it on record (C-14).
 *
 * Of one kind (errno) there is one in a run of a partition, however often it asks; what came while there was no croftd
 * waits for the next.
 */
#ifndef CROFT_DEVID_REFUSALS_H
#define CROFT_DEVID_REFUSALS_H

#include "devid/devid.bpf.h"

#include <croft/error.h>
#include <stdint.h>

struct devid;

/* Readable when something was refused; -EBADF: nobody tells.  The table's own. */
int devid_refusals_fd(const struct devid *devid);
/* Calls f for each since the last time.  By one thread at a time. */
void devid_refusals_read(
        struct devid *devid, void (*f)(void *context, const struct devid_refusal *refusal), void *context);
/* From now on the partition's are told again. */
void devid_refusals_forget(struct devid *devid, uint64_t partition);

/* In words, with the name of its family escaped.  Pure. */
void devid_refusal_say(const struct devid_refusal *refusal, struct croft_error *ret);

#endif
