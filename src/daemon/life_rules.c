/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_rules.c - which operation is allowed in which state.  See life_rules.h.
 */
#include "daemon/life_rules.h"

#include "base/cleanup.h"

#include <signal.h>
#include <string.h>

#define IN(state) (1U << PARTITION_##state)
#define ANY_SETTLED (IN(DEFINED) | IN(LOADED) | IN(ACTIVE) | IN(FROZEN) | IN(PAUSED) | IN(MAINTENANCE) | IN(BROKEN))
#define LIVING (IN(LOADED) | IN(ACTIVE) | IN(FROZEN) | IN(PAUSED) | IN(MAINTENANCE))

static const struct {
        const char *name, *participle;
        unsigned int states; /* where it is allowed */
        bool transition;
} rules[LIFE_ACTIONS] = {
        [LIFE_CREATE] = {"create", "created", IN(DEFINED), true},
        [LIFE_LOAD] = {"load", "loaded", IN(DEFINED), true},
        [LIFE_START] = {"start", "started", IN(DEFINED) | IN(LOADED), true},
        [LIFE_STOP] = {"stop", "stopped", LIVING, true},
        [LIFE_FORCED_STOP] = {"stop", "stopped", ANY_SETTLED, true},
        [LIFE_RESTART] = {"restart", "restarted", LIVING, true},
        [LIFE_FORCED_RESTART] = {"restart", "restarted", ANY_SETTLED, true},
        [LIFE_KILL] = {"kill", "killed", IN(ACTIVE) | IN(FROZEN), false},
        [LIFE_FREEZE] = {"freeze", "frozen", IN(ACTIVE), true},
        [LIFE_THAW] = {"thaw", "thawed", IN(FROZEN), true},
        [LIFE_SET] = {"set", "changed", ANY_SETTLED, false},
        [LIFE_BIND] = {"bind", "bound", ANY_SETTLED, false},
        [LIFE_DEVICE_ADD] = {"device-add", "given a device", LIVING, false},
        [LIFE_DEVICE_REMOVE] = {"device-remove", "relieved of a device", LIVING, false},
        [LIFE_EXTENSION] = {"extension", "changed in its extensions", LIVING, false},
        [LIFE_GRANT] = {"grant", "granted an extension", ANY_SETTLED, false},
        [LIFE_SCAN] = {"scan", "scanned", ANY_SETTLED, false},
        [LIFE_UNGRANT] = {"ungrant", "denied an extension", ANY_SETTLED, false},
        [LIFE_RENAME] = {"rename", "renamed", ANY_SETTLED, false},
        [LIFE_REMOVE] = {"remove", "removed", IN(DEFINED), true},
        [LIFE_FORCED_REMOVE] = {"remove", "removed", ANY_SETTLED, true},
        [LIFE_EXEC] = {"exec", "entered", IN(ACTIVE), false},
        [LIFE_CONSOLE] = {"console", "watched", LIVING, false},
        [LIFE_SUCCEED] = {"succeed", "given a new warden", LIVING, false},
};

const char *life_action_name(enum life_action action)
{
        return rules[action].name;
}

static size_t find(const char *operation)
{
        for (size_t i = 0; i < ELEMENTS(rules); i++)
                if (strcmp(rules[i].name, operation) == 0)
                        return i;
        return LIFE_SET;
}

const char *life_action_participle(const char *operation)
{
        return rules[find(operation)].participle;
}

bool life_action_is_transition(const char *operation)
{
        return rules[find(operation)].transition;
}

bool life_action_is_attempt(enum life_action action)
{
        switch (action) {
        case LIFE_LOAD:
        case LIFE_START:
        case LIFE_STOP:
        case LIFE_FORCED_STOP:
        case LIFE_RESTART:
        case LIFE_FORCED_RESTART:
                return true;
        default:
                return false;
        }
}

int life_action_check(
        enum life_action action, enum partition_state state, const char *partition, struct croft_error *err)
{
        if (rules[action].states & (1U << state))
                return 0;
        switch (state) {
        case PARTITION_BROKEN:
                return croft_error_set(err, ENOTRECOVERABLE,
                        "'%s' is broken: a stop failed and left something behind; `croft stop --force %s` tries again.",
                        partition, partition);
        case PARTITION_DEFINED:
                return croft_error_set(err, ESRCH, "'%s' isn't running.", partition);
        case PARTITION_LOADED:
                return croft_error_set(err, action == LIFE_LOAD || action == LIFE_REMOVE ? EBUSY : ESRCH,
                        "'%s' is loaded, but was not started.", partition);
        case PARTITION_FROZEN:
                if (action == LIFE_FREEZE)
                        return croft_error_set(err, EBUSY, "'%s' is frozen.", partition);
                return croft_error_set(
                        err, EBUSY, "'%s' is frozen; `croft thaw %s` lets it go on.", partition, partition);
        case PARTITION_ACTIVE:
                if (action == LIFE_THAW)
                        return croft_error_set(err, EBUSY, "'%s' isn't frozen.", partition);
                if (action == LIFE_REMOVE)
                        return croft_error_set(err, EBUSY, "'%s' is running: stop it first, or force it.", partition);
                return croft_error_set(err, EBUSY, "'%s' is running.", partition);
        default:
                return croft_error_set(err, EBUSY, "'%s' is %s.", partition, partition_state_name(state));
        }
}

/* A handler says more: one that blocks all for a moment waits for none on a signalfd. */
int life_stop_signal(uint64_t caught, uint64_t blocked)
{
        const int candidates[] = {SIGRTMIN + 3 /* systemd: halt */, SIGPWR /* sysvinit, LXC's habit */, SIGTERM};
        const uint64_t masks[] = {caught, blocked};

        for (size_t m = 0; m < ELEMENTS(masks); m++)
                for (size_t i = 0; i < ELEMENTS(candidates); i++)
                        if (masks[m] & (UINT64_C(1) << (candidates[i] - 1)))
                                return candidates[i];
        return 0;
}
