/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_broker.h - brokers (warden/broker.h): when there is one, and its end.
 */
#ifndef CROFT_DAEMON_LIFE_BROKER_H
#define CROFT_DAEMON_LIFE_BROKER_H

#include "daemon/life_private.h"

/* Can there be one for it?  What it may have changes while it runs: kernel extensions are granted. */
bool broker_is_wanted(const struct partition *p);
/* Is its warden told of what it asks loop devices, if it starts now? */
bool broker_tells_loops(const struct partition *p);
/* Which calls of it are told of; borrowed.  requests: the socket where a broker gets them, < 0: none. */
int broker_filter(const struct partition *p, int requests);
/* And the base filter that goes with that. */
int broker_base_filter(const struct partition *p, int requests);
/* Two ends of one socket: for the warden, and for brokers.  The caller closes them. */
int broker_make_sockets(int *ret_warden, int *ret_broker, struct croft_error *err);

/* Has a call come that nobody takes, has one something to say, or has one ended that must be seen to?  partition.lock
 * is held. */
bool broker_wants_look(const struct unit *u);
/* Hears it, or starts one, by the owner.  Where that can't be, the calls that wait fail.  1: it wants a module, which
 * is for broker_serve(): how long that takes is the module's to say. */
int broker_look(struct unit *u, struct croft_error *err);
void broker_serve(struct unit *u);
/* Waits until fd can be read, as a pidfd whose process has ended, for timeout_ms at most (-ETIMEDOUT); fd < 0: that
 * long.  Whoever is waited for may be in a call about a module, or wait for one who is: they are served meanwhile.  By
 * the owner. */
int broker_wait(struct unit *u, int fd, unsigned int timeout_ms);
void broker_wait_a_moment(struct partition *p, unsigned int ms); /* as host.serve wants it */
/* What wakes croftd for that, beside what it says; -EBADF: nothing.  partition.lock is held. */
int broker_wakes(const struct unit *u);

/* Ends it, whatever it is at; the partition's processes have ended.  Idempotent. */
void broker_end(struct unit *u);

#endif
