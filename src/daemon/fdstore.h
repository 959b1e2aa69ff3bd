/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fdstore.h - copies of a partition's descriptors in systemd's descriptor store, for the case that croftd and a warden
 * die together.  Does nothing without systemd.
 */
#ifndef CROFT_DAEMON_FDSTORE_H
#define CROFT_DAEMON_FDSTORE_H

#include <stdint.h>

struct unit;

/* Takes over what systemd kept for us.  Once, at start. */
void fdstore_open(void);
/* The kept descriptor of that role ("console", "listen", "log", "notify-area", "fuse", "fuse-memory", "dev"), given
 * away; -EBADF: none. */
int fdstore_take(uint64_t id, const char *role);
/* Adds the kept listeners of intercepted calls to those that the unit has. */
void fdstore_take_listeners(struct unit *u);
/* Stores the unit's; forgets them. */
void fdstore_push(struct unit *u);
void fdstore_remove(struct unit *u);
/* One more listener; all of them.  systemd itself forgets those whose processes have all ended. */
void fdstore_push_listener(struct unit *u, uint32_t number, int fd);
void fdstore_remove_listeners(struct unit *u);
/* Forgets that one, and closes what was taken over of it. */
void fdstore_drop(struct unit *u, const char *role);
/* Closes what nobody took. */
void fdstore_close(void);

#endif
