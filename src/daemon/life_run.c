/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_run.c - load, start, stop, restart, kill, freeze, thaw.  See life.h.
 *
 * A start that fails leaves nothing; a stop that fails leaves the partition Broken, and the operation in the journal.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/fdstore.h"
#include "daemon/life_private.h"
#include "kernel/affinity.h"
#include "kernel/process.h"

#include <string.h>

/* Where an operation that may be undone has led to. */
static enum partition_state settle(struct act *act, int r)
{
        if (r == 0)
                return act->target;
        if (act->ended)
                return act->fallback;
        (void)unit_save_run(act->u, PARTITION_BROKEN, NULL); /* the journal says it, too */
        return PARTITION_BROKEN;
}

static int run_to(struct unit *u, const char *operation, enum partition_state target, enum partition_state *state,
        struct croft_error *err)
{
        struct act act = {.u = u, .target = target, .fallback = *state};
        struct operation op = life_operation(operation);
        int r;

        u->p.stop = (struct partition_stop){.force = true}; /* should it have to be undone */
        r = act_run(&act, &op, err);
        if (u->kept_off)
                affinity_let_run(0);
        u->kept_off = false;
        *state = settle(&act, r);
        return r;
}

int unit_start(struct unit *u, enum partition_state *state, struct croft_error *err)
{
        enum partition_state left;
        int r;

        u->stopped = false;
        if (*state == PARTITION_DEFINED) {
                r = run_to(u, "start", PARTITION_ACTIVE, state, err);
        } else {
                r = run_to(u, "run", PARTITION_ACTIVE, state, err);
                /* What init has begun can't be taken back to Loaded; the first failure is the one to tell. */
                if (r < 0) {
                        (void)unit_stop(u, 0, true, &left, NULL);
                        *state = left;
                }
        }
        warden_spare_want(&u->life->spare); /* for the next start; not before this one's init runs */
        if (r == 0)
                fdstore_push(u);
        return r;
}

int unit_stop(struct unit *u, unsigned int timeout_ms, bool force, enum partition_state *state, struct croft_error *err)
{
        struct act act = {.u = u, .target = PARTITION_DEFINED};
        struct operation op = life_operation("stop");
        uint64_t seconds = 30;
        int r;

        if (timeout_ms == 0) {
                (void)str_to_u64(property_get(u->p.def.properties, "stop.timeout"), 86400, &seconds);
                timeout_ms = (unsigned int)seconds * 1000;
        }
        u->p.stop = (struct partition_stop){.timeout_ms = timeout_ms, .force = force};
        u->stopped = true;
        life_autoload_release(u); /* else its last programs might wait for the end of this */
        fdstore_remove(u);
        r = act_run(&act, &op, err);
        *state = PARTITION_DEFINED;
        if (r < 0) {
                *state = PARTITION_BROKEN;
                (void)unit_save_run(u, PARTITION_BROKEN, NULL); /* the journal says it, too */
        }
        return r;
}

/* Ends the ownership; own says what was done. */
static int finish(struct unit *u, enum partition_state state, int r, struct croft_error *own, struct croft_error *err)
{
        if (r < 0)
                croft_error_copy(err, own);
        return life_end(u, state, r, own);
}

int life_load(struct life *life, const char *name, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        enum partition_state state;
        int r = life_begin(life, name, LIFE_LOAD, &u, err);

        if (r < 0)
                return r;
        state = u->p.state;
        u->stopped = false;
        r = run_to(u, "load", PARTITION_LOADED, &state, &own);
        if (r < 0)
                croft_error_prefix(&own, "load '%s'", u->p.def.name);
        return finish(u, state, r, &own, err);
}

int life_start(struct life *life, const char *name, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        enum partition_state state;
        int r = life_begin(life, name, LIFE_START, &u, err);

        if (r < 0)
                return r;
        state = u->p.state;
        r = unit_start(u, &state, &own);
        if (r < 0)
                croft_error_prefix(&own, "start '%s'", u->p.def.name);
        return finish(u, state, r, &own, err);
}

/* What is under way waits for init to stop, or for what an extension needs in the partition's control groups: kills
 * everything there now, and waits for the end of that.  True: there was something. */
static bool hasten(struct life *life, const char *name)
{
        static const char *const waiting[] = {"stop", "restart", "serve"};
        _cleanup_(unit_unrefp) struct unit *u = life_find(life, name, NULL);
        bool waits = false;

        if (!u)
                return false;
        (void)pthread_mutex_lock(&u->p.lock);
        for (size_t i = 0; u->p.operation && i < ELEMENTS(waiting); i++)
                waits = waits || strcmp(u->p.operation, waiting[i]) == 0;
        (void)pthread_mutex_unlock(&u->p.lock);
        if (!waits)
                return false;
        (void)cgroup_kill(life->host->cgroups, u->p.def.id, NULL); /* it may be gone by now */
        (void)pthread_mutex_lock(&u->p.lock);
        while (u->p.operation)
                (void)pthread_cond_wait(&u->changed, &u->p.lock);
        (void)pthread_mutex_unlock(&u->p.lock);
        return true;
}

int life_stop(struct life *life, const char *name, unsigned int timeout_ms, bool force, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        enum partition_state state;
        int r;

        while (force && hasten(life, name))
                ; /* another one may have followed, the stop after the end of init */
        r = life_begin(life, name, force ? LIFE_FORCED_STOP : LIFE_STOP, &u, err);
        if (r < 0)
                return r;
        state = u->p.state;
        r = unit_stop(u, timeout_ms, force, &state, &own);
        if (r < 0)
                croft_error_prefix(&own, "stop '%s'", u->p.def.name);
        return finish(u, state, r, &own, err);
}

int life_restart(struct life *life, const char *name, unsigned int timeout_ms, bool force, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        enum partition_state state;
        int r = life_begin(life, name, force ? LIFE_FORCED_RESTART : LIFE_RESTART, &u, err);

        if (r < 0)
                return r;
        state = u->p.state;
        r = unit_stop(u, timeout_ms, force, &state, &own);
        if (r == 0)
                r = unit_start(u, &state, &own);
        if (r < 0)
                croft_error_prefix(&own, "restart '%s'", u->p.def.name);
        return finish(u, state, r, &own, err);
}

int life_kill(struct life *life, const char *name, int signal, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find(life, name, err);
        _cleanup_close_ int pidfd = -EBADF;
        int r;

        if (!u)
                return -ENOENT;
        if (signal <= 0 || signal > SIGRTMAX)
                return croft_error_set(err, EINVAL, "%d is no signal.", signal);
        (void)pthread_mutex_lock(&u->p.lock);
        r = life_action_check(LIFE_KILL, u->p.state, name, err);
        if (r == 0) {
                pidfd = fd_dup(u->p.run.pidfd);
                r = pidfd < 0 ? croft_error_set(err, ESRCH, "'%s' isn't running.", name) : 0;
        }
        (void)pthread_mutex_unlock(&u->p.lock);
        if (r < 0)
                return r;
        /* All at once; what is left of the partition is released as after every end of an init. */
        if (signal == SIGKILL)
                r = cgroup_kill(life->host->cgroups, u->p.def.id, err);
        else if ((r = process_signal(pidfd, signal)) < 0)
                croft_error_set(err, r, "send signal %d to init", signal);
        if (r < 0)
                croft_error_prefix(err, "kill '%s'", name);
        return r;
}

int life_freeze(struct life *life, const char *name, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        enum partition_state state;
        int r = life_begin(life, name, LIFE_FREEZE, &u, err);

        if (r < 0)
                return r;
        state = u->p.state;
        life_autoload_release(u); /* whoever waits for the kernel can't be frozen */
        r = run_to(u, "freeze", PARTITION_FROZEN, &state, &own);
        if (r < 0) {
                life_autoload_begin(u);
                croft_error_prefix(&own, "freeze '%s'", u->p.def.name);
        }
        return finish(u, state, r, &own, err);
}

int life_thaw(struct life *life, const char *name, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        struct operation op = life_operation("thaw");
        enum partition_state state;
        struct act act;
        int r = life_begin(life, name, LIFE_THAW, &u, err);

        if (r < 0)
                return r;
        act = (struct act){.u = u, .target = PARTITION_ACTIVE};
        r = act_run(&act, &op, &own);
        state = r == 0 ? PARTITION_ACTIVE : PARTITION_FROZEN; /* it may be tried again */
        if (r < 0)
                croft_error_prefix(&own, "thaw '%s'", u->p.def.name);
        else
                life_autoload_begin(u);
        return finish(u, state, r, &own, err);
}
