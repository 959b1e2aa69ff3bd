/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_rules.h - which operation is allowed in which state (C-7), as a table, and how an init is asked to stop.  Pure.
 */
#ifndef CROFT_DAEMON_LIFE_RULES_H
#define CROFT_DAEMON_LIFE_RULES_H

#include "partition/partition.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>

enum life_action {
        LIFE_CREATE,
        LIFE_LOAD,
        LIFE_START,
        LIFE_STOP,
        LIFE_FORCED_STOP,
        LIFE_RESTART,
        LIFE_FORCED_RESTART,
        LIFE_KILL,
        LIFE_FREEZE,
        LIFE_THAW,
        LIFE_SET,
        LIFE_BIND,
        LIFE_DEVICE_ADD,
        LIFE_DEVICE_REMOVE,
        LIFE_EXTENSION,
        LIFE_GRANT,
        LIFE_SCAN,
        LIFE_UNGRANT,
        LIFE_RENAME,
        LIFE_REMOVE,
        LIFE_FORCED_REMOVE,
        LIFE_EXEC,
        LIFE_CONSOLE,
        LIFE_SUCCEED, /* croftd's own: a new warden for one that died */
        LIFE_ACTIONS
};

/* "start", as in partition.operation; static. */
const char *life_action_name(enum life_action action);
/* "'web' is being started" wants "started". */
const char *life_action_participle(const char *operation);
/* Does the partition show Transitional while this goes on? */
bool life_action_is_transition(const char *operation);
/* Is it an attempt to start, stop or load, with a record of errors of its own (ERR-27)? */
bool life_action_is_attempt(enum life_action action);

/* 0, or why not: -ESRCH it isn't running, -EBUSY it is already, -ENOTRECOVERABLE it is broken. */
int life_action_check(
        enum life_action action, enum partition_state state, const char *partition, struct croft_error *err);

/* What an init that has handlers for these signals, and blocks those, understands as "stop": the kernel drops every
 * other signal to a PID 1.  0: none.  Masks as of process_signals(). */
int life_stop_signal(uint64_t caught, uint64_t blocked);

#endif
