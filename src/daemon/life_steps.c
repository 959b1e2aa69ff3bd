/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_steps.c - the journaled operations: their lists of steps, made once from the table of facets, and how one is run
 * and recovered.
 *
 * The record of an operation's end and that of the new state are one transaction: the next croftd sees either an
 * interrupted operation or a settled state.
 */
#include "base/cleanup.h"
#include "daemon/life_private.h"

#include <string.h>

#define STEPS_MAX 32
#define NAME_MAX_STEP 24

/* --- steps of facets: the context is the act, the argument the facet --- */

static struct partition *partition_of(void *context)
{
        struct act *act = context;

        return &act->u->p;
}

#define FACET_STEP(verb)                                                                                               \
        static int step_##verb(void *context, const void *arg, struct croft_error *err)                                \
        {                                                                                                              \
                const struct facet *facet = arg;                                                                       \
                int r = facet->verb ? facet->verb(partition_of(context), err) : 0;                                     \
                                                                                                                       \
                if (r < 0)                                                                                             \
                        croft_error_prefix(err, "%s", facet->name);                                                    \
                return r;                                                                                              \
        }

#define FACET_UNDO(verb)                                                                                               \
        static int undo_by_##verb(void *context, const void *arg, struct croft_error *err)                             \
        {                                                                                                              \
                const struct facet *facet = arg;                                                                       \
                struct act *act = context;                                                                             \
                                                                                                                       \
                act->undone = true;                                                                                    \
                return facet->verb ? facet->verb(&act->u->p, err) : 0;                                                 \
        }

FACET_STEP(prepare)
FACET_STEP(start)
FACET_STEP(stop)
FACET_STEP(release)
FACET_STEP(freeze)
FACET_STEP(thaw)
FACET_UNDO(stop)
FACET_UNDO(release)
FACET_UNDO(thaw)

/* --- the lists --- */

struct list {
        struct step steps[STEPS_MAX];
        char names[STEPS_MAX][NAME_MAX_STEP];
        size_t n;
};

static struct list list_load, list_start, list_run, list_stop, list_freeze, list_thaw;
static pthread_once_t lists_once = PTHREAD_ONCE_INIT;

typedef int (*step_function)(void *context, const void *arg, struct croft_error *err);

static void add(struct list *list, const struct facet *facet, const char *suffix, step_function act, step_function undo)
{
        struct step *step = &list->steps[list->n];

        (void)snprintf(list->names[list->n], NAME_MAX_STEP, "%s%s", facet->name, suffix);
        *step = (struct step){.name = list->names[list->n], .arg = facet, .act = act, .undo = undo};
        list->n++;
}

static void make_lists(void)
{
        for (size_t i = 0; i < n_facets; i++) {
                const struct facet *facet = facets[i];

                if (facet->prepare || facet->release) {
                        add(&list_load, facet, "", step_prepare, facet->release ? undo_by_release : NULL);
                        add(&list_start, facet, "", step_prepare, facet->release ? undo_by_release : NULL);
                }
                if (facet->freeze || facet->thaw)
                        add(&list_freeze, facet, "", step_freeze, undo_by_thaw);
        }
        for (size_t i = 0; i < n_facets; i++)
                if (facets[i]->start || facets[i]->stop) {
                        add(&list_start, facets[i], "-run", step_start, facets[i]->stop ? undo_by_stop : NULL);
                        add(&list_run, facets[i], "-run", step_start, facets[i]->stop ? undo_by_stop : NULL);
                }
        for (size_t i = n_facets; i-- > 0;) {
                if (facets[i]->stop)
                        add(&list_stop, facets[i], "-run", step_stop, NULL);
                if (facets[i]->freeze || facets[i]->thaw)
                        add(&list_thaw, facets[i], "", step_thaw, NULL);
        }
        for (size_t i = n_facets; i-- > 0;)
                if (facets[i]->release)
                        add(&list_stop, facets[i], "", step_release, NULL);
}

static const struct {
        const char *name;
        enum steps_policy policy;
        const struct list *list;
        const struct operation *fixed;
} table[] = {
        {"create", STEPS_UNDO, NULL, &op_create},
        {"remove", STEPS_FINISH, NULL, &op_remove},
        {"set", STEPS_UNDO, NULL, &op_set},
        {"bind", STEPS_UNDO, NULL, &op_bind},
        {"load", STEPS_UNDO, &list_load, NULL},
        {"start", STEPS_UNDO, &list_start, NULL},
        {"run", STEPS_UNDO, &list_run, NULL}, /* the second phase alone */
        {"stop", STEPS_FINISH, &list_stop, NULL},
        {"freeze", STEPS_UNDO, &list_freeze, NULL},
        {"thaw", STEPS_FINISH, &list_thaw, NULL},
};

struct operation life_operation(const char *name)
{
        (void)pthread_once(&lists_once, make_lists);
        for (size_t i = 0; i < ELEMENTS(table); i++) {
                if (strcmp(table[i].name, name) != 0)
                        continue;
                if (table[i].fixed)
                        return *table[i].fixed;
                return (struct operation){.name = table[i].name,
                        .policy = table[i].policy,
                        .steps = table[i].list->steps,
                        .n_steps = table[i].list->n};
        }
        return (struct operation){.name = name};
}

void life_print_crash_points(void)
{
        for (size_t i = 0; i < ELEMENTS(table); i++) {
                struct operation op = life_operation(table[i].name);

                steps_print_crash_points(&op);
        }
        life_pool_print_crash_points();
        life_kext_print_crash_points();
}

/* --- running --- */

void unit_record(struct unit *u, enum partition_state state, struct store_run *ret)
{
        (void)pthread_mutex_lock(&u->p.lock);
        *ret = (struct store_run){.state = state,
                .pid = u->p.run.pid,
                .start_time = u->p.run.start_time,
                .warden_pid = u->p.run.warden_pid,
                .warden_start_time = u->p.run.warden_start_time,
                .started = u->p.run.started,
                .exit_status = u->p.run.exit_status,
                .stopped = u->stopped};
        (void)str_copy(ret->last_error, sizeof(ret->last_error), u->last_error);
        (void)pthread_mutex_unlock(&u->p.lock);
}

int unit_save_run(struct unit *u, enum partition_state state, struct croft_error *err)
{
        struct store_run run;

        unit_record(u, state, &run);
        return store_set_run(u->life->store, u->p.def.id, &run, err);
}

static int end(void *context, struct croft_error *err)
{
        struct act *act = context;
        struct store_run run;
        int r;

        if (act->end) {
                r = act->end(act, err);
        } else {
                unit_record(act->u, act->undone ? act->fallback : act->target, &run);
                act->journal.run = &run;
                r = act->journal.steps.end(&act->journal, err);
        }
        act->ended = r == 0;
        return r;
}

static int begin(void *context, const char *operation, struct croft_error *err)
{
        struct act *act = context;

        return act->journal.steps.begin(&act->journal, operation, err);
}

static struct steps_journal journal_of(struct act *act)
{
        store_journal_init(&act->journal, act->u->life->store, act->u->p.def.id, NULL);
        return (struct steps_journal){.begin = begin, .end = end, .journal = act};
}

int act_run(struct act *act, const struct operation *op, struct croft_error *err)
{
        struct steps_journal journal = journal_of(act);

        return steps_run(op, act, &journal, err);
}

int act_recover(struct act *act, const struct operation *op, struct croft_error *err)
{
        struct steps_journal journal = journal_of(act);

        act->undone = op->policy == STEPS_UNDO;
        return steps_recover(op, act, &journal, err);
}
