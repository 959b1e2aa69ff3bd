/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warden.h - the lives of croft-warden: the warden of a partition, an exec session, and a broker (broker.h).
 */
#ifndef CROFT_WARDEN_WARDEN_H
#define CROFT_WARDEN_WARDEN_H

#include <croft/error.h>
#include <stdbool.h>
#include <sys/types.h>

#define WARDEN_CHANNEL 3 /* the SEQPACKET to croftd, inherited */

/* Both return the process's exit status. */
/* fresh: for a partition that is to be started; else for one whose warden has died. */
int warden_main(bool fresh);
int session_main(void);

/* Gives up everything that isn't needed any more: root's user id for that of owner (partition_owner()), capabilities,
 * the way to new privileges, other processes' view into this one, and all system calls but those of the filter.  filter
 * < 0: none (tests). */
int warden_confine(uid_t owner, int filter, struct croft_error *err);

/* A broker stays root, with the capabilities that its work needs and the system calls of the filter. */
int warden_confine_broker(int filter, struct croft_error *err);

#endif
